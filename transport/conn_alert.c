/*
 * tls_gnutls - alerts of a connection, sent and received
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: none.  Lock: write_lock, held by the step's caller.
 */
#include "transport/conn_alert.h"

#include "transport/conn_state.h"
#include "transport/refusal.h"
#include "transport/stats.h"

void tlsg_conn_alert_send(struct tlsg_conn *c, int alert)
{
	if(gnutls_alert_send(c->session, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert) == 0)
		tlsg_stats_alert(true, (unsigned)alert);
}

void tlsg_conn_alert_send_for(struct tlsg_conn *c, int gnutls_code)
{
	int alert = tlsg_refusal_alert(gnutls_code);

	if(c->verdict.alert >= 0
			&& (gnutls_code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR || gnutls_code == GNUTLS_E_CERTIFICATE_ERROR))
		alert = c->verdict.alert;
	if(gnutls_code == GNUTLS_E_NO_CERTIFICATE_FOUND && c->role == TLSG_SERVER)
		alert = GNUTLS_A_HANDSHAKE_FAILURE; /* RFC 5246 section 7.4.6; GnuTLS maps it to decode_error */
	if(gnutls_code == GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS)
		alert = GNUTLS_A_UNEXPECTED_MESSAGE; /* GnuTLS maps it to internal_error */
	/* A peer that has failed or left gets no alert, and a session cannot send one in the middle of an input error. */
	if(alert < 0 || gnutls_code == GNUTLS_E_FATAL_ALERT_RECEIVED || gnutls_code == GNUTLS_E_PUSH_ERROR
			|| gnutls_code == GNUTLS_E_PULL_ERROR || gnutls_code == GNUTLS_E_PREMATURE_TERMINATION)
		return;
	tlsg_conn_alert_send(c, alert);
}

/*
 * TLS 1.3 clients with OpenSSL that refuse the server's certificate send the alert in clear text, which GnuTLS takes
 * for a record that cannot be decrypted. Guessing wrong does no harm: the session has ended in any case.
 */
int tlsg_conn_alert_received(const struct tlsg_conn *c, int gnutls_code)
{
	static const unsigned char clear_text[] = {21, 3, 3, 0, 2, GNUTLS_AL_FATAL};

	if(gnutls_code == GNUTLS_E_FATAL_ALERT_RECEIVED)
		return (int)gnutls_alert_get(c->session);
	if(gnutls_code != GNUTLS_E_DECRYPTION_FAILED || c->established
			|| memcmp(c->tail, clear_text, sizeof(clear_text)) != 0)
		return -1;
	return c->tail[sizeof(clear_text)];
}

enum tlsg_ret tlsg_conn_alert_fail(int alert, struct tlsg_err *err)
{
	const char *name = gnutls_alert_get_name((gnutls_alert_description_t)alert);

	tlsg_stats_alert(false, (unsigned)alert);
	if(err != NULL)
		err->alert = alert;
	return tlsg_err_set(err, TLSG_E_PEER, "%s: %s", gnutls_strerror(GNUTLS_E_FATAL_ALERT_RECEIVED),
			name != NULL ? name : "without a name");
}
