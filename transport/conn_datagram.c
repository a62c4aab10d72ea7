/*
 * tls_gnutls - a connection over datagrams: what DTLS has and TLS has not
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; an association moves between processes at any time.
 * Memory: the connection's arena (shm).  Lock: the owner's lock of the association.
 */
#include "transport/conn_datagram.h"

#include "transport/carrier_datagram.h"
#include "transport/conn_state.h"

int tlsg_conn_datagram_timeout_ms(const struct tlsg_conn *c)
{
	ticks_t at = __atomic_load_n(&c->datagram->timer_at, __ATOMIC_ACQUIRE);
	ticks_t now = get_ticks_raw();

	if(at == 0 || c->state == TLSG_CONN_FAILED)
		return -1;
	return TICKS_GE(now, at) ? 0 : (int)TICKS_TO_MS(at - now);
}

enum tlsg_ret tlsg_conn_datagram_timer(struct tlsg_conn *c, struct tlsg_io *io, struct tlsg_err *err)
{
	struct tlsg_buf clear;

	if(c->state != TLSG_CONN_HANDSHAKING || (c->role == TLSG_CLIENT && !c->hello_seen && !tlsg_conn_is_late(c)))
		return TLSG_AGAIN;
	tlsg_buf_init(&clear, NULL, 0); /* without input no text arrives */
	return tlsg_conn_read(c, io, &clear, err);
}

uint32_t tlsg_conn_datagram_dropped(const struct tlsg_conn *c)
{
	return c->datagram->dropped + gnutls_record_get_discarded(c->session);
}
