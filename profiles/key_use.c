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

#include "base/arena.h"
#include "base/scope.h"
#include "pkcs11/p11_module.h"
#include "profiles/isolate/client.h"
#include "profiles/keys/token_op.h"
#include "profiles/set.h"

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

bool tlsg_key_use_has_failed(void)
{
	return why.is_set;
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
	unsigned index;					/* of the key in the snapshot */
	gnutls_privkey_t file;			/* of a key in a file */
	struct tlsg_token_op_key token; /* of a key on a token; closed while the token is lost */
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
	if(h->file != NULL)
		gnutls_privkey_deinit(h->file);
	tlsg_token_op_close(&h->token);
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

/* The handle for a key, not opened yet if it is new. @return borrowed; NULL: out of memory. */
static struct handle *handle_get(const struct tlsg_key *k)
{
	struct handle *h = handle_find(k);

	if(h != NULL)
		return h;
	tlsg_key_use_collect();
	h = gnutls_calloc(1, sizeof(*h));
	if(h == NULL)
		return NULL;
	h->set_number = k->set_number;
	h->index = k->index;
	h->token.object = k->object;
	h->token.name = k->source.s;
	h->next = handles;
	handles = h;
	return h;
}

/* ---- keys in files ---- */

/* @return borrowed; NULL: it cannot be opened. */
static gnutls_privkey_t file_key(const struct tlsg_key *k)
{
	gnutls_datum_t der = {k->der.data, k->der.size};
	struct handle *h = handle_get(k);

	if(h == NULL || h->file != NULL)
		return h != NULL ? h->file : NULL;
	if(gnutls_privkey_init(&h->file) < 0)
		return NULL;
	if(gnutls_privkey_import_x509_raw(h->file, &der, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN) < 0) {
		gnutls_privkey_deinit(h->file);
		h->file = NULL;
	}
	return h->file;
}

static int file_do(const struct tlsg_key *k, struct tlsg_op_job *j)
{
	gnutls_privkey_t key = file_key(k);

	if(j->op == TLSG_OP_DECRYPT)
		return tlsg_op_decrypt(key, j->in, &j->made, NULL);
	return key != NULL ? tlsg_op_sign(key, j->op, j->algo, j->in, &j->made) : GNUTLS_E_PK_SIGN_FAILED;
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
static bool has_lost;	/* a key of it could not be opened */
static bool has_opened; /* this process could open a key once */

static bool was_just_refused(const struct tlsg_key *k)
{
	return refused.at == time(NULL) && refused.set_number == k->set_number && refused.index == k->index;
}

/*
 * The first key that this process opens fails with an error that says nothing, and yet the configuration was loaded
 * with it: the token may serve no more processes.
 */
static const char *hint(const struct tlsg_err *cause)
{
	if(has_opened || cause->gnutls_code == 0)
		return "";
	return cause->gnutls_code == GNUTLS_E_PKCS11_ERROR || cause->gnutls_code == GNUTLS_E_PKCS11_DEVICE_ERROR
				   ? "; a token that few processes may use at a time needs key_isolation=1"
				   : "";
}

static void refused_set(const struct tlsg_key *k, const struct tlsg_err *cause)
{
	refused.at = time(NULL);
	refused.set_number = k->set_number;
	refused.index = k->index;
	snprintf(refused.text, sizeof(refused.text), "private_key \"%.140s\": %.280s%s", k->source.s, cause->text,
			hint(cause));
}

static void tokens_close(void)
{
	struct handle *h;

	for(h = handles; h != NULL; h = h->next)
		tlsg_token_op_close(&h->token);
}

/*
 * The first key of a new configuration. A module that runs may not notice that the PIN of a token was changed, and
 * refuse the right one: it starts anew, if the PIN is another one or a login failed. Otherwise it does not, since some
 * modules do not start twice in one process; what is opened from now on logs in again.
 */
static void newest_note(const struct tlsg_key *k)
{
	if(k->set_number <= newest)
		return;
	if(newest != 0)
		tokens_close();
	if(newest != 0 && (has_lost || (k->object->gate != NULL && k->object->gate->since > newest)))
		tlsg_p11_module_stop();
	has_lost = false;
	newest = k->set_number;
}

static int token_do(const struct tlsg_key *k, struct tlsg_op_job *j)
{
	struct handle *h = handle_get(k);
	struct tlsg_err cause;
	int rc;

	newest_note(k);
	if(h == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	if(h->token.key == NULL && was_just_refused(k)) {
		why_set("%s", refused.text);
		return GNUTLS_E_PK_SIGN_FAILED;
	}
	rc = tlsg_token_op_run(&h->token, j, tokens_close, &cause);
	if(h->token.key == NULL) {
		has_lost = true;
		refused_set(k, &cause);
		why_set("%s", refused.text);
		return rc;
	}
	has_opened = true;
	if(cause.text[0] != '\0')
		why_set("private_key \"%.200s\": %.280s", k->source.s, cause.text);
	return rc;
}

/* ---- keys in other processes ---- */

static int remote_do(const struct tlsg_key *k, struct tlsg_op_job *j)
{
	int rc = tlsg_client_op(k->remote, j->op, j->algo, j->in, &j->made);
	const char *text = rc < 0 ? tlsg_client_why() : NULL;

	if(text != NULL)
		why_set("%s", text);
	return rc;
}

/* ---- callbacks of the external key ---- */

/* Performs an operation, without a scope. @return 0 or GnuTLS's error. */
static int perform(const struct tlsg_key *k, struct tlsg_op_job *j)
{
	static int (*const by_kind[])(const struct tlsg_key *, struct tlsg_op_job *) = {
			[TLSG_KEY_KIND_FILE] = file_do,
			[TLSG_KEY_KIND_TOKEN] = token_do,
			[TLSG_KEY_KIND_KEY_PROCESS] = remote_do,
			[TLSG_KEY_KIND_TOKEN_PROCESS] = remote_do,
	};
	bool had_failed = why.is_set;
	int rc = by_kind[k->kind](k, j);

	if(rc < 0 || (why.is_set && !had_failed))
		__atomic_add_fetch(k->failures, 1, __ATOMIC_RELAXED);
	return rc;
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

static int sign(const struct tlsg_key *k, struct tlsg_op_job *j, gnutls_datum_t *out)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	int rc = perform(k, j);

	tlsg_scope_leave(previous);
	return result_copy(rc, &j->made, out);
}

static int sign_data_cb(gnutls_privkey_t ext, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
		const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	struct tlsg_op_job j = {.op = TLSG_OP_SIGN_DATA, .algo = algo, .in = data};

	(void)ext;
	(void)flags;
	return sign(key_of(userdata), &j, signature);
}

static int sign_hash_cb(gnutls_privkey_t ext, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
		const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	struct tlsg_op_job j = {.op = TLSG_OP_SIGN_HASH, .algo = algo, .in = hash};

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
	struct tlsg_op_job j = {.op = TLSG_OP_DECRYPT, .algo = GNUTLS_SIGN_UNKNOWN, .in = from};
	int rc = perform(k, &j);

	(void)ext;
	if(rc < 0 || j.made.size != TLSG_OP_PREMASTER_BYTES) { /* the key cannot be used now */
		gnutls_free(j.made.data);
		rc = tlsg_op_decrypt(NULL, from, &j.made, NULL);
	}
	tlsg_scope_leave(previous);
	return result_copy(rc, &j.made, to) < 0 ? GNUTLS_E_DECRYPTION_FAILED : 0;
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

unsigned tlsg_key_use_failures(const struct tlsg_key *k)
{
	return __atomic_load_n(k->failures, __ATOMIC_RELAXED);
}

enum tlsg_ret tlsg_key_use_init(struct tlsg_key *k, struct tlsg_arena *arena, struct tlsg_err *err)
{
	struct tlsg_arena *previous;
	int rc;

	k->failures = tlsg_arena_keep(arena, sizeof(*k->failures));
	if(k->failures == NULL)
		return tlsg_err_no_shm(err, "private_key", sizeof(*k->failures));
	previous = tlsg_scope_enter(arena);
	rc = gnutls_privkey_init(&k->ext);
	if(rc == 0)
		rc = gnutls_privkey_import_ext4(k->ext, k, sign_data_cb, sign_hash_cb, decrypt_cb, NULL, info_cb, 0);
	tlsg_scope_leave(previous);
	return rc < 0 ? tlsg_err_gnutls(err, rc, "private_key: making the external key") : TLSG_OK;
}
