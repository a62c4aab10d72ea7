/*
 * tls_gnutls - loads private keys from files into a snapshot
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm), wiped with it.  Lock: none.
 */
#include "profiles/load_key.h"

#include "base/arena.h"
#include "profiles/isolate/client.h"
#include "profiles/key_use.h"
#include "profiles/keys/password.h"
#include "profiles/keys/path.h"
#include "profiles/source.h"
#include "profiles/value.h"

/* A key that needed a password is shared only with profiles that have the same one, so that a wrong one is noticed. */
static struct tlsg_key *key_find(const struct tlsg_set *set, const struct tlsg_key_file_request *r)
{
	struct tlsg_key *k;

	for(k = set->keys; k != NULL; k = k->next)
		if(tlsg_value_is_same(&k->source, r->file)
				&& (!k->is_encrypted || k->is_asked || tlsg_value_is_same(&k->password, r->password)))
			return k;
	return NULL;
}

/* ---- from a content on the heap to the snapshot and back ---- */

static bool keep(struct tlsg_set *set, const gnutls_datum_t *from, struct tlsg_der *to)
{
	if(from->size == 0)
		return true;
	to->data = tlsg_arena_keep_copy(set->arena, from->data, from->size);
	to->size = from->size;
	return to->data != NULL;
}

static enum tlsg_ret content_keep(
		struct tlsg_set *set, const struct tlsg_key_file_content *c, struct tlsg_key *k, struct tlsg_err *err)
{
	bool good = keep(set, &c->pkcs8, &k->der) && keep(set, &c->spki, &k->spki);
	unsigned i;

	k->pk = c->pk;
	k->bits = c->bits;
	k->is_encrypted = c->is_encrypted;
	memcpy(k->digest, c->digest, sizeof(k->digest));
	if(good && c->certs_len > 0) {
		k->certs = tlsg_arena_keep(set->arena, sizeof(*k->certs) * c->certs_len);
		good = k->certs != NULL;
	}
	for(i = 0; good && i < c->certs_len; i++) {
		good = keep(set, &c->certs[i], &k->certs[i]);
		k->certs_len = i + 1;
	}
	return good ? TLSG_OK : tlsg_err_no_shm(err, "private_key", c->pkcs8.size + c->spki.size);
}

static gnutls_datum_t datum_of(const struct tlsg_der *der)
{
	return (gnutls_datum_t){der->data, (unsigned)der->size};
}

static bool content_copy(const struct tlsg_key *k, struct tlsg_key_file_content *c)
{
	struct tlsg_key_file_content from = {
			.pk = k->pk, .bits = k->bits, .pkcs8 = datum_of(&k->der), .spki = datum_of(&k->spki)};

	for(; from.certs_len < k->certs_len; from.certs_len++)
		from.certs[from.certs_len] = datum_of(&k->certs[from.certs_len]);
	return tlsg_key_file_content_copy(&from, c);
}

/* ---- keys of the snapshot in use ---- */

bool tlsg_load_key_in_use(const str *source, bool (*take)(const struct tlsg_key *k, void *param), void *param)
{
	struct tlsg_set *set = tlsg_set_get();
	const struct tlsg_key *k;
	bool found = false;

	for(k = set != NULL ? set->keys : NULL; k != NULL && !found; k = k->next)
		found = tlsg_value_is_same(&k->source, source) && take(k, param);
	tlsg_set_put(set);
	return found;
}

/* The content of a file, as it was when the snapshot was built. */
struct known
{
	const unsigned char *digest;
	struct tlsg_key_file_content *out;
};

static bool content_take(const struct tlsg_key *k, void *param)
{
	const struct known *known = param;

	return memcmp(k->digest, known->digest, sizeof(k->digest)) == 0 && content_copy(k, known->out);
}

/* An encrypted file that has not changed needs no password. */
static bool known_cb(const unsigned char *digest, void *param, struct tlsg_key_file_content *out)
{
	struct known known = {digest, out};

	if(tlsg_load_key_in_use(param, content_take, &known))
		return true;
	tlsg_key_file_content_free(out);
	return false;
}

enum tlsg_ret tlsg_load_key_add(struct tlsg_set *set, struct tlsg_key *k, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	k->set_number = set->number;
	ret = tlsg_key_use_init(k, set->arena, err);
	if(ret != TLSG_OK)
		return ret;
	k->index = set->keys_len++;
	k->next = set->keys;
	set->keys = k;
	return TLSG_OK;
}

static enum tlsg_ret key_fill(
		struct tlsg_set *set, const struct tlsg_key_file_request *r, struct tlsg_key *k, struct tlsg_err *err)
{
	char buf[TLSG_PASSWORD_SETTING_SIZE];
	str password = *r->password;
	struct tlsg_key_file_request absolute = {r->setting, r->file, &password};
	struct tlsg_key_file_content c;
	enum tlsg_ret ret;

	if(!tlsg_password_setting(&set->options.config_dir, r->password, buf, &password))
		return tlsg_err_set(err, TLSG_E_CONFIG, "private_key_password: the path of a file is longer than %d bytes",
				TLSG_PATH_SIZE - 1);
	tlsg_source_note(set, r->file->s, false);
	tlsg_source_note_setting(set, password.s);
	k->kind = tlsg_client_has_key_process() ? TLSG_KEY_KIND_KEY_PROCESS : TLSG_KEY_KIND_FILE;
	ret = k->kind == TLSG_KEY_KIND_KEY_PROCESS ? tlsg_client_load(set->number, &absolute, &k->remote, &c, err)
											   : tlsg_key_file_load(&absolute, known_cb, (void *)r->file, &c, err);
	if(ret != TLSG_OK)
		return ret;
	ret = content_keep(set, &c, k, err);
	tlsg_key_file_content_free(&c);
	return ret;
}

enum tlsg_ret tlsg_load_key(
		struct tlsg_set *set, const struct tlsg_key_file_request *r, struct tlsg_key **out, struct tlsg_err *err)
{
	struct tlsg_key *k = key_find(set, r);
	enum tlsg_ret ret;

	if(k != NULL) {
		*out = k;
		return TLSG_OK;
	}
	k = tlsg_arena_keep(set->arena, sizeof(*k));
	if(k == NULL)
		return tlsg_err_no_shm(err, r->setting, sizeof(*k));
	ret = key_fill(set, r, k, err);
	if(ret != TLSG_OK)
		return ret;
	k->source.s = tlsg_arena_keep_copy(set->arena, r->file->s, (size_t)r->file->len);
	k->source.len = r->file->len;
	if(k->source.s == NULL)
		return tlsg_err_no_shm(err, r->setting, (size_t)r->file->len + 1);
	k->password = *r->password;
	k->is_asked = tlsg_password_is_asked();
	ret = tlsg_load_key_add(set, k, err);
	if(ret == TLSG_OK)
		*out = k;
	return ret;
}

void tlsg_load_key_passwords_forget(struct tlsg_set *set)
{
	struct tlsg_key *k;

	for(k = set->keys; k != NULL; k = k->next)
		memset(&k->password, 0, sizeof(k->password));
}
