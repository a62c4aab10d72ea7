/*
 * tls_gnutls - private keys: bytes in the snapshot, a real key in each process that needs it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: loaded by the builder of a snapshot; used by any process that steps a handshake.
 * Memory: bytes in the snapshot's arena (shm), wiped with it; real keys on this process's heap.  Lock: none.
 */
#include "profiles/load_key.h"

#include <gnutls/crypto.h>

#include "base/arena.h"
#include "base/scope.h"
#include "pkcs11/p11_key.h"
#include "profiles/isolate/client.h"
#include "profiles/keys/key_file.h"
#include "profiles/keys/op.h"
#include "profiles/keys/password.h"
#include "profiles/creds.h"
#include "profiles/load_token.h"
#include "profiles/value.h"

/* Callbacks of the external key. They run in the scope of a connection; the real key is private to the process,
 * so the work is done without a scope and only the result is copied into it. */

static const struct tlsg_key *key_of(void *userdata)
{
	return userdata;
}

/* Moves a result made without a scope to where the caller of the callback frees it. */
static int hand_over(int rc, gnutls_datum_t *made, gnutls_datum_t *out)
{
	out->data = NULL;
	out->size = 0;
	if(rc < 0)
		return rc;
	out->data = gnutls_malloc(made->size > 0 ? made->size : 1);
	if(out->data == NULL)
		rc = GNUTLS_E_MEMORY_ERROR;
	else {
		memcpy(out->data, made->data, made->size);
		out->size = made->size;
	}
	gnutls_free(made->data);
	return rc < 0 ? rc : 0;
}

/* A signature that a callback wants made with the real key. */
struct job
{
	enum tlsg_op op;
	gnutls_sign_algorithm_t algo;
	const gnutls_datum_t *in;
	gnutls_datum_t made;
};

/* With this process's own key. One on a token that was gone is opened once more. */
static int job_do(struct job *j, const struct tlsg_key *k)
{
	gnutls_privkey_t key = tlsg_creds_key(k);
	int rc = GNUTLS_E_PK_SIGN_FAILED;

	if(key != NULL)
		rc = tlsg_op_sign(key, j->op, j->algo, j->in, &j->made);
	if(key != NULL && rc < 0 && k->token != NULL) {
		key = tlsg_token_again(k, rc, true);
		if(key != NULL)
			rc = tlsg_op_sign(key, j->op, j->algo, j->in, &j->made);
		if(rc < 0)
			tlsg_token_note(k, rc);
	}
	return rc;
}

static int job_run(struct job *j, const struct tlsg_key *k, gnutls_datum_t *out)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	int rc = k->remote != 0 ? tlsg_client_op(k->remote, j->op, j->algo, j->in, &j->made) : job_do(j, k);

	tlsg_scope_leave(previous);
	return hand_over(rc, &j->made, out);
}

static int sign_data_cb(gnutls_privkey_t ext, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
		const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	struct job j = {.op = TLSG_OP_SIGN_DATA, .algo = algo, .in = data};

	(void)ext;
	(void)flags;
	return job_run(&j, key_of(userdata), signature);
}

static int sign_hash_cb(gnutls_privkey_t ext, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
		const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	struct job j = {.op = TLSG_OP_SIGN_HASH, .algo = algo, .in = hash};

	(void)ext;
	(void)flags;
	return job_run(&j, key_of(userdata), signature);
}

/* Decrypts over what is there, or leaves it. */
static void premaster_here(const struct tlsg_key *k, const gnutls_datum_t *from, unsigned char *premaster)
{
	gnutls_privkey_t key = tlsg_creds_key(k);
	int rc = 0;

	if(key != NULL)
		rc = gnutls_privkey_decrypt_data2(key, 0, from, premaster, TLSG_OP_PREMASTER_BYTES);
	if(k->token != NULL && key != NULL && rc < 0) {
		key = tlsg_token_again(k, rc, false);
		if(key != NULL)
			(void)gnutls_privkey_decrypt_data2(key, 0, from, premaster, TLSG_OP_PREMASTER_BYTES);
	}
}

/* The same in the process that holds the key, which does not tell either whether it was one. */
static void premaster_there(const struct tlsg_key *k, const gnutls_datum_t *from, unsigned char *premaster)
{
	gnutls_datum_t made = {NULL, 0};

	if(tlsg_client_op(k->remote, TLSG_OP_DECRYPT, GNUTLS_SIGN_UNKNOWN, from, &made) != 0)
		return;
	if(made.size == TLSG_OP_PREMASTER_BYTES)
		memcpy(premaster, made.data, made.size);
	gnutls_memset(made.data, 0, made.size);
	gnutls_free(made.data);
}

static void premaster_decrypt(const struct tlsg_key *k, const gnutls_datum_t *from, unsigned char *premaster)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);

	if(k->remote != 0)
		premaster_there(k, from, premaster);
	else
		premaster_here(k, from, premaster);
	tlsg_scope_leave(previous);
}

/*
 * Only premaster secrets are decrypted. What is none becomes a random one, on the same path, so that nobody can find out by asking
 * (Bleichenbacher); the handshake fails later. GnuTLS looks at the result and frees it whatever is returned here.
 */
static int decrypt_cb(gnutls_privkey_t ext, void *userdata, const gnutls_datum_t *from, gnutls_datum_t *to)
{
	(void)ext;
	to->size = 0;
	to->data = gnutls_malloc(TLSG_OP_PREMASTER_BYTES);
	if(to->data == NULL || gnutls_rnd(GNUTLS_RND_NONCE, to->data, TLSG_OP_PREMASTER_BYTES) < 0)
		return GNUTLS_E_DECRYPTION_FAILED;
	premaster_decrypt(key_of(userdata), from, to->data);
	to->size = TLSG_OP_PREMASTER_BYTES;
	return 0;
}

bool tlsg_key_can(const struct tlsg_key *k, gnutls_sign_algorithm_t algo)
{
	return gnutls_sign_supports_pk_algorithm(algo, k->pk) != 0 && (!k->is_on_token || tlsg_p11_key_can(k->can, algo));
}

static int info_cb(gnutls_privkey_t ext, unsigned flags, void *userdata)
{
	const struct tlsg_key *k = key_of(userdata);

	(void)ext;
	if(flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return (int)k->pk;
	if(flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return (int)k->bits;
	if(flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return tlsg_key_can(k, GNUTLS_FLAGS_TO_SIGN_ALGO(flags)) ? 1 : 0;
	return -1;
}

static bool is_same(const str *a, const str *b)
{
	return a->len == b->len && (a->len <= 0 || memcmp(a->s, b->s, (size_t)a->len) == 0);
}

/* A key that needed a password is shared only with profiles that give the same one: no wrong one passes unseen. */
static struct tlsg_key *key_find(const struct tlsg_set *set, const struct tlsg_key_file_request *r)
{
	struct tlsg_key *k;

	for(k = set->keys; k != NULL; k = k->next)
		if(is_same(&k->setting, r->file) && (!k->is_encrypted || k->is_asked || is_same(&k->password, r->password)))
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
	return good ? TLSG_OK : tlsg_err_set(err, TLSG_E_RESOURCE, "private_key: shared memory exhausted");
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

/* An encrypted file that has not changed since the active snapshot was built needs no password: its key is there. */
static bool known_cb(const unsigned char *digest, void *param, struct tlsg_key_file_content *out)
{
	const str *file = param;
	struct tlsg_set *set = tlsg_set_get();
	const struct tlsg_key *k;
	bool found = false;

	for(k = set != NULL ? set->keys : NULL; k != NULL && !found; k = k->next)
		found = is_same(&k->setting, file) && memcmp(k->digest, digest, sizeof(k->digest)) == 0 && content_copy(k, out);
	if(!found)
		tlsg_key_file_content_free(out);
	tlsg_set_put(set);
	return found;
}

/* The handle that sessions use, in the snapshot's arena. */
static enum tlsg_ret make_external(struct tlsg_set *set, struct tlsg_key *k, struct tlsg_err *err)
{
	struct tlsg_arena *previous = tlsg_scope_enter(set->arena);
	int rc = gnutls_privkey_init(&k->ext);

	if(rc == 0)
		rc = gnutls_privkey_import_ext4(k->ext, k, sign_data_cb, sign_hash_cb, decrypt_cb, NULL, info_cb, 0);
	tlsg_scope_leave(previous);
	return rc < 0 ? tlsg_err_gnutls(err, rc, "private_key: making the external key") : TLSG_OK;
}

enum tlsg_ret tlsg_load_key_add(struct tlsg_set *set, struct tlsg_key *k, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	k->set_number = set->number;
	ret = make_external(set, k, err);
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
	ret = tlsg_client_has_key_process() ? tlsg_client_load(set->number, &absolute, &k->remote, &c, err)
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
		return tlsg_err_set(err, TLSG_E_RESOURCE, "%s: shared memory exhausted", r->setting);
	ret = key_fill(set, r, k, err);
	if(ret != TLSG_OK)
		return ret;
	k->setting.s = tlsg_arena_keep_copy(set->arena, r->file->s, (size_t)r->file->len);
	k->setting.len = r->file->len;
	if(k->setting.s == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "%s: shared memory exhausted", r->setting);
	k->source = k->setting;
	k->password = *r->password;
	k->is_asked = tlsg_password_is_asked();
	ret = tlsg_load_key_add(set, k, err);
	if(ret == TLSG_OK)
		*out = k;
	return ret;
}

void tlsg_key_passwords_forget(struct tlsg_set *set)
{
	struct tlsg_key *k;

	for(k = set->keys; k != NULL; k = k->next)
		memset(&k->password, 0, sizeof(k->password));
}

gnutls_privkey_t tlsg_key_open(const struct tlsg_key *k)
{
	gnutls_datum_t der = {k->der.data, k->der.size};
	gnutls_privkey_t key = NULL;

	if(k->token != NULL)
		return tlsg_token_open(k);
	if(k->remote != 0)
		return NULL;
	if(gnutls_privkey_init(&key) < 0)
		return NULL;
	if(gnutls_privkey_import_x509_raw(key, &der, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN) < 0) {
		gnutls_privkey_deinit(key);
		return NULL;
	}
	return key;
}
