/*
 * tls_gnutls - a GnuTLS client that offers session tickets, also altered ones, to a server connection of the module
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests and fuzz targets.  Memory: the stand-in's shared region; the client's on the heap.  Lock: none.
 */
#ifndef TLSG_TESTS_LIB_TICKET_SERVER_H
#define TLSG_TESTS_LIB_TICKET_SERVER_H

#include <stdbool.h>

#include <gnutls/gnutls.h>

#include "base/err.h"

/** Result of an offer. */
struct tlsg_ticket_result
{
	enum tlsg_ret server; /**< last result of the server: TLSG_AGAIN is fine */
	int client;			  /**< 0: the handshake is done, else the client's GNUTLS_E_* */
	bool resumed;		  /**< the ticket was accepted */
	gnutls_datum_t
			session; /**< what the client could resume next time, of this connection; size 0 without a new ticket */
};

/**
 * Sets up everything a server with session_cache=1 needs, in a new folder. For the setup of a group of tests.
 * @param state  not used, may be NULL. @return 0, -1.
 */
int tlsg_ticket_server_start(void **state);

/** A file in the folder of the server. @param buf  [out] @return buf. */
const char *tlsg_ticket_server_path(const char *name, char buf[128]);

/**
 * Publishes another snapshot.
 * @param key_file  value of ticket_key_file; NULL: not set.
 * @param name      server_name of the profile; NULL: not set.
 */
void tlsg_ticket_server_publish(const char *key_file, const char *name);

/**
 * Frees it. For the teardown of a group of tests.
 * @param state  not used, may be NULL. @return 0; -1 when shared memory is left.
 */
int tlsg_ticket_server_stop(void **state);

/**
 * One connection to the server.
 * @param version  GNUTLS_TLS1_2 or GNUTLS_TLS1_3.
 * @param offered  session data with the ticket that is offered; NULL none.
 * @param result   [out] result->session is to be freed with gnutls_free().
 */
void tlsg_ticket_connect(gnutls_protocol_t version, const gnutls_datum_t *offered, struct tlsg_ticket_result *result);

#endif
