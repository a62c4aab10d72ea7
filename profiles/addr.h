/*
 * tls_gnutls - a network address, as profiles and connections have it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none.
 *
 * Not here: which profile an address selects (match.h), reading it from tls.cfg (tlscfg.c).
 */
#ifndef TLSG_PROFILES_ADDR_H
#define TLSG_PROFILES_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** Network address without a port. */
struct tlsg_addr
{
	uint8_t len; /**< 4, 16, or 0: no address */
	uint8_t bytes[16];
};

/**
 * Whether two addresses are equal. Addresses without bytes are never equal to anything, and an IPv4 address is not
 * equal to the same one inside IPv6 (::ffff:192.0.2.1): a profile is for the address that its section names. Where
 * peers are counted (transport/addr_count.c) the two are one address.
 */
static inline bool tlsg_addr_is_equal(const struct tlsg_addr *a, const struct tlsg_addr *b)
{
	return a->len != 0 && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

#endif
