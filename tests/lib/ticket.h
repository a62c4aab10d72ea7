/*
 * tls_gnutls - finds the ticket in GnuTLS's session data and puts another one in its place
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tests, fuzz targets, the client of the end-to-end tests.  Memory: heap.  Lock: none.
 */
#ifndef TLSG_TESTS_LIB_TICKET_H
#define TLSG_TESTS_LIB_TICKET_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

/** Parts of a ticket that GnuTLS issues: name of the key, IV, length of the state, state, MAC. */
#define TLSG_TICKET_IV_AT 16
#define TLSG_TICKET_LENGTH_AT 32
#define TLSG_TICKET_STATE_AT 34
#define TLSG_TICKET_MAC_BYTES 20

/**
 * Finds the ticket in session data.
 * @param at     [out] offset of its first byte.
 * @param bytes  [out] its length.
 * @return false when there is no ticket of GnuTLS's own form.
 */
bool tlsg_ticket_find(const gnutls_datum_t *session, size_t *at, size_t *bytes);

/**
 * Puts another ticket in the place of the one in session data and corrects the lengths around it.
 * @return the new session data, to be freed with gnutls_free().
 */
gnutls_datum_t tlsg_ticket_replace(const gnutls_datum_t *session, const unsigned char *ticket, size_t bytes);

#endif
