/*
 * tls_gnutls - how many handshakes of accepted connections may be unfinished, in all and from one address
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm, one block made before the forks.
 * Lock: none for the sums (atomics); that of addr_count.h for addresses.
 */
#include "transport/slots.h"

#include "base/host.h"
#include "transport/addr_count.h"
#include "transport/stats.h"

struct slots
{
	struct tlsg_slots_limits limits;
	uint32_t used;						/* atomic */
	uint64_t bytes;						/* atomic */
	struct tlsg_addr_counts *addresses; /* [shm] NULL: per_address is 0 */
};

static struct slots *slots; /* [shm] same address in all processes */

enum tlsg_ret tlsg_slots_init(const struct tlsg_slots_limits *limits)
{
	if(slots != NULL)
		return TLSG_OK;
	slots = shm_mallocxz(sizeof(*slots));
	if(slots == NULL)
		return TLSG_E_RESOURCE;
	slots->limits = *limits;
	if(limits->per_address == 0)
		return TLSG_OK;
	slots->addresses = tlsg_addr_count_new(limits->per_address, limits->addresses);
	if(slots->addresses != NULL)
		return TLSG_OK;
	tlsg_slots_deinit();
	return TLSG_E_RESOURCE;
}

void tlsg_slots_unlock(void)
{
	if(slots != NULL)
		tlsg_addr_count_unlock(slots->addresses);
}

void tlsg_slots_deinit(void)
{
	if(slots == NULL)
		return;
	tlsg_addr_count_free(slots->addresses);
	shm_free(slots);
	slots = NULL;
}

enum tlsg_slots_result tlsg_slots_take(const struct tlsg_addr *peer, struct tlsg_slot *slot)
{
	uint32_t before;

	*slot = (struct tlsg_slot){.taken = slots != NULL};
	if(slots == NULL)
		return TLSG_SLOT_TAKEN;
	before = __atomic_fetch_add(&slots->used, 1, __ATOMIC_RELAXED);
	if((slots->limits.handshakes != 0 && before >= slots->limits.handshakes)
			|| (slots->limits.bytes != 0 && __atomic_load_n(&slots->bytes, __ATOMIC_RELAXED) >= slots->limits.bytes)) {
		tlsg_slots_give(slot);
		tlsg_stats_limit(TLSG_LIMIT_HANDSHAKES);
		return TLSG_SLOT_HANDSHAKES;
	}
	if(!tlsg_addr_count_take(slots->addresses, peer, &slot->entry)) {
		tlsg_slots_give(slot);
		tlsg_stats_limit(TLSG_LIMIT_ADDRESS);
		return TLSG_SLOT_ADDRESS;
	}
	return TLSG_SLOT_TAKEN;
}

void tlsg_slots_note(struct tlsg_slot *slot, size_t bytes)
{
	if(!slot->taken || slots == NULL)
		return;
	__atomic_fetch_add(&slots->bytes, bytes - (uint64_t)slot->bytes, __ATOMIC_RELAXED); /* a decrease wraps */
	slot->bytes = (uint32_t)bytes;
}

void tlsg_slots_give(struct tlsg_slot *slot)
{
	if(!slot->taken || slots == NULL)
		return;
	tlsg_slots_note(slot, 0);
	tlsg_addr_count_give(slots->addresses, slot->entry);
	__atomic_fetch_sub(&slots->used, 1, __ATOMIC_RELAXED);
	*slot = (struct tlsg_slot){0};
}

unsigned tlsg_slots_used(uint64_t *bytes)
{
	if(bytes != NULL)
		*bytes = slots != NULL ? __atomic_load_n(&slots->bytes, __ATOMIC_RELAXED) : 0;
	return slots != NULL ? __atomic_load_n(&slots->used, __ATOMIC_RELAXED) : 0;
}
