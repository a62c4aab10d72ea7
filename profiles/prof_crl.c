/*
 * tls_gnutls - one certificate revocation list, indexed once so that no process has to parse it again
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: loaded by the builder of a snapshot; read by any process that verifies.
 * Memory: bytes and index in the snapshot's arena (shm).  Lock: none, immutable once loaded.
 *
 * GnuTLS parses a list into a tree of nodes, which takes a hundred times the memory of its bytes, and looks serial numbers up
 * one by one. That happens once, when the list is loaded; here positions in its DER are kept.
 */
#include "profiles/prof_crl.h"

#include <gnutls/abstract.h>

#include "base/arena.h"

#define TAG_INTEGER 0x02
#define TAG_BIT_STRING 0x03
#define TAG_UTC_TIME 0x17
#define TAG_GENERALIZED_TIME 0x18
#define TAG_SEQUENCE 0x30

#define OID_CRL_NUMBER "2.5.29.20"
#define OID_AUTHORITY_KEY_ID "2.5.29.35"
#define EXTENSIONS_MAX 64

/* What is left to read of a constructed value. */
struct reader
{
	const unsigned char *at;
	const unsigned char *end;
};

/* One element: all of it, and its contents. */
struct element
{
	unsigned char tag;
	const unsigned char *all;
	const unsigned char *contents;
	size_t size; /* of the contents */
};

/* Length field in the short form or with one to four bytes, X.690 section 8.1.3; the indefinite form is not DER. */
static bool read_length(struct reader *r, size_t *size)
{
	unsigned bytes;

	if(r->at == r->end)
		return false;
	*size = *r->at++;
	if(*size < 0x80)
		return true;
	bytes = (unsigned)*size & 0x7f;
	if(bytes == 0 || bytes > 4 || bytes > (size_t)(r->end - r->at))
		return false;
	for(*size = 0; bytes > 0; bytes--)
		*size = *size << 8 | *r->at++;
	return true;
}

static bool read_element(struct reader *r, struct element *e)
{
	if(r->at == r->end)
		return false;
	e->all = r->at;
	e->tag = *r->at++;
	if(!read_length(r, &e->size) || e->size > (size_t)(r->end - r->at))
		return false;
	e->contents = r->at;
	r->at += e->size;
	return true;
}

/* Reads an element that must have that tag. */
static bool read_tagged(struct reader *r, unsigned char tag, struct element *e)
{
	return read_element(r, e) && e->tag == tag;
}

/* Whether the next element has that tag. */
static bool is_next(const struct reader *r, unsigned char tag)
{
	return r->at != r->end && *r->at == tag;
}

static bool is_time_next(const struct reader *r)
{
	return is_next(r, TAG_UTC_TIME) || is_next(r, TAG_GENERALIZED_TIME);
}

static struct reader inside(const struct element *e)
{
	return (struct reader){e->contents, e->contents + e->size};
}

static struct tlsg_der bytes_of(const unsigned char *at, size_t size)
{
	return (struct tlsg_der){(unsigned char *)at, (unsigned)size};
}

/* Contents of an INTEGER that was checked when it was indexed. */
static void integer_of(const unsigned char *all, const unsigned char **contents, size_t *size)
{
	/* longest form: tag, four bytes of length behind their count */
	struct reader r = {all + 1, all + 6};

	if(!read_length(&r, size))
		*size = 0;
	*contents = r.at;
}

/* Total order over integers as byte strings: shorter first. A superfluous leading zero does not count. */
static int integer_cmp(const unsigned char *a, size_t a_size, const unsigned char *b, size_t b_size)
{
	while(a_size > 1 && a[0] == 0 && a[1] < 0x80)
		a++, a_size--;
	while(b_size > 1 && b[0] == 0 && b[1] < 0x80)
		b++, b_size--;
	if(a_size != b_size)
		return a_size < b_size ? -1 : 1;
	return memcmp(a, b, a_size);
}

static int serial_cmp(const void *pa, const void *pb)
{
	const unsigned char *a, *b;
	size_t a_size, b_size;

	integer_of(*(const unsigned char *const *)pa, &a, &a_size);
	integer_of(*(const unsigned char *const *)pb, &b, &b_size);
	return integer_cmp(a, a_size, b, b_size);
}

/* Fills the index, or only counts when serials is NULL. */
static bool read_serials(const struct element *revoked, const unsigned char **serials, unsigned *len)
{
	struct reader r = inside(revoked);
	struct element entry, serial;
	unsigned n = 0;

	while(r.at != r.end) {
		struct reader in_entry;

		if(!read_tagged(&r, TAG_SEQUENCE, &entry))
			return false;
		in_entry = inside(&entry);
		if(!read_tagged(&in_entry, TAG_INTEGER, &serial) || serial.size == 0)
			return false;
		if(serials != NULL)
			serials[n] = serial.all;
		n++;
	}
	*len = n;
	return true;
}

static bool element_equals(const struct element *a, const struct element *b)
{
	return a->tag == b->tag && a->size == b->size && memcmp(a->contents, b->contents, a->size) == 0;
}

/* The three parts of a list; the signature has no unused bits. */
static bool read_parts(struct tlsg_crl *crl, struct element *tbs, struct element *algorithm)
{
	struct reader r = {crl->der.data, crl->der.data + crl->der.size};
	struct element list, signature;

	if(!read_tagged(&r, TAG_SEQUENCE, &list) || r.at != r.end)
		return false;
	r = inside(&list);
	if(!read_tagged(&r, TAG_SEQUENCE, tbs) || !read_tagged(&r, TAG_SEQUENCE, algorithm)
			|| !read_tagged(&r, TAG_BIT_STRING, &signature) || r.at != r.end)
		return false;
	if(signature.size < 2 || signature.contents[0] != 0)
		return false;
	crl->tbs = bytes_of(tbs->all, (size_t)(tbs->contents - tbs->all) + tbs->size);
	crl->signature = bytes_of(signature.contents + 1, signature.size - 1);
	return true;
}

/* Positions of what is needed, RFC 5280 section 5.1. revoked->size is 0 when the list is empty. */
static bool read_list(struct tlsg_crl *crl, struct element *revoked)
{
	struct element tbs, algorithm, e, issuer;
	struct reader in;

	if(!read_parts(crl, &tbs, &algorithm))
		return false;
	in = inside(&tbs);
	if(is_next(&in, TAG_INTEGER) && !read_element(&in, &e))
		return false;
	/* section 5.1.1.2: what is signed names the same algorithm */
	if(!read_tagged(&in, TAG_SEQUENCE, &e) || !element_equals(&e, &algorithm)
			|| !read_tagged(&in, TAG_SEQUENCE, &issuer))
		return false;
	crl->issuer = bytes_of(issuer.all, (size_t)(issuer.contents - issuer.all) + issuer.size);
	if(!is_time_next(&in) || !read_element(&in, &e))
		return false;
	if(is_time_next(&in) && !read_element(&in, &e))
		return false;
	revoked->size = 0;
	revoked->contents = in.at;
	return !is_next(&in, TAG_SEQUENCE) || read_element(&in, revoked);
}

/* Whether the list stands for itself: complete for its issuer, and nothing critical in it that is not understood. */
static bool is_complete(gnutls_x509_crl_t crl)
{
	char oid[128];
	size_t size;
	unsigned i, critical;
	int rc = 0;

	for(i = 0; i < EXTENSIONS_MAX; i++) {
		size = sizeof(oid);
		critical = 1;
		rc = gnutls_x509_crl_get_extension_info(crl, i, oid, &size, &critical);
		if(rc < 0)
			break;
		if(critical && strcmp(oid, OID_CRL_NUMBER) != 0 && strcmp(oid, OID_AUTHORITY_KEY_ID) != 0)
			return false;
	}
	return rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

static void read_key_id(gnutls_x509_crl_t crl, struct tlsg_crl *out)
{
	size_t size = sizeof(out->key_id);

	if(gnutls_x509_crl_get_authority_key_id(crl, out->key_id, &size, NULL) == 0)
		out->key_id_len = (unsigned)size;
}

static enum tlsg_ret index_serials(
		struct tlsg_arena *arena, const struct element *revoked, struct tlsg_crl *out, struct tlsg_err *err)
{
	if(!read_serials(revoked, NULL, &out->serials_len))
		return tlsg_err_set(err, TLSG_E_CONFIG, "its entries are damaged");
	if(out->serials_len == 0)
		return TLSG_OK;
	out->serials = tlsg_arena_keep(arena, out->serials_len * sizeof(*out->serials));
	if(out->serials == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
	if(!read_serials(revoked, out->serials, &out->serials_len))
		return tlsg_err_set(err, TLSG_E_INTERNAL, "its entries changed while they were read");
	qsort(out->serials, out->serials_len, sizeof(*out->serials), serial_cmp);
	return TLSG_OK;
}

/* What GnuTLS reads out of the list. */
static enum tlsg_ret read_fields(const gnutls_datum_t *der, struct tlsg_crl *out, struct tlsg_err *err)
{
	gnutls_x509_crl_t crl = NULL;
	int rc = gnutls_x509_crl_init(&crl);

	if(rc == 0)
		rc = gnutls_x509_crl_import(crl, der, GNUTLS_X509_FMT_DER);
	if(rc < 0)
		goto done;
	out->this_update = gnutls_x509_crl_get_this_update(crl);
	out->next_update = gnutls_x509_crl_get_next_update(crl);
	if(out->next_update == (time_t)-1)
		out->next_update = 0;
	rc = gnutls_x509_crl_get_signature_algorithm(crl);
	out->algo = rc < 0 ? GNUTLS_SIGN_UNKNOWN : (gnutls_sign_algorithm_t)rc;
	out->usable = out->this_update != (time_t)-1 && is_complete(crl);
	read_key_id(crl, out);
	rc = 0;
done:
	if(crl != NULL)
		gnutls_x509_crl_deinit(crl);
	if(rc < 0)
		return tlsg_err_set(err, rc == GNUTLS_E_MEMORY_ERROR ? TLSG_E_RESOURCE : TLSG_E_CONFIG,
				"the list cannot be read: %s", gnutls_strerror(rc));
	return TLSG_OK;
}

enum tlsg_ret tlsg_crl_load(
		struct tlsg_arena *arena, const gnutls_datum_t *der, struct tlsg_crl *out, struct tlsg_err *err)
{
	struct element revoked = {.size = 0};
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	out->signer = -1;
	ret = read_fields(der, out, err);
	if(ret != TLSG_OK)
		return ret;
	out->der.data = tlsg_arena_keep_copy(arena, der->data, der->size);
	out->der.size = der->size;
	if(out->der.data == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
	if(!read_list(out, &revoked))
		return tlsg_err_set(err, TLSG_E_CONFIG, "the list is damaged");
	return index_serials(arena, &revoked, out, err);
}

bool tlsg_crl_is_of(const struct tlsg_crl *crl, gnutls_x509_crt_t issuer, const gnutls_datum_t *dn)
{
	unsigned char id[TLSG_KEY_ID_MAX];
	size_t size = sizeof(id);

	if(dn->size != crl->issuer.size || memcmp(dn->data, crl->issuer.data, dn->size) != 0)
		return false;
	if(crl->key_id_len == 0 || gnutls_x509_crt_get_subject_key_id(issuer, id, &size, NULL) < 0)
		return true;
	return size == crl->key_id_len && memcmp(id, crl->key_id, size) == 0;
}

bool tlsg_crl_is_signed_by(const struct tlsg_crl *crl, gnutls_x509_crt_t issuer)
{
	gnutls_datum_t tbs = {crl->tbs.data, crl->tbs.size};
	gnutls_datum_t signature = {crl->signature.data, crl->signature.size};
	gnutls_pubkey_t key = NULL;
	int rc;

	if(crl->algo == GNUTLS_SIGN_UNKNOWN || gnutls_pubkey_init(&key) < 0)
		return false;
	rc = gnutls_pubkey_import_x509(key, issuer, 0);
	if(rc == 0)
		rc = gnutls_pubkey_verify_data2(key, crl->algo, 0, &tbs, &signature);
	gnutls_pubkey_deinit(key);
	return rc >= 0;
}

bool tlsg_crl_has(const struct tlsg_crl *crl, const unsigned char *serial, size_t size)
{
	unsigned low = 0, high = crl->serials_len;

	while(low < high) {
		unsigned middle = low + (high - low) / 2;
		const unsigned char *other;
		size_t other_size;
		int cmp;

		integer_of(crl->serials[middle], &other, &other_size);
		cmp = integer_cmp(serial, size, other, other_size);
		if(cmp == 0)
			return true;
		if(cmp < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
