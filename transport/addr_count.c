/*
 * tls_gnutls - counts how many of something each address of a peer has, up to a limit
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm, one block made before the forks.  Lock: its own.
 *
 * The table has a fixed number of entries in chains by hash. The seed of the hash is random, so that a peer cannot
 * choose addresses that share a chain.
 */
#include "transport/addr_count.h"

#include <gnutls/crypto.h>

#include "base/host.h"

#define IPV4 UINT64_C(0xffffffff00000000) /* upper half of the key of an IPv4 address */
#define ENTRIES_OF_A_CHAIN 4			  /* on average, when the table is full */

/** An address that has some, or a free entry. */
struct entry
{
	uint64_t key;
	uint32_t count;
	uint32_t next; /* number of an entry plus 1, 0 none: in its chain, or in the list of free entries */
};

struct tlsg_addr_counts
{
	unsigned limit;
	unsigned chains;
	gen_lock_t lock;
	uint64_t seed;
	uint32_t free;	/* plus 1, 0 none */
	uint32_t *head; /* [shm] of the chains, in this block */
	struct entry *entries;
};

static uint32_t chain_of(const struct tlsg_addr_counts *c, uint64_t key)
{
	uint64_t h = c->seed;
	unsigned i;

	for(i = 0; i < sizeof(key); i++)
		h = (h ^ (key >> 8 * i & 0xff)) * UINT64_C(0x9E3779B97F4A7C15);
	return (uint32_t)((h ^ h >> 32) % c->chains);
}

static uint64_t number_of(const unsigned char *bytes, unsigned len)
{
	uint64_t n = 0;
	unsigned i;

	for(i = 0; i < len; i++)
		n = n << 8 | bytes[i];
	return n;
}

/*
 * What counts as one address: a /64 of IPv6, as a host may have all of it; IPv4 inside IPv6 is IPv4, which has the
 * keys of multicast addresses: those are the source of nothing (RFC 4291 section 2.7).
 * @return false: no address.
 */
static bool key_of(const struct tlsg_addr *a, uint64_t *key)
{
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if(a->len != 4 && a->len != 16)
		return false;
	if(a->len == 16 && memcmp(a->bytes, mapped, sizeof(mapped)) != 0)
		*key = number_of(a->bytes, 8);
	else
		*key = IPV4 | number_of(a->bytes + a->len - 4, 4);
	return true;
}

struct tlsg_addr_counts *tlsg_addr_count_new(unsigned limit, unsigned addresses)
{
	size_t n = addresses;
	size_t chains = n / ENTRIES_OF_A_CHAIN + 1;
	struct tlsg_addr_counts *c = shm_mallocxz(sizeof(*c) + n * sizeof(struct entry) + chains * sizeof(uint32_t));
	uint32_t i;

	if(c == NULL)
		return NULL;
	c->limit = limit;
	c->chains = (unsigned)chains;
	c->entries = (struct entry *)(c + 1);
	c->head = (uint32_t *)(c->entries + n);
	for(i = 0; i < n; i++)
		c->entries[i].next = i + 1 < n ? i + 2 : 0;
	c->free = 1;
	if(gnutls_rnd(GNUTLS_RND_NONCE, &c->seed, sizeof(c->seed)) >= 0 && lock_init(&c->lock) != NULL)
		return c;
	shm_free(c);
	return NULL;
}

void tlsg_addr_count_free(struct tlsg_addr_counts *c)
{
	if(c == NULL)
		return;
	lock_destroy(&c->lock);
	shm_free(c);
}

void tlsg_addr_count_unlock(struct tlsg_addr_counts *c)
{
	if(c == NULL)
		return;
	(void)lock_try(&c->lock);
	lock_release(&c->lock);
}

/* The place in a chain that refers to the entry of an address, or the end of the chain. Lock held. */
static uint32_t *find_unsafe(struct tlsg_addr_counts *c, uint64_t key)
{
	uint32_t *at = &c->head[chain_of(c, key)];

	while(*at != 0 && c->entries[*at - 1].key != key)
		at = &c->entries[*at - 1].next;
	return at;
}

/* Counts one more for an address. Lock held. @return its entry plus 1; 0: too many, or the table is full. */
static uint32_t add_unsafe(struct tlsg_addr_counts *c, uint64_t key)
{
	uint32_t *at = find_unsafe(c, key);
	uint32_t number = *at;
	struct entry *e;

	if(number != 0) {
		e = &c->entries[number - 1];
		if(e->count >= c->limit)
			return 0;
		e->count++;
		return number;
	}
	number = c->free;
	if(number == 0)
		return 0;
	e = &c->entries[number - 1];
	c->free = e->next;
	e->key = key;
	e->count = 1;
	e->next = 0;
	*at = number;
	return number;
}

void tlsg_addr_count_give(struct tlsg_addr_counts *c, uint32_t entry)
{
	struct entry *e;

	if(entry == 0)
		return;
	e = &c->entries[entry - 1];
	lock_get(&c->lock);
	if(--e->count == 0) {
		*find_unsafe(c, e->key) = e->next;
		e->next = c->free;
		c->free = entry;
	}
	lock_release(&c->lock);
}

bool tlsg_addr_count_take(struct tlsg_addr_counts *c, const struct tlsg_addr *peer, uint32_t *entry)
{
	uint64_t key;

	*entry = 0;
	if(c == NULL || !key_of(peer, &key))
		return true;
	lock_get(&c->lock);
	*entry = add_unsafe(c, key);
	lock_release(&c->lock);
	return *entry != 0;
}
