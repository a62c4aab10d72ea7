/*
 * tls_gnutls - the handshake: session set-up, profile by SNI, steps, alerts
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).  Lock: write_lock, held by the step's caller.
 */
#include <gnutls/crypto.h>

#include "base/scope.h"
#include "profiles/key_use.h"
#include "profiles/priority.h"
#include "profiles/ticket.h"
#include "transport/keylog.h"
#include "transport/conn_priv.h"
#include "transport/refusal.h"
#include "transport/stats.h"
#include "transport/hello.h"

/* GnuTLS 3.8: do not ask servers for stapled OCSP answers, which nobody here looks at. */
#if GNUTLS_VERSION_NUMBER >= 0x030800
#define NO_STATUS_REQUEST GNUTLS_NO_STATUS_REQUEST
#else
#define NO_STATUS_REQUEST 0
#endif

#define DH_PRIME_BYTES_MAX 1250 /* the limit of OpenSSL, 10,000 bits */

static struct tlsg_conn *conn_of(gnutls_session_t session)
{
	return gnutls_session_get_ptr(session); /* ref is the first member */
}

static int verify_cb(gnutls_session_t session)
{
	return tlsg_conn_verify(conn_of(session));
}

/* GnuTLS frees the parts of a ticket that does not decrypt with free(), which must know the arena. */
static bool offers_tickets(const struct tlsg_conn *c)
{
	return c->set->options.session_cache && tlsg_scope_frees_by_address(NULL);
}

/* Tickets of this profile, under the key that all processes derive. */
static enum tlsg_ret enable_tickets(struct tlsg_conn *c, struct tlsg_err *err)
{
	unsigned char key[TLSG_TICKET_KEY_SIZE];
	gnutls_datum_t datum = {key, sizeof(key)};
	enum tlsg_ret ret = tlsg_ticket_key(c->ref.prof, time(NULL), key);
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

/* A session counts a reference on the priority that it uses. */
static int use_priority(struct tlsg_conn *c, gnutls_priority_t priority)
{
	int rc = gnutls_priority_set(c->session, priority);

	if(rc >= 0)
		c->priority = priority;
	return rc;
}

enum tlsg_ret tlsg_conn_apply_profile(struct tlsg_conn *c, struct tlsg_err *err)
{
	const struct tlsg_prof *p = c->ref.prof;
	int rc = use_priority(c, p->priority->compiled);

	if(rc < 0)
		return tlsg_err_gnutls(err, rc, "setting the priority of the profile");
	if(c->role == TLSG_CLIENT)
		return TLSG_OK;
	gnutls_certificate_server_set_request(c->session, request_of(p));
	return offers_tickets(c) ? enable_tickets(c, err) : TLSG_OK;
}

/* Second lookup, with the name: in the connection's own snapshot and with its own address, spec 5.2. */
static enum tlsg_ret choose_by_name(struct tlsg_conn *c, struct tlsg_err *err)
{
	struct tlsg_match_query q = {.role = TLSG_SERVER, .addr = c->local, .port = c->local_port, .server_name = c->sni};
	const struct tlsg_prof *p;
	enum tlsg_ret ret;

	if(!tlsg_match_is_switchable(c->ref.prof))
		return TLSG_OK;
	p = tlsg_match_find(c->set, &q);
	if(p == c->ref.prof)
		return TLSG_OK;
	c->ref.prof = p;
	ret = tlsg_conn_apply_profile(c, err);
	return ret == TLSG_OK ? tlsg_conn_bind(c, err) : ret;
}

static unsigned versions_of(const struct tlsg_hello *h)
{
	unsigned versions = 0;
	unsigned v;
	size_t i;

	for(i = 0; i < h->versions_len; i++) {
		v = (unsigned)(h->versions[2 * i] << 8 | h->versions[2 * i + 1]);
		if(v >= TLSG_TLS1_0 && v <= TLSG_TLS1_3)
			versions |= TLSG_VERSION_BIT(v);
	}
	for(v = TLSG_TLS1_0; h->versions == NULL && v <= h->version && v <= TLSG_TLS1_2; v++)
		versions |= TLSG_VERSION_BIT(v);
	return versions;
}

/* Key exchanges that the client leaves no curve for (RFC 8422 section 5.1.1). */
static unsigned without_of(const struct tlsg_hello *h)
{
	static const uint16_t curves[] = {23, 24, 25, 29, 30}; /* P-256, P-384, P-521, X25519, X448 */
	size_t i;
	size_t k;

	for(i = 0; i < h->groups_len; i++)
		for(k = 0; k < sizeof(curves) / sizeof(curves[0]); k++)
			if((h->groups[2 * i] << 8 | h->groups[2 * i + 1]) == curves[k])
				return 0;
	return h->groups == NULL ? 0 : TLSG_KX_ECDHE;
}

/* Kinds of keys whose signatures the client takes. RFC 5246 section 7.4.1.4.1, RFC 8446 section 4.2.3. */
static unsigned keys_of(const struct tlsg_hello *h)
{
	unsigned keys = 0;
	size_t i;

	for(i = 0; i < h->sigs_len; i++) {
		unsigned hash = h->sigs[2 * i], sig = h->sigs[2 * i + 1];

		if(hash == 8) /* RSA-PSS, and EdDSA as 7 and 8 */
			keys |= sig == 7 || sig == 8 ? TLSG_CIPHER_KEY_ECDSA : TLSG_CIPHER_KEY_RSA;
		else if(sig >= 1 && sig <= 3)
			keys |= sig == 1 ? TLSG_CIPHER_KEY_RSA : sig == 2 ? TLSG_CIPHER_KEY_DSA : TLSG_CIPHER_KEY_ECDSA;
	}
	return h->sigs != NULL ? keys : TLSG_CIPHER_KEY_ALL;
}

/* Keeps to the suite list where the priority string admits more, architecture section 4. */
static int enforce(struct tlsg_conn *c, const struct tlsg_hello *h)
{
	struct tlsg_cipher_offer offer = {.ids = h->suites,
			.ids_bytes = h->suites_len * 2,
			.versions = versions_of(h),
			.keys = keys_of(h),
			.without = without_of(h)};
	gnutls_priority_t compiled;

	if((offer.versions & c->ref.prof->priority->list.versions) == 0)
		return GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
	if(tlsg_priority_for_offer(c->ref.prof, &offer, &compiled) != TLSG_OK)
		return GNUTLS_E_NO_CIPHER_SUITES;
	c->ref.keys = offer.usable;
	return compiled != NULL ? use_priority(c, compiled) : 0;
}

/* A name that is no text, as GnuTLS would refuse it. What is kept of it is for the log line. */
static int refuse_name(struct tlsg_conn *c)
{
	int i;

	for(i = 0; i < c->sni.len; i++)
		if(c->sni.s[i] <= ' ' || c->sni.s[i] > '~')
			c->sni.s[i] = '?';
	return GNUTLS_E_RECEIVED_DISALLOWED_NAME;
}

/* Before GnuTLS looks at a ClientHello: here the whole profile can still be applied. */
static int hello_came(struct tlsg_conn *c, const gnutls_datum_t *msg)
{
	struct tlsg_hello hello;

	if(tlsg_hello_read(msg->data, msg->size, &hello) != TLSG_OK)
		return GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
	if(!c->hello_seen && hello.name != NULL) {
		c->sni.s = tlsg_arena_keep_copy(c->arena, hello.name, hello.name_len);
		if(c->sni.s == NULL)
			return GNUTLS_E_MEMORY_ERROR;
		c->sni.len = (int)hello.name_len;
		if(!hello.name_is_visible)
			return refuse_name(c);
		if(choose_by_name(c, NULL) != TLSG_OK)
			return GNUTLS_E_INTERNAL_ERROR;
	}
	c->hello_seen = true;
	return enforce(c, &hello);
}

/* A server of TLS 1.2 and older makes up the Diffie-Hellman prime, which comes first (RFC 5246 section 7.4.3). */
static int server_key_came(const struct tlsg_conn *c, const gnutls_datum_t *msg)
{
	gnutls_kx_algorithm_t kx = gnutls_kx_get(c->session);

	if(kx != GNUTLS_KX_DHE_RSA && kx != GNUTLS_KX_DHE_DSS && kx != GNUTLS_KX_ANON_DH)
		return 0;
	if(msg->size < 2 || (unsigned)(msg->data[0] << 8 | msg->data[1]) > DH_PRIME_BYTES_MAX)
		return GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
	return 0;
}

/* Called with every message before GnuTLS looks at it. What the peer can make up to keep us computing is refused here. */
static int message_cb(
		gnutls_session_t session, unsigned type, unsigned when, unsigned incoming, const gnutls_datum_t *msg)
{
	struct tlsg_conn *c = conn_of(session);

	(void)when;
	if(!incoming)
		return 0;
	tlsg_conn_bound_message(c);
	switch(type) {
		case GNUTLS_HANDSHAKE_CLIENT_HELLO_V2: /* the format of SSL 2 has no extensions, so no name; RFC 6176 */
			return GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
		case GNUTLS_HANDSHAKE_CLIENT_HELLO:
			return c->role == TLSG_SERVER ? hello_came(c, msg) : 0;
		case GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE:
			return server_key_came(c, msg);
		case GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY: /* TLS 1.3 has it before the certificate is verified */
			return tlsg_conn_check_leaf(c);
		default:
			return 0;
	}
}

static unsigned init_flags(const struct tlsg_conn *c)
{
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | NO_STATUS_REQUEST;

	if(c->role == TLSG_CLIENT)
		return flags | GNUTLS_CLIENT | GNUTLS_NO_TICKETS;
	if(!offers_tickets(c))
		flags |= GNUTLS_NO_TICKETS;
	return flags | GNUTLS_SERVER;
}

enum tlsg_ret tlsg_conn_session_init(struct tlsg_conn *c, struct tlsg_err *err)
{
	enum tlsg_ret ret;
	int rc = gnutls_init(&c->session, init_flags(c));

	if(rc < 0)
		return tlsg_err_gnutls(err, rc, "making a session");
	gnutls_session_set_ptr(c->session, c);
	tlsg_carrier_stream_init(c);
	gnutls_handshake_set_timeout(c->session, 0);
	tlsg_keylog_session_init(c->session);
	gnutls_session_set_verify_function(c->session, verify_cb);
	gnutls_handshake_set_hook_function(c->session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE, message_cb);
	if(c->role == TLSG_CLIENT && c->sni.s != NULL) {
		rc = gnutls_server_name_set(c->session, GNUTLS_NAME_DNS, c->sni.s, (size_t)c->sni.len);
		if(rc < 0)
			return tlsg_err_gnutls(err, rc, "setting the server name");
	}
	ret = tlsg_conn_apply_profile(c, err);
	return ret == TLSG_OK ? tlsg_conn_bind(c, err) : ret;
}

void tlsg_conn_alert_for(struct tlsg_conn *c, int gnutls_code)
{
	int alert = tlsg_refusal_alert(gnutls_code);

	if(c->verdict.alert >= 0
			&& (gnutls_code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR || gnutls_code == GNUTLS_E_CERTIFICATE_ERROR))
		alert = c->verdict.alert;
	if(gnutls_code == GNUTLS_E_NO_CERTIFICATE_FOUND && c->role == TLSG_SERVER)
		alert = GNUTLS_A_HANDSHAKE_FAILURE; /* RFC 5246 section 7.4.6; GnuTLS has decode_error for it */
	/* What the peer told or did not tell needs no answer; a session in the middle of a read error cannot give one. */
	if(alert < 0 || gnutls_code == GNUTLS_E_FATAL_ALERT_RECEIVED || gnutls_code == GNUTLS_E_PUSH_ERROR
			|| gnutls_code == GNUTLS_E_PULL_ERROR || gnutls_code == GNUTLS_E_PREMATURE_TERMINATION)
		return;
	if(gnutls_alert_send(c->session, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert) == 0)
		tlsg_stats_alert(true, (unsigned)alert);
}

static enum tlsg_stats_failure failure_of(const struct tlsg_conn *c, int code)
{
	switch(code) {
		case GNUTLS_E_NO_CIPHER_SUITES:
		case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		case GNUTLS_E_NO_COMMON_KEY_SHARE:
		case GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM:
			return TLSG_FAIL_NO_COMMON;
		case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
		case GNUTLS_E_CERTIFICATE_ERROR:
			return TLSG_FAIL_VERIFY;
		case GNUTLS_E_NO_CERTIFICATE_FOUND:
		case GNUTLS_E_CERTIFICATE_REQUIRED:
			return c->role == TLSG_SERVER ? TLSG_FAIL_NO_CERT : TLSG_FAIL_PROTOCOL;
		case GNUTLS_E_FATAL_ALERT_RECEIVED:
			return TLSG_FAIL_ALERT;
		case GNUTLS_E_MEMORY_ERROR:
			return TLSG_FAIL_MEMORY;
		case GNUTLS_E_PK_SIGN_FAILED:
		case GNUTLS_E_INSUFFICIENT_CREDENTIALS:
			return TLSG_FAIL_LOCAL;
		case GNUTLS_E_INTERNAL_ERROR:
		case GNUTLS_E_INVALID_REQUEST:
			return TLSG_FAIL_INTERNAL;
		default:
			return TLSG_FAIL_PROTOCOL;
	}
}

/*
 * The fatal alert that ended the handshake. TLS 1.3 clients with OpenSSL that do not like the server's certificate send it in clear text,
 * which GnuTLS takes for a record that cannot be decrypted. Being wrong costs nothing: the session has ended in any case.
 * @return GNUTLS_A_*; -1: another failure.
 */
static int alert_received(const struct tlsg_conn *c, int code)
{
	static const unsigned char clear_text[] = {21, 3, 3, 0, 2, GNUTLS_AL_FATAL};

	if(code == GNUTLS_E_FATAL_ALERT_RECEIVED)
		return (int)gnutls_alert_get(c->session);
	if(code != GNUTLS_E_DECRYPTION_FAILED || c->established || memcmp(c->tail, clear_text, sizeof(clear_text)) != 0)
		return -1;
	return c->tail[sizeof(clear_text)];
}

enum tlsg_ret tlsg_conn_alerted(int alert, struct tlsg_err *err)
{
	const char *name = gnutls_alert_get_name((gnutls_alert_description_t)alert);

	tlsg_stats_alert(false, (unsigned)alert);
	if(err != NULL)
		err->alert = alert;
	return tlsg_err_set(err, TLSG_E_PEER, "%s: %s", gnutls_strerror(GNUTLS_E_FATAL_ALERT_RECEIVED),
			name != NULL ? name : "without a name");
}

/* A failure that ends the session: count it, answer it, say why. */
static enum tlsg_ret fail(struct tlsg_conn *c, int code, struct tlsg_err *err)
{
	const char *why;
	int a = alert_received(c, code);

	if(a >= 0)
		code = GNUTLS_E_FATAL_ALERT_RECEIVED;
	why = tlsg_key_use_why();
	if(!c->established)
		tlsg_conn_count_failure(c, why != NULL && a < 0 ? TLSG_FAIL_LOCAL : failure_of(c, code));
	if(a >= 0)
		return tlsg_conn_alerted(a, err);
	tlsg_conn_alert_for(c, code);
	if(code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
		return tlsg_err_set(
				err, TLSG_E_PEER, "certificate verify failed: %s", tlsg_verify_code_reason(c->verdict.code));
	if(why != NULL)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s", why);
	if(c->ref.no_pair)
		return tlsg_err_set(err, TLSG_E_PEER, "%s (profile %s has no certificate that the peer can use)",
				gnutls_strerror(code), c->ref.prof->id.s);
	why = tlsg_refusal_reason(code, (enum tlsg_role)c->role);
	if(why != NULL)
		return tlsg_err_set(err, TLSG_E_PEER, "%s: %s (%s)", c->role == TLSG_SERVER ? "accept" : "connect",
				gnutls_strerror(code), why);
	return tlsg_err_gnutls(err, code, c->role == TLSG_SERVER ? "accept" : "connect");
}

/* Verifies what a resumed session brought along. GnuTLS does not look again at whether a certificate must be there. */
static int verify_resumed(struct tlsg_conn *c)
{
	unsigned n = 0;

	if(c->role != TLSG_SERVER || c->ref.prof->verify_mode == TLSG_VERIFY_NONE)
		return 0;
	if(c->ref.prof->verify_mode == TLSG_VERIFY_PEER_FAIL && gnutls_certificate_get_peers(c->session, &n) == NULL)
		return GNUTLS_E_NO_CERTIFICATE_FOUND;
	return tlsg_conn_verify(c);
}

/* GnuTLS is satisfied: look at what it does not, publish the record, give back what the handshake took. */
static enum tlsg_ret finish(struct tlsg_conn *c, struct tlsg_err *err)
{
	bool resumed = gnutls_session_is_resumed(c->session) != 0;
	int rc = resumed ? verify_resumed(c) : 0;
	enum tlsg_ret ret;

	/* Whatever way led here, a suite outside the list ends it: architecture section 4. */
	if(rc >= 0 && !tlsg_cipher_list_has(&c->ref.prof->priority->list, tlsg_conn_suite(c)))
		rc = GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
	if(rc < 0)
		return fail(c, rc, err);
	c->state = TLSG_CONN_ESTABLISHED;
	if(c->renegotiating) {
		c->renegotiating = false;
		tlsg_conn_bound_settle(c);
		return TLSG_OK;
	}
	ret = tlsg_peer_publish(c, err);
	if(ret == TLSG_OK) {
		c->established = true;
		tlsg_stats_handshake_done(c->peer->version, resumed, (enum tlsg_role)c->role);
	} else
		tlsg_conn_count_failure(c, TLSG_FAIL_MEMORY);
	tlsg_arena_settle(c->arena);
	tlsg_conn_bound_settle(c);
	return ret;
}

enum tlsg_ret tlsg_conn_handshake(struct tlsg_conn *c, struct tlsg_err *err)
{
	(void)tlsg_key_use_why(); /* what an earlier handshake met is not the reason for what happens to this one */
	for(;;) {
		size_t before = tlsg_carrier_input_left(c);
		int rc = gnutls_handshake(c->session);
		enum tlsg_ret ret;

		if(rc >= 0)
			return finish(c, err);
		if(rc == GNUTLS_E_GOT_APPLICATION_DATA && c->established)
			return TLSG_EOF; /* the caller fetches it; only during a renegotiation */
		if(rc == GNUTLS_E_WARNING_ALERT_RECEIVED) {
			tlsg_stats_alert(false, (unsigned)gnutls_alert_get(c->session));
			if(tlsg_conn_idle_record(c, err) != TLSG_OK) {
				if(!c->established)
					tlsg_conn_count_failure(c, TLSG_FAIL_PROTOCOL);
				return TLSG_E_PEER;
			}
		} else if(rc != GNUTLS_E_AGAIN && rc != GNUTLS_E_INTERRUPTED)
			return fail(c, rc, err);
		else if(gnutls_record_get_direction(c->session) == 1)
			return TLSG_FULL;
		ret = tlsg_conn_again(c, before, err);
		if(ret != TLSG_OK)
			return ret;
	}
}
