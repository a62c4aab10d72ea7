/*
 * tls_gnutls - certificate revocation lists: what one says, whether it is current, and an index of its entries
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: loaded by the builder of a snapshot; read by any process that verifies.
 * Memory: bytes and index in the snapshot's arena (shm).  Lock: none, immutable once loaded.
 *
 * GnuTLS parses a list into a tree, which takes a hundred times the memory of its bytes, and searches serial numbers
 * one by one. It parses a list once, when the list is loaded; what is kept are positions in the DER, with the serial
 * numbers sorted.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif

#include "profiles/verify/crl.h"

#include <gnutls/abstract.h>

#include "base/arena.h"
#include "profiles/verify/der.h"

#define OID_AUTHORITY_KEY_ID "2.5.29.35"
#define OID_DISTRIBUTION_POINT "2.5.29.28"
#define OID_DELTA "2.5.29.27"
#define OID_CRL_DISTRIBUTION_POINTS "2.5.29.31"
#define EXTENSIONS_MAX 64

static bool is_time_next(const struct tlsg_der_reader *r)
{
	return tlsg_der_is_next(r, TLSG_DER_UTC_TIME) || tlsg_der_is_next(r, TLSG_DER_GENERALIZED_TIME);
}

static struct tlsg_der bytes_of(const unsigned char *at, size_t size)
{
	return (struct tlsg_der){(unsigned char *)at, (unsigned)size};
}

/* The contents of an INTEGER that was checked when the list was indexed. */
static void integer_of(const unsigned char *all, const unsigned char **contents, size_t *size)
{
	/* the longest header: a tag, a count, and four bytes of length */
	struct tlsg_der_reader r = tlsg_der_over(all + 1, 5);

	if(!tlsg_der_read_length(&r, size))
		*size = 0;
	*contents = r.at;
}

/* Total order over integers as byte strings: shorter first. Superfluous leading zeros do not count. */
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

/* Fills the index, or only counts if serials is NULL. @return false: malformed. */
static bool read_serials(const struct tlsg_der_element *revoked, const unsigned char **serials, unsigned *len)
{
	struct tlsg_der_reader r = tlsg_der_inside(revoked);
	struct tlsg_der_element entry, serial;
	unsigned n = 0;

	while(!tlsg_der_is_end(&r)) {
		struct tlsg_der_reader in_entry;

		if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &entry))
			return false;
		in_entry = tlsg_der_inside(&entry);
		if(!tlsg_der_read_tagged(&in_entry, TLSG_DER_INTEGER, &serial) || serial.size == 0)
			return false;
		if(serials != NULL)
			serials[n] = serial.all;
		n++;
	}
	*len = n;
	return true;
}

/* The three parts of a list; a signature with unused bits is malformed. */
static bool read_parts(struct tlsg_crl *crl, struct tlsg_der_element *tbs, struct tlsg_der_element *algorithm)
{
	struct tlsg_der_reader r = tlsg_der_over(crl->der.data, crl->der.size);
	struct tlsg_der_element list, signature;

	if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &list) || !tlsg_der_is_end(&r))
		return false;
	r = tlsg_der_inside(&list);
	if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, tbs) || !tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, algorithm)
			|| !tlsg_der_read_tagged(&r, TLSG_DER_BIT_STRING, &signature) || !tlsg_der_is_end(&r))
		return false;
	if(signature.size < 2 || signature.contents[0] != 0)
		return false;
	crl->tbs = bytes_of(tbs->all, tlsg_der_size(tbs));
	crl->signature = bytes_of(signature.contents + 1, signature.size - 1);
	return true;
}

/* Finds the fields that are needed, RFC 5280 section 5.1. revoked->size is 0 if the list is empty. */
static bool read_list(struct tlsg_crl *crl, struct tlsg_der_element *revoked)
{
	struct tlsg_der_element tbs, algorithm, e, issuer;
	struct tlsg_der_reader in;

	if(!read_parts(crl, &tbs, &algorithm))
		return false;
	in = tlsg_der_inside(&tbs);
	if(tlsg_der_is_next(&in, TLSG_DER_INTEGER) && !tlsg_der_read(&in, &e))
		return false;
	/* section 5.1.1.2: the signed part names the same algorithm */
	if(!tlsg_der_read_tagged(&in, TLSG_DER_SEQUENCE, &e) || !tlsg_der_equals(&e, &algorithm)
			|| !tlsg_der_read_tagged(&in, TLSG_DER_SEQUENCE, &issuer))
		return false;
	crl->issuer = bytes_of(issuer.all, tlsg_der_size(&issuer));
	if(!is_time_next(&in) || !tlsg_der_read(&in, &e))
		return false;
	if(is_time_next(&in) && !tlsg_der_read(&in, &e))
		return false;
	revoked->size = 0;
	revoked->contents = in.at;
	return !tlsg_der_is_next(&in, TLSG_DER_SEQUENCE) || tlsg_der_read(&in, revoked);
}

/* A BOOLEAN of the issuing distribution point. @return false: malformed. */
static bool read_flag(const struct tlsg_der_element *e, bool *flag)
{
	*flag = e->size == 1 && e->contents[0] != 0;
	return e->size == 1;
}

/* IssuingDistributionPoint, RFC 5280 section 5.2.5. @return false: malformed, or the list cannot be used: it is for
 * some reasons only, indirect, or its distribution point has a name relative to the issuer. */
static bool read_distribution_point(const gnutls_datum_t *ext, struct tlsg_crl *out)
{
	struct tlsg_der_reader r = tlsg_der_over(ext->data, ext->size);
	struct tlsg_der_element list, e, names;
	bool users = false, cas = false, good = true;

	if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &list) || !tlsg_der_is_end(&r))
		return false;
	r = tlsg_der_inside(&list);
	while(good && !tlsg_der_is_end(&r)) {
		if(!tlsg_der_read(&r, &e))
			return false;
		if(e.tag == TLSG_DER_CONSTRUCTED(0)) {
			struct tlsg_der_reader in = tlsg_der_inside(&e);

			good = tlsg_der_read_tagged(&in, TLSG_DER_CONSTRUCTED(0), &names) && names.size > 0;
			/* the extension is a copy that will be freed: keep the place of the same bytes in the list */
			out->points.data = good ? memmem(out->der.data, out->der.size, names.contents, names.size) : NULL;
			out->points.size = good ? (unsigned)names.size : 0;
			good = good && out->points.data != NULL;
		} else if(e.tag == TLSG_DER_CONTEXT(1))
			good = read_flag(&e, &users);
		else if(e.tag == TLSG_DER_CONTEXT(2))
			good = read_flag(&e, &cas);
		else
			good = false;
	}
	out->scope = users ? TLSG_CRL_USERS : cas ? TLSG_CRL_CAS : TLSG_CRL_ALL;
	return good && !(users && cas);
}

/* Reads one extension. @return false: the list cannot be used. */
static bool read_extension(gnutls_x509_crl_t crl, unsigned i, const char *oid, struct tlsg_crl *out)
{
	gnutls_datum_t data = {NULL, 0};
	bool good;

	if(strcmp(oid, OID_DELTA) == 0)
		return false;
	if(strcmp(oid, OID_DISTRIBUTION_POINT) != 0)
		return true;
	if(gnutls_x509_crl_get_extension_data2(crl, i, &data) < 0)
		return false;
	good = read_distribution_point(&data, out);
	gnutls_free(data.data);
	return good;
}

/* Extensions that may be critical, as in OpenSSL. RFC 5280 section 5.2.3 forbids that for the CRL number. */
static bool is_known_extension(const char *oid)
{
	return strcmp(oid, OID_AUTHORITY_KEY_ID) == 0 || strcmp(oid, OID_DISTRIBUTION_POINT) == 0;
}

/* Reads all extensions. @return false: the list cannot be used. */
static bool read_extensions(gnutls_x509_crl_t crl, struct tlsg_crl *out)
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
		if(!read_extension(crl, i, oid, out))
			return false;
		if(critical && !is_known_extension(oid))
			out->has_critical = true;
	}
	return rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

static void read_key_id(gnutls_x509_crl_t crl, struct tlsg_crl *out)
{
	size_t size = sizeof(out->key_id);

	if(gnutls_x509_crl_get_authority_key_id(crl, out->key_id, &size, NULL) == 0)
		out->key_id_len = (unsigned)size;
}

static enum tlsg_ret out_of_memory(size_t wanted, struct tlsg_err *err)
{
	return tlsg_err_no_shm(err, NULL, wanted);
}

static enum tlsg_ret index_serials(
		struct tlsg_arena *arena, const struct tlsg_der_element *revoked, struct tlsg_crl *out, struct tlsg_err *err)
{
	if(!read_serials(revoked, NULL, &out->serials_len))
		return tlsg_err_set(err, TLSG_E_CONFIG, "its entries are malformed");
	if(out->serials_len == 0)
		return TLSG_OK;
	out->serials = tlsg_arena_keep(arena, out->serials_len * sizeof(*out->serials));
	if(out->serials == NULL)
		return out_of_memory(out->serials_len * sizeof(*out->serials), err);
	if(!read_serials(revoked, out->serials, &out->serials_len))
		return tlsg_err_set(err, TLSG_E_INTERNAL, "its entries changed while they were being read");
	qsort(out->serials, out->serials_len, sizeof(*out->serials), serial_cmp);
	return TLSG_OK;
}

/* The fields that GnuTLS reads. */
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
	out->usable = out->this_update != (time_t)-1 && read_extensions(crl, out);
	read_key_id(crl, out);
	rc = 0;
done:
	if(crl != NULL)
		gnutls_x509_crl_deinit(crl);
	if(rc < 0)
		return tlsg_err_set(err, rc == GNUTLS_E_MEMORY_ERROR ? TLSG_E_RESOURCE : TLSG_E_CONFIG,
				"GnuTLS cannot parse it: %s", gnutls_strerror(rc));
	return TLSG_OK;
}

enum tlsg_ret tlsg_crl_parse(
		struct tlsg_arena *arena, const gnutls_datum_t *der, struct tlsg_crl *out, struct tlsg_err *err)
{
	struct tlsg_der_element revoked = {.size = 0};
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	out->signer = -1;
	out->der.data = tlsg_arena_keep_copy(arena, der->data, der->size);
	out->der.size = der->size;
	if(out->der.data == NULL)
		return out_of_memory(der->size, err);
	ret = read_fields(der, out, err);
	if(ret != TLSG_OK)
		return ret;
	if(!read_list(out, &revoked))
		return tlsg_err_set(err, TLSG_E_CONFIG, "it is malformed");
	return index_serials(arena, &revoked, out, err);
}

bool tlsg_crl_is_too_early(const struct tlsg_crl *crl, time_t now)
{
	return crl->this_update > now;
}

bool tlsg_crl_has_expired(const struct tlsg_crl *crl, time_t now)
{
	return crl->next_update != 0 && crl->next_update < now;
}

static bool is_current(const struct tlsg_crl *crl, time_t now)
{
	return !tlsg_crl_is_too_early(crl, now) && !tlsg_crl_has_expired(crl, now);
}

bool tlsg_crl_is_better(const struct tlsg_crl *a, const struct tlsg_crl *b, time_t now)
{
	if(b == NULL)
		return true;
	if(is_current(a, now) != is_current(b, now))
		return is_current(a, now);
	return a->this_update > b->this_update;
}

bool tlsg_crl_is_of(const struct tlsg_crl *crl, gnutls_x509_crt_t issuer, const gnutls_datum_t *dn)
{
	unsigned char id[TLSG_CRL_KEY_ID_MAX];
	size_t size = sizeof(id);

	if(dn->size != crl->issuer.size || memcmp(dn->data, crl->issuer.data, dn->size) != 0)
		return false;
	if(crl->key_id_len == 0 || gnutls_x509_crt_get_subject_key_id(issuer, id, &size, NULL) < 0)
		return true;
	return size == crl->key_id_len && memcmp(id, crl->key_id, size) == 0;
}

/* Whether two lists of GeneralNames have a name in common. */
static bool names_meet(struct tlsg_der_reader a, struct tlsg_der_reader b)
{
	struct tlsg_der_element x, y;

	while(tlsg_der_read(&a, &x)) {
		struct tlsg_der_reader in = b;

		while(tlsg_der_read(&in, &y))
			if(tlsg_der_equals(&x, &y))
				return true;
	}
	return false;
}

/* Whether a DistributionPoint of a certificate is that of a list. One for some reasons only, or with another CRL
 * issuer, is not. */
static bool point_meets(const struct tlsg_der_element *point, const struct tlsg_crl *crl)
{
	struct tlsg_der_reader r = tlsg_der_inside(point);
	struct tlsg_der_element name, names;

	if(!tlsg_der_read_tagged(&r, TLSG_DER_CONSTRUCTED(0), &name) || !tlsg_der_is_end(&r))
		return false;
	r = tlsg_der_inside(&name);
	return tlsg_der_read_tagged(&r, TLSG_DER_CONSTRUCTED(0), &names)
		   && names_meet(tlsg_der_inside(&names), tlsg_der_over(crl->points.data, crl->points.size));
}

bool tlsg_crl_covers(const struct tlsg_crl *crl, gnutls_x509_crt_t crt, bool is_ca)
{
	gnutls_datum_t ext = {NULL, 0};
	struct tlsg_der_reader r;
	struct tlsg_der_element list, point;
	bool found = false;

	if(crl->scope == (is_ca ? TLSG_CRL_USERS : TLSG_CRL_CAS))
		return false;
	if(crl->points.size == 0)
		return true;
	if(gnutls_x509_crt_get_extension_by_oid2(crt, OID_CRL_DISTRIBUTION_POINTS, 0, &ext, NULL) < 0)
		return false;
	r = tlsg_der_over(ext.data, ext.size);
	if(tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &list)) {
		r = tlsg_der_inside(&list);
		while(!found && tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &point))
			found = point_meets(&point, crl);
	}
	gnutls_free(ext.data);
	return found;
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
