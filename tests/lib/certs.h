/*
 * tls_gnutls - makes certificates and revocation lists for tests from tables
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap.  Lock: none.
 *
 * A row of a table is a certificate; its issuer is a row above it. All dates are relative to TLSG_CERTS_NOW, so that a
 * test does not depend on the day it runs. A row that cannot be made ends the test with a message.
 */
#ifndef TLSG_TESTS_LIB_CERTS_H
#define TLSG_TESTS_LIB_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#define TLSG_CERTS_NOW ((time_t)1750000000) /* 2025-06-15 15:06:40 UTC */
#define TLSG_CERTS_DAY ((time_t)86400)
#define TLSG_CERTS_MAX 128

enum tlsg_cert_key
{
	TLSG_KEY_P256 = 0,
	TLSG_KEY_P192, /* weak */
	TLSG_KEY_P384,
	TLSG_KEY_ED25519,
	TLSG_KEY_RSA2048,
	TLSG_KEY_RSA1024, /* weak */
	TLSG_KEY_RSA4096
};

enum tlsg_cert_flag
{
	TLSG_CERT_CA = 1,		   /* basicConstraints with cA */
	TLSG_CERT_NOT_CA = 2,	   /* basicConstraints without cA; neither flag: no extension */
	TLSG_CERT_V1 = 4,		   /* version 1, no extensions */
	TLSG_CERT_NO_KEY_IDS = 8,  /* neither subject nor authority key identifier */
	TLSG_CERT_FORGED = 16,	   /* signed with a key that is not the issuer's */
	TLSG_CERT_SHA1 = 32,	   /* signed with SHA-1 */
	TLSG_CERT_CRITICAL = 64,   /* has an unknown critical extension */
	TLSG_CERT_MANY_SANS = 128, /* some hundred additional DNS names */
	TLSG_CERT_NO_CN = 256,	   /* organisation only */
	TLSG_CERT_SHA384 = 1024,   /* signed with SHA-384 */
	TLSG_CERT_UNREADABLE = 512 /* GnuTLS refuses to parse it; crt is what was made */
};

/* A subjectAltName. Bytes with a length, since the interesting ones hold zero bytes. */
struct tlsg_cert_san
{
	gnutls_x509_subject_alt_name_t type; /* GNUTLS_SAN_* */
	const char *data;
	size_t size; /* 0: strlen(data) */
};

#define TLSG_CERT_SANS 6

/* Zero is a useful default of every field but name. */
struct tlsg_cert_row
{
	const char *name;		 /* name of the row */
	const char *issuer;		 /* row above; NULL: itself */
	const char *cn;			 /* common name; NULL: name */
	size_t cn_size;			 /* 0: strlen(cn) */
	const char *key_of;		 /* row above whose key is taken; NULL: a new one */
	unsigned flags;			 /* TLSG_CERT_* */
	int path_length;		 /* plus 1; 0 none */
	unsigned usage;			 /* GNUTLS_KEY_*; 0 none */
	const char *purposes[3]; /* GNUTLS_KP_* */
	struct tlsg_cert_san sans[TLSG_CERT_SANS];
	const char *raw_san; /* DER of the whole subjectAltName instead of sans */
	size_t raw_san_size;
	const char *permitted_dns; /* name constraint */
	const char *excluded_dns;
	const char *extra_oid; /* an extension as bytes */
	const char *extra;
	size_t extra_size;
	bool extra_critical;
	int from_days; /* from_days and to_days 0: -30 and 365 */
	int to_days;
	enum tlsg_cert_key key;
};

#define TLSG_CRL_REVOKED 4

struct tlsg_crl_row
{
	const char *name;
	const char *issuer;					   /* row of the certificates */
	const char *revoked[TLSG_CRL_REVOKED]; /* rows of the certificates */
	int from_days;						   /* from_days and to_days 0: -1 and 30 */
	int to_days;						   /* 0 while from_days is not 0: no nextUpdate */
	bool forged;						   /* signed with another key */
	bool no_key_id;						   /* no authority key identifier */
	unsigned filler;					   /* number of additional made-up entries */
};

struct tlsg_cert
{
	const struct tlsg_cert_row *row;
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	gnutls_datum_t der;
};

struct tlsg_cert_crl
{
	const struct tlsg_crl_row *row;
	gnutls_x509_crl_t crl;
	gnutls_datum_t der;
};

struct tlsg_certs
{
	struct tlsg_cert certs[TLSG_CERTS_MAX];
	unsigned len;
	struct tlsg_cert_crl crls[TLSG_CERTS_MAX];
	unsigned crls_len;
};

/* Makes certificates and adds them to those that are there. The rows must outlive c. Start with an all-zero c. */
void tlsg_certs_make(struct tlsg_certs *c, const struct tlsg_cert_row *rows, size_t len);

/* Makes revocation lists and adds them. */
void tlsg_certs_make_crls(struct tlsg_certs *c, const struct tlsg_crl_row *rows, size_t len);

/* Finds by name; an unknown name ends the test. */
const struct tlsg_cert *tlsg_certs_get(const struct tlsg_certs *c, const char *name);
const struct tlsg_cert_crl *tlsg_certs_crl(const struct tlsg_certs *c, const char *name);

/* Writes certificates and lists in PEM. @param names  rows separated by spaces, lists with "crl:" in front. */
void tlsg_certs_write(const struct tlsg_certs *c, const char *path, const char *names);

/* Writes a private key in PEM (PKCS#8). */
void tlsg_certs_write_key(const struct tlsg_certs *c, const char *path, const char *name);

void tlsg_certs_free(struct tlsg_certs *c);

#endif
