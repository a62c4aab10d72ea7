/*
 * tls_gnutls - private keys: bytes in the snapshot, a real key in each process that needs it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: loaded by the builder of a snapshot; used by any process that steps a handshake.
 * Memory: bytes in the snapshot's arena (shm), wiped with it; real keys on this process's heap.  Lock: none.
 */
#include "profiles/prof_key.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "base/arena.h"
#include "base/scope.h"
#include "profiles/prof_creds.h"

#define FILE_MAX_BYTES (16 * 1024 * 1024)

/* Reads all of an open file; returns bytes read, -1 with errno. */
static ssize_t read_all(int fd, unsigned char *to, size_t size)
{
	size_t done = 0;

	while(done < size) {
		ssize_t n = read(fd, to + done, size - done);

		if(n < 0 && errno == EINTR)
			continue;
		if(n < 0)
			return -1;
		if(n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

enum tlsg_ret tlsg_file_read(const char *setting, const char *file, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct stat st;
	unsigned char *data = NULL;
	ssize_t n;
	enum tlsg_ret ret;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if(fd < 0 || fstat(fd, &st) < 0) {
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: cannot read \"%s\" as user id %d: %s", setting, file,
				(int)geteuid(), strerror(errno));
		goto done;
	}
	if(!S_ISREG(st.st_mode)) {
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" is not a regular file", setting, file);
		goto done;
	}
	if(st.st_size == 0 || st.st_size > FILE_MAX_BYTES) {
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" %s", setting, file,
				st.st_size == 0 ? "is empty" : "is larger than 16 MiB");
		goto done;
	}
	data = gnutls_malloc((size_t)st.st_size + 1);
	if(data == NULL) {
		ret = tlsg_err_set(err, TLSG_E_RESOURCE, "%s: no memory to read \"%s\"", setting, file);
		goto done;
	}
	n = read_all(fd, data, (size_t)st.st_size);
	if(n != st.st_size) {
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: cannot read \"%s\": %s", setting, file,
				n < 0 ? strerror(errno) : "it changed while it was read");
		gnutls_memset(data, 0, (size_t)st.st_size);
		gnutls_free(data);
		goto done;
	}
	data[n] = '\0';
	out->data = data;
	out->size = (unsigned)n;
	ret = TLSG_OK;
done:
	if(fd >= 0)
		close(fd);
	return ret;
}

/* Callbacks of the external key. They run in the scope of a connection; the real key is private to the process,
 * so the work is done without a scope and only the result is copied into it. */

static const struct tlsg_key *key_of(void *userdata)
{
	return userdata;
}

/* Moves a result made without a scope to where the caller of the callback frees it. */
static int hand_over(int rc, gnutls_datum_t *made, gnutls_datum_t *out)
{
	if(rc < 0)
		return rc;
	out->data = gnutls_malloc(made->size > 0 ? made->size : 1);
	if(out->data == NULL)
		rc = GNUTLS_E_MEMORY_ERROR;
	else {
		memcpy(out->data, made->data, made->size);
		out->size = made->size;
	}
	gnutls_memset(made->data, 0, made->size);
	gnutls_free(made->data);
	return rc < 0 ? rc : 0;
}

static int sign_data_cb(gnutls_privkey_t ext, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
		const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	gnutls_privkey_t key = tlsg_creds_key(key_of(userdata));
	gnutls_datum_t made = {NULL, 0};
	int rc = GNUTLS_E_PK_SIGN_FAILED;

	(void)ext;
	(void)flags;
	if(key != NULL)
		rc = gnutls_privkey_sign_data2(key, algo, 0, data, &made);
	tlsg_scope_leave(previous);
	return hand_over(rc, &made, signature);
}

static int sign_hash_cb(gnutls_privkey_t ext, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
		const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	gnutls_privkey_t key = tlsg_creds_key(key_of(userdata));
	gnutls_datum_t made = {NULL, 0};
	int rc = GNUTLS_E_PK_SIGN_FAILED;

	(void)ext;
	(void)flags;
	if(key != NULL && algo == GNUTLS_SIGN_RSA_RAW)
		rc = gnutls_privkey_sign_hash(key, GNUTLS_DIG_UNKNOWN, GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA, hash, &made);
	else if(key != NULL)
		rc = gnutls_privkey_sign_hash2(key, algo, 0, hash, &made);
	tlsg_scope_leave(previous);
	return hand_over(rc, &made, signature);
}

static int decrypt_cb(gnutls_privkey_t ext, void *userdata, const gnutls_datum_t *from, gnutls_datum_t *to)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	gnutls_privkey_t key = tlsg_creds_key(key_of(userdata));
	gnutls_datum_t made = {NULL, 0};
	int rc = GNUTLS_E_DECRYPTION_FAILED;

	(void)ext;
	if(key != NULL)
		rc = gnutls_privkey_decrypt_data(key, 0, from, &made);
	tlsg_scope_leave(previous);
	return hand_over(rc, &made, to);
}

static int info_cb(gnutls_privkey_t ext, unsigned flags, void *userdata)
{
	const struct tlsg_key *k = key_of(userdata);
	gnutls_sign_algorithm_t algo;

	(void)ext;
	if(flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return (int)k->pk;
	if(flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return (int)k->bits;
	if(flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) {
		algo = GNUTLS_FLAGS_TO_SIGN_ALGO(flags);
		return gnutls_sign_supports_pk_algorithm(algo, k->pk) ? 1 : 0;
	}
	return -1;
}

/* Parses what the file holds, decrypting it if needed. */
static int import_file(gnutls_x509_privkey_t key, const gnutls_datum_t *data, const char *password, unsigned flags)
{
	int rc = gnutls_x509_privkey_import2(key, data, GNUTLS_X509_FMT_PEM, password, flags);

	if(rc == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR || rc == GNUTLS_E_NO_CERTIFICATE_FOUND)
		rc = gnutls_x509_privkey_import2(key, data, GNUTLS_X509_FMT_DER, password, flags);
	return rc;
}

static enum tlsg_ret import_error(int rc, const str *file, bool has_password, struct tlsg_err *err)
{
	if(rc == GNUTLS_E_DECRYPTION_FAILED || rc == GNUTLS_E_INVALID_PASSWORD_STRING) {
		if(has_password)
			return tlsg_err_set(err, TLSG_E_CONFIG,
					"private_key: \"%s\" is encrypted and the password given does not open it", file->s);
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"private_key: \"%s\" is encrypted; set private_key_password or decrypt the file", file->s);
	}
	return tlsg_err_set(err, TLSG_E_CONFIG, "private_key: \"%s\" holds no private key that can be used: %s", file->s,
			gnutls_strerror(rc));
}

/* The unencrypted PKCS#8 bytes and the properties of the key in a file, on this process's heap. */
static enum tlsg_ret key_read(
		const str *file, const str *password, struct tlsg_key *k, gnutls_datum_t *der, struct tlsg_err *err)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_datum_t data = {NULL, 0};
	bool has_password = password != NULL && password->s != NULL;
	enum tlsg_ret ret = tlsg_file_read("private_key", file->s, &data, err);
	int rc;

	if(ret != TLSG_OK)
		return ret;
	rc = gnutls_x509_privkey_init(&key);
	if(rc == 0)
		rc = import_file(key, &data, has_password ? password->s : NULL, 0);
	if(rc < 0) {
		ret = import_error(rc, file, has_password, err);
		goto done;
	}
	rc = gnutls_x509_privkey_verify_params(key);
	if(rc < 0) {
		ret = tlsg_err_set(
				err, TLSG_E_CONFIG, "private_key: the key in \"%s\" is damaged: %s", file->s, gnutls_strerror(rc));
		goto done;
	}
	k->pk = (gnutls_pk_algorithm_t)gnutls_x509_privkey_get_pk_algorithm2(key, &k->bits);
	rc = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, der);
	if(rc < 0)
		ret = tlsg_err_gnutls(err, rc, "private_key: exporting the key");
done:
	if(key != NULL)
		gnutls_x509_privkey_deinit(key);
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
	return ret;
}

static struct tlsg_key *key_find(const struct tlsg_set *set, const str *file)
{
	struct tlsg_key *k;

	for(k = set->keys; k != NULL; k = k->next)
		if(k->setting.len == file->len && memcmp(k->setting.s, file->s, (size_t)file->len) == 0)
			return k;
	return NULL;
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

enum tlsg_ret tlsg_key_load(
		struct tlsg_set *set, const str *file, const str *password, struct tlsg_key **out, struct tlsg_err *err)
{
	struct tlsg_key *k = key_find(set, file);
	gnutls_datum_t der = {NULL, 0};
	enum tlsg_ret ret;

	if(k != NULL) {
		*out = k;
		return TLSG_OK;
	}
	k = tlsg_arena_keep(set->arena, sizeof(*k));
	if(k == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "private_key: shared memory exhausted");
	ret = key_read(file, password, k, &der, err);
	if(ret != TLSG_OK)
		return ret;
	k->der.data = tlsg_arena_keep_copy(set->arena, der.data, der.size);
	k->der.size = der.size;
	gnutls_memset(der.data, 0, der.size);
	gnutls_free(der.data);
	k->setting.s = tlsg_arena_keep_copy(set->arena, file->s, (size_t)file->len);
	k->setting.len = file->len;
	k->source = k->setting;
	if(k->der.data == NULL || k->setting.s == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "private_key: shared memory exhausted");
	k->set_number = set->number;
	ret = make_external(set, k, err);
	if(ret != TLSG_OK)
		return ret;
	k->index = set->keys_len++;
	k->next = set->keys;
	set->keys = k;
	*out = k;
	return TLSG_OK;
}

gnutls_privkey_t tlsg_key_open(const struct tlsg_key *k)
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
