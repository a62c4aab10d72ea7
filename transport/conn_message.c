/*
 * tls_gnutls - messages of an association over datagrams: one record each, with their boundaries in the queue
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the queue's (shm), one buffer of this process.  Lock: the association's lock.
 */
#include "transport/conn_message.h"

#include "base/wipe.h"
#include "transport/carrier_datagram.h"
#include "transport/conn_state.h"

#define LENGTH_BYTES 2	   /* in front of each message in the queue */
#define RECORD_EXTRA 512   /* header, IV, MAC, padding */
#define OVERHEAD_BYTES 128 /* of a record before the cipher is known: header, IV, SHA-384, padding */

static unsigned char whole[LENGTH_BYTES + TLSG_DATAGRAM_TEXT_MAX];

enum tlsg_ret tlsg_conn_message_fits(const struct tlsg_conn *c, size_t size, struct tlsg_err *err)
{
	size_t max = c->datagram->text_max;

	if(max == 0)
		max = TLSG_DATAGRAM_MTU_MAX - OVERHEAD_BYTES;
	if(size <= max)
		return TLSG_OK;
	return tlsg_err_set(
			err, TLSG_E_RESOURCE, "message of %zu bytes does not fit in one datagram, which holds %zu", size, max);
}

enum tlsg_ret tlsg_conn_message_queue(struct tlsg_conn *c, const char *data, size_t size,
		const struct tlsg_queue_limits *limits, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	if(size == 0)
		return TLSG_OK;
	whole[0] = (unsigned char)(size >> 8);
	whole[1] = (unsigned char)size;
	memcpy(whole + LENGTH_BYTES, data, size);
	ret = tlsg_queue_add(&c->queue, (const char *)whole, (unsigned)(LENGTH_BYTES + size), limits, err);
	tlsg_wipe(whole, LENGTH_BYTES + size);
	return ret;
}

/* The flight that may have to be sent again keeps the MTU of the handshake. */
enum tlsg_ret tlsg_conn_message_send(struct tlsg_conn *c, const char *data, size_t size, struct tlsg_err *err)
{
	ssize_t rc;

	if(size == 0)
		return TLSG_OK;
	if(tlsg_buf_room(c->io->out) < size + RECORD_EXTRA || c->io->sent->count == TLSG_DATAGRAMS_MAX)
		return TLSG_FULL;
	gnutls_dtls_set_mtu(c->session, TLSG_DATAGRAM_MTU_MAX);
	rc = gnutls_record_send(c->session, data, size);
	gnutls_dtls_set_mtu(c->session, c->datagram->mtu);
	if(rc == (ssize_t)size)
		return TLSG_OK;
	return rc >= 0 || rc == GNUTLS_E_AGAIN
				   ? tlsg_err_set(err, TLSG_E_INTERNAL, "GnuTLS neither sent nor refused a record")
				   : tlsg_err_gnutls(err, (int)rc, NULL);
}

/* Copies the beginning of the queue, which may lie in several blocks. @return false: the queue has less. */
static bool copy_first(struct tlsg_queue *q, unsigned char *to, size_t size)
{
	while(size > 0) {
		unsigned n;
		const char *from = tlsg_queue_peek(q, &n);

		if(from == NULL)
			return false;
		if(n > size)
			n = (unsigned)size;
		memcpy(to, from, n);
		tlsg_queue_drop(q, n);
		to += n;
		size -= n;
	}
	return true;
}

enum tlsg_ret tlsg_conn_message_flush(struct tlsg_conn *c, struct tlsg_err *err)
{
	enum tlsg_ret ret = TLSG_OK;

	while(ret == TLSG_OK && c->queue.bytes > 0) {
		size_t size;

		/* with room for the longest message, none is taken out in vain */
		if(tlsg_buf_room(c->io->out) < TLSG_DATAGRAM_TEXT_MAX + RECORD_EXTRA
				|| c->io->sent->count == TLSG_DATAGRAMS_MAX)
			return TLSG_FULL;
		if(!copy_first(&c->queue, whole, LENGTH_BYTES))
			return tlsg_err_set(err, TLSG_E_INTERNAL, "the queue has no length of a message");
		size = (size_t)whole[0] << 8 | whole[1];
		if(size > TLSG_DATAGRAM_TEXT_MAX || !copy_first(&c->queue, whole + LENGTH_BYTES, size))
			return tlsg_err_set(err, TLSG_E_INTERNAL, "the queue has no whole message");
		ret = tlsg_conn_message_send(c, (const char *)whole + LENGTH_BYTES, size, err);
		tlsg_wipe(whole, LENGTH_BYTES + size);
	}
	return ret;
}

void tlsg_conn_message_settle(struct tlsg_conn *c)
{
	unsigned max;

	gnutls_dtls_set_mtu(c->session, TLSG_DATAGRAM_MTU_MAX);
	max = gnutls_dtls_get_data_mtu(c->session);
	gnutls_dtls_set_mtu(c->session, c->datagram->mtu);
	c->datagram->text_max = (uint16_t)(max < TLSG_DATAGRAM_TEXT_MAX ? max : TLSG_DATAGRAM_TEXT_MAX);
}
