/*
 * tls_gnutls - log lines about connections, and their levels
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static buffers of this process; what limits lines, in shm.  Lock: none.
 */
#include "gnutls_mod/mod_log.h"

#include "core/ip_addr.h"

#include "base/host.h"
#include "base/plural.h"
#include "gnutls_mod/mod_group.h"
#include "gnutls_mod/mod_params.h"
#include "profiles/cipher/method.h"
#include "transport/conn.h"
#include "transport/cert_text.h"

#define ADDR_TEXT 64
#define NAME_BYTES 8192 /* as for variables */

/* "ip:port" without brackets, as fail2ban rules for tls.so expect it. */
static const char *addr_text(const struct ip_addr *ip, unsigned short port, char *buf)
{
	struct ip_addr copy = *ip;

	snprintf(buf, ADDR_TEXT, "%s:%d", ip_addr2a(&copy), (int)port);
	return buf;
}

static struct line
{
	ticks_t next;		 /* when the next line may be written; 0: now; atomic */
	unsigned suppressed; /* since the last one; atomic */
} * lines;				 /* [shm] TLSG_OFTEN_COUNT */

int tlsg_log_init(void)
{
	lines = shm_malloc(TLSG_OFTEN_COUNT * sizeof(*lines));
	if(lines == NULL)
		return -1;
	memset(lines, 0, TLSG_OFTEN_COUNT * sizeof(*lines));
	return 0;
}

void tlsg_log_deinit(void)
{
	if(lines != NULL)
		shm_free(lines);
	lines = NULL;
}

bool tlsg_log_is_due(enum tlsg_log_often which, char more[TLSG_LOG_MORE])
{
	struct line *l = &lines[which];
	ticks_t now = get_ticks_raw();
	ticks_t next = __atomic_load_n(&l->next, __ATOMIC_RELAXED);
	ticks_t then = now + S_TO_TICKS(1);
	unsigned n;

	if((next != 0 && TICKS_LT(now, next))
			|| !__atomic_compare_exchange_n(
					&l->next, &next, then != 0 ? then : 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		__atomic_add_fetch(&l->suppressed, 1, __ATOMIC_RELAXED);
		return false;
	}
	n = __atomic_exchange_n(&l->suppressed, 0, __ATOMIC_RELAXED);
	more[0] = '\0';
	if(n > 0)
		snprintf(more, TLSG_LOG_MORE, " (%u similar line%s suppressed)", n, tlsg_plural_s(n));
	return true;
}

void tlsg_log_refused(const struct tlsg_log_ends *e, bool per_address)
{
	char src[ADDR_TEXT];
	char more[TLSG_LOG_MORE];
	uint64_t bytes;
	unsigned used = tlsg_slots_used(&bytes);

	if(!tlsg_log_is_due(per_address ? TLSG_OFTEN_ADDRESS : TLSG_OFTEN_HANDSHAKES, more))
		return;
	addr_text(&e->rcv->src_ip, e->rcv->src_port, src);
	LM_WARN("connection from %s refused, too many unfinished handshakes%s (%u in all, %llu bytes of shared memory)%s\n",
			src, per_address ? " from this address: handshakes_per_address" : ": handshakes_max", used,
			(unsigned long long)bytes, more);
}

void tlsg_log_dropped(const struct tlsg_log_ends *e, const struct tlsg_conn *conn, const char *by)
{
	struct tlsg_conn_status s;
	char dst[ADDR_TEXT];

	tlsg_conn_status_get(conn, &s);
	addr_text(&e->rcv->src_ip, e->rcv->src_port, dst);
	LM_NOTICE("connection %d to %s (sni: %s, profile: %s) dropped by %s\n", e->id, dst, tlsg_conn_sni(conn), s.profile,
			by);
}

/* The text of a failure: the words of tls.so, then the connection and its profile. */
#define FAILURE "%s:%s (sni: %s) src addr: %s dst addr: %s connection: %d profile: %s"

void tlsg_log_failure(
		const struct tlsg_log_ends *e, const struct tlsg_conn *conn, const char *what, const struct tlsg_err *err)
{
	struct tlsg_conn_status s = {.profile = "none"};
	char src[ADDR_TEXT];
	char dst[ADDR_TEXT];
	char more[TLSG_LOG_MORE];
	const char *sni = conn != NULL ? tlsg_conn_sni(conn) : "unknown";

	if(conn != NULL)
		tlsg_conn_status_get(conn, &s);
	addr_text(&e->rcv->src_ip, e->rcv->src_port, src);
	addr_text(&e->rcv->dst_ip, e->rcv->dst_port, dst);
	switch(err->class) {
		case TLSG_CLASS_PEER:
			more[0] = '\0';
			if(!e->is_datagram || tlsg_log_is_due(TLSG_OFTEN_DATAGRAM, more))
				LM_WARN("protocol level error: " FAILURE "%s\n", what, err->text, sni, src, dst, e->id, s.profile,
						more);
			break;
		case TLSG_CLASS_RESOURCE:
			if(tlsg_log_is_due(TLSG_OFTEN_RESOURCE, more))
				LM_ERR(FAILURE "%s\n", what, err->text, sni, src, dst, e->id, s.profile, more);
			break;
		case TLSG_CLASS_LOCAL:
			LM_ERR(FAILURE "\n", what, err->text, sni, src, dst, e->id, s.profile);
			break;
		default:
			LM_BUG(FAILURE "\n", what, err->text, sni, src, dst, e->id, s.profile);
	}
}

/* Logs the names of the peer's certificate, one line each. */
static void log_names(int level, const char *who, const char *peer, const struct tlsg_der *der)
{
	static const char *const labels[] = {"subject", "issuer"};
	static char text[NAME_BYTES];
	struct tlsg_cert *cert = tlsg_cert_text_new(der);
	int side;

	if(cert == NULL)
		return;
	for(side = TLSG_CERT_SUBJECT; side <= TLSG_CERT_ISSUER; side++) {
		struct tlsg_buf line;

		tlsg_buf_init(&line, text, sizeof(text));
		if(tlsg_cert_text_line(cert, (enum tlsg_cert_side)side, &line) == TLSG_OK)
			LOG(level, "%s: %s certificate %s:%.*s\n", who, peer, labels[side], (int)line.wr, text);
		else
			LOG(level, "%s: %s certificate %s: not shown: longer than %d bytes or malformed\n", who, peer, labels[side],
					NAME_BYTES);
	}
	tlsg_cert_text_free(cert);
}

void tlsg_log_made(const struct tlsg_conn *conn)
{
	struct tlsg_conn_status s;

	tlsg_conn_status_get(conn, &s);
	LM_DBG("Using initial TLS domain %s (sn [%s])\n", s.profile, s.sni != NULL ? s.sni : "");
	if(s.sni != NULL) /* accepted connections have none yet */
		LM_DBG("outbound TLS server name set to: %s\n", s.sni);
	LOG(TLSG_CFG(debug), "SSL handshake started\n");
}

void tlsg_log_established(const struct tlsg_log_ends *e, const struct tlsg_conn *conn)
{
	const struct tlsg_peer *p = tlsg_peer_get(conn);
	int level = TLSG_CFG(log);
	const char *who;
	const char *peer;
	char src[ADDR_TEXT];
	char dst[ADDR_TEXT];

	if(p == NULL)
		return;
	LOG(TLSG_CFG(debug), "SSL handshake done\n");
	LM_DBG("TLS %s successful\n", p->is_client ? "connect" : "accept");
	if(!is_printable(level))
		return;
	who = p->is_client ? "tls_connect" : "tls_accept";
	peer = p->is_client ? "server" : "client";
	addr_text(&e->rcv->src_ip, e->rcv->src_port, src);
	addr_text(&e->rcv->dst_ip, e->rcv->dst_port, dst);
	LOG(level, "%s: new connection %s %s using %s %s %d%s\n", who, p->is_client ? "to" : "from", src,
			tlsg_method_version_name(p->version), p->suite != NULL ? tlsg_suite_name(p->suite) : "unknown",
			p->suite != NULL ? tlsg_suite_bits(p->suite) : 0, p->resumed ? " (resumed)" : "");
	LOG(level, "%s: %s socket: %s\n", who, p->is_client ? "sending" : "local", dst);
	if(p->chain_len == 0) {
		LOG(level, "%s: %s did not present a certificate\n", who, peer);
		return;
	}
	log_names(level, who, peer, &p->chain[0]);
	if(p->verify != TLSG_V_OK) {
		LOG(level, "WARNING: %s: %s certificate verification failed!!!\n", who, peer);
		LOG(level, "verification failure: %s\n", tlsg_verify_code_reason(p->verify));
	}
}
