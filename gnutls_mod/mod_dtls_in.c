/*
 * tls_gnutls - datagrams that are received on a socket of dtls_listen
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: receivers of UDP.  Memory: static buffers of this process.
 * Lock: that of the association, taken here; none while a message is processed.
 */
#include "gnutls_mod/mod_dtls_in.h"

#include <time.h>

#include "core/config.h"
#include "core/receive.h"

#include "gnutls_mod/mod_dtls_step.h"
#include "gnutls_mod/mod_limits.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_tcp.h"
#include "transport/conn_datagram.h"
#include "transport/cookie.h"
#include "transport/dgram_order.h"
#include "transport/stats.h"

/* RFC 6347 section 4.1 (record) and 4.2.2 (message): places of what is read here. */
#define RECORD_HEAD 13
#define TYPE_AT 0
#define MAJOR_AT 1
#define EPOCH_AT 3
#define MESSAGE_AT 13
#define OFFSET_AT 19
#define RANDOM_AT 27
#define TYPE_FIRST 20 /* change_cipher_spec */
#define TYPE_LAST 23  /* application_data */
#define TYPE_HANDSHAKE 22
#define MESSAGE_CLIENT_HELLO 1
#define MAJOR_DTLS 0xfe

#define MESSAGES_MAX 64

/* How long a datagram waits for those before it, which other processes have received: 2 ms. A step takes 1 ms. */
#define TURN_SLEEPS 20
#define TURN_SLEEP_US 100

/* Messages of one datagram, each ended by a null byte. */
static struct
{
	char text[BUF_SIZE + MESSAGES_MAX + 1];
	size_t used;
	unsigned at[MESSAGES_MAX];
	unsigned len[MESSAGES_MAX];
	int id[MESSAGES_MAX]; /* of the connection that decrypted it */
	unsigned count;
} messages;

static unsigned char clear_bytes[TLSG_DATAGRAM_TEXT_MAX];

static bool is_dtls(const unsigned char *d, size_t size)
{
	return size >= RECORD_HEAD && d[TYPE_AT] >= TYPE_FIRST && d[TYPE_AT] <= TYPE_LAST && d[MAJOR_AT] == MAJOR_DTLS;
}

static bool is_first_epoch(const unsigned char *d)
{
	return d[EPOCH_AT] == 0 && d[EPOCH_AT + 1] == 0;
}

/* Whether a datagram has the beginning of a ClientHello. */
static bool is_hello(const unsigned char *d, size_t size)
{
	return size >= RANDOM_AT + TLSG_ASSOC_RANDOM && d[TYPE_AT] == TYPE_HANDSHAKE && is_first_epoch(d)
		   && d[MESSAGE_AT] == MESSAGE_CLIENT_HELLO && d[OFFSET_AT] == 0 && d[OFFSET_AT + 1] == 0
		   && d[OFFSET_AT + 2] == 0;
}

/* Keeps a decrypted text, if it is SIP. What else the core reads from UDP, STUN among it, is answered in clear text. */
static void keep(const struct tlsg_buf *clear, int id)
{
	char *to = messages.text + messages.used;

	if(clear->wr == 0 || messages.count == MESSAGES_MAX || messages.used + clear->wr + 1 > sizeof(messages.text))
		return;
	memcpy(to, clear->data, clear->wr);
	to[clear->wr] = '\0';
	if(sip_check_fline(to, (unsigned)clear->wr) != 0) {
		if(to[0] != '\r' && to[0] != '\n') /* not a keep-alive: RFC 5626 section 4.4.1 */
			tlsg_stats_dtls(TLSG_DTLS_NOT_SIP);
		return;
	}
	messages.id[messages.count] = id;
	messages.at[messages.count] = (unsigned)messages.used;
	messages.len[messages.count++] = (unsigned)clear->wr;
	messages.used += clear->wr + 1;
}

/* Gives a datagram to a connection. @return as the last tlsg_conn_read(). */
static enum tlsg_ret feed(struct tlsg_dtls_step *s, struct tlsg_conn *conn, char *data, size_t size)
{
	bool was_established = tlsg_conn_is_established(conn);
	struct tlsg_buf clear;
	struct tlsg_buf in;
	enum tlsg_ret ret = tlsg_limits_allow(conn, &s->err);

	if(ret != TLSG_OK) { /* the datagram is lost, the association goes on */
		tlsg_dtls_step_failed(s, conn, true);
		return TLSG_AGAIN;
	}
	tlsg_buf_init_filled(&in, (unsigned char *)data, size);
	s->io.in = &in;
	do {
		tlsg_buf_init(&clear, clear_bytes, sizeof(clear_bytes));
		ret = tlsg_conn_read(conn, &s->io, &clear, &s->err);
		tlsg_dtls_step_send(s);
		if(ret == TLSG_OK) {
			keep(&clear, s->ends.id);
			tlsg_assoc_touch(s->a);
			s->a->unanswered = 0;
		}
	} while(ret == TLSG_OK);
	s->io.in = NULL;
	tlsg_dtls_step_note(s, conn, was_established);
	if(ret < 0)
		tlsg_dtls_step_failed(s, conn, true);
	return ret;
}

/* Drops the candidate, or puts it in the place of the connection. */
static void candidate_end(struct tlsg_assoc *a, bool is_good)
{
	struct tlsg_conn *old = is_good ? a->conn : a->candidate;

	if(is_good) {
		a->conn = a->candidate;
		__atomic_store_n(&a->id, a->candidate_id, __ATOMIC_RELAXED);
		memcpy(a->hello[0], a->hello[1], TLSG_ASSOC_RANDOM);
		a->unanswered = 0;
		tlsg_stats_dtls(TLSG_DTLS_RESTARTED);
	}
	a->candidate = NULL;
	tlsg_conn_free(old);
}

static void feed_candidate(struct tlsg_dtls_step *s, char *data, size_t size)
{
	struct tlsg_conn *conn = s->a->candidate;
	enum tlsg_ret ret;

	s->ends.id = s->a->candidate_id;
	ret = feed(s, conn, data, size);
	if(ret < 0 || ret == TLSG_EOF)
		candidate_end(s->a, false);
	else if(tlsg_conn_is_established(conn))
		candidate_end(s->a, true);
}

/* Gives a datagram to the connection of an association, which ends with it. */
static void feed_conn(struct tlsg_dtls_step *s, char *data, size_t size)
{
	struct tlsg_conn *conn = s->a->conn;
	enum tlsg_ret ret = feed(s, conn, data, size);

	if(ret == TLSG_EOF) { /* RFC 5246 section 7.2.1: a close_notify is answered */
		tlsg_conn_close_notify(conn, &s->io);
		tlsg_dtls_step_send(s);
	}
	if(ret < 0 || ret == TLSG_EOF)
		s->is_over = true;
}

/*
 * Both ends began a handshake at the same time. The one with the lower address and port stays the client: the other
 * one's ClientHello is not answered there.
 */
static bool yields_to_peer(const struct tlsg_dtls_step *s)
{
	struct tlsg_addr own;
	int diff;

	tlsg_tcp_addr_copy(&own, &s->rcv.dst_ip);
	diff = memcmp(own.bytes, s->a->key.peer.bytes, sizeof(own.bytes));
	return diff != 0 ? diff > 0 : s->rcv.dst_port > s->a->key.port;
}

/* Makes a connection for a ClientHello with a good cookie. */
static void begin(struct tlsg_dtls_step *s, const gnutls_dtls_prestate_st *start, char *data, size_t size)
{
	struct tlsg_assoc *a = s->a;
	bool beside = a->conn != NULL && tlsg_conn_is_established(a->conn);
	struct tlsg_conn *conn = tlsg_dtls_step_make(s, start);

	if(conn == NULL) {
		s->is_over = a->conn == NULL;
		return;
	}
	memcpy(a->hello[beside], data + RANDOM_AT, TLSG_ASSOC_RANDOM);
	if(beside) {
		tlsg_conn_free(a->candidate);
		a->candidate = conn;
		a->candidate_id = tlsg_assoc_number(a);
		feed_candidate(s, data, size);
		return;
	}
	if(a->conn != NULL)
		__atomic_store_n(&a->id, tlsg_assoc_number(a), __ATOMIC_RELAXED);
	s->ends.id = a->id;
	tlsg_conn_free(a->conn);
	a->conn = conn;
	feed_conn(s, data, size);
}

/* A ClientHello that belongs to no handshake in progress: cookie first. @return true: the cookie is good. */
static bool cookie_is_good(const struct tlsg_assoc_key *key, const struct receive_info *rcv, char *data, size_t size,
		gnutls_dtls_prestate_st *start)
{
	unsigned char reply[TLSG_COOKIE_REPLY_BYTES];
	struct tlsg_cookie_ends ends = {.peer = key->peer, .peer_port = key->port, .local_port = rcv->dst_port};
	struct tlsg_buf in;

	tlsg_tcp_addr_copy(&ends.local, &rcv->dst_ip);
	tlsg_buf_init_filled(&in, (unsigned char *)data, size);
	switch(tlsg_cookie_check(&in, &ends, time(NULL), reply, start)) {
		case TLSG_COOKIE_GOOD:
			return true;
		case TLSG_COOKIE_ASK:
			tlsg_stats_dtls(TLSG_DTLS_COOKIE);
			tlsg_dtls_step_sendto(key, reply, sizeof(reply));
			return false;
		default:
			tlsg_stats_dtls(TLSG_DTLS_UNKNOWN);
			return false;
	}
}

static bool is_same_hello(const struct tlsg_assoc *a, bool of_candidate, const char *data)
{
	return memcmp(a->hello[of_candidate], data + RANDOM_AT, TLSG_ASSOC_RANDOM) == 0;
}

/* A ClientHello at an association. */
static void hello_known(struct tlsg_dtls_step *s, char *data, size_t size)
{
	struct tlsg_assoc *a = s->a;
	bool is_server = tlsg_conn_role(a->conn) == TLSG_SERVER;
	gnutls_dtls_prestate_st start;

	if(a->candidate != NULL && is_same_hello(a, true, data))
		feed_candidate(s, data, size);
	else if(is_server && is_same_hello(a, false, data) && !tlsg_conn_is_established(a->conn))
		feed_conn(s, data, size);
	else if(!cookie_is_good(&a->key, &s->rcv, data, size, &start))
		return;
	else if(is_server || tlsg_conn_is_established(a->conn) || yields_to_peer(s))
		begin(s, &start, data, size);
}

/* Another datagram at an association. While a peer starts again, its records may belong to either connection. */
static void record_known(struct tlsg_dtls_step *s, char *data, size_t size)
{
	if(s->a->candidate == NULL || !is_first_epoch((unsigned char *)data))
		feed_conn(s, data, size);
	if(s->a->candidate != NULL && !s->is_over)
		feed_candidate(s, data, size);
}

static void log_full(void)
{
	char more[TLSG_LOG_MORE];

	if(tlsg_log_is_due(TLSG_OFTEN_FULL, more))
		LM_WARN("DTLS: as many associations exist as dtls_max_connections allows, %u: new peers are refused; raise it "
				"if they are wanted%s\n",
				tlsg_assoc_count(), more);
}

static void log_full_address(const struct receive_info *rcv)
{
	struct ip_addr peer = rcv->src_ip;
	char more[TLSG_LOG_MORE];

	if(tlsg_log_is_due(TLSG_OFTEN_FULL_ADDRESS, more))
		LM_WARN("DTLS: %s has as many associations as dtls_max_per_address allows, %u: more are refused; raise it if "
				"that many clients share an address%s\n",
				ip_addr2a(&peer), tlsg_params_associations_per_address(), more);
}

/* A datagram of a peer without an association. @return its new association; NULL: none. */
static struct tlsg_assoc *admit(const struct tlsg_assoc_key *key, const struct receive_info *rcv)
{
	struct tlsg_assoc *a = NULL;

	switch(tlsg_assoc_add(key, true, &a)) {
		case TLSG_FULL:
			tlsg_stats_dtls(TLSG_DTLS_FULL);
			log_full();
			break;
		case TLSG_E_PEER:
			tlsg_stats_dtls(TLSG_DTLS_ADDRESS);
			log_full_address(rcv);
			break;
		default: /* out of memory: the next datagram tries again */
			break;
	}
	return a;
}

static void stranger(const struct tlsg_assoc_key *key, const struct receive_info *rcv, char *data, size_t size)
{
	gnutls_dtls_prestate_st start;
	struct tlsg_dtls_step s;
	struct tlsg_assoc *a;

	if(!is_hello((unsigned char *)data, size)) {
		tlsg_stats_dtls(TLSG_DTLS_UNKNOWN);
		return;
	}
	if(!cookie_is_good(key, rcv, data, size, &start))
		return;
	a = admit(key, rcv);
	if(a == NULL)
		return;
	if(tlsg_dtls_step_begin(&s, a) != TLSG_STEP_BEGUN)
		return;
	if(a->conn == NULL) { /* otherwise another process was faster; the peer sends its hello again */
		begin(&s, &start, data, size);
		tlsg_dgram_order_note(&a->order, (unsigned char *)data, size, true);
	}
	tlsg_dtls_step_end(&s);
}

/* During a handshake: waits until the datagrams before this one, which is no ClientHello, were processed. */
static void turn_wait(struct tlsg_assoc *a, const unsigned char *data, size_t size)
{
	unsigned i;

	if(!tlsg_assoc_is_urgent(a))
		return;
	for(i = 0; !tlsg_dgram_order_is_turn(&a->order, data, size); i++) {
		if(i == TURN_SLEEPS) {
			tlsg_dgram_order_vain(&a->order);
			return;
		}
		sleep_us(TURN_SLEEP_US);
	}
}

static void known(struct tlsg_assoc *a, char *data, size_t size)
{
	struct tlsg_dtls_step s;
	bool begins = is_hello((unsigned char *)data, size);

	if(!begins)
		turn_wait(a, (unsigned char *)data, size);
	if(tlsg_dtls_step_begin(&s, a) != TLSG_STEP_BEGUN)
		return;
	if(a->conn == NULL) /* another process is about to make it */
		LM_DBG("association %d: no connection yet, the datagram is dropped\n", a->id);
	else if(begins)
		hello_known(&s, data, size);
	else
		record_known(&s, data, size);
	tlsg_dgram_order_note(&a->order, (unsigned char *)data, size, begins);
	tlsg_dtls_step_end(&s);
}

/* Processes all messages but the last, which goes on in the core's buffer. @return false: there is none. */
static bool deliver(char *buf, unsigned *len, struct receive_info *rcv)
{
	unsigned last = messages.count - 1;
	unsigned i;

	if(messages.count == 0)
		return false;
	for(i = 0; i < last; i++) {
		struct receive_info copy = *rcv;

		copy.proto_reserved1 = messages.id[i];
		(void)receive_msg(messages.text + messages.at[i], messages.len[i], &copy);
	}
	rcv->proto_reserved1 = messages.id[last]; /* where the core keeps the id of a TCP connection: mod_view.c */
	*len = messages.len[last];
	memcpy(buf, messages.text + messages.at[last], *len + 1);
	return true;
}

bool tlsg_dtls_in_datagram(int socket, char *buf, unsigned *len, struct receive_info *rcv)
{
	struct tlsg_assoc_key key;
	struct tlsg_assoc *a;

	messages.count = 0;
	messages.used = 0;
	if(!is_dtls((unsigned char *)buf, *len) || !tlsg_dtls_step_key(&key, socket, &rcv->src_ip, rcv->src_port)) {
		tlsg_stats_dtls(TLSG_DTLS_MALFORMED);
		return false;
	}
	a = tlsg_assoc_find(&key);
	if(a == NULL)
		stranger(&key, rcv, buf, *len);
	else
		known(a, buf, *len);
	return deliver(buf, len, rcv);
}
