/*
 * tls_gnutls - the order of the datagrams of a handshake
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's, shared.  Lock: none, atomic.
 */
#include "transport/dgram_order.h"

#include "transport/dgram_record.h"

#define VAIN_MAX 8
#define EPOCH_BIT 48

/* Epoch and number of a record, as they stand in its header. */
static uint64_t number_of(const unsigned char *record)
{
	uint64_t n = 0;
	unsigned i;

	for(i = 3; i < 11; i++)
		n = n << 8 | record[i];
	return n;
}

bool tlsg_dgram_order_is_turn(const struct tlsg_dgram_order *o, const unsigned char *data, size_t size)
{
	struct tlsg_dgram_record r;

	return !tlsg_dgram_record_read(data, size, &r) || __atomic_load_n(&o->vain, __ATOMIC_RELAXED) >= VAIN_MAX
		   || number_of(data) <= __atomic_load_n(&o->next, __ATOMIC_RELAXED);
}

void tlsg_dgram_order_vain(struct tlsg_dgram_order *o)
{
	__atomic_add_fetch(&o->vain, 1, __ATOMIC_RELAXED);
}

void tlsg_dgram_order_note(struct tlsg_dgram_order *o, const unsigned char *data, size_t size, bool begins)
{
	uint64_t next = begins ? 0 : __atomic_load_n(&o->next, __ATOMIC_RELAXED);
	struct tlsg_dgram_record r;

	for(; tlsg_dgram_record_read(data, size, &r); data += r.whole, size -= r.whole) {
		uint64_t after = r.type == TLSG_DGRAM_CCS ? (uint64_t)(r.epoch + 1) << EPOCH_BIT : number_of(data) + 1;

		if(after > next)
			next = after;
	}
	__atomic_store_n(&o->next, next, __ATOMIC_RELAXED);
}
