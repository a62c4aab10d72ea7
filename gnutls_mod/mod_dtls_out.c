/*
 * tls_gnutls - messages that are sent from a socket of dtls_listen
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that sends SIP.  Memory: pkg; static buffers of this process.
 * Lock: that of the association, taken here.
 */
#include "gnutls_mod/mod_dtls_out.h"

#include <ctype.h>

#include "core/receive.h"

#include "gnutls_mod/mod_dtls_listen.h"
#include "gnutls_mod/mod_dtls_step.h"
#include "gnutls_mod/mod_limits.h"
#include "transport/conn_datagram.h"
#include "transport/stats.h"

/* Each record has another sequence number and another beginning of its ciphertext. */
#define HEAD_BYTES 32

/*
 * A peer that has started again, and does not know the association any more, drops what it gets. So after that many
 * requests without any message from it, the first of them that long ago, the association is given up. Timer B of SIP
 * is 32 s (RFC 3261 section 17.1.1.2).
 */
#define UNANSWERED_MAX 5
#define UNANSWERED_TICKS S_TO_TICKS(32)

#define LOOKUPS_MAX 3

/* The datagram made last. */
static struct
{
	const char *at;
	unsigned len;
	unsigned char head[HEAD_BYTES];
} made;

/*
 * The core sends one datagram for each message. While a message waits in the queue and no datagram of the handshake is
 * due, this record is sent: one of an epoch that never comes, which every peer drops (RFC 6347 section 4.1.2.7).
 * It is also sent for a message whose association another process keeps locked, which is lost then, as datagrams are:
 * a failure would make tm end the transaction, while SIP's retransmission brings a lost message through.
 */
static const unsigned char filler[] = {23, 0xfe, 0xfd, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0};

enum kind
{
	KIND_OTHER, /* a reply, or not SIP: never opens an association */
	KIND_ACK,	/* opens one; has no reply */
	KIND_REQUEST
};

static enum kind kind_of(const str *text)
{
	const char *line = text->s;

	if(sip_check_fline(text->s, (unsigned)text->len) != 0)
		return KIND_OTHER;
	while(isspace((unsigned char)*line)) /* ends: there is a first line */
		line++;
	if(strncmp(line, "SIP/", 4) == 0)
		return KIND_OTHER;
	return strncmp(line, "ACK ", 4) == 0 ? KIND_ACK : KIND_REQUEST;
}

static void fail(str *text, const struct dest_info *dst, const char *why)
{
	char more[TLSG_LOG_MORE];
	union sockaddr_union to = dst->to;
	struct ip_addr ip;

	tlsg_stats_dtls(TLSG_DTLS_UNSENT);
	if(tlsg_log_is_due(TLSG_OFTEN_UNSENT, more)) {
		su2ip_addr(&ip, &to);
		LM_WARN("DTLS: a message to %s:%d is not sent: %s%s\n", ip_addr2a(&ip), su_getport(&to), why, more);
	}
	pkg_free(text->s);
	text->s = NULL;
	text->len = 0;
}

/* Puts a datagram in the place of the message. */
static void replace(str *text, const struct dest_info *dst, const unsigned char *data, size_t size)
{
	char *copy = pkg_malloc(size + 1);

	if(copy == NULL) {
		PKG_MEM_ERROR;
		fail(text, dst, "out of private memory, raise -M");
		return;
	}
	memcpy(copy, data, size);
	copy[size] = '\0';
	pkg_free(text->s);
	text->s = copy;
	text->len = (int)size;
	made.at = copy;
	made.len = (unsigned)size;
	memset(made.head, 0, sizeof(made.head));
	memcpy(made.head, data, size < HEAD_BYTES ? size : HEAD_BYTES);
}

bool tlsg_dtls_out_is_record(const char *buf, unsigned len)
{
	return made.len != 0 && buf == made.at && len == made.len
		   && memcmp(buf, made.head, len < HEAD_BYTES ? len : HEAD_BYTES) == 0;
}

/* Sends all datagrams of a step but the last, which takes the place of the message. */
static void hand_over(struct tlsg_dtls_step *s, str *text, const struct dest_info *dst)
{
	unsigned char *last = s->out.data + s->out.wr;
	size_t size;

	if(s->sent.count == 0) {
		replace(text, dst, filler, sizeof(filler));
		return;
	}
	size = s->sent.size[--s->sent.count];
	last -= size;
	tlsg_dtls_step_send(s);
	replace(text, dst, last, size);
}

/* Whether the peer has left too many requests without any message. */
static bool is_dead(const struct tlsg_assoc *a)
{
	return a->unanswered >= UNANSWERED_MAX && TICKS_GE(get_ticks_raw(), a->unanswered_since + UNANSWERED_TICKS);
}

static void count_request(struct tlsg_assoc *a)
{
	if(a->unanswered == 0)
		a->unanswered_since = get_ticks_raw();
	a->unanswered++;
}

/* Writes a message to the association of a step. */
static void write_one(struct tlsg_dtls_step *s, str *text, const struct dest_info *dst, enum kind kind)
{
	struct tlsg_assoc *a = s->a;
	bool was_established = tlsg_conn_is_established(a->conn);
	size_t used;
	enum tlsg_ret ret = tlsg_limits_allow(a->conn, &s->err);

	if(ret == TLSG_OK)
		ret = tlsg_conn_write(a->conn, &s->io, text->s, (size_t)text->len, &used, &s->err);
	if(ret == TLSG_OK || ret == TLSG_AGAIN) {
		tlsg_assoc_touch(a);
		if(kind == KIND_REQUEST)
			count_request(a);
		hand_over(s, text, dst);
		tlsg_dtls_step_note(s, a->conn, was_established);
		return;
	}
	tlsg_dtls_step_send(s); /* an alert */
	if(ret == TLSG_EOF || tlsg_conn_state(a->conn) == TLSG_CONN_FAILED) {
		s->is_over = true;
		if(ret != TLSG_EOF)
			tlsg_dtls_step_failed(s, a->conn, false);
	}
	fail(text, dst, ret == TLSG_EOF ? "the association has ended" : s->err.text);
}

/* A new association for a request. @return NULL: why is set. */
static struct tlsg_assoc *open_new(const struct tlsg_assoc_key *key, const char **why)
{
	struct tlsg_assoc *a = NULL;
	enum tlsg_ret ret = tlsg_assoc_add(key, false, &a);

	if(ret == TLSG_FULL) {
		tlsg_stats_dtls(TLSG_DTLS_FULL);
		*why = "as many associations exist as dtls_max_connections allows";
	} else if(ret != TLSG_OK)
		*why = "out of shared memory, raise -m";
	return a;
}

/*
 * Begins a step for a message.
 * @return TLSG_STEP_BEGUN: on an association with a connection; TLSG_STEP_OVER: why is set; TLSG_STEP_BUSY.
 */
static enum tlsg_dtls_begun find(
		struct tlsg_dtls_step *s, const struct tlsg_assoc_key *key, enum kind kind, const char **why)
{
	unsigned i;

	for(i = 0; i < LOOKUPS_MAX; i++) {
		struct tlsg_assoc *a = tlsg_assoc_find(key);
		enum tlsg_dtls_begun begun;

		*why = "there is no association, and only requests open one";
		if(a == NULL && kind != KIND_OTHER)
			a = open_new(key, why);
		if(a == NULL)
			return TLSG_STEP_OVER;
		begun = tlsg_dtls_step_begin(s, a);
		if(begun == TLSG_STEP_BUSY)
			return begun;
		if(begun == TLSG_STEP_OVER)
			continue; /* it ended meanwhile */
		if(a->conn == NULL && kind != KIND_OTHER)
			a->conn = tlsg_dtls_step_make(s, NULL);
		if(a->conn == NULL) {
			if(kind != KIND_OTHER) {
				s->is_over = true;
				*why = "the association cannot be made, see the line before";
			}
			tlsg_dtls_step_end(s);
			return TLSG_STEP_OVER;
		}
		if(kind != KIND_REQUEST || !is_dead(a))
			return TLSG_STEP_BEGUN;
		s->is_over = true; /* the next lookup makes a new one */
		tlsg_dtls_step_end(s);
	}
	*why = "its association ends again and again";
	return TLSG_STEP_OVER;
}

void tlsg_dtls_out_encrypt(str *text, const struct dest_info *dst)
{
	enum kind kind = kind_of(text);
	const char *why = "its destination has no address or port";
	union sockaddr_union to = dst->to;
	enum tlsg_dtls_begun begun = TLSG_STEP_OVER;
	struct tlsg_assoc_key key;
	struct tlsg_dtls_step s;
	struct ip_addr ip;

	su2ip_addr(&ip, &to);
	if(tlsg_dtls_step_key(&key, tlsg_dtls_listen_find(dst->send_sock), &ip, su_getport(&to)))
		begun = find(&s, &key, kind, &why);
	if(begun == TLSG_STEP_OVER)
		fail(text, dst, why);
	else if(begun == TLSG_STEP_BUSY)
		replace(text, dst, filler, sizeof(filler));
	else {
		write_one(&s, text, dst, kind);
		tlsg_dtls_step_end(&s);
	}
}
