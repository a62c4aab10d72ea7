/*
 * tls_gnutls - reads private keys, and PKCS#12 files, from disk
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, the key process.
 * Memory: this process's heap, without a scope; secrets are wiped before they are freed.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "profiles/keys/key_file.h"

#include <strings.h>
#include <sys/stat.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>

#include "base/secret_file.h"
#include "profiles/keys/file.h"
#include "profiles/keys/password.h"

static void wipe_free(gnutls_datum_t *d)
{
	if(d->data != NULL) {
		gnutls_memset(d->data, 0, d->size);
		gnutls_free(d->data);
	}
	d->data = NULL;
	d->size = 0;
}

/* ---- kinds of files ---- */

bool tlsg_key_file_name_is_pkcs12(const str *name)
{
	if(name->s == NULL || name->len < 5)
		return false;
	return strncasecmp(name->s + name->len - 4, ".p12", 4) == 0 || strncasecmp(name->s + name->len - 4, ".pfx", 4) == 0;
}

static bool is_pem(const gnutls_datum_t *data)
{
	static const char begin[] = "-----BEGIN ";

	return memmem(data->data, data->size, begin, sizeof(begin) - 1) != NULL;
}

/* RFC 7292 section 4: PFX ::= SEQUENCE { version INTEGER (3), ...}; no key begins that way. */
bool tlsg_key_file_data_is_pkcs12(const gnutls_datum_t *data)
{
	unsigned at = 1;

	if(data->size < 16 || data->data[0] != 0x30)
		return false;
	at += data->data[1] & 0x80 ? 1 + (data->data[1] & 0x7fU) : 1;
	return at <= 6 && memcmp(data->data + at, "\x02\x01\x03", 3) == 0;
}

/* Whether a key that is not PKCS#12 needs a password. */
static bool is_encrypted(const gnutls_datum_t *data)
{
	static const char *const signs[] = {"-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"};
	unsigned schema, cipher, iterations, salt_size = 0;
	size_t i;
	int rc;

	for(i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if(memmem(data->data, data->size, signs[i], strlen(signs[i])) != NULL)
			return true;
	if(is_pem(data))
		return false;
	/* no room for the salt means that the header was parsed */
	rc = gnutls_pkcs8_info(data, GNUTLS_X509_FMT_DER, &schema, &cipher, NULL, &salt_size, &iterations, NULL);
	return rc >= 0 || rc == GNUTLS_E_SHORT_MEMORY_BUFFER;
}

/* ---- content ---- */

static enum tlsg_ret content_fill(const struct tlsg_key_file_request *r, gnutls_x509_privkey_t key,
		struct tlsg_key_file_content *out, struct tlsg_err *err)
{
	gnutls_privkey_t abstract = NULL;
	gnutls_pubkey_t pub = NULL;
	int rc = gnutls_x509_privkey_verify_params(key);

	if(rc < 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: the key in \"%s\" is damaged: %s", r->setting, r->file->s,
				gnutls_strerror(rc));
	out->pk = (gnutls_pk_algorithm_t)gnutls_x509_privkey_get_pk_algorithm2(key, &out->bits);
	rc = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &out->pkcs8);
	if(rc >= 0)
		rc = gnutls_privkey_init(&abstract);
	if(rc >= 0)
		rc = gnutls_privkey_import_x509(abstract, key, 0);
	if(rc >= 0)
		rc = gnutls_pubkey_init(&pub);
	if(rc >= 0)
		rc = gnutls_pubkey_import_privkey(pub, abstract, 0, 0);
	if(rc >= 0)
		rc = gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_DER, &out->spki);
	if(pub != NULL)
		gnutls_pubkey_deinit(pub);
	if(abstract != NULL)
		gnutls_privkey_deinit(abstract);
	if(rc < 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: the key in \"%s\" cannot be used: %s", r->setting, r->file->s,
				gnutls_strerror(rc));
	return TLSG_OK;
}

/* The error for a file that is encrypted and was not decrypted. */
static enum tlsg_ret undecrypted(
		const struct tlsg_key_file_request *r, const struct tlsg_password *p, struct tlsg_err *err)
{
	if(p->is_set)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" is encrypted and the password %s does not open it",
				r->setting, r->file->s, p->is_asked ? "typed" : "given");
	return tlsg_err_set(err, TLSG_E_CONFIG,
			"%s: \"%s\" is encrypted; set private_key_password, or key_password_mode to 1, or decrypt the file",
			r->setting, r->file->s);
}

/* GnuTLS does not wipe what it decodes from PEM, so unencrypted keys are decoded here. @return false: no key found. */
static bool pem_decode(const gnutls_datum_t *data, gnutls_datum_t *der)
{
	static const char *const headers[] = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"};
	size_t i;

	for(i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if(gnutls_pem_base64_decode2(headers[i], data, der) >= 0)
			return true;
	return false;
}

static int import(gnutls_x509_privkey_t key, const gnutls_datum_t *data, const char *password, bool is_encrypted_key)
{
	gnutls_datum_t der = {NULL, 0};
	int rc;

	if(!is_pem(data))
		return gnutls_x509_privkey_import2(key, data, GNUTLS_X509_FMT_DER, password, 0);
	if(is_encrypted_key || !pem_decode(data, &der))
		return gnutls_x509_privkey_import2(key, data, GNUTLS_X509_FMT_PEM, password, 0);
	rc = gnutls_x509_privkey_import2(key, &der, GNUTLS_X509_FMT_DER, NULL, 0);
	wipe_free(&der);
	return rc;
}

static enum tlsg_ret load_plain(const struct tlsg_key_file_request *r, const gnutls_datum_t *data,
		const struct tlsg_password *p, struct tlsg_key_file_content *out, struct tlsg_err *err)
{
	gnutls_x509_privkey_t key = NULL;
	enum tlsg_ret ret;
	int rc = gnutls_x509_privkey_init(&key);

	if(rc < 0)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "%s: out of memory for \"%s\"", r->setting, r->file->s);
	rc = import(key, data, p->is_set ? p->text : NULL, out->is_encrypted);
	if(rc >= 0)
		ret = content_fill(r, key, out, err);
	else if(out->is_encrypted)
		ret = undecrypted(r, p, err);
	else
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" holds no private key that can be used: %s", r->setting,
				r->file->s, gnutls_strerror(rc));
	gnutls_x509_privkey_deinit(key);
	return ret;
}

/* ---- PKCS#12 ---- */

static int certs_copy(gnutls_x509_crt_t *chain, unsigned len, struct tlsg_key_file_content *out)
{
	unsigned i;
	int rc = 0;

	for(i = 0; i < len && i < TLSG_KEY_FILE_CERTS_MAX && rc >= 0; i++) {
		rc = gnutls_x509_crt_export2(chain[i], GNUTLS_X509_FMT_DER, &out->certs[i]);
		out->certs_len = i + 1;
	}
	return rc;
}

static enum tlsg_ret pkcs12_read(const struct tlsg_key_file_request *r, gnutls_pkcs12_t p12, const char *password,
		struct tlsg_key_file_content *out, struct tlsg_err *err)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t *chain = NULL;
	unsigned i, len = 0;
	enum tlsg_ret ret = TLSG_OK;
	int rc = gnutls_pkcs12_simple_parse(p12, password, &key, &chain, &len, NULL, NULL, NULL, 0);

	if(rc >= 0)
		rc = certs_copy(chain, len, out);
	if(rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE || (rc >= 0 && key == NULL))
		ret = tlsg_err_set(
				err, TLSG_E_CONFIG, "%s: the PKCS#12 file \"%s\" holds no private key", r->setting, r->file->s);
	else if(rc < 0)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: the PKCS#12 file \"%s\" cannot be used: %s", r->setting, r->file->s,
				gnutls_strerror(rc));
	else
		ret = content_fill(r, key, out, err);
	if(key != NULL)
		gnutls_x509_privkey_deinit(key);
	for(i = 0; chain != NULL && i < len; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	return ret;
}

static enum tlsg_ret load_pkcs12(const struct tlsg_key_file_request *r, const gnutls_datum_t *data,
		const struct tlsg_password *p, struct tlsg_key_file_content *out, struct tlsg_err *err)
{
	const char *password = p->is_set ? p->text : NULL;
	gnutls_pkcs12_t p12 = NULL;
	enum tlsg_ret ret;
	int rc = gnutls_pkcs12_init(&p12);

	if(rc < 0)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "%s: out of memory for \"%s\"", r->setting, r->file->s);
	rc = gnutls_pkcs12_import(p12, data, GNUTLS_X509_FMT_DER, 0);
	if(rc < 0) {
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" is not a readable PKCS#12 file: %s", r->setting, r->file->s,
				gnutls_strerror(rc));
		goto done;
	}
	rc = gnutls_pkcs12_verify_mac(p12, password);
	if(rc < 0 && !p->is_set) { /* no password is NULL to some programs and the empty one to others */
		password = "";
		rc = gnutls_pkcs12_verify_mac(p12, password);
	}
	ret = rc < 0 ? undecrypted(r, p, err) : pkcs12_read(r, p12, password, out, err);
done:
	gnutls_pkcs12_deinit(p12);
	return ret;
}

/* Tries a PKCS#12 file without a password first, so that nobody is asked for one that is not needed. */
static bool pkcs12_load_without(
		const struct tlsg_key_file_request *r, const gnutls_datum_t *data, struct tlsg_key_file_content *out)
{
	struct tlsg_password none = {.is_set = false};

	if(load_pkcs12(r, data, &none, out, NULL) == TLSG_OK)
		return true;
	tlsg_key_file_content_free(out);
	return false;
}

/* ---- all kinds ---- */

/* Loads one kind of file with a password or without. */
typedef enum tlsg_ret (*load_f)(const struct tlsg_key_file_request *r, const gnutls_datum_t *data,
		const struct tlsg_password *p, struct tlsg_key_file_content *out, struct tlsg_err *err);

static enum tlsg_ret load_with_password(const struct tlsg_key_file_request *r, const gnutls_datum_t *data, load_f how,
		struct tlsg_key_file_content *out, struct tlsg_err *err)
{
	struct tlsg_password p = {.is_set = false};
	enum tlsg_ret ret = TLSG_OK;

	if(out->is_encrypted)
		ret = tlsg_password_get(r->password, r->file->s, &p, err);
	if(ret == TLSG_OK)
		ret = how(r, data, &p, out, err);
	tlsg_password_wipe(&p);
	return ret;
}

/* An encrypted key is safe from those who can read the file. */
static void warn_readable(const struct tlsg_key_file_request *r, const struct tlsg_key_file_content *c)
{
	struct stat info;

	if(!c->is_encrypted && stat(r->file->s, &info) == 0)
		tlsg_secret_file_warn(r->file->s, "a private key", info.st_mode);
}

enum tlsg_ret tlsg_key_file_load(const struct tlsg_key_file_request *r, tlsg_key_file_known_f known, void *param,
		struct tlsg_key_file_content *out, struct tlsg_err *err)
{
	unsigned char digest[TLSG_KEY_FILE_DIGEST_SIZE];
	gnutls_datum_t data = {NULL, 0};
	bool is_pkcs12;
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	ret = tlsg_file_read(r->setting, r->file->s, &data, err);
	if(data.data == NULL) /* set on TLSG_OK only */
		return ret;
	if(gnutls_hash_fast(GNUTLS_DIG_SHA256, data.data, data.size, digest) < 0) {
		ret = tlsg_err_set(err, TLSG_E_RESOURCE, "%s: cannot hash \"%s\"", r->setting, r->file->s);
		goto done;
	}
	is_pkcs12 = tlsg_key_file_data_is_pkcs12(&data);
	if(is_pkcs12 && pkcs12_load_without(r, &data, out))
		goto done;
	out->is_encrypted = is_pkcs12 || is_encrypted(&data);
	if(out->is_encrypted && tlsg_password_is_out_of_reach() && known != NULL) {
		if(known(digest, param, out))
			goto done;
		out->is_encrypted = true;
	}
	ret = load_with_password(r, &data, is_pkcs12 ? load_pkcs12 : load_plain, out, err);
done:
	memcpy(out->digest, digest, sizeof(digest));
	if(ret != TLSG_OK)
		tlsg_key_file_content_free(out);
	else
		warn_readable(r, out);
	wipe_free(&data);
	return ret;
}

static bool datum_copy(const gnutls_datum_t *from, gnutls_datum_t *to)
{
	if(from->size == 0)
		return true;
	to->data = gnutls_malloc(from->size);
	if(to->data == NULL)
		return false;
	memcpy(to->data, from->data, from->size);
	to->size = from->size;
	return true;
}

bool tlsg_key_file_content_copy(const struct tlsg_key_file_content *from, struct tlsg_key_file_content *to)
{
	unsigned i;

	to->pk = from->pk;
	to->bits = from->bits;
	to->is_encrypted = true;
	for(i = 0; i < from->certs_len; i++, to->certs_len = i)
		if(!datum_copy(&from->certs[i], &to->certs[i]))
			return false;
	return datum_copy(&from->pkcs8, &to->pkcs8) && datum_copy(&from->spki, &to->spki);
}

void tlsg_key_file_content_free(struct tlsg_key_file_content *c)
{
	unsigned i;

	wipe_free(&c->pkcs8);
	wipe_free(&c->spki);
	for(i = 0; i < c->certs_len; i++)
		wipe_free(&c->certs[i]);
	memset(c, 0, sizeof(*c));
}
