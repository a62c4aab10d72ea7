/*
 * tls_gnutls - the table of DTLS associations: which connection belongs to which pair of addresses
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; made and freed in the attendant.  Memory: shm.
 * Lock: one for each bucket, taken here for a few instructions; one for each association, taken by its user.
 *
 * The seed of the hash is random, so that a peer cannot choose addresses and ports that share a bucket.
 */
#include "transport/assoc.h"

#include <sched.h>

#include <gnutls/crypto.h>

#include "transport/addr_count.h"
#include "transport/conn.h"

#define BUCKETS_MIN 64
#define BUCKETS_MAX 65536

/* How long a process waits for a lock: first it lets others run, then it sleeps. */
#define WAIT_YIELDS 32
#define WAIT_SLEEP_US 500
#define WAIT_SLEEPS_HANDSHAKE 40
#define WAIT_SLEEPS 2000

struct bucket
{
	gen_lock_t lock;
	uint32_t urgent;  /* atomic: associations of this bucket that the timer visits in each round */
	uint32_t numbers; /* atomic: given so far to connections of this bucket */
	struct tlsg_assoc *first;
};

struct table
{
	unsigned max;
	unsigned buckets_len; /* a power of two */
	uint64_t seed;
	struct tlsg_addr_counts *peers; /* [shm] NULL: no limit for an address */
	uint32_t count;					/* atomic */
	struct bucket buckets[];
};

static struct table *table; /* [shm] same address in all processes */

static unsigned buckets_for(unsigned max)
{
	unsigned n = BUCKETS_MIN;

	while(n < max && n < BUCKETS_MAX)
		n *= 2;
	return n;
}

enum tlsg_ret tlsg_assoc_init(unsigned max, unsigned per_address)
{
	unsigned n = buckets_for(max);
	unsigned i;

	if(table != NULL)
		return TLSG_OK;
	table = shm_mallocxz(sizeof(*table) + n * sizeof(struct bucket));
	if(table == NULL)
		return TLSG_E_RESOURCE;
	table->max = max;
	for(i = 0; i < n; i++) {
		if(lock_init(&table->buckets[i].lock) == NULL)
			break;
		table->buckets_len++;
	}
	if(per_address != 0)
		table->peers = tlsg_addr_count_new(per_address, max);
	if(i == n && (per_address == 0 || table->peers != NULL)
			&& gnutls_rnd(GNUTLS_RND_NONCE, &table->seed, sizeof(table->seed)) >= 0)
		return TLSG_OK;
	tlsg_assoc_deinit();
	return TLSG_E_RESOURCE;
}

static void destroy(struct tlsg_assoc *a)
{
	tlsg_conn_free(a->candidate);
	tlsg_conn_free(a->conn);
	tlsg_addr_count_give(table->peers, a->peer_count);
	lock_destroy(&a->lock);
	shm_free(a);
}

/*
 * Counts an association that is about to be made. The lock of its bucket is held, so that a process that finds no more
 * room also finds what the last place was taken for.
 * @return TLSG_OK; TLSG_FULL, TLSG_E_PEER: as tlsg_assoc_add(), and nothing is counted.
 */
static enum tlsg_ret count_unsafe(struct tlsg_assoc *a, bool is_accepted)
{
	enum tlsg_ret ret = TLSG_OK;

	if(__atomic_add_fetch(&table->count, 1, __ATOMIC_RELAXED) > table->max)
		ret = TLSG_FULL;
	else if(is_accepted && !tlsg_addr_count_take(table->peers, &a->key.peer, &a->peer_count))
		ret = TLSG_E_PEER;
	if(ret != TLSG_OK)
		__atomic_sub_fetch(&table->count, 1, __ATOMIC_RELAXED);
	return ret;
}

/* Destroys one that was counted. Its place among addresses is free before its place here: that table has no more. */
static void uncount(struct tlsg_assoc *a)
{
	destroy(a);
	__atomic_sub_fetch(&table->count, 1, __ATOMIC_RELEASE);
}

void tlsg_assoc_deinit(void)
{
	unsigned i;

	if(table == NULL)
		return;
	for(i = 0; i < table->buckets_len; i++) {
		struct tlsg_assoc *a;

		while((a = table->buckets[i].first) != NULL) {
			table->buckets[i].first = a->next;
			destroy(a);
		}
		lock_destroy(&table->buckets[i].lock);
	}
	tlsg_addr_count_free(table->peers);
	shm_free(table);
	table = NULL;
}

void tlsg_assoc_table_unlock(void)
{
	unsigned i;

	for(i = 0; table != NULL && i < table->buckets_len; i++) {
		(void)lock_try(&table->buckets[i].lock);
		lock_release(&table->buckets[i].lock);
	}
	if(table != NULL)
		tlsg_addr_count_unlock(table->peers);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9E3779B97F4A7C15);
	return h ^ h >> 29;
}

static uint32_t bucket_of(const struct tlsg_assoc_key *key)
{
	uint64_t h = mix(table->seed, (uint64_t)(unsigned)key->socket << 16 | key->port);
	uint64_t part[2] = {0, 0};

	memcpy(part, key->peer.bytes, key->peer.len);
	h = mix(mix(h, part[0]), part[1]);
	return (uint32_t)(h ^ h >> 32) & (table->buckets_len - 1);
}

static bool is_key(const struct tlsg_assoc *a, const struct tlsg_assoc_key *key)
{
	return a->key.port == key->port && a->key.socket == key->socket && tlsg_addr_is_equal(&a->key.peer, &key->peer);
}

/* Finds an association and counts a reference. The lock of its bucket is held. */
static struct tlsg_assoc *find_unsafe(const struct bucket *b, const struct tlsg_assoc_key *key)
{
	struct tlsg_assoc *a = b->first;

	while(a != NULL && !is_key(a, key))
		a = a->next;
	if(a != NULL)
		__atomic_add_fetch(&a->refs, 1, __ATOMIC_RELAXED);
	return a;
}

struct tlsg_assoc *tlsg_assoc_find(const struct tlsg_assoc_key *key)
{
	struct bucket *b = &table->buckets[bucket_of(key)];
	struct tlsg_assoc *a;

	lock_get(&b->lock);
	a = find_unsafe(b, key);
	lock_release(&b->lock);
	return a;
}

static int id_of(const struct tlsg_assoc *a)
{
	return __atomic_load_n(&a->id, __ATOMIC_RELAXED);
}

/* The bucket that a number tells. */
static unsigned bucket_of_id(int id)
{
	return (unsigned)id & (table->buckets_len - 1);
}

struct tlsg_assoc *tlsg_assoc_find_id(int id)
{
	struct tlsg_assoc *a;
	struct bucket *b;

	if(table == NULL)
		return NULL;
	b = &table->buckets[bucket_of_id(id)];
	lock_get(&b->lock);
	for(a = b->first; a != NULL && id_of(a) != id;)
		a = a->next;
	if(a != NULL)
		__atomic_add_fetch(&a->refs, 1, __ATOMIC_RELAXED);
	lock_release(&b->lock);
	return a;
}

int tlsg_assoc_number(const struct tlsg_assoc *a)
{
	uint32_t n = __atomic_fetch_add(&table->buckets[a->bucket].numbers, 1, __ATOMIC_RELAXED);

	return (int)(TLSG_ASSOC_ID_FIRST + (n * table->buckets_len + a->bucket) % TLSG_ASSOC_ID_FIRST);
}

/* Makes an association for the table and for the caller, without number. @return NULL: out of shared memory. */
static struct tlsg_assoc *make(const struct tlsg_assoc_key *key)
{
	struct tlsg_assoc *a = shm_mallocxz(sizeof(*a));

	if(a == NULL)
		return NULL;
	if(lock_init(&a->lock) == NULL) {
		shm_free(a);
		return NULL;
	}
	a->key = *key;
	a->bucket = bucket_of(key);
	a->refs = 2;
	a->linked = 1;
	a->used_at = get_ticks_raw();
	return a;
}

/* Puts one that is counted into its bucket, whose lock is held. Only now, so that who is refused uses no number. */
static void link_unsafe(struct bucket *b, struct tlsg_assoc *a)
{
	a->id = tlsg_assoc_number(a);
	a->first_id = a->id;
	a->next = b->first;
	b->first = a;
}

enum tlsg_ret tlsg_assoc_add(const struct tlsg_assoc_key *key, bool is_accepted, struct tlsg_assoc **out)
{
	struct bucket *b = &table->buckets[bucket_of(key)];
	struct tlsg_assoc *made;
	enum tlsg_ret ret = TLSG_OK;

	*out = tlsg_assoc_find(key);
	if(*out != NULL)
		return TLSG_OK;
	made = make(key);
	if(made == NULL)
		return TLSG_E_RESOURCE;
	lock_get(&b->lock);
	*out = find_unsafe(b, key); /* another process may have been faster */
	if(*out == NULL)
		ret = count_unsafe(made, is_accepted);
	if(*out == NULL && ret == TLSG_OK) {
		link_unsafe(b, made);
		*out = made;
		made = NULL;
	}
	lock_release(&b->lock);
	if(made != NULL)
		destroy(made);
	return ret;
}

void tlsg_assoc_put(struct tlsg_assoc *a)
{
	if(a == NULL || __atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	tlsg_assoc_urgent(a, false);
	uncount(a);
}

void tlsg_assoc_remove(struct tlsg_assoc *a)
{
	struct bucket *b = &table->buckets[a->bucket];
	struct tlsg_assoc **at = &b->first;
	bool was_linked;

	tlsg_assoc_urgent(a, false);
	lock_get(&b->lock);
	while(*at != NULL && *at != a)
		at = &(*at)->next;
	was_linked = *at != NULL;
	if(was_linked)
		*at = a->next;
	__atomic_store_n(&a->linked, 0, __ATOMIC_RELAXED);
	lock_release(&b->lock);
	if(was_linked)
		tlsg_assoc_put(a);
}

bool tlsg_assoc_is_urgent(const struct tlsg_assoc *a)
{
	return __atomic_load_n(&a->urgent, __ATOMIC_RELAXED) != 0;
}

/* Whether a process that has waited so often gives up. A handshake may begin while it waits. */
static bool is_long_wait(struct tlsg_assoc *a, unsigned sleeps)
{
	uint32_t max = tlsg_assoc_is_urgent(a) ? WAIT_SLEEPS_HANDSHAKE : WAIT_SLEEPS;
	bool is_over = __atomic_load_n(&a->slow, __ATOMIC_RELAXED) >= max;

	if(!is_over && sleeps < max)
		return false;
	if(!is_over)
		__atomic_store_n(&a->slow, max, __ATOMIC_RELAXED);
	return true;
}

bool tlsg_assoc_lock(struct tlsg_assoc *a)
{
	unsigned i;

	for(i = 0; !tlsg_assoc_try(a); i++) {
		if(i < WAIT_YIELDS)
			sched_yield();
		else if(is_long_wait(a, i - WAIT_YIELDS))
			return false;
		else
			sleep_us(WAIT_SLEEP_US);
	}
	return true;
}

bool tlsg_assoc_try(struct tlsg_assoc *a)
{
	return lock_try(&a->lock) == 0;
}

void tlsg_assoc_unlock(struct tlsg_assoc *a)
{
	__atomic_store_n(&a->slow, 0, __ATOMIC_RELAXED);
	lock_release(&a->lock);
}

void tlsg_assoc_touch(struct tlsg_assoc *a)
{
	__atomic_store_n(&a->used_at, get_ticks_raw(), __ATOMIC_RELAXED);
	__atomic_store_n(&a->is_used, 1, __ATOMIC_RELAXED);
}

void tlsg_assoc_urgent(struct tlsg_assoc *a, bool on)
{
	uint32_t before = __atomic_exchange_n(&a->urgent, on ? 1 : 0, __ATOMIC_RELAXED);

	if(on && before == 0)
		__atomic_add_fetch(&table->buckets[a->bucket].urgent, 1, __ATOMIC_RELAXED);
	else if(!on && before == 1)
		__atomic_sub_fetch(&table->buckets[a->bucket].urgent, 1, __ATOMIC_RELAXED);
}

unsigned tlsg_assoc_buckets(void)
{
	return table != NULL ? table->buckets_len : 0;
}

unsigned tlsg_assoc_collect(unsigned bucket, bool all, struct tlsg_assoc **out, unsigned from, unsigned max)
{
	struct bucket *b = &table->buckets[bucket];
	struct tlsg_assoc *a;
	unsigned n = 0;

	if(!all && __atomic_load_n(&b->urgent, __ATOMIC_RELAXED) == 0)
		return 0;
	lock_get(&b->lock);
	for(a = b->first; a != NULL && n < max; a = a->next) {
		if(!all && !tlsg_assoc_is_urgent(a))
			continue;
		if(from > 0) {
			from--;
			continue;
		}
		__atomic_add_fetch(&a->refs, 1, __ATOMIC_RELAXED);
		out[n++] = a;
	}
	lock_release(&b->lock);
	return n;
}

/* Puts an association into a list that is in the order of the first numbers. @return entries in it. */
static unsigned insert(struct tlsg_assoc **out, unsigned n, unsigned max, struct tlsg_assoc *a)
{
	unsigned at = n < max ? n : max;

	if(at == max && out[max - 1]->first_id < a->first_id)
		return n;
	if(at == max)
		at--;
	for(; at > 0 && out[at - 1]->first_id > a->first_id; at--)
		out[at] = out[at - 1];
	out[at] = a;
	return n < max ? n + 1 : n;
}

/* The first associations of a bucket behind a number. @param after  [in,out] the first number of the last one. */
static unsigned bucket_collect(struct bucket *b, int *after, struct tlsg_assoc **out, unsigned max)
{
	int behind = *after;
	struct tlsg_assoc *a;
	unsigned n = 0;
	unsigned i;

	lock_get(&b->lock);
	for(a = b->first; a != NULL; a = a->next)
		if(id_of(a) == *after)
			behind = a->first_id;
	for(a = b->first; a != NULL; a = a->next)
		if(a->first_id > behind)
			n = insert(out, n, max, a);
	for(i = 0; i < n; i++)
		__atomic_add_fetch(&out[i]->refs, 1, __ATOMIC_RELAXED);
	lock_release(&b->lock);
	if(n > 0)
		*after = out[n - 1]->first_id;
	return n;
}

unsigned tlsg_assoc_collect_after(int *after, struct tlsg_assoc **out, unsigned max)
{
	unsigned i;

	if(table == NULL || max == 0)
		return 0;
	if(max > TLSG_ASSOC_COLLECT_MAX)
		max = TLSG_ASSOC_COLLECT_MAX;
	for(i = *after != 0 ? bucket_of_id(*after) : 0; i < table->buckets_len; i++) {
		unsigned n = bucket_collect(&table->buckets[i], after, out, max);

		if(n > 0)
			return n;
		*after = 0;
	}
	return 0;
}

unsigned tlsg_assoc_count(void)
{
	return table != NULL ? __atomic_load_n(&table->count, __ATOMIC_RELAXED) : 0;
}
