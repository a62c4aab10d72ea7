/*
 * tls_gnutls - why a handshake failed: what is counted, sent to the peer and said in the log
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: write_lock, held by the step's caller; none to count.
 */
#include "transport/conn_failure.h"

#include "profiles/key_use.h"
#include "transport/conn_alert.h"
#include "transport/conn_state.h"
#include "transport/peer.h"
#include "transport/refusal.h"

void tlsg_conn_failure_count(struct tlsg_conn *c, enum tlsg_stats_failure why)
{
	if(tlsg_peer_get(c) == NULL && __atomic_exchange_n(&c->failed, 1, __ATOMIC_RELAXED) == 0)
		tlsg_stats_handshake_failed(why);
}

void tlsg_conn_failure_forget(void)
{
	(void)tlsg_key_use_why();
}

bool tlsg_conn_failure_is_own(void)
{
	return tlsg_key_use_has_failed();
}

static enum tlsg_stats_failure failure_of(const struct tlsg_conn *c, int gnutls_code)
{
	switch(gnutls_code) {
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
		default:
			break;
	}
	switch(tlsg_err_gnutls_peer(NULL, gnutls_code, "")) {
		case TLSG_E_RESOURCE:
			return TLSG_FAIL_MEMORY;
		case TLSG_E_CONFIG:
			return TLSG_FAIL_LOCAL;
		case TLSG_E_INTERNAL:
			return TLSG_FAIL_INTERNAL;
		default:
			return TLSG_FAIL_PROTOCOL;
	}
}

enum tlsg_ret tlsg_conn_failure_set(struct tlsg_conn *c, int gnutls_code, struct tlsg_err *err)
{
	int alert = tlsg_conn_alert_received(c, gnutls_code);
	const char *why = tlsg_key_use_why();

	if(tlsg_arena_is_poisoned(c->arena)) { /* not the peer's mistake, whatever GnuTLS says */
		tlsg_conn_failure_count(c, TLSG_FAIL_MEMORY);
		tlsg_conn_alert_send_for(c, GNUTLS_E_MEMORY_ERROR);
		return tlsg_err_no_shm(err, "TLS session", 0);
	}
	if(tlsg_arena_has_refused(c->arena)) {
		tlsg_conn_failure_count(c, TLSG_FAIL_PROTOCOL);
		tlsg_stats_limit(TLSG_LIMIT_MEMORY);
		tlsg_conn_alert_send(c, GNUTLS_A_DECODE_ERROR);
		return tlsg_err_set(err, TLSG_E_PEER, "message too large: its encrypted header announces more than %d bytes",
				TLSG_BLOCK_BYTES_MAX);
	}
	if(alert >= 0) {
		tlsg_conn_failure_count(c, TLSG_FAIL_ALERT);
		return tlsg_conn_alert_fail(alert, err);
	}
	tlsg_conn_failure_count(c, why != NULL ? TLSG_FAIL_LOCAL : failure_of(c, gnutls_code));
	tlsg_conn_alert_send_for(c, why != NULL ? GNUTLS_E_INTERNAL_ERROR : gnutls_code);
	if(gnutls_code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
		return tlsg_err_set(
				err, TLSG_E_PEER, "certificate verify failed: %s", tlsg_verify_code_reason(c->verdict.code));
	if(why != NULL)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s", why);
	if(c->ref.no_pair)
		return tlsg_err_set(err, TLSG_E_PEER, "%s (profile %s has no certificate that the peer can use)",
				gnutls_strerror(gnutls_code), c->ref.prof->id.s);
	why = tlsg_refusal_reason(gnutls_code, (enum tlsg_role)c->role);
	if(why != NULL)
		return tlsg_err_set(err, TLSG_E_PEER, "%s (%s)", gnutls_strerror(gnutls_code), why);
	return tlsg_err_gnutls_peer(err, gnutls_code, c->established ? "renegotiation" : NULL);
}
