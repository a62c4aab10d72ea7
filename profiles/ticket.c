/*
 * tls_gnutls - keys that encrypt session tickets, the same in every process
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a server handshake.  Memory: one master in shm.  Lock: its own, for a copy or a
 * rotation.
 */
#include "profiles/ticket.h"

#include <gnutls/crypto.h>

#include "profiles/priority.h"
#include "profiles/set.h"
#include "profiles/verify/trust.h"

#define MASTER_SIZE 64
#define ROTATE_S (12 * 3600)

struct master
{
	gen_lock_t lock;
	time_t until; /* when it is replaced */
	unsigned char key[MASTER_SIZE];
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
	master->until = now + ROTATE_S;
	gnutls_memset(next, 0, sizeof(next));
	return 0;
}

enum tlsg_ret tlsg_ticket_key(const struct tlsg_prof *p, time_t now, unsigned char key[TLSG_TICKET_KEY_SIZE])
{
	unsigned char copy[MASTER_SIZE];
	int rc;

	if(master == NULL)
		return TLSG_E_INTERNAL;
	lock_get(&master->lock);
	rc = rotate_unsafe(now);
	memcpy(copy, master->key, MASTER_SIZE);
	lock_release(&master->lock);
	if(rc == 0)
		rc = gnutls_hmac_fast(GNUTLS_MAC_SHA512, copy, MASTER_SIZE, p->ticket_context, sizeof(p->ticket_context), key);
	gnutls_memset(copy, 0, sizeof(copy));
	return rc < 0 ? TLSG_E_INTERNAL : TLSG_OK;
}

static int hash_bytes(gnutls_hash_hd_t h, const void *data, size_t size)
{
	uint32_t length = (uint32_t)size;
	int rc = gnutls_hash(h, &length, sizeof(length));

	if(rc == 0 && size > 0)
		rc = gnutls_hash(h, data, size);
	return rc;
}

static int hash_ders(gnutls_hash_hd_t h, const struct tlsg_der *d, unsigned n)
{
	int rc = hash_bytes(h, &n, sizeof(n));
	unsigned i;

	for(i = 0; rc == 0 && i < n; i++)
		rc = hash_bytes(h, d[i].data, d[i].size);
	return rc;
}

static int hash_prof(gnutls_hash_hd_t h, const struct tlsg_prof *p)
{
	const struct tlsg_prof_settings *s = &p->s;
	int numbers[] = {s->verify_certificate, s->require_certificate, s->verify_client, s->verify_depth, s->verify_name};
	unsigned i;
	int rc;

	rc = hash_bytes(h, p->set->options.session_id.s, (size_t)p->set->options.session_id.len);
	if(rc == 0)
		rc = hash_bytes(h, p->id.s, (size_t)p->id.len);
	if(rc == 0)
		rc = hash_bytes(h, p->priority->list.priority, strlen(p->priority->list.priority));
	if(rc == 0)
		rc = hash_bytes(
				h, p->priority->list.suites, p->priority->list.suites_len * sizeof(p->priority->list.suites[0]));
	if(rc == 0)
		rc = hash_bytes(h, numbers, sizeof(numbers));
	for(i = 0; rc == 0 && i < p->pairs_len; i++)
		rc = hash_bytes(h, p->pairs[i].chain[0].cert.data, p->pairs[i].chain[0].cert.size);
	if(rc == 0 && p->trust != NULL)
		rc = hash_ders(h, p->trust->cas, p->trust->cas_len);
	for(i = 0; rc == 0 && p->trust != NULL && i < p->trust->crls_len; i++)
		rc = hash_bytes(h, p->trust->crls[i].der.data, p->trust->crls[i].der.size);
	return rc;
}

enum tlsg_ret tlsg_ticket_context(struct tlsg_prof *p)
{
	gnutls_hash_hd_t h;
	unsigned char out[32];
	int rc = gnutls_hash_init(&h, GNUTLS_DIG_SHA256);

	if(rc < 0)
		return TLSG_E_INTERNAL;
	rc = hash_prof(h, p);
	gnutls_hash_deinit(h, out);
	if(rc == 0)
		memcpy(p->ticket_context, out, sizeof(p->ticket_context));
	return rc == 0 ? TLSG_OK : TLSG_E_INTERNAL;
}
