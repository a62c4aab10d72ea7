/*
 * tls_gnutls - makes certificates and revocation lists for tests from tables
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap.  Lock: none.
 */
#include "tests/lib/certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509-ext.h>

#define MANY_SANS 300

/* Ends the test: a table that cannot be made is a wrong table. */
static void must(int rc, const char *row, const char *what)
{
	if(rc >= 0)
		return;
	fprintf(stderr, "tests/lib/certs: %s: %s: %s\n", row, what, gnutls_strerror(rc));
	abort();
}

static gnutls_x509_privkey_t key_make(enum tlsg_cert_key kind, const char *row)
{
	static const struct
	{
		gnutls_pk_algorithm_t pk;
		unsigned bits;
	} kinds[] = {
			[TLSG_KEY_P256] = {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
			[TLSG_KEY_P192] = {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP192R1)},
			[TLSG_KEY_P384] = {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)},
			[TLSG_KEY_ED25519] = {GNUTLS_PK_EDDSA_ED25519, 256},
			[TLSG_KEY_RSA2048] = {GNUTLS_PK_RSA, 2048},
			[TLSG_KEY_RSA4096] = {GNUTLS_PK_RSA, 4096},
			[TLSG_KEY_RSA1024] = {GNUTLS_PK_RSA, 1024},
	};
	gnutls_x509_privkey_t key = NULL;

	must(gnutls_x509_privkey_init(&key), row, "key");
	must(gnutls_x509_privkey_generate(key, kinds[kind].pk, kinds[kind].bits, 0), row, "key");
	return key;
}

static struct tlsg_cert *find(const struct tlsg_certs *c, const char *name)
{
	unsigned i;

	for(i = 0; i < c->len; i++)
		if(strcmp(c->certs[i].row->name, name) == 0)
			return (struct tlsg_cert *)&c->certs[i];
	fprintf(stderr, "tests/lib/certs: no row %s\n", name);
	abort();
}

static void set_name(gnutls_x509_crt_t crt, const struct tlsg_cert_row *r)
{
	const char *cn = r->cn != NULL ? r->cn : r->name;
	size_t size = r->cn_size != 0 ? r->cn_size : strlen(cn);

	must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, "tls_gnutls tests", 16), r->name,
			"dn");
	if(!(r->flags & TLSG_CERT_NO_CN))
		must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn, (unsigned)size), r->name, "dn");
}

static void set_dates(gnutls_x509_crt_t crt, const struct tlsg_cert_row *r)
{
	bool unset = r->from_days == 0 && r->to_days == 0;
	int from = unset ? -30 : r->from_days;
	int to = unset ? 365 : r->to_days;

	must(gnutls_x509_crt_set_activation_time(crt, TLSG_CERTS_NOW + from * TLSG_CERTS_DAY), r->name, "from");
	must(gnutls_x509_crt_set_expiration_time(crt, TLSG_CERTS_NOW + to * TLSG_CERTS_DAY), r->name, "to");
}

/* Puts tag and length in front of what is in buf and returns the new size. Up to 65535 bytes. */
static size_t der_wrap(unsigned char *buf, size_t size, unsigned char tag)
{
	unsigned char head[4] = {tag, 0x82, (unsigned char)(size >> 8), (unsigned char)size};
	size_t head_size = 4;

	if(size < 0x80) {
		head[1] = (unsigned char)size;
		head_size = 2;
	} else if(size < 0x100) {
		head[1] = 0x81;
		head[2] = (unsigned char)size;
		head_size = 3;
	}
	memmove(buf + head_size, buf, size);
	memcpy(buf, head, head_size);
	return size + head_size;
}

static size_t put_san(unsigned char *to, unsigned type, const char *data, size_t size)
{
	static const unsigned char tags[] = {
			[GNUTLS_SAN_DNSNAME] = 0x82,
			[GNUTLS_SAN_RFC822NAME] = 0x81,
			[GNUTLS_SAN_URI] = 0x86,
			[GNUTLS_SAN_IPADDRESS] = 0x87,
	};

	memcpy(to, data, size);
	return der_wrap(to, size, tags[type]);
}

/* GnuTLS changes the names it is given (IDN, zero bytes); the extension must have exactly the bytes of the row. */
static void set_sans(gnutls_x509_crt_t crt, const struct tlsg_cert_row *r)
{
	static unsigned char der[32768];
	char name[64];
	size_t size = 0;
	unsigned i;

	for(i = 0; i < TLSG_CERT_SANS && r->sans[i].data != NULL; i++) {
		const struct tlsg_cert_san *san = &r->sans[i];

		size += put_san(der + size, san->type, san->data, san->size != 0 ? san->size : strlen(san->data));
	}
	for(i = 0; (r->flags & TLSG_CERT_MANY_SANS) && i < MANY_SANS; i++) {
		int n = snprintf(name, sizeof(name), "host-%u.filler.example", i);

		size += put_san(der + size, GNUTLS_SAN_DNSNAME, name, (size_t)n);
	}
	if(r->raw_san != NULL)
		must(gnutls_x509_crt_set_extension_by_oid(crt, GNUTLS_X509EXT_OID_SAN, r->raw_san, r->raw_san_size, 0), r->name,
				"san");
	else if(size > 0)
		must(gnutls_x509_crt_set_extension_by_oid(crt, GNUTLS_X509EXT_OID_SAN, der, der_wrap(der, size, 0x30), 0),
				r->name, "san");
}

static void set_constraints(gnutls_x509_crt_t crt, const struct tlsg_cert_row *r)
{
	gnutls_x509_name_constraints_t nc = NULL;
	gnutls_datum_t permitted = {(unsigned char *)r->permitted_dns, 0};
	gnutls_datum_t excluded = {(unsigned char *)r->excluded_dns, 0};

	if(r->permitted_dns == NULL && r->excluded_dns == NULL)
		return;
	must(gnutls_x509_name_constraints_init(&nc), r->name, "constraints");
	if(r->permitted_dns != NULL) {
		permitted.size = (unsigned)strlen(r->permitted_dns);
		must(gnutls_x509_name_constraints_add_permitted(nc, GNUTLS_SAN_DNSNAME, &permitted), r->name, "constraints");
	}
	if(r->excluded_dns != NULL) {
		excluded.size = (unsigned)strlen(r->excluded_dns);
		must(gnutls_x509_name_constraints_add_excluded(nc, GNUTLS_SAN_DNSNAME, &excluded), r->name, "constraints");
	}
	must(gnutls_x509_crt_set_name_constraints(crt, nc, 1), r->name, "constraints");
	gnutls_x509_name_constraints_deinit(nc);
}

static void key_id_of(gnutls_x509_privkey_t key, unsigned char id[20])
{
	size_t size = 20;

	must(gnutls_x509_privkey_get_key_id(key, 0, id, &size), "key", "id");
}

static void set_key_ids(gnutls_x509_crt_t crt, const struct tlsg_cert *own, const struct tlsg_cert *issuer)
{
	unsigned char id[20];
	const char *row = own->row->name;

	if(own->row->flags & TLSG_CERT_NO_KEY_IDS)
		return;
	key_id_of(own->key, id);
	must(gnutls_x509_crt_set_subject_key_id(crt, id, sizeof(id)), row, "key id");
	if(issuer->row->flags & TLSG_CERT_NO_KEY_IDS)
		return;
	key_id_of(issuer->key, id);
	must(gnutls_x509_crt_set_authority_key_id(crt, id, sizeof(id)), row, "key id");
}

static void set_extensions(gnutls_x509_crt_t crt, const struct tlsg_cert *own, const struct tlsg_cert *issuer)
{
	const struct tlsg_cert_row *r = own->row;
	unsigned i;

	if(r->flags & (TLSG_CERT_CA | TLSG_CERT_NOT_CA))
		must(gnutls_x509_crt_set_basic_constraints(crt, (r->flags & TLSG_CERT_CA) != 0, r->path_length - 1), r->name,
				"ca");
	if(r->usage != 0)
		must(gnutls_x509_crt_set_key_usage(crt, r->usage), r->name, "usage");
	for(i = 0; i < 3 && r->purposes[i] != NULL; i++)
		must(gnutls_x509_crt_set_key_purpose_oid(crt, r->purposes[i], 0), r->name, "purpose");
	set_sans(crt, r);
	set_constraints(crt, r);
	set_key_ids(crt, own, issuer);
	if(r->extra_oid != NULL)
		must(gnutls_x509_crt_set_extension_by_oid(crt, r->extra_oid, r->extra, r->extra_size, r->extra_critical),
				r->name, "extra");
	if(r->flags & TLSG_CERT_CRITICAL)
		must(gnutls_x509_crt_set_extension_by_oid(crt, "1.3.6.1.4.1.99999.1", "\x05\x00", 2, 1), r->name, "critical");
}

static void sign(struct tlsg_cert *own, const struct tlsg_cert *issuer)
{
	const struct tlsg_cert_row *r = own->row;
	gnutls_x509_privkey_t key = issuer->key, other = NULL;
	gnutls_digest_algorithm_t digest = (r->flags & TLSG_CERT_SHA1)	   ? GNUTLS_DIG_SHA1
									   : (r->flags & TLSG_CERT_SHA384) ? GNUTLS_DIG_SHA384
																	   : GNUTLS_DIG_SHA256;

	if(issuer->row->key == TLSG_KEY_ED25519)
		digest = GNUTLS_DIG_SHA512;
	if(r->flags & TLSG_CERT_FORGED)
		key = other = key_make(issuer->row->key, r->name);
	must(gnutls_x509_crt_sign2(own->crt, issuer->crt, key, digest, 0), r->name, "sign");
	if(other != NULL)
		gnutls_x509_privkey_deinit(other);
}

/* Exports and parses again, so that tests use what was read from bytes. */
static void reload(struct tlsg_cert *own)
{
	gnutls_x509_crt_t parsed = NULL;
	int rc;

	must(gnutls_x509_crt_export2(own->crt, GNUTLS_X509_FMT_DER, &own->der), own->row->name, "export");
	must(gnutls_x509_crt_init(&parsed), own->row->name, "init");
	rc = gnutls_x509_crt_import(parsed, &own->der, GNUTLS_X509_FMT_DER);
	if(own->row->flags & TLSG_CERT_UNREADABLE) {
		must(rc < 0 ? 0 : GNUTLS_E_UNEXPECTED_PACKET, own->row->name, "import, which should fail");
		gnutls_x509_crt_deinit(parsed);
		return;
	}
	must(rc, own->row->name, "import");
	gnutls_x509_crt_deinit(own->crt);
	own->crt = parsed;
}

static void cert_make(struct tlsg_certs *c, const struct tlsg_cert_row *r)
{
	struct tlsg_cert *own = &c->certs[c->len];
	const struct tlsg_cert *issuer = r->issuer != NULL ? find(c, r->issuer) : own;
	unsigned char serial[8];

	own->row = r;
	own->key = NULL;
	if(r->key_of == NULL)
		own->key = key_make(r->key, r->name);
	else {
		must(gnutls_x509_privkey_init(&own->key), r->name, "key");
		must(gnutls_x509_privkey_cpy(own->key, find(c, r->key_of)->key), r->name, "key");
	}
	must(gnutls_x509_crt_init(&own->crt), r->name, "init");
	must(gnutls_x509_crt_set_version(own->crt, (r->flags & TLSG_CERT_V1) ? 1 : 3), r->name, "version");
	must(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)), r->name, "serial");
	serial[0] = (unsigned char)(0x40 | (serial[0] & 0x3f));
	must(gnutls_x509_crt_set_serial(own->crt, serial, sizeof(serial)), r->name, "serial");
	set_name(own->crt, r);
	set_dates(own->crt, r);
	must(gnutls_x509_crt_set_key(own->crt, own->key), r->name, "key");
	if(!(r->flags & TLSG_CERT_V1))
		set_extensions(own->crt, own, issuer);
	sign(own, issuer);
	reload(own);
	c->len++;
}

void tlsg_certs_make(struct tlsg_certs *c, const struct tlsg_cert_row *rows, size_t len)
{
	size_t i;

	for(i = 0; i < len; i++) {
		if(c->len == TLSG_CERTS_MAX)
			must(GNUTLS_E_MEMORY_ERROR, rows[i].name, "too many rows");
		cert_make(c, &rows[i]);
	}
}

static void crl_revoke(const struct tlsg_certs *c, gnutls_x509_crl_t crl, const struct tlsg_crl_row *r)
{
	unsigned char serial[8] = {0x20};
	unsigned i;

	for(i = 0; i < TLSG_CRL_REVOKED && r->revoked[i] != NULL; i++)
		must(gnutls_x509_crl_set_crt(crl, find(c, r->revoked[i])->crt, TLSG_CERTS_NOW - TLSG_CERTS_DAY), r->name,
				"revoke");
	for(i = 0; i < r->filler; i++) {
		serial[4] = (unsigned char)(i >> 16);
		serial[5] = (unsigned char)(i >> 8);
		serial[6] = (unsigned char)i;
		must(gnutls_x509_crl_set_crt_serial(crl, serial, sizeof(serial), TLSG_CERTS_NOW - TLSG_CERTS_DAY), r->name,
				"revoke");
	}
}

static void crl_make(struct tlsg_certs *c, const struct tlsg_crl_row *r)
{
	struct tlsg_cert_crl *own = &c->crls[c->crls_len];
	const struct tlsg_cert *issuer = find(c, r->issuer);
	gnutls_x509_privkey_t other = r->forged ? key_make(issuer->row->key, r->name) : NULL;
	bool unset = r->from_days == 0 && r->to_days == 0;
	unsigned char id[20];

	own->row = r;
	must(gnutls_x509_crl_init(&own->crl), r->name, "init");
	must(gnutls_x509_crl_set_version(own->crl, 2), r->name, "version");
	must(gnutls_x509_crl_set_number(own->crl, "\x01", 1), r->name, "number");
	must(gnutls_x509_crl_set_this_update(own->crl, TLSG_CERTS_NOW + (unset ? -1 : r->from_days) * TLSG_CERTS_DAY),
			r->name, "from");
	if(unset || r->to_days != 0)
		must(gnutls_x509_crl_set_next_update(own->crl, TLSG_CERTS_NOW + (unset ? 30 : r->to_days) * TLSG_CERTS_DAY),
				r->name, "to");
	key_id_of(issuer->key, id);
	if(!r->no_key_id)
		must(gnutls_x509_crl_set_authority_key_id(own->crl, id, sizeof(id)), r->name, "key id");
	crl_revoke(c, own->crl, r);
	must(gnutls_x509_crl_sign2(own->crl, issuer->crt, other != NULL ? other : issuer->key, GNUTLS_DIG_SHA256, 0),
			r->name, "sign");
	must(gnutls_x509_crl_export2(own->crl, GNUTLS_X509_FMT_DER, &own->der), r->name, "export");
	if(other != NULL)
		gnutls_x509_privkey_deinit(other);
	c->crls_len++;
}

void tlsg_certs_make_crls(struct tlsg_certs *c, const struct tlsg_crl_row *rows, size_t len)
{
	size_t i;

	for(i = 0; i < len; i++) {
		if(c->crls_len == TLSG_CERTS_MAX)
			must(GNUTLS_E_MEMORY_ERROR, rows[i].name, "too many rows");
		crl_make(c, &rows[i]);
	}
}

const struct tlsg_cert *tlsg_certs_get(const struct tlsg_certs *c, const char *name)
{
	return find(c, name);
}

const struct tlsg_cert_crl *tlsg_certs_crl(const struct tlsg_certs *c, const char *name)
{
	unsigned i;

	for(i = 0; i < c->crls_len; i++)
		if(strcmp(c->crls[i].row->name, name) == 0)
			return &c->crls[i];
	fprintf(stderr, "tests/lib/certs: no list %s\n", name);
	abort();
}

static FILE *file_create(const char *path)
{
	FILE *f = fopen(path, "w");

	if(f == NULL) {
		fprintf(stderr, "tests/lib/certs: cannot write %s\n", path);
		abort();
	}
	return f;
}

static void file_put(FILE *f, const gnutls_datum_t *pem, const char *path)
{
	if(fwrite(pem->data, 1, pem->size, f) != pem->size) {
		fprintf(stderr, "tests/lib/certs: cannot write %s\n", path);
		abort();
	}
	gnutls_free(pem->data);
}

void tlsg_certs_write(const struct tlsg_certs *c, const char *path, const char *names)
{
	FILE *f = file_create(path);
	char name[64];
	int used;

	while(sscanf(names, " %63s%n", name, &used) == 1) {
		gnutls_datum_t pem = {NULL, 0};

		if(strncmp(name, "crl:", 4) == 0)
			must(gnutls_pem_base64_encode2("X509 CRL", &tlsg_certs_crl(c, name + 4)->der, &pem), name, "pem");
		else
			must(gnutls_pem_base64_encode2("CERTIFICATE", &find(c, name)->der, &pem), name, "pem");
		file_put(f, &pem, path);
		names += used;
	}
	fclose(f);
}

void tlsg_certs_write_key(const struct tlsg_certs *c, const char *path, const char *name)
{
	FILE *f = file_create(path);
	gnutls_datum_t pem = {NULL, 0};

	must(gnutls_x509_privkey_export2_pkcs8(find(c, name)->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem),
			name, "export");
	file_put(f, &pem, path);
	fclose(f);
}

void tlsg_certs_free(struct tlsg_certs *c)
{
	while(c->len > 0) {
		struct tlsg_cert *own = &c->certs[--c->len];

		gnutls_x509_crt_deinit(own->crt);
		gnutls_x509_privkey_deinit(own->key);
		gnutls_free(own->der.data);
	}
	while(c->crls_len > 0) {
		struct tlsg_cert_crl *own = &c->crls[--c->crls_len];

		gnutls_x509_crl_deinit(own->crl);
		gnutls_free(own->der.data);
	}
}
