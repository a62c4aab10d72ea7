/*
 * tls_gnutls - keys that encrypt session tickets, the same in every process
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a server handshake.  Memory: one master in shm, others in snapshots.
 * Lock: its own, for copies and a rotation.
 */
#include "profiles/ticket.h"

#include <stdlib.h>

#include <gnutls/crypto.h>

#include "base/arena.h"
#include "profiles/priority.h"
#include "profiles/set.h"
#include "profiles/ticket_file.h"
#include "profiles/verify/trust.h"

#define MASTER_SIZE TLSG_TICKET_MASTER_SIZE
#define ROTATE_S (12 * 3600)
#define NAME_SIZE 16   /* of a key, at the start of a ticket */
#define DIGEST_SIZE 32 /* SHA-256 */
/*
 * GnuTLS makes from the key of a session a new one for each period of so many lifetimes of a session, and accepts that
 * of the period before.
 */
#define PERIOD_LIFETIMES 3
#define DERIVED_MAX 64 /* profiles beyond that share a place, and derive more often */

/* A key that was derived from the master, so that not every handshake has to. */
struct derived
{
	bool used;
	bool datagram;
	unsigned char context[TLSG_TICKET_CONTEXT_SIZE]; /* of the profile it belongs to */
	unsigned char key[TLSG_TICKET_KEY_SIZE];
};

/* Names of one key that GnuTLS accepts in one period. No secrets: they are in clear text in each ticket. */
struct tlsg_ticket_names
{
	bool known;
	uint32_t epoch; /* of the key */
	uint64_t period;
	unsigned char name[2][NAME_SIZE]; /* of this period, and of the one before */
};

struct master
{
	gen_lock_t lock; /* also for the names of all profiles */
	time_t until;	 /* when it is replaced */
	uint32_t epoch;	 /* how often it was replaced */
	unsigned char key[MASTER_SIZE];
	struct derived derived[DERIVED_MAX]; /* from this key; wiped when it is replaced */
};

static struct master *master; /* [shm] */

enum tlsg_ret tlsg_ticket_global_init(void)
{
	if(master != NULL)
		return TLSG_OK;
	master = shm_malloc(sizeof(*master));
	if(master == NULL)
		return TLSG_E_RESOURCE;
	memset(master, 0, sizeof(*master));
	if(lock_init(&master->lock) == NULL || gnutls_rnd(GNUTLS_RND_KEY, master->key, MASTER_SIZE) < 0) {
		shm_free(master);
		master = NULL;
		return TLSG_E_RESOURCE;
	}
	master->until = time(NULL) + ROTATE_S;
	return TLSG_OK;
}

void tlsg_ticket_global_deinit(void)
{
	if(master == NULL)
		return;
	gnutls_memset(master->key, 0, MASTER_SIZE);
	gnutls_memset(master->derived, 0, sizeof(master->derived));
	lock_destroy(&master->lock);
	shm_free(master);
	master = NULL;
}

/* Replaces the master when its time is over; once, however long ago that was. */
static int rotate_unsafe(time_t now)
{
	static const char label[] = "tls_gnutls ticket master, next";
	unsigned char next[MASTER_SIZE];
	int rc;

	if(now < master->until)
		return 0;
	rc = gnutls_hmac_fast(GNUTLS_MAC_SHA512, master->key, MASTER_SIZE, label, sizeof(label), next);
	if(rc < 0)
		return rc;
	memcpy(master->key, next, MASTER_SIZE);
	gnutls_memset(master->derived, 0, sizeof(master->derived));
	master->epoch++;
	master->until = now + ROTATE_S;
	gnutls_memset(next, 0, sizeof(next));
	return 0;
}

static unsigned keys_len(const struct tlsg_prof *p)
{
	return p->ticket_keys != NULL ? p->set->ticket_masters->len : 1;
}

/* The key for DTLS that belongs to one for TLS. */
static int key_for_datagrams(unsigned char key[TLSG_TICKET_KEY_SIZE])
{
	static const char label[] = "tls_gnutls ticket, DTLS";
	unsigned char own[TLSG_TICKET_KEY_SIZE];
	int rc = gnutls_hmac_fast(GNUTLS_MAC_SHA512, key, TLSG_TICKET_KEY_SIZE, label, sizeof(label), own);

	memcpy(key, own, sizeof(own));
	gnutls_memset(own, 0, sizeof(own));
	return rc;
}

/* Where the derived key of a profile is stored, if it is. The contexts are hashes: one byte spreads them evenly. */
static struct derived *place_of(const struct tlsg_prof *p, bool datagram)
{
	return &master->derived[(p->ticket_context[0] + datagram) % DERIVED_MAX];
}

static bool is_of(const struct derived *d, const struct tlsg_prof *p, bool datagram)
{
	return d->used && d->datagram == datagram && memcmp(d->context, p->ticket_context, sizeof(d->context)) == 0;
}

/* Stores a derived key, unless the master was replaced meanwhile. */
static void derived_store(
		const struct tlsg_prof *p, bool datagram, uint32_t epoch, const unsigned char key[TLSG_TICKET_KEY_SIZE])
{
	struct derived *d = place_of(p, datagram);

	lock_get(&master->lock);
	if(epoch == master->epoch) {
		d->used = true;
		d->datagram = datagram;
		memcpy(d->context, p->ticket_context, sizeof(d->context));
		memcpy(d->key, key, sizeof(d->key));
	}
	lock_release(&master->lock);
}

/* The key of a profile that is derived from the master of this start. @param epoch  [out] of the master. */
static enum tlsg_ret key_of_start(
		const struct tlsg_prof *p, bool datagram, time_t now, unsigned char key[TLSG_TICKET_KEY_SIZE], uint32_t *epoch)
{
	unsigned char copy[MASTER_SIZE];
	const struct derived *d;
	bool found = false;
	int rc;

	if(master == NULL)
		return TLSG_E_INTERNAL;
	d = place_of(p, datagram);
	lock_get(&master->lock);
	rc = rotate_unsafe(now);
	*epoch = master->epoch;
	if(rc == 0)
		found = is_of(d, p, datagram);
	if(found)
		memcpy(key, d->key, sizeof(d->key));
	else
		memcpy(copy, master->key, MASTER_SIZE);
	lock_release(&master->lock);
	if(found)
		return TLSG_OK;
	if(rc == 0)
		rc = gnutls_hmac_fast(GNUTLS_MAC_SHA512, copy, MASTER_SIZE, p->ticket_context, sizeof(p->ticket_context), key);
	if(rc == 0 && datagram)
		rc = key_for_datagrams(key);
	gnutls_memset(copy, 0, sizeof(copy));
	if(rc < 0)
		return TLSG_E_INTERNAL;
	derived_store(p, datagram, *epoch, key);
	return TLSG_OK;
}

/* @param epoch  [out] of the master of this start; 0 for keys of files, which belong to the snapshot. */
static enum tlsg_ret key_get(const struct tlsg_prof *p, unsigned number, bool datagram, time_t now,
		unsigned char key[TLSG_TICKET_KEY_SIZE], uint32_t *epoch)
{
	*epoch = 0;
	if(p->ticket_keys == NULL)
		return key_of_start(p, datagram, now, key, epoch);
	memcpy(key, p->ticket_keys[number], TLSG_TICKET_KEY_SIZE);
	return datagram && key_for_datagrams(key) < 0 ? TLSG_E_INTERNAL : TLSG_OK;
}

enum tlsg_ret tlsg_ticket_key(
		const struct tlsg_prof *p, unsigned number, bool datagram, time_t now, unsigned char key[TLSG_TICKET_KEY_SIZE])
{
	uint32_t epoch;

	return key_get(p, number, datagram, now, key, &epoch);
}

/* ---- which key a ticket was made with ---- */

/* The name that GnuTLS gives to what it makes from a key in a period. */
static bool key_name(const unsigned char key[TLSG_TICKET_KEY_SIZE], uint64_t period, unsigned char name[NAME_SIZE])
{
	unsigned char in[sizeof(period) + TLSG_TICKET_KEY_SIZE];
	unsigned char out[64];
	unsigned i;
	int rc;

	for(i = 0; i < sizeof(period); i++)
		in[i] = (unsigned char)(period >> (8 * (sizeof(period) - 1 - i)));
	memcpy(in + sizeof(period), key, TLSG_TICKET_KEY_SIZE);
	rc = gnutls_hash_fast(GNUTLS_DIG_SHA3_512, in, sizeof(in), out);
	memcpy(name, out, NAME_SIZE);
	gnutls_memset(in, 0, sizeof(in));
	gnutls_memset(out, 0, sizeof(out)); /* the other bytes encrypt */
	return rc >= 0;
}

/* Names of a key that were made before, if they still apply. @return whether they do. */
static bool names_find(const struct tlsg_ticket_names *kept, time_t now, bool of_file, struct tlsg_ticket_names *n)
{
	if(master == NULL)
		return false;
	lock_get(&master->lock);
	/* when the master is due, its key and with it the names are about to change */
	*n = *kept;
	n->known = n->known && (of_file || (now < master->until && n->epoch == master->epoch));
	lock_release(&master->lock);
	return n->known;
}

static void names_make(
		const struct tlsg_prof *p, unsigned number, bool datagram, time_t now, struct tlsg_ticket_names *n)
{
	uint64_t period = (uint64_t)now / ((uint64_t)gnutls_db_get_default_cache_expiration() * PERIOD_LIFETIMES);
	struct tlsg_ticket_names *kept = &p->ticket_names[2 * number + datagram];
	unsigned char key[TLSG_TICKET_KEY_SIZE];

	if(names_find(kept, now, p->ticket_keys != NULL, n) && n->period == period)
		return;
	n->period = period;
	n->known = key_get(p, number, datagram, now, key, &n->epoch) == TLSG_OK && key_name(key, period, n->name[0])
			   && key_name(key, period - 1, n->name[1]);
	gnutls_memset(key, 0, sizeof(key));
	if(!n->known || master == NULL)
		return;
	lock_get(&master->lock);
	*kept = *n;
	lock_release(&master->lock);
}

static bool names_have(const struct tlsg_ticket_names *n, const struct tlsg_der *ticket)
{
	return n->known && ticket->size >= NAME_SIZE
		   && (memcmp(n->name[0], ticket->data, NAME_SIZE) == 0 || memcmp(n->name[1], ticket->data, NAME_SIZE) == 0);
}

int tlsg_ticket_match(const struct tlsg_prof *p, bool datagram, const struct tlsg_der *tickets, unsigned n, time_t now)
{
	struct tlsg_ticket_names names[TLSG_TICKET_MASTERS_MAX];
	unsigned made = 0;
	unsigned len = keys_len(p);
	unsigned i, k;

	for(i = 0; i < n; i++)
		for(k = 0; k < len; k++) {
			if(k == made)
				names_make(p, made++, datagram, now, &names[k]);
			if(names_have(&names[k], &tickets[i]))
				return (int)k;
		}
	return -1;
}

/* ---- what a profile's sessions are bound to ---- */

/* Big-endian, so that hosts of different kinds compute the same. */
static int hash_number(gnutls_hash_hd_t h, uint32_t n)
{
	unsigned char bytes[4] = {
			(unsigned char)(n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n};

	return gnutls_hash(h, bytes, sizeof(bytes));
}

static int hash_bytes(gnutls_hash_hd_t h, const void *data, size_t size)
{
	int rc = hash_number(h, (uint32_t)size);

	if(rc == 0 && size > 0)
		rc = gnutls_hash(h, data, size);
	return rc;
}

static int hash_str(gnutls_hash_hd_t h, const str *s)
{
	return hash_bytes(h, s->s, s->s != NULL ? (size_t)s->len : 0);
}

static int digest_compare(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE);
}

/* A digest of each CA and CRL, sorted: a directory is read in any order. */
static int digests_hash(gnutls_hash_hd_t h, const struct tlsg_trust *t, unsigned char (*digests)[DIGEST_SIZE])
{
	unsigned i;
	int rc = 0;

	for(i = 0; rc == 0 && i < t->cas_len; i++)
		rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, t->cas[i].data, t->cas[i].size, digests[i]);
	for(i = 0; rc == 0 && i < t->crls_len; i++)
		rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, t->crls[i].der.data, t->crls[i].der.size, digests[t->cas_len + i]);
	if(rc < 0)
		return rc;
	qsort(digests, t->cas_len, DIGEST_SIZE, digest_compare);
	qsort(digests + t->cas_len, t->crls_len, DIGEST_SIZE, digest_compare);
	rc = hash_number(h, t->cas_len);
	if(rc == 0)
		rc = hash_number(h, t->crls_len);
	if(rc == 0)
		rc = hash_number(h, t->has_crl);
	return rc == 0 ? gnutls_hash(h, digests, ((size_t)t->cas_len + t->crls_len) * DIGEST_SIZE) : rc;
}

/* Sets the digest of a trust: once, as many profiles share it and CRLs are large. */
static int trust_digest(struct tlsg_arena *arena, struct tlsg_trust *t)
{
	gnutls_hash_hd_t h;
	unsigned char(*digests)[DIGEST_SIZE];
	int rc;

	if(t->has_digest)
		return 0;
	digests = tlsg_arena_malloc(arena, ((size_t)t->cas_len + t->crls_len + 1) * DIGEST_SIZE);
	if(digests == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	rc = gnutls_hash_init(&h, GNUTLS_DIG_SHA256);
	if(rc == 0) {
		rc = digests_hash(h, t, digests);
		gnutls_hash_deinit(h, t->digest);
	}
	tlsg_arena_free(digests);
	t->has_digest = rc == 0;
	return rc;
}

/* Everything that decides which peers may resume. Nothing of where and in which order it was configured. */
static int hash_prof(gnutls_hash_hd_t h, const struct tlsg_prof *p)
{
	const struct tlsg_prof_settings *s = &p->s;
	const struct tlsg_cipher_list *list = &p->priority->list;
	int numbers[] = {p->role, s->server_name_mode, s->verify_certificate, s->require_certificate, s->verify_client,
			s->verify_depth, s->verify_name};
	size_t i, rows_len;
	const struct tlsg_suite *rows = tlsg_suite_table(&rows_len);
	int rc = hash_str(h, &p->set->options.session_id);

	if(rc == 0)
		rc = hash_str(h, &s->server_name);
	if(rc == 0)
		rc = hash_bytes(h, list->priority, strlen(list->priority));
	for(i = 0; rc == 0 && i < list->suites_len; i++)
		rc = hash_bytes(h, rows[list->suites[i]].id, sizeof(rows->id));
	for(i = 0; rc == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		rc = hash_number(h, (uint32_t)numbers[i]);
	for(i = 0; rc == 0 && i < p->pairs_len; i++)
		rc = hash_bytes(h, p->pairs[i].chain[0].cert.data, p->pairs[i].chain[0].cert.size);
	if(rc == 0 && p->trust != NULL)
		rc = trust_digest(p->set->arena, p->trust);
	if(rc == 0 && p->trust != NULL)
		rc = hash_bytes(h, p->trust->digest, sizeof(p->trust->digest));
	/* A ticket of one start belongs to one profile of it, although two may be configured the same. */
	return rc == 0 && p->set->ticket_masters == NULL ? hash_str(h, &p->id) : rc;
}

/*
 * The keys of a profile from those of the files: derived once, wiped with the snapshot; and where the names of its keys
 * are stored, for TLS and DTLS each.
 */
static enum tlsg_ret keys_derive(struct tlsg_prof *p)
{
	static const char label[] = "tls_gnutls ticket key 1";
	const struct tlsg_ticket_masters *m = p->set->ticket_masters;
	unsigned char in[sizeof(label) + TLSG_TICKET_CONTEXT_SIZE];
	unsigned i;

	if(p->role != TLSG_SERVER)
		return TLSG_OK;
	p->ticket_names = tlsg_arena_keep(p->set->arena, (m != NULL ? m->len : 1) * 2 * sizeof(*p->ticket_names));
	if(p->ticket_names == NULL)
		return TLSG_E_RESOURCE;
	if(m == NULL)
		return TLSG_OK;
	p->ticket_keys = tlsg_arena_keep(p->set->arena, (size_t)m->len * TLSG_TICKET_KEY_SIZE);
	if(p->ticket_keys == NULL)
		return TLSG_E_RESOURCE;
	memcpy(in, label, sizeof(label));
	memcpy(in + sizeof(label), p->ticket_context, sizeof(p->ticket_context));
	for(i = 0; i < m->len; i++)
		if(gnutls_hmac_fast(GNUTLS_MAC_SHA512, m->key[i], MASTER_SIZE, in, sizeof(in), p->ticket_keys[i]) < 0)
			return TLSG_E_INTERNAL;
	return TLSG_OK;
}

enum tlsg_ret tlsg_ticket_context(struct tlsg_prof *p)
{
	gnutls_hash_hd_t h;
	unsigned char out[DIGEST_SIZE];
	int rc = gnutls_hash_init(&h, GNUTLS_DIG_SHA256);

	if(rc < 0)
		return TLSG_E_INTERNAL;
	rc = hash_prof(h, p);
	gnutls_hash_deinit(h, out);
	if(rc != 0)
		return TLSG_E_INTERNAL;
	memcpy(p->ticket_context, out, sizeof(p->ticket_context));
	return keys_derive(p);
}
