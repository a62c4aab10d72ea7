/*
 * tls_gnutls - carries records over datagrams: one record of a received datagram at a time, datagrams to send
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm), buffers of the step (this process).
 * Lock: the association's lock, held by the step's caller.
 */
#include "transport/carrier_datagram.h"

#include <errno.h>
#include <limits.h>

#include "transport/conn_bound.h"
#include "transport/conn_state.h"

/*
 * A Finished message with all that encryption adds. In the epoch of the new keys nothing else is sent in a handshake,
 * and what its header announces cannot be seen.
 */
#define FINISHED_BYTES_MAX 256

#define RECORDS_MAX 31	  /* of a flight: MAX_QUEUE in GnuTLS's lib/buffers.c */
#define RECORDS_MANY 1000 /* enough of them to stop counting */

/*
 * GnuTLS's own limit on the duration of the handshake, which is also compared after it: none, the deadline is in
 * conn.c. It counts in an int.
 */
#define TOTAL_MS_NEVER ((unsigned)INT_MAX)

/*
 * Whether the session has keys to read with. GnuTLS compares the epoch of a record with that of its keys only when it
 * has decrypted it.
 */
static unsigned read_epoch(const struct tlsg_conn *c)
{
	gnutls_datum_t mac = {NULL, 0};
	gnutls_datum_t key = {NULL, 0};

	if(c->established)
		return 1;
	return gnutls_record_get_state(c->session, 1, &mac, NULL, &key, NULL) >= 0 && mac.size + key.size > 0 ? 1 : 0;
}

/* @param m  [in,out] noted. */
static bool is_admitted(const struct tlsg_conn *c, const struct tlsg_dgram_record *r, struct tlsg_dgram_messages *m)
{
	if(r->epoch != read_epoch(c))
		return false;
	if(r->epoch == 0)
		return tlsg_dgram_record_admit(m, r, tlsg_conn_bound_message_max(c));
	if(r->type == TLSG_DGRAM_HANDSHAKE && !c->established)
		return r->size <= FINISHED_BYTES_MAX;
	return r->type == TLSG_DGRAM_ALERT || r->type == TLSG_DGRAM_HANDSHAKE || r->type == TLSG_DGRAM_DATA;
}

size_t tlsg_carrier_datagram_left(const struct tlsg_conn *c)
{
	return c->io->in != NULL ? tlsg_buf_filled(c->io->in) : 0;
}

/*
 * The next record that the session may get; drops those before it.
 * @param m  [out] the messages after this record.
 * @return false: nothing is left.
 */
static bool next_record(struct tlsg_conn *c, struct tlsg_dgram_record *r, struct tlsg_dgram_messages *m)
{
	struct tlsg_buf *in = c->io->in;

	while(tlsg_carrier_datagram_left(c) > 0) {
		if(!tlsg_dgram_record_read(in->data + in->rd, tlsg_buf_filled(in), r)) {
			in->rd = in->wr;
			c->datagram->dropped++;
			return false;
		}
		*m = c->datagram->messages;
		if(is_admitted(c, r, m) && tlsg_conn_bound_allows(c, r->whole))
			return true;
		in->rd += r->whole;
		c->datagram->dropped++;
	}
	return false;
}

bool tlsg_carrier_datagram_has_record(struct tlsg_conn *c)
{
	struct tlsg_dgram_record r;
	struct tlsg_dgram_messages m;

	return next_record(c, &r, &m);
}

static ssize_t pull_cb(gnutls_transport_ptr_t ptr, void *to, size_t size)
{
	struct tlsg_conn *c = ptr;
	struct tlsg_dgram_record r;
	struct tlsg_dgram_messages m;

	while(next_record(c, &r, &m)) {
		unsigned char *from = c->io->in->data + c->io->in->rd;

		c->io->in->rd += r.whole;
		if(r.whole > size) {
			c->datagram->dropped++;
			continue;
		}
		c->datagram->messages = m;
		c->unused += (uint32_t)r.whole;
		memcpy(to, from, r.whole);
		return (ssize_t)r.whole;
	}
	gnutls_transport_set_errno(c->session, EAGAIN);
	return -1;
}

/* Called where GnuTLS would wait for a datagram. */
static int pull_timeout_cb(gnutls_transport_ptr_t ptr, unsigned ms)
{
	(void)ms;
	return tlsg_carrier_datagram_has_record(ptr) ? 1 : 0;
}

/*
 * One datagram. GnuTLS drops its flight when it cannot send it, so one that does not fit is taken and ends the
 * association after the step.
 */
static ssize_t push_cb(gnutls_transport_ptr_t ptr, const giovec_t *vec, int count)
{
	struct tlsg_conn *c = ptr;
	struct tlsg_buf *out = c->io->out;
	struct tlsg_datagrams *sent = c->io->sent;
	size_t size = 0;
	int i;

	for(i = 0; i < count; i++)
		size += vec[i].iov_len;
	if(size > tlsg_buf_room(out) || size > UINT16_MAX || sent->count == TLSG_DATAGRAMS_MAX) {
		c->datagram->overflow = true;
		return (ssize_t)size;
	}
	for(i = 0; i < count; i++)
		(void)tlsg_buf_put(out, vec[i].iov_base, vec[i].iov_len);
	sent->size[sent->count++] = (uint16_t)size;
	return (ssize_t)size;
}

void tlsg_carrier_datagram_message(struct tlsg_conn *c, bool incoming, size_t size)
{
	size_t most = c->datagram->mtu - TLSG_DGRAM_HEAD - TLSG_DGRAM_MESSAGE_HEAD;

	if(incoming)
		c->datagram->flight = 0;
	else if(c->datagram->flight < RECORDS_MANY)
		c->datagram->flight = (uint16_t)(c->datagram->flight + 1 + size / most);
}

bool tlsg_carrier_datagram_is_too_long(const struct tlsg_conn *c)
{
	return c->datagram->flight > RECORDS_MAX;
}

/* The next call of tlsg_conn_datagram_timer(), from what the session waits for after a step. */
static ticks_t timer_of(const struct tlsg_conn *c)
{
	unsigned ms = TLSG_DATAGRAM_RETRANSMIT_MS;
	ticks_t at;

	if(c->state != TLSG_CONN_HANDSHAKING)
		return 0;
	if(c->entered && gnutls_dtls_get_timeout(c->session) > 0)
		ms = gnutls_dtls_get_timeout(c->session);
	at = get_ticks_raw() + MS_TO_TICKS((ticks_t)ms);
	if(c->deadline != 0 && TICKS_GT(at, c->deadline))
		at = c->deadline;
	return at != 0 ? at : 1;
}

enum tlsg_ret tlsg_carrier_datagram_leave(struct tlsg_conn *c, enum tlsg_ret ret, struct tlsg_err *err)
{
	if(c->datagram->overflow && ret >= 0)
		ret = tlsg_err_set(err, TLSG_E_RESOURCE,
				"a flight of the handshake has more than %d datagrams or %d bytes; shorten the certificate chain, or "
				"allow larger datagrams",
				TLSG_DATAGRAMS_MAX, TLSG_DATAGRAM_OUT_BYTES);
	if(ret < 0)
		c->state = TLSG_CONN_FAILED;
	__atomic_store_n(&c->datagram->timer_at, timer_of(c), __ATOMIC_RELEASE);
	return ret;
}

void tlsg_carrier_datagram_init(struct tlsg_conn *c)
{
	gnutls_transport_set_ptr(c->session, c);
	gnutls_transport_set_pull_function(c->session, pull_cb);
	gnutls_transport_set_pull_timeout_function(c->session, pull_timeout_cb);
	gnutls_transport_set_vec_push_function(c->session, push_cb);
	gnutls_dtls_set_timeouts(c->session, TLSG_DATAGRAM_RETRANSMIT_MS, TOTAL_MS_NEVER);
	gnutls_dtls_set_mtu(c->session, c->datagram->mtu);
	if(c->datagram->has_start)
		gnutls_dtls_prestate_set(c->session, &c->datagram->start);
	c->datagram->timer_at = timer_of(c);
}
