/*
 * tls_gnutls - a snapshot: one immutable set of profiles, published as a whole
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: built by one process, read and counted by all.
 * Memory: one arena (shm).  Lock: shared->lock, held for a few instructions.
 */
#include "profiles/set.h"

#include "base/arena.h"
#include "base/scope.h"
#include "pkcs11/p11_engine.h"

/* What all processes share about snapshots. */
struct shared
{
	gen_lock_t lock;
	struct tlsg_set *current; /* holds one reference */
	struct tlsg_set *alive;	  /* all published ones that are referenced, newest first, linked by older */
	uint32_t last_number;
	uint32_t gone; /* atomic: how many have left the list */
};

static struct shared *shared; /* [shm] */

enum tlsg_ret tlsg_set_global_init(void)
{
	if(shared != NULL)
		return TLSG_OK;
	shared = shm_malloc(sizeof(*shared));
	if(shared == NULL)
		return TLSG_E_RESOURCE;
	memset(shared, 0, sizeof(*shared));
	if(lock_init(&shared->lock) == NULL) {
		shm_free(shared);
		shared = NULL;
		return TLSG_E_RESOURCE;
	}
	return TLSG_OK;
}

void tlsg_set_global_unlock(void)
{
	if(shared == NULL)
		return;
	(void)lock_try(&shared->lock);
	lock_release(&shared->lock);
}

void tlsg_set_global_deinit(void)
{
	struct tlsg_set *s;

	if(shared == NULL)
		return;
	while((s = shared->alive) != NULL) {
		shared->alive = s->older;
		tlsg_set_drop(s);
	}
	lock_destroy(&shared->lock);
	shm_free(shared);
	shared = NULL;
}

static enum tlsg_ret copy_str(struct tlsg_arena *a, const str *from, str *to)
{
	to->s = NULL;
	to->len = 0;
	if(from->s == NULL)
		return TLSG_OK;
	to->s = tlsg_arena_keep_copy(a, from->s, (size_t)from->len);
	if(to->s == NULL)
		return TLSG_E_RESOURCE;
	to->len = from->len;
	return TLSG_OK;
}

struct tlsg_set *tlsg_set_new(const struct tlsg_set_options *o)
{
	struct tlsg_arena *a = tlsg_arena_new(0);
	struct tlsg_set *s;

	if(a == NULL)
		return NULL;
	s = tlsg_arena_keep(a, sizeof(*s));
	if(s == NULL)
		goto err;
	s->arena = a;
	s->options = *o;
	if(copy_str(a, &o->session_id, &s->options.session_id) != TLSG_OK
			|| copy_str(a, &o->config_dir, &s->options.config_dir) != TLSG_OK)
		goto err;
	if(o->engine != NULL) {
		s->options.engine = tlsg_arena_keep_copy(a, o->engine, sizeof(*o->engine));
		if(s->options.engine == NULL)
			goto err;
	}
	s->number = __atomic_add_fetch(&shared->last_number, 1, __ATOMIC_RELAXED);
	return s;
err:
	tlsg_arena_drop(a);
	return NULL;
}

void tlsg_set_drop(struct tlsg_set *set)
{
	if(set != NULL)
		tlsg_arena_drop(set->arena);
}

void tlsg_set_publish(struct tlsg_set *set)
{
	struct tlsg_set *before;

	set->refs = 1;
	lock_get(&shared->lock);
	before = shared->current;
	shared->current = set;
	set->older = shared->alive;
	shared->alive = set;
	lock_release(&shared->lock);
	tlsg_set_put(before);
}

struct tlsg_set *tlsg_set_get(void)
{
	struct tlsg_set *s;

	lock_get(&shared->lock);
	s = shared->current;
	if(s != NULL)
		__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	lock_release(&shared->lock);
	return s;
}

/* Removes a snapshot from the list of those in use. */
static void unlink_alive(struct tlsg_set *set)
{
	struct tlsg_set **at;

	lock_get(&shared->lock);
	for(at = &shared->alive; *at != NULL; at = &(*at)->older)
		if(*at == set) {
			*at = set->older;
			break;
		}
	lock_release(&shared->lock);
	__atomic_add_fetch(&shared->gone, 1, __ATOMIC_RELEASE);
}

void tlsg_set_put(struct tlsg_set *set)
{
	/*
	 * The current snapshot has a reference of its own: the count of one that tlsg_set_get() returns never falls to 0.
	 */
	if(set == NULL || __atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	unlink_alive(set);
	tlsg_set_drop(set);
}

unsigned tlsg_set_alive(void)
{
	const struct tlsg_set *s;
	unsigned n = 0;

	lock_get(&shared->lock);
	for(s = shared->alive; s != NULL; s = s->older)
		n++;
	lock_release(&shared->lock);
	return n;
}

bool tlsg_set_is_alive(uint32_t number)
{
	const struct tlsg_set *s;

	lock_get(&shared->lock);
	for(s = shared->alive; s != NULL && s->number != number; s = s->older)
		;
	lock_release(&shared->lock);
	return s != NULL;
}

uint32_t tlsg_set_gone(void)
{
	return __atomic_load_n(&shared->gone, __ATOMIC_ACQUIRE);
}
