/*
 * tls_gnutls - operations with private keys: the handles of this process, and why an operation failed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: handles on this process's heap, made without a scope.  Lock:
 * none.
 */
#include "profiles/key_use.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <gnutls/crypto.h>

#include "base/scope.h"
#include "pkcs11/p11_module.h"
#include "pkcs11/p11_retry.h"
#include "profiles/isolate/client.h"
#include "profiles/keys/op.h"
#include "profiles/set.h"

/* A signature that is wanted. */
struct job
{
	enum tlsg_op op;
	gnutls_sign_algorithm_t algo;
	const gnutls_datum_t *in;
	gnutls_datum_t made; /* [heap] */
};

/* The operations of one kind of key. All run without a scope. */
struct operations
{
	/* @return a new handle; NULL: it cannot be opened. No function: the key is in another process. */
	gnutls_privkey_t (*open)(const struct tlsg_key *k);
	/* @return 0 or GnuTLS's error. */
	int (*sign)(const struct tlsg_key *k, struct job *j);
	/*
	 * A premaster secret, random if the plaintext is not one: RFC 5246 section 7.4.7.1.
	 * @return 0 or GNUTLS_E_MEMORY_ERROR.
	 */
	int (*decrypt)(const struct tlsg_key *k, const gnutls_datum_t *from, gnutls_datum_t *made);
};

static const struct operations *operations_of(const struct tlsg_key *k);

/* ---- why an operation failed ---- */

static struct
{
	bool is_set;
	char text[TLSG_ERR_TEXT];
} why;

static void why_set(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void why_set(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why.text, sizeof(why.text), fmt, args);
	va_end(args);
	why.is_set = true;
}

const char *tlsg_key_use_why(void)
{
	if(!why.is_set)
		return NULL;
	why.is_set = false;
	return why.text;
}

/* ---- the handles of this process ---- */

struct handle
{
	struct handle *next;
	uint32_t set_number;
	unsigned index; /* of the key in the snapshot */
	bool is_on_token;
	gnutls_privkey_t key;
};

static struct handle *handles; /* newest first */

static struct handle *handle_find(const struct tlsg_key *k)
{
	struct handle *h;

	for(h = handles; h != NULL; h = h->next)
		if(h->set_number == k->set_number && h->index == k->index)
			return h;
	return NULL;
}

static void handle_close(struct handle **at)
{
	struct handle *h = *at;

	*at = h->next;
	gnutls_privkey_deinit(h->key);
	gnutls_free(h);
}

void tlsg_key_use_collect(void)
{
	static uint32_t gone; /* snapshots that had gone at the last call */
	uint32_t gone_now = tlsg_set_gone();
	struct handle **at = &handles;

	if(gone == gone_now)
		return;
	gone = gone_now;
	while(*at != NULL)
		if(tlsg_set_is_alive((*at)->set_number))
			at = &(*at)->next;
		else
			handle_close(at);
}

/* The handle for a key, opened if this process has none yet. @return borrowed; NULL: it cannot be opened. */
static gnutls_privkey_t handle_get(const struct tlsg_key *k)
{
	struct handle *h = handle_find(k);
	gnutls_privkey_t key;

	if(h != NULL)
		return h->key;
	tlsg_key_use_collect();
	key = operations_of(k)->open(k);
	if(key == NULL)
		return NULL;
	h = gnutls_calloc(1, sizeof(*h));
	if(h == NULL) {
		gnutls_privkey_deinit(key);
		return NULL;
	}
	h->set_number = k->set_number;
	h->index = k->index;
	h->is_on_token = tlsg_key_is_on_token(k);
	h->key = key;
	h->next = handles;
	handles = h;
	return key;
}

/* ---- keys in files ---- */

static gnutls_privkey_t file_open(const struct tlsg_key *k)
{
	gnutls_datum_t der = {k->der.data, k->der.size};
	gnutls_privkey_t key = NULL;

	if(gnutls_privkey_init(&key) < 0)
		return NULL;
	if(gnutls_privkey_import_x509_raw(key, &der, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN) < 0) {
		gnutls_privkey_deinit(key);
		return NULL;
	}
	return key;
}

static int file_sign(const struct tlsg_key *k, struct job *j)
{
	gnutls_privkey_t key = handle_get(k);

	return key != NULL ? tlsg_op_sign(key, j->op, j->algo, j->in, &j->made) : GNUTLS_E_PK_SIGN_FAILED;
}

static int file_decrypt(const struct tlsg_key *k, const gnutls_datum_t *from, gnutls_datum_t *made)
{
	return tlsg_op_decrypt(handle_get(k), from, made, NULL);
}

/* ---- keys on tokens ---- */

/* The last key that could not be opened: it is not tried again within the same second. */
static struct
{
	time_t at;
	uint32_t set_number;
	unsigned index;
	char text[TLSG_ERR_TEXT];
} refused;

static uint32_t newest; /* number of the newest snapshot whose keys this process has opened */

static bool was_just_refused(const struct tlsg_key *k)
{
	return refused.at == time(NULL) && refused.set_number == k->set_number && refused.index == k->index;
}

static void tokens_close(void)
{
	struct handle **at = &handles;

	while(*at != NULL)
		if((*at)->is_on_token)
			handle_close(at);
		else
			at = &(*at)->next;
}

/* The next use starts the modules anew. */
static void tokens_restart(void)
{
	tokens_close();
	tlsg_p11_module_stop();
}

static gnutls_privkey_t token_open(const struct tlsg_key *k)
{
	struct tlsg_err cause;
	gnutls_privkey_t key;

	/* A new configuration may mean new objects and PINs, which modules do not always notice while they run. */
	if(newest < k->set_number && newest != 0)
		tokens_restart();
	if(newest < k->set_number)
		newest = k->set_number;
	if(was_just_refused(k)) {
		why_set("%s", refused.text);
		return NULL;
	}
	key = tlsg_p11_retry_open(k->object, tokens_close, &cause);
	if(key != NULL)
		return key;
	refused.at = time(NULL);
	refused.set_number = k->set_number;
	refused.index = k->index;
	snprintf(refused.text, sizeof(refused.text), "private_key \"%.200s\": %.280s", k->source.s, cause.text);
	why_set("%s", refused.text);
	return NULL;
}

/* After an operation that failed: starts the modules anew and opens the key again. @param code  GnuTLS's error. */
static gnutls_privkey_t token_reopen(const struct tlsg_key *k, int code)
{
	gnutls_privkey_t key;

	if(was_just_refused(k))
		return NULL;
	tokens_restart();
	key = handle_get(k);
	if(key != NULL)
		LM_WARN("private_key \"%s\": %s; the token session was reopened\n", k->source.s, gnutls_strerror(code));
	return key;
}

/* A signature that failed is tried once more, whatever the reason. */
static int token_sign(const struct tlsg_key *k, struct job *j)
{
	gnutls_privkey_t key = handle_get(k);
	int rc = GNUTLS_E_PK_SIGN_FAILED;

	if(key != NULL)
		rc = tlsg_op_sign(key, j->op, j->algo, j->in, &j->made);
	if(key == NULL || rc >= 0)
		return rc;
	key = token_reopen(k, rc);
	if(key != NULL)
		rc = tlsg_op_sign(key, j->op, j->algo, j->in, &j->made);
	if(rc < 0 && !why.is_set)
		why_set("private_key \"%.200s\": %.200s", k->source.s, gnutls_strerror(rc));
	return rc;
}

/* A decryption fails also when the peer sends garbage: it is tried once more only when the token is lost. */
static int token_decrypt(const struct tlsg_key *k, const gnutls_datum_t *from, gnutls_datum_t *made)
{
	gnutls_privkey_t key = handle_get(k);
	int code = 0;
	int rc = tlsg_op_decrypt(key, from, made, &code);

	if(rc < 0 || key == NULL || !tlsg_p11_retry_is_token_lost(code))
		return rc;
	key = token_reopen(k, code);
	if(key == NULL)
		return rc;
	gnutls_free(made->data); /* random */
	return tlsg_op_decrypt(key, from, made, NULL);
}

/* ---- keys in other processes ---- */

static int remote_do(const struct tlsg_key *k, struct job *j)
{
	int rc = tlsg_client_op(k->remote, j->op, j->algo, j->in, &j->made);
	const char *text = rc < 0 ? tlsg_client_why() : NULL;

	if(text != NULL)
		why_set("%s", text);
	return rc;
}

/* The process that has the key does not say whether the plaintext was a premaster secret. */
static int remote_decrypt(const struct tlsg_key *k, const gnutls_datum_t *from, gnutls_datum_t *made)
{
	struct job j = {.op = TLSG_OP_DECRYPT, .algo = GNUTLS_SIGN_UNKNOWN, .in = from};

	if(remote_do(k, &j) == 0 && j.made.size == TLSG_OP_PREMASTER_BYTES) {
		*made = j.made;
		return 0;
	}
	gnutls_free(j.made.data);
	return tlsg_op_decrypt(NULL, from, made, NULL);
}

/* ---- callbacks of the external key ---- */

static const struct operations *operations_of(const struct tlsg_key *k)
{
	static const struct operations all[] = {
			[TLSG_KEY_KIND_FILE] = {file_open, file_sign, file_decrypt},
			[TLSG_KEY_KIND_TOKEN] = {token_open, token_sign, token_decrypt},
			[TLSG_KEY_KIND_KEY_PROCESS] = {NULL, remote_do, remote_decrypt},
			[TLSG_KEY_KIND_TOKEN_PROCESS] = {NULL, remote_do, remote_decrypt},
	};

	return &all[k->kind];
}

static const struct tlsg_key *key_of(void *userdata)
{
	return userdata;
}

/*
 * GnuTLS calls in the scope of a connection. Handles belong to the process: the operation runs without a scope, and its
 * result is copied to where the caller frees it.
 */
static int result_copy(int rc, gnutls_datum_t *made, gnutls_datum_t *out)
{
	out->data = NULL;
	out->size = 0;
	if(rc >= 0) {
		out->data = gnutls_malloc(made->size > 0 ? made->size : 1);
		rc = out->data != NULL ? 0 : GNUTLS_E_MEMORY_ERROR;
	}
	if(rc == 0) {
		memcpy(out->data, made->data, made->size);
		out->size = made->size;
		gnutls_memset(made->data, 0, made->size);
	}
	gnutls_free(made->data);
	return rc;
}

static int sign(const struct tlsg_key *k, struct job *j, gnutls_datum_t *out)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	int rc = operations_of(k)->sign(k, j);

	tlsg_scope_leave(previous);
	return result_copy(rc, &j->made, out);
}

static int sign_data_cb(gnutls_privkey_t ext, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
		const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	struct job j = {.op = TLSG_OP_SIGN_DATA, .algo = algo, .in = data};

	(void)ext;
	(void)flags;
	return sign(key_of(userdata), &j, signature);
}

static int sign_hash_cb(gnutls_privkey_t ext, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
		const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	struct job j = {.op = TLSG_OP_SIGN_HASH, .algo = algo, .in = hash};

	(void)ext;
	(void)flags;
	return sign(key_of(userdata), &j, signature);
}

/*
 * Only premaster secrets are decrypted. A ciphertext without one yields a random one, on the same path, so that nobody
 * can learn which it was by asking (Bleichenbacher); the handshake fails later. GnuTLS reads and frees the result
 * whatever is returned.
 */
static int decrypt_cb(gnutls_privkey_t ext, void *userdata, const gnutls_datum_t *from, gnutls_datum_t *to)
{
	const struct tlsg_key *k = key_of(userdata);
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	gnutls_datum_t made = {NULL, 0};
	int rc = operations_of(k)->decrypt(k, from, &made);

	(void)ext;
	tlsg_scope_leave(previous);
	return result_copy(rc, &made, to) < 0 ? GNUTLS_E_DECRYPTION_FAILED : 0;
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

enum tlsg_ret tlsg_key_use_init(struct tlsg_key *k, struct tlsg_arena *arena, struct tlsg_err *err)
{
	struct tlsg_arena *previous = tlsg_scope_enter(arena);
	int rc = gnutls_privkey_init(&k->ext);

	if(rc == 0)
		rc = gnutls_privkey_import_ext4(k->ext, k, sign_data_cb, sign_hash_cb, decrypt_cb, NULL, info_cb, 0);
	tlsg_scope_leave(previous);
	return rc < 0 ? tlsg_err_gnutls(err, rc, "private_key: making the external key") : TLSG_OK;
}
