/*
 * tls_gnutls - sessions of outgoing connections that can be resumed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm, one block for each session, wiped before it is freed.
 * Lock: its own, for a few comparisons; nothing is allocated, freed or computed under it.
 */
#include "transport/resume_store.h"

#include "base/host.h"
#include "base/wipe.h"

#define ROWS 256 /* by the first byte of the key, which is a hash */
#define WAYS 4	 /* sessions in a row; parallel connections to one server */

struct store
{
	gen_lock_t lock;
	struct tlsg_resume_session *rows[ROWS][WAYS];
	uint64_t stored; /* sessions stored so far */
	size_t bytes;
	size_t bytes_max;
	unsigned len;
};

static struct store *store; /* [shm] */

enum tlsg_ret tlsg_resume_store_init(size_t bytes_max)
{
	if(store != NULL)
		return TLSG_OK;
	store = shm_mallocxz(sizeof(*store));
	if(store == NULL)
		return TLSG_E_RESOURCE;
	store->bytes_max = bytes_max;
	if(lock_init(&store->lock) != NULL)
		return TLSG_OK;
	shm_free(store);
	store = NULL;
	return TLSG_E_RESOURCE;
}

static size_t bytes_of(const struct tlsg_resume_session *s)
{
	return sizeof(*s) + s->size;
}

void tlsg_resume_store_free(struct tlsg_resume_session *s)
{
	if(s == NULL)
		return;
	tlsg_wipe(s, bytes_of(s));
	shm_free(s);
}

void tlsg_resume_store_deinit(void)
{
	unsigned i;

	if(store == NULL)
		return;
	for(i = 0; i < ROWS * WAYS; i++)
		tlsg_resume_store_free(store->rows[i / WAYS][i % WAYS]);
	lock_destroy(&store->lock);
	shm_free(store);
	store = NULL;
}

/* Takes a session out of its place. */
static struct tlsg_resume_session *unlink_unsafe(struct tlsg_resume_session **at)
{
	struct tlsg_resume_session *s = *at;

	*at = NULL;
	store->bytes -= bytes_of(s);
	store->len--;
	return s;
}

struct tlsg_resume_session *tlsg_resume_store_take(const unsigned char key[TLSG_RESUME_KEY_SIZE], time_t now)
{
	struct tlsg_resume_session **row;
	struct tlsg_resume_session **best = NULL;
	struct tlsg_resume_session *s = NULL;
	unsigned i;

	if(store == NULL)
		return NULL;
	row = store->rows[key[0] % ROWS];
	lock_get(&store->lock);
	for(i = 0; i < WAYS; i++)
		if(row[i] != NULL && memcmp(row[i]->key, key, TLSG_RESUME_KEY_SIZE) == 0
				&& (best == NULL || row[i]->stored > (*best)->stored))
			best = &row[i];
	if(best != NULL)
		s = unlink_unsafe(best);
	lock_release(&store->lock);
	if(s == NULL || s->until > now)
		return s;
	tlsg_resume_store_free(s);
	return NULL;
}

struct tlsg_resume_session *tlsg_resume_store_new(size_t size)
{
	struct tlsg_resume_session *s;

	if(store == NULL || size == 0 || size > TLSG_RESUME_SIZE_MAX || sizeof(*s) + size > store->bytes_max)
		return NULL;
	s = shm_malloc(sizeof(*s) + size);
	if(s == NULL)
		return NULL;
	memset(s, 0, sizeof(*s) + size);
	s->size = size;
	return s;
}

/* The place in a row for a new session: an empty one, or that of the session that was stored first. */
static struct tlsg_resume_session **place_find(struct tlsg_resume_session **row)
{
	struct tlsg_resume_session **oldest = row;
	unsigned i;

	for(i = 0; i < WAYS; i++) {
		if(row[i] == NULL)
			return &row[i];
		if(row[i]->stored < (*oldest)->stored)
			oldest = &row[i];
	}
	return oldest;
}

/* The session of the whole store that was stored first. */
static struct tlsg_resume_session **oldest_find(void)
{
	struct tlsg_resume_session **oldest = NULL;
	unsigned i;

	for(i = 0; i < ROWS * WAYS; i++) {
		struct tlsg_resume_session **at = &store->rows[i / WAYS][i % WAYS];

		if(*at != NULL && (oldest == NULL || (*at)->stored < (*oldest)->stored))
			oldest = at;
	}
	return oldest;
}

/* Takes a session out of its place to be freed later. */
static void drop_unsafe(struct tlsg_resume_session **at, struct tlsg_resume_session **dropped)
{
	struct tlsg_resume_session *s = unlink_unsafe(at);

	s->next = *dropped;
	*dropped = s;
}

/* Makes room. @return the sessions that had to go, linked by next. */
static struct tlsg_resume_session *room_make_unsafe(struct tlsg_resume_session **place, size_t bytes)
{
	struct tlsg_resume_session *dropped = NULL;

	if(*place != NULL)
		drop_unsafe(place, &dropped);
	while(store->bytes + bytes > store->bytes_max) {
		struct tlsg_resume_session **oldest = oldest_find();

		if(oldest == NULL)
			break;
		drop_unsafe(oldest, &dropped);
	}
	return dropped;
}

void tlsg_resume_store_put(struct tlsg_resume_session *s)
{
	struct tlsg_resume_session *dropped;
	struct tlsg_resume_session **place;

	lock_get(&store->lock);
	place = place_find(store->rows[s->key[0] % ROWS]);
	dropped = room_make_unsafe(place, bytes_of(s));
	s->stored = ++store->stored;
	*place = s;
	store->bytes += bytes_of(s);
	store->len++;
	lock_release(&store->lock);
	while(dropped != NULL) {
		s = dropped;
		dropped = s->next;
		tlsg_resume_store_free(s);
	}
}

unsigned tlsg_resume_store_len(size_t *bytes)
{
	unsigned len;

	*bytes = 0;
	if(store == NULL)
		return 0;
	lock_get(&store->lock);
	len = store->len;
	*bytes = store->bytes;
	lock_release(&store->lock);
	return len;
}
