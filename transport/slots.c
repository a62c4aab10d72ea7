/*
 * tls_gnutls - how many handshakes of accepted connections may be unfinished, in all and from one address
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm, one block made before the forks.
 * Lock: none for the sums (atomics); its own for addresses.
 *
 * The table of addresses has a fixed number of entries in chains by hash. The seed of the hash is random, so that a
 * peer cannot choose addresses that share a chain.
 */
#include "transport/slots.h"

#include <gnutls/crypto.h>

#include "base/host.h"
#include "transport/stats.h"

#define KEY_BYTES 8 /* an IPv4 address, or the network part of an IPv6 address */

/** An address with unfinished handshakes, or a free entry. */
struct entry
{
	unsigned char key[KEY_BYTES];
	uint8_t len;
	uint32_t count;
	uint32_t next; /* number of an entry plus 1, 0 none: in its chain, or in the list of free entries */
};

struct slots
{
	struct tlsg_slots_limits limits;
	uint32_t used;	/* atomic */
	uint64_t bytes; /* atomic */
	gen_lock_t lock;
	uint64_t seed;
	uint32_t free;	/* plus 1, 0 none */
	uint32_t *head; /* [shm] one chain for each entry, in this block */
	struct entry *entries;
};

static struct slots *slots; /* [shm] same address in all processes */

static uint32_t chain_of(const unsigned char *key, uint8_t len)
{
	uint64_t h = slots->seed;
	unsigned i;

	for(i = 0; i < len; i++)
		h = (h ^ key[i]) * UINT64_C(0x9E3779B97F4A7C15);
	return (uint32_t)((h ^ h >> 32) % slots->limits.addresses);
}

/*
 * The bytes that count as one address: a /64 of IPv6, as a host may have all of it; IPv4 inside IPv6 is IPv4.
 * @return their number.
 */
static uint8_t key_of(const struct tlsg_addr *a, unsigned char *key)
{
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if(a->len == 16 && memcmp(a->bytes, mapped, sizeof(mapped)) != 0) {
		memcpy(key, a->bytes, 8);
		return 8;
	}
	if(a->len != 4 && a->len != 16)
		return 0;
	memcpy(key, a->bytes + a->len - 4, 4);
	return 4;
}

enum tlsg_ret tlsg_slots_init(const struct tlsg_slots_limits *limits)
{
	size_t n = limits->per_address != 0 ? limits->addresses : 0;
	uint32_t i;

	if(slots != NULL)
		return TLSG_OK;
	slots = shm_mallocxz(sizeof(*slots) + n * (sizeof(struct entry) + sizeof(uint32_t)));
	if(slots == NULL)
		return TLSG_E_RESOURCE;
	slots->limits = *limits;
	slots->entries = (struct entry *)(slots + 1);
	slots->head = (uint32_t *)(slots->entries + n);
	for(i = 0; i < n; i++)
		slots->entries[i].next = i + 1 < n ? i + 2 : 0;
	slots->free = n > 0 ? 1 : 0;
	if(gnutls_rnd(GNUTLS_RND_NONCE, &slots->seed, sizeof(slots->seed)) < 0 || lock_init(&slots->lock) == NULL) {
		shm_free(slots);
		slots = NULL;
		return TLSG_E_RESOURCE;
	}
	return TLSG_OK;
}

void tlsg_slots_unlock(void)
{
	if(slots == NULL)
		return;
	(void)lock_try(&slots->lock);
	lock_release(&slots->lock);
}

void tlsg_slots_deinit(void)
{
	if(slots == NULL)
		return;
	lock_destroy(&slots->lock);
	shm_free(slots);
	slots = NULL;
}

/* The place in a chain that refers to the entry of an address, or the end of the chain. Lock held. */
static uint32_t *find_unsafe(const unsigned char *key, uint8_t len)
{
	uint32_t *at = &slots->head[chain_of(key, len)];

	while(*at != 0 && (slots->entries[*at - 1].len != len || memcmp(slots->entries[*at - 1].key, key, len) != 0))
		at = &slots->entries[*at - 1].next;
	return at;
}

/* Counts one more handshake for an address. Lock held. @return its entry plus 1; 0: too many, or the table is full. */
static uint32_t address_add_unsafe(const unsigned char *key, uint8_t len)
{
	uint32_t *at = find_unsafe(key, len);
	uint32_t number = *at;
	struct entry *e;

	if(number != 0) {
		e = &slots->entries[number - 1];
		if(e->count >= slots->limits.per_address)
			return 0;
		e->count++;
		return number;
	}
	number = slots->free;
	if(number == 0)
		return 0;
	e = &slots->entries[number - 1];
	slots->free = e->next;
	memcpy(e->key, key, len);
	e->len = len;
	e->count = 1;
	e->next = 0;
	*at = number;
	return number;
}

static void address_remove(uint32_t number)
{
	struct entry *e = &slots->entries[number - 1];

	lock_get(&slots->lock);
	if(--e->count == 0) {
		*find_unsafe(e->key, e->len) = e->next;
		e->next = slots->free;
		slots->free = number;
	}
	lock_release(&slots->lock);
}

static bool address_add(const struct tlsg_addr *peer, uint32_t *number)
{
	unsigned char key[KEY_BYTES];
	uint8_t len = key_of(peer, key);

	*number = 0;
	if(slots->limits.per_address == 0 || len == 0)
		return true;
	lock_get(&slots->lock);
	*number = address_add_unsafe(key, len);
	lock_release(&slots->lock);
	return *number != 0;
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
	if(!address_add(peer, &slot->entry)) {
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
	if(slot->entry != 0)
		address_remove(slot->entry);
	__atomic_fetch_sub(&slots->used, 1, __ATOMIC_RELAXED);
	*slot = (struct tlsg_slot){0};
}

unsigned tlsg_slots_used(uint64_t *bytes)
{
	if(bytes != NULL)
		*bytes = slots != NULL ? __atomic_load_n(&slots->bytes, __ATOMIC_RELAXED) : 0;
	return slots != NULL ? __atomic_load_n(&slots->used, __ATOMIC_RELAXED) : 0;
}
