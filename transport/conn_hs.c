/*
 * tls_gnutls - the handshake: profile by server name, suites of the list, steps, what follows a finished handshake
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).  Lock: write_lock, held by the step's caller.
 */
#include "transport/conn_hs.h"

#include "profiles/match.h"
#include "profiles/priority.h"
#include "transport/carrier.h"
#include "transport/conn_bound.h"
#include "transport/conn_failure.h"
#include "transport/conn_message.h"
#include "transport/conn_resume.h"
#include "transport/conn_session.h"
#include "transport/conn_state.h"
#include "transport/conn_step.h"
#include "transport/conn_verify.h"
#include "transport/hello.h"
#include "transport/peer.h"
#include "transport/stats.h"

#define DH_PRIME_BYTES_MAX 1250 /* the limit of OpenSSL, 10,000 bits */

/*
 * The second lookup of the profile, by the server name, in the snapshot and with the local address of the connection.
 */
static enum tlsg_ret choose_by_name(struct tlsg_conn *c, struct tlsg_err *err)
{
	struct tlsg_match_query q = {.role = TLSG_SERVER, .addr = c->local, .port = c->local_port, .server_name = c->sni};
	const struct tlsg_prof *p;
	enum tlsg_ret ret;

	if(!tlsg_match_is_switchable(c->ref.prof))
		return TLSG_OK;
	p = tlsg_match_find(c->set, &q);
	LM_DBG("TLS cfg domain selected for received server name [%s]: %.*s\n", c->sni.s, p->id.len, p->id.s);
	if(p == c->ref.prof)
		return TLSG_OK;
	if(tlsg_priority_of(p, c->datagram != NULL) == NULL) /* TLS only */
		return TLSG_E_PEER;
	c->ref.prof = p;
	ret = tlsg_conn_session_apply(c, err);
	return ret == TLSG_OK ? tlsg_conn_step_bind(c, err) : ret;
}

/* Keeps to the suite list of the profile and to its order. */
static int restrict_suites(struct tlsg_conn *c, const struct tlsg_hello *h)
{
	bool datagram = c->datagram != NULL;
	unsigned allowed = tlsg_priority_of(c->ref.prof, datagram)->list.versions;
	struct tlsg_cipher_offer offer;
	gnutls_priority_t compiled;

	tlsg_hello_offer(h, allowed, &offer);
	if((offer.versions & allowed) == 0)
		return GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
	if(tlsg_priority_for_offer(c->ref.prof, datagram, &offer, &compiled) != TLSG_OK)
		return GNUTLS_E_NO_CIPHER_SUITES;
	c->ref.keys = offer.usable;
	c->ref.groups = offer.groups;
	return compiled != NULL ? tlsg_conn_session_priority(c, compiled) : 0;
}

/* Refuses a name that is not visible ASCII, as GnuTLS would. The log line shows such bytes as question marks. */
static int refuse_name(struct tlsg_conn *c)
{
	int i;

	for(i = 0; i < c->sni.len; i++)
		if(c->sni.s[i] <= ' ' || c->sni.s[i] > '~')
			c->sni.s[i] = '?';
	return GNUTLS_E_RECEIVED_DISALLOWED_NAME;
}

/* Before GnuTLS reads a ClientHello, the whole profile can still be applied. */
static int client_hello_received(struct tlsg_conn *c, const gnutls_datum_t *msg)
{
	struct tlsg_hello hello;
	enum tlsg_ret ret;

	if(tlsg_hello_read(msg->data, msg->size, c->datagram != NULL, &hello) != TLSG_OK)
		return hello.illegal ? GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER : GNUTLS_E_UNEXPECTED_PACKET_LENGTH;
	if(!c->hello_seen && hello.name != NULL) {
		c->sni.s = tlsg_arena_keep_copy(c->arena, hello.name, hello.name_len);
		if(c->sni.s == NULL)
			return GNUTLS_E_MEMORY_ERROR;
		c->sni.len = (int)hello.name_len;
		if(!hello.name_is_visible)
			return refuse_name(c);
		LM_DBG("received server_name (TLS extension): '%s'\n", c->sni.s);
		ret = choose_by_name(c, NULL);
		if(ret != TLSG_OK)
			return ret == TLSG_E_PEER ? GNUTLS_E_UNSUPPORTED_VERSION_PACKET : TLSG_ERR_DEFECT;
	}
	if(!c->hello_seen && tlsg_conn_session_ticket(c, &hello, NULL) != TLSG_OK)
		return TLSG_ERR_DEFECT;
	c->hello_seen = true;
	return restrict_suites(c, &hello);
}

/* A server of TLS 1.2 and older chooses the Diffie-Hellman prime, which is the first field (RFC 5246 section 7.4.3). */
static int server_key_received(const struct tlsg_conn *c, const gnutls_datum_t *msg)
{
	gnutls_kx_algorithm_t kx = gnutls_kx_get(c->session);

	if(kx != GNUTLS_KX_DHE_RSA && kx != GNUTLS_KX_DHE_DSS && kx != GNUTLS_KX_ANON_DH)
		return 0;
	if(msg->size < 2 || (unsigned)(msg->data[0] << 8 | msg->data[1]) > DH_PRIME_BYTES_MAX)
		return GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
	return 0;
}

/*
 * Called with every message before GnuTLS reads it. Numbers of the peer that would keep this process computing are
 * refused here.
 */
static int message_cb(
		gnutls_session_t session, unsigned type, unsigned when, unsigned incoming, const gnutls_datum_t *msg)
{
	struct tlsg_conn *c = gnutls_session_get_ptr(session);

	(void)when;
	if(c->datagram != NULL)
		tlsg_carrier_datagram_message(c, incoming != 0, msg->size);
	if(!incoming)
		return 0;
	tlsg_conn_bound_message(c);
	if(c->datagram != NULL)
		tlsg_dgram_record_done(&c->datagram->messages);
	switch(type) {
		case GNUTLS_HANDSHAKE_CLIENT_HELLO_V2: /* of SSL 2, without extensions; RFC 6176 */
			return GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
		case GNUTLS_HANDSHAKE_CLIENT_HELLO:
			return c->role == TLSG_SERVER ? client_hello_received(c, msg) : 0;
		case GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE:
			return server_key_received(c, msg);
		case GNUTLS_HANDSHAKE_NEW_SESSION_TICKET:
			tlsg_conn_resume_arrives(c, msg->size);
			return 0;
		case GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY: /* in TLS 1.3 the certificate is verified after it */
			return tlsg_conn_verify_leaf(c);
		default:
			return 0;
	}
}

enum tlsg_ret tlsg_conn_hs_init(struct tlsg_conn *c, struct tlsg_err *err)
{
	enum tlsg_ret ret = tlsg_conn_session_init(c, err);

	if(ret == TLSG_OK)
		gnutls_handshake_set_hook_function(c->session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE, message_cb);
	return ret;
}

/* Counts what came of a ticket that a client offered. @param rc  the verification of a resumed session. */
static void count_ticket(const struct tlsg_conn *c, bool resumed, int rc)
{
	if(c->renegotiating || c->ticket == TLSG_TICKET_NONE || (resumed && rc >= 0))
		return;
	tlsg_stats_ticket_refused(resumed							 ? TLSG_TICKET_CERTIFICATE
							  : c->ticket == TLSG_TICKET_UNKNOWN ? TLSG_TICKET_NO_KEY
																 : TLSG_TICKET_INVALID);
}

/* GnuTLS has finished: check what it does not, publish the peer record, give back the memory of the handshake. */
static enum tlsg_ret finish(struct tlsg_conn *c, struct tlsg_err *err)
{
	bool resumed = gnutls_session_is_resumed(c->session) != 0;
	int rc = resumed ? tlsg_conn_verify_resumed(c) : 0;
	enum tlsg_ret ret;

	count_ticket(c, resumed, rc);
	/* However GnuTLS came to it, a suite outside the list is refused. */
	if(rc >= 0 && !tlsg_cipher_list_has(&tlsg_priority_of(c->ref.prof, c->datagram != NULL)->list, tlsg_peer_suite(c)))
		rc = GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
	if(rc < 0)
		return tlsg_conn_failure_set(c, rc, err);
	c->state = TLSG_CONN_ESTABLISHED;
	if(c->renegotiating) {
		c->renegotiating = false;
		tlsg_conn_bound_settle(c);
		return TLSG_OK;
	}
	if(c->datagram != NULL)
		tlsg_conn_message_settle(c);
	ret = tlsg_peer_publish(c, err);
	if(ret == TLSG_OK) {
		c->established = true;
		tlsg_stats_handshake_done(c->peer->version, resumed, (enum tlsg_role)c->role);
		tlsg_conn_resume_done(c, resumed);
	} else
		tlsg_conn_failure_count(c, TLSG_FAIL_MEMORY);
	tlsg_arena_settle(c->arena);
	tlsg_conn_bound_settle(c);
	return ret;
}

static enum tlsg_ret fail(struct tlsg_conn *c, int rc, struct tlsg_err *err)
{
	if(rc != GNUTLS_E_INTERNAL_ERROR || c->datagram == NULL || !tlsg_carrier_datagram_is_too_long(c))
		return tlsg_conn_failure_set(c, rc, err);
	tlsg_conn_failure_count(c, TLSG_FAIL_LOCAL);
	return tlsg_err_set(err, TLSG_E_CONFIG,
			"a flight of the handshake has more than 31 records, which GnuTLS does not send; shorten the certificate "
			"chain, or allow larger datagrams");
}

enum tlsg_ret tlsg_conn_hs_run(struct tlsg_conn *c, struct tlsg_err *err)
{
	tlsg_conn_failure_forget();
	for(;;) {
		size_t before = tlsg_carrier_left(c);
		enum tlsg_ret ret;
		int rc;

		c->in_handshake = true;
		rc = gnutls_handshake(c->session);
		c->in_handshake = false;
		if(rc >= 0)
			return finish(c, err);
		if(rc == GNUTLS_E_WARNING_ALERT_RECEIVED) {
			tlsg_stats_alert(false, (unsigned)gnutls_alert_get(c->session));
			if(tlsg_conn_bound_warning(c, err) != TLSG_OK)
				return TLSG_E_PEER;
		} else if(rc != GNUTLS_E_AGAIN && rc != GNUTLS_E_INTERRUPTED)
			return fail(c, rc, err);
		else if(tlsg_conn_failure_is_own()) /* GnuTLS goes on after a decryption that failed */
			return tlsg_conn_failure_set(c, GNUTLS_E_INTERNAL_ERROR, err);
		else if(c->datagram == NULL && gnutls_record_get_direction(c->session) == 1)
			return TLSG_FULL;
		else if(tlsg_carrier_has_data(c))
			return TLSG_EOF; /* the caller reads it */
		ret = tlsg_conn_step_again(c, before, err);
		if(ret != TLSG_OK)
			return ret;
	}
}
