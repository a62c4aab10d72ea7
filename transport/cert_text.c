/*
 * tls_gnutls - fields of a certificate as text, as scripts read them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, without a scope.  Memory: this process's heap; results go to the caller's buffer.  Lock: none.
 */
#include "transport/cert_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gnutls/x509-ext.h>

#include "profiles/verify/crt.h"

#define OID_SUBJECT_ALT_NAME "2.5.29.17"
#define SERIAL_MAX_BYTES 64	 /* a longer number has more than SERIAL_MAX_DIGITS */
#define SERIAL_MAX_DIGITS 80 /* limit of `tls` */
#define DATE_SIZE 32
#define YEAR_MAX 9999

struct tlsg_cert
{
	gnutls_x509_crt_t crt;			 /* [heap] owned */
	gnutls_subject_alt_names_t sans; /* [heap] owned; NULL: none */
};

/** Reads the subject alternative names. @return NULL when absent, malformed, or out of memory. */
static gnutls_subject_alt_names_t sans_new(gnutls_x509_crt_t crt)
{
	gnutls_subject_alt_names_t sans = NULL;
	gnutls_datum_t ext = {NULL, 0};

	if(gnutls_x509_crt_get_extension_by_oid2(crt, OID_SUBJECT_ALT_NAME, 0, &ext, NULL) < 0)
		return NULL;
	if(gnutls_subject_alt_names_init(&sans) < 0)
		goto done;
	if(gnutls_x509_ext_import_subject_alt_names(&ext, sans, 0) < 0) {
		gnutls_subject_alt_names_deinit(sans);
		sans = NULL;
	}
done:
	gnutls_free(ext.data);
	return sans;
}

struct tlsg_cert *tlsg_cert_text_new(const struct tlsg_der *der)
{
	struct tlsg_cert *c = gnutls_calloc(1, sizeof(*c));

	if(c == NULL || tlsg_crt_parse(der, &c->crt) < 0) {
		tlsg_cert_text_free(c);
		return NULL;
	}
	c->sans = sans_new(c->crt);
	return c;
}

void tlsg_cert_text_free(struct tlsg_cert *c)
{
	if(c == NULL)
		return;
	if(c->sans != NULL)
		gnutls_subject_alt_names_deinit(c->sans);
	if(c->crt != NULL)
		gnutls_x509_crt_deinit(c->crt);
	gnutls_free(c);
}

/** Reads a name. @return TLSG_OK; TLSG_E_PEER: cannot be decoded. */
static enum tlsg_ret name_get(const struct tlsg_cert *c, enum tlsg_cert_side side, gnutls_x509_dn_t *dn)
{
	int code;

	if(side == TLSG_CERT_SUBJECT)
		code = gnutls_x509_crt_get_subject(c->crt, dn);
	else
		code = gnutls_x509_crt_get_issuer(c->crt, dn);
	return code < 0 ? TLSG_E_PEER : TLSG_OK;
}

enum tlsg_ret tlsg_cert_text_attr_get(
		const struct tlsg_cert *c, enum tlsg_cert_side side, enum tlsg_dn_attr attr, struct tlsg_buf *out)
{
	gnutls_x509_dn_t dn = NULL;
	enum tlsg_ret ret = name_get(c, side, &dn);

	return ret == TLSG_OK ? tlsg_dn_text_attr_get(dn, attr, out) : ret;
}

enum tlsg_ret tlsg_cert_text_line(const struct tlsg_cert *c, enum tlsg_cert_side side, struct tlsg_buf *out)
{
	gnutls_x509_dn_t dn = NULL;
	enum tlsg_ret ret = name_get(c, side, &dn);

	return ret == TLSG_OK ? tlsg_dn_text_oneline(dn, out) : ret;
}

/** Divides a big-endian number by 10 in place. @return the remainder, 0 to 9. */
static unsigned divide_by_10(unsigned char *number, size_t size)
{
	unsigned rest = 0;
	size_t i;

	for(i = 0; i < size; i++) {
		rest = rest << 8 | number[i];
		number[i] = rest / 10;
		rest %= 10;
	}
	return rest;
}

static bool is_zero(const unsigned char *number, size_t size)
{
	while(size > 0 && number[size - 1] == 0)
		size--;
	return size == 0;
}

/** Replaces a negative number in two's complement by its absolute value. */
static void negate(unsigned char *number, size_t size)
{
	unsigned carry = 1;

	while(size-- > 0) {
		carry += (unsigned char)~number[size];
		number[size] = carry & 0xFF;
		carry >>= 8;
	}
}

enum tlsg_ret tlsg_cert_text_serial(const struct tlsg_cert *c, struct tlsg_buf *out)
{
	unsigned char number[SERIAL_MAX_BYTES];
	char text[SERIAL_MAX_BYTES * 3];
	size_t size = sizeof(number);
	size_t pos = sizeof(text);
	bool negative;

	if(gnutls_x509_crt_get_serial(c->crt, number, &size) < 0 || size == 0)
		return TLSG_E_PEER;
	negative = (number[0] & 0x80) != 0;
	if(negative)
		negate(number, size);
	do
		text[--pos] = '0' + divide_by_10(number, size);
	while(!is_zero(number, size));
	if(negative)
		text[--pos] = '-';
	if(sizeof(text) - pos > SERIAL_MAX_DIGITS)
		return TLSG_E_PEER;
	return tlsg_buf_put(out, text + pos, sizeof(text) - pos) ? TLSG_OK : TLSG_FULL;
}

enum tlsg_ret tlsg_cert_text_date_format(time_t t, struct tlsg_buf *out)
{
	static const char month[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	char text[DATE_SIZE];
	struct tm tm;
	int len;

	if(gmtime_r(&t, &tm) == NULL || tm.tm_year + 1900 < 0 || tm.tm_year + 1900 > YEAR_MAX)
		return TLSG_E_PEER;
	len = snprintf(text, sizeof(text), "%s %2d %02d:%02d:%02d %d GMT", month[tm.tm_mon], tm.tm_mday, tm.tm_hour,
			tm.tm_min, tm.tm_sec, tm.tm_year + 1900);
	if(len < 0 || (size_t)len >= sizeof(text))
		return TLSG_E_PEER;
	return tlsg_buf_put(out, text, len) ? TLSG_OK : TLSG_FULL;
}

enum tlsg_ret tlsg_cert_text_date(const struct tlsg_cert *c, enum tlsg_cert_date which, struct tlsg_buf *out)
{
	time_t t = which == TLSG_CERT_NOT_BEFORE ? gnutls_x509_crt_get_activation_time(c->crt)
											 : gnutls_x509_crt_get_expiration_time(c->crt);

	return t == (time_t)-1 ? TLSG_E_PEER : tlsg_cert_text_date_format(t, out);
}

int tlsg_cert_text_version(const struct tlsg_cert *c)
{
	int version = gnutls_x509_crt_get_version(c->crt);

	return version > 0 ? version - 1 : -1;
}

static unsigned san_type(enum tlsg_cert_san kind)
{
	switch(kind) {
		case TLSG_SAN_EMAIL:
			return GNUTLS_SAN_RFC822NAME;
		case TLSG_SAN_DNS:
			return GNUTLS_SAN_DNSNAME;
		case TLSG_SAN_URI:
			return GNUTLS_SAN_URI;
		default:
			return GNUTLS_SAN_IPADDRESS;
	}
}

/**
 * Finds a name of a kind.
 * @param index  0 for the first of its kind.
 * @param san    [out] the name, borrowed.
 * @return index + 1 if it was found; otherwise the number of names of the kind, which is smaller.
 */
static unsigned san_find(const struct tlsg_cert *c, enum tlsg_cert_san kind, unsigned index, gnutls_datum_t *san)
{
	unsigned type = 0;
	unsigned seen = 0;
	unsigned i;

	for(i = 0; c->sans != NULL && seen <= index; i++) {
		if(gnutls_subject_alt_names_get(c->sans, i, &type, san, NULL) < 0)
			break;
		seen += type == san_type(kind);
	}
	return seen;
}

enum tlsg_ret tlsg_cert_text_san_get(
		const struct tlsg_cert *c, enum tlsg_cert_san kind, unsigned index, struct tlsg_buf *out)
{
	gnutls_datum_t san = {NULL, 0};

	if((unsigned)kind >= TLSG_SANS || index == UINT32_MAX || san_find(c, kind, index, &san) != index + 1)
		return TLSG_EOF;
	if(kind == TLSG_SAN_IP && san.size != 4 && san.size != 16)
		return TLSG_E_PEER;
	return tlsg_buf_put(out, san.data, san.size) ? TLSG_OK : TLSG_FULL;
}

unsigned tlsg_cert_text_san_count(const struct tlsg_cert *c, enum tlsg_cert_san kind)
{
	gnutls_datum_t san;

	if((unsigned)kind >= TLSG_SANS)
		return 0;
	return san_find(c, kind, UINT32_MAX - 1, &san);
}

enum tlsg_ret tlsg_cert_text_pem(const struct tlsg_der *der, struct tlsg_buf *out)
{
	gnutls_datum_t in = {der->data, der->size};
	gnutls_datum_t pem = {NULL, 0};
	enum tlsg_ret ret;

	if(gnutls_pem_base64_encode2("CERTIFICATE", &in, &pem) < 0)
		return TLSG_E_RESOURCE;
	ret = tlsg_buf_put(out, pem.data, pem.size) ? TLSG_OK : TLSG_FULL;
	gnutls_free(pem.data);
	return ret;
}

/** Whether a character is not encoded in a URL (RFC 3986 section 2.3); does not depend on the locale. */
static bool is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'
		   || c == '.' || c == '~';
}

/** Appends text url-encoded. @return TLSG_OK, TLSG_FULL. */
static enum tlsg_ret put_url(struct tlsg_buf *out, const gnutls_datum_t *in)
{
	static const char digit[] = "0123456789abcdef";
	bool fits = true;
	unsigned i;

	for(i = 0; i < in->size && fits; i++) {
		const unsigned char c = in->data[i];
		const char escaped[] = {'%', digit[c >> 4], digit[c & 15]};

		fits = is_unreserved(c) ? tlsg_buf_put(out, &c, 1) : tlsg_buf_put(out, escaped, sizeof(escaped));
	}
	return fits ? TLSG_OK : TLSG_FULL;
}

enum tlsg_ret tlsg_cert_text_pem_url(const struct tlsg_der *der, struct tlsg_buf *out)
{
	gnutls_datum_t in = {der->data, der->size};
	gnutls_datum_t pem = {NULL, 0};
	size_t start = out->wr;
	enum tlsg_ret ret;

	if(gnutls_pem_base64_encode2("CERTIFICATE", &in, &pem) < 0)
		return TLSG_E_RESOURCE;
	ret = put_url(out, &pem);
	gnutls_free(pem.data);
	if(ret != TLSG_OK)
		out->wr = start;
	return ret;
}
