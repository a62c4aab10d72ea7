/*
 * tls_gnutls - addresses of UDP sockets in module parameters
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant, before the forks.  Memory: none.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_UDP_H
#define TLSG_GNUTLS_MOD_MOD_UDP_H

#include <stdbool.h>

#include "core/ip_addr.h"
#include "core/str.h"

/**
 * Parses "udp:ip:port". An IPv6 address is in brackets; names of hosts are not resolved.
 * @param text  the value of a parameter; need not end with a null byte.
 * @param ip    [out] the address, set only on success.
 * @param port  [out] 1 to 65535, set only on success.
 * @return false: malformed.
 */
bool tlsg_udp_parse(const str *text, struct ip_addr *ip, unsigned short *port);

#endif
