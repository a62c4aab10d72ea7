/*
 * tls_gnutls - sets up the GnuTLS session of a connection: priority, credentials, tickets, callbacks
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).  Lock: write_lock, held by the step's caller.
 */
#include "transport/conn_session.h"

#include <gnutls/crypto.h>

#include "base/mutex.h"
#include "base/scope.h"
#include "profiles/priority.h"
#include "profiles/ticket.h"
#include "transport/carrier.h"
#include "transport/conn_state.h"
#include "transport/conn_step.h"
#include "transport/conn_verify.h"
#include "transport/hello.h"
#include "transport/keylog.h"

/* GnuTLS 3.8: do not ask servers for stapled OCSP responses, which are not used here. */
#if GNUTLS_VERSION_NUMBER >= 0x030800
#define NO_STATUS_REQUEST GNUTLS_NO_STATUS_REQUEST
#else
#define NO_STATUS_REQUEST 0
#endif

static int verify_cb(gnutls_session_t session)
{
	return tlsg_conn_verify_peer(gnutls_session_get_ptr(session));
}

/* When a ticket cannot be decrypted, GnuTLS frees its parts with free(), which must know the arena. */
static bool offers_tickets(const struct tlsg_conn *c)
{
	return c->set->options.session_cache && tlsg_scope_frees_by_address(NULL);
}

/* Tickets of this profile, encrypted with the key that all processes derive. GnuTLS takes one, the last one set. */
static enum tlsg_ret enable_tickets(struct tlsg_conn *c, unsigned number, struct tlsg_err *err)
{
	unsigned char key[TLSG_TICKET_KEY_SIZE];
	gnutls_datum_t datum = {key, sizeof(key)};
	enum tlsg_ret ret = tlsg_ticket_key(c->ref.prof, number, c->datagram != NULL, time(NULL), key);
	int rc;

	if(ret != TLSG_OK)
		return tlsg_err_set(err, ret, "no key for session tickets");
	rc = gnutls_session_ticket_enable_server(c->session, &datum);
	gnutls_memset(key, 0, sizeof(key));
	return rc < 0 ? tlsg_err_gnutls(err, rc, "enabling session tickets") : TLSG_OK;
}

static gnutls_certificate_request_t request_of(const struct tlsg_prof *p)
{
	switch(p->verify_mode) {
		case TLSG_VERIFY_PEER:
			return GNUTLS_CERT_REQUEST;
		case TLSG_VERIFY_PEER_FAIL:
			return GNUTLS_CERT_REQUIRE;
		default:
			return GNUTLS_CERT_IGNORE;
	}
}

int tlsg_conn_session_priority(struct tlsg_conn *c, gnutls_priority_t priority)
{
	int rc = gnutls_priority_set(c->session, priority);

	if(rc >= 0)
		c->priority = priority;
	return rc;
}

enum tlsg_ret tlsg_conn_session_apply(struct tlsg_conn *c, struct tlsg_err *err)
{
	const struct tlsg_prof *p = c->ref.prof;
	const struct tlsg_priority *x = tlsg_priority_of(p, c->datagram != NULL);
	int rc;

	if(x == NULL)
		return tlsg_priority_check_datagram(p, err);
	rc = tlsg_conn_session_priority(c, x->compiled);
	if(rc < 0)
		return tlsg_err_gnutls(err, rc, "setting the priority of the profile");
	if(c->role == TLSG_CLIENT)
		return TLSG_OK;
	gnutls_certificate_server_set_request(c->session, request_of(p));
	return offers_tickets(c) ? enable_tickets(c, 0, err) : TLSG_OK;
}

enum tlsg_ret tlsg_conn_session_ticket(struct tlsg_conn *c, const struct tlsg_hello *h, struct tlsg_err *err)
{
	const struct tlsg_der *tickets;
	unsigned len;
	int number;

	if(!offers_tickets(c))
		return TLSG_OK;
	tickets = tlsg_hello_tickets(h, tlsg_priority_of(c->ref.prof, c->datagram != NULL)->list.versions, &len);
	if(len == 0)
		return TLSG_OK;
	number = tlsg_ticket_match(c->ref.prof, c->datagram != NULL, tickets, len, time(NULL));
	c->ticket = number < 0 ? TLSG_TICKET_UNKNOWN : TLSG_TICKET_KNOWN;
	return number > 0 ? enable_tickets(c, (unsigned)number, err) : TLSG_OK;
}

static unsigned init_flags(const struct tlsg_conn *c)
{
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | NO_STATUS_REQUEST;

	if(c->datagram != NULL)
		flags |= GNUTLS_DATAGRAM;
	if(!offers_tickets(c))
		flags |= GNUTLS_NO_TICKETS;
	return flags | (c->role == TLSG_CLIENT ? GNUTLS_CLIENT : GNUTLS_SERVER);
}

enum tlsg_ret tlsg_conn_session_init(struct tlsg_conn *c, struct tlsg_err *err)
{
	unsigned made = tlsg_mutex_made();
	enum tlsg_ret ret;
	int rc = gnutls_init(&c->session, init_flags(c));

	if(rc < 0)
		return tlsg_err_gnutls(err, rc, "creating a session");
	if(tlsg_mutex_made() == made) /* other processes would wait forever */
		return tlsg_err_set(err, TLSG_E_RESOURCE,
				"another library of this process has replaced GnuTLS's mutex functions, sessions cannot be shared; "
				"load the module that calls gnutls_global_set_mutex() before tls_gnutls.so");
	gnutls_session_set_ptr(c->session, c);
	if(c->datagram == NULL)
		gnutls_handshake_set_timeout(c->session, 0); /* without effect on datagrams: carrier_datagram.c */
	tlsg_carrier_init(c);
	tlsg_keylog_session_init(c->session);
	gnutls_session_set_verify_function(c->session, verify_cb);
	if(c->role == TLSG_CLIENT && c->sni.s != NULL) {
		rc = gnutls_server_name_set(c->session, GNUTLS_NAME_DNS, c->sni.s, (size_t)c->sni.len);
		if(rc < 0)
			return tlsg_err_gnutls(err, rc, "setting the server name");
	}
	ret = tlsg_conn_session_apply(c, err);
	return ret == TLSG_OK ? tlsg_conn_step_bind(c, err) : ret;
}
