/*
 * tls_gnutls - distinguished names as text: one attribute in UTF-8, or the whole name on one line
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, without a scope.  Memory: this process's heap while it runs; results go to the caller's buffer.
 * Lock: none.
 *
 * gnutls_x509_crt_get_dn_by_oid() is not used for values: it escapes them as in RFC 4514 ("Example\, Inc."), returns
 * strings of type T61String or UniversalString and those with a zero byte in hexadecimal, and does not convert bytes
 * above 0x7F of a PrintableString. `tls` shows scripts the plain text in UTF-8. iconv() loads its conversions from
 * files, which fails after chroot().
 */
#include "transport/dn_text.h"

#include <stdint.h>

/* Tags of string types, X.680. */
#define TAG_UTF8 12
#define TAG_NUMERIC 18
#define TAG_PRINTABLE 19
#define TAG_T61 20
#define TAG_IA5 22
#define TAG_UTC_TIME 23
#define TAG_GENERALIZED_TIME 24
#define TAG_VISIBLE 26
#define TAG_GENERAL 27
#define TAG_UNIVERSAL 28
#define TAG_BMP 30

#define CODE_POINT_MAX 0x10FFFFU
#define PRINTABLE_FIRST 0x20
#define PRINTABLE_LAST 0x7E

struct oid_name
{
	const char *oid;
	const char *name;
};

/** Object identifiers of enum tlsg_dn_attr. */
static const char *const attr_oid[TLSG_DN_ATTRS] = {
		[TLSG_DN_CN] = "2.5.4.3",
		[TLSG_DN_L] = "2.5.4.7",
		[TLSG_DN_C] = "2.5.4.6",
		[TLSG_DN_ST] = "2.5.4.8",
		[TLSG_DN_O] = "2.5.4.10",
		[TLSG_DN_OU] = "2.5.4.11",
		[TLSG_DN_UID] = "0.9.2342.19200300.100.1.1",
};

/** Short names of the attribute types that names are made of, in OpenSSL's spelling. */
static const struct oid_name short_name[] = {
		{"0.9.2342.19200300.100.1.1", "UID"},
		{"0.9.2342.19200300.100.1.2", "textEncodedORAddress"},
		{"0.9.2342.19200300.100.1.3", "mail"},
		{"0.9.2342.19200300.100.1.4", "info"},
		{"0.9.2342.19200300.100.1.5", "favouriteDrink"},
		{"0.9.2342.19200300.100.1.6", "roomNumber"},
		{"0.9.2342.19200300.100.1.7", "photo"},
		{"0.9.2342.19200300.100.1.8", "userClass"},
		{"0.9.2342.19200300.100.1.9", "host"},
		{"0.9.2342.19200300.100.1.10", "manager"},
		{"0.9.2342.19200300.100.1.11", "documentIdentifier"},
		{"0.9.2342.19200300.100.1.12", "documentTitle"},
		{"0.9.2342.19200300.100.1.13", "documentVersion"},
		{"0.9.2342.19200300.100.1.14", "documentAuthor"},
		{"0.9.2342.19200300.100.1.15", "documentLocation"},
		{"0.9.2342.19200300.100.1.20", "homeTelephoneNumber"},
		{"0.9.2342.19200300.100.1.21", "secretary"},
		{"0.9.2342.19200300.100.1.22", "otherMailbox"},
		{"0.9.2342.19200300.100.1.23", "lastModifiedTime"},
		{"0.9.2342.19200300.100.1.24", "lastModifiedBy"},
		{"0.9.2342.19200300.100.1.25", "DC"},
		{"0.9.2342.19200300.100.1.26", "aRecord"},
		{"0.9.2342.19200300.100.1.27", "pilotAttributeType27"},
		{"0.9.2342.19200300.100.1.28", "mXRecord"},
		{"0.9.2342.19200300.100.1.29", "nSRecord"},
		{"0.9.2342.19200300.100.1.30", "sOARecord"},
		{"0.9.2342.19200300.100.1.31", "cNAMERecord"},
		{"0.9.2342.19200300.100.1.37", "associatedDomain"},
		{"0.9.2342.19200300.100.1.38", "associatedName"},
		{"0.9.2342.19200300.100.1.39", "homePostalAddress"},
		{"0.9.2342.19200300.100.1.40", "personalTitle"},
		{"0.9.2342.19200300.100.1.41", "mobileTelephoneNumber"},
		{"0.9.2342.19200300.100.1.42", "pagerTelephoneNumber"},
		{"0.9.2342.19200300.100.1.43", "friendlyCountryName"},
		{"0.9.2342.19200300.100.1.44", "uid"},
		{"0.9.2342.19200300.100.1.45", "organizationalStatus"},
		{"0.9.2342.19200300.100.1.46", "janetMailbox"},
		{"0.9.2342.19200300.100.1.47", "mailPreferenceOption"},
		{"0.9.2342.19200300.100.1.48", "buildingName"},
		{"0.9.2342.19200300.100.1.49", "dSAQuality"},
		{"0.9.2342.19200300.100.1.50", "singleLevelQuality"},
		{"0.9.2342.19200300.100.1.51", "subtreeMinimumQuality"},
		{"0.9.2342.19200300.100.1.52", "subtreeMaximumQuality"},
		{"0.9.2342.19200300.100.1.53", "personalSignature"},
		{"0.9.2342.19200300.100.1.54", "dITRedirect"},
		{"0.9.2342.19200300.100.1.55", "audio"},
		{"0.9.2342.19200300.100.1.56", "documentPublisher"},
		{"1.2.643.3.131.1.1", "INN"},
		{"1.2.643.100.1", "OGRN"},
		{"1.2.643.100.3", "SNILS"},
		{"1.2.643.100.5", "OGRNIP"},
		{"1.2.840.113549.1.9.1", "emailAddress"},
		{"1.2.840.113549.1.9.2", "unstructuredName"},
		{"1.2.840.113549.1.9.7", "challengePassword"},
		{"1.2.840.113549.1.9.8", "unstructuredAddress"},
		{"1.2.840.113549.1.9.20", "friendlyName"},
		{"1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"},
		{"1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"},
		{"1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"},
		{"2.5.4.3", "CN"},
		{"2.5.4.4", "SN"},
		{"2.5.4.5", "serialNumber"},
		{"2.5.4.6", "C"},
		{"2.5.4.7", "L"},
		{"2.5.4.8", "ST"},
		{"2.5.4.9", "street"},
		{"2.5.4.10", "O"},
		{"2.5.4.11", "OU"},
		{"2.5.4.12", "title"},
		{"2.5.4.13", "description"},
		{"2.5.4.14", "searchGuide"},
		{"2.5.4.15", "businessCategory"},
		{"2.5.4.16", "postalAddress"},
		{"2.5.4.17", "postalCode"},
		{"2.5.4.18", "postOfficeBox"},
		{"2.5.4.19", "physicalDeliveryOfficeName"},
		{"2.5.4.20", "telephoneNumber"},
		{"2.5.4.21", "telexNumber"},
		{"2.5.4.22", "teletexTerminalIdentifier"},
		{"2.5.4.23", "facsimileTelephoneNumber"},
		{"2.5.4.24", "x121Address"},
		{"2.5.4.25", "internationaliSDNNumber"},
		{"2.5.4.26", "registeredAddress"},
		{"2.5.4.27", "destinationIndicator"},
		{"2.5.4.28", "preferredDeliveryMethod"},
		{"2.5.4.29", "presentationAddress"},
		{"2.5.4.30", "supportedApplicationContext"},
		{"2.5.4.31", "member"},
		{"2.5.4.32", "owner"},
		{"2.5.4.33", "roleOccupant"},
		{"2.5.4.34", "seeAlso"},
		{"2.5.4.35", "userPassword"},
		{"2.5.4.41", "name"},
		{"2.5.4.42", "GN"},
		{"2.5.4.43", "initials"},
		{"2.5.4.44", "generationQualifier"},
		{"2.5.4.45", "x500UniqueIdentifier"},
		{"2.5.4.46", "dnQualifier"},
		{"2.5.4.47", "enhancedSearchGuide"},
		{"2.5.4.48", "protocolInformation"},
		{"2.5.4.49", "distinguishedName"},
		{"2.5.4.50", "uniqueMember"},
		{"2.5.4.51", "houseIdentifier"},
		{"2.5.4.52", "supportedAlgorithms"},
		{"2.5.4.53", "deltaRevocationList"},
		{"2.5.4.54", "dmdName"},
		{"2.5.4.65", "pseudonym"},
		{"2.5.4.72", "role"},
		{"2.5.4.97", "organizationIdentifier"},
		{"2.5.4.98", "c3"},
		{"2.5.4.99", "n3"},
		{"2.5.4.100", "dnsName"},
};
#define SHORT_NAMES (sizeof(short_name) / sizeof(short_name[0]))

/**
 * Called for one attribute value.
 * @param position  in its set, from 0.
 * @return TLSG_AGAIN: continue with the next value; anything else ends the walk.
 */
typedef enum tlsg_ret (*ava_cb)(const gnutls_x509_ava_st *ava, int position, const void *arg, struct tlsg_buf *out);

/**
 * Calls cb for every attribute value in the order of the certificate.
 * @return what cb returned; TLSG_EOF at the end; TLSG_E_PEER: cannot be decoded.
 */
static enum tlsg_ret walk(gnutls_x509_dn_t dn, ava_cb cb, const void *arg, struct tlsg_buf *out)
{
	gnutls_x509_ava_st ava;
	enum tlsg_ret ret = TLSG_AGAIN;
	int code, rdn, i;

	for(rdn = 0; ret == TLSG_AGAIN; rdn++) {
		for(i = 0; ret == TLSG_AGAIN; i++) {
			code = gnutls_x509_dn_get_rdn_ava(dn, rdn, i, &ava);
			if(code == GNUTLS_E_ASN1_ELEMENT_NOT_FOUND)
				break;
			ret = code < 0 ? TLSG_E_PEER : cb(&ava, i, arg, out);
		}
		if(i == 0)
			return TLSG_EOF;
	}
	return ret;
}

/** Whether the type of a value is an object identifier given as text. */
static bool has_oid(const gnutls_x509_ava_st *ava, const char *oid)
{
	size_t len = strnlen((const char *)ava->oid.data, ava->oid.size);

	return len == strlen(oid) && memcmp(ava->oid.data, oid, len) == 0;
}

/** Appends bytes. @return TLSG_OK, TLSG_FULL. */
static enum tlsg_ret put(struct tlsg_buf *out, const void *data, size_t size)
{
	return tlsg_buf_put(out, data, size) ? TLSG_OK : TLSG_FULL;
}

/** @return number of bytes that a code point takes in UTF-8, 1 to 4. */
static unsigned utf8_size(uint32_t c)
{
	return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

/** Appends a code point. @return TLSG_OK; TLSG_E_PEER: a surrogate, or beyond the last code point; TLSG_FULL. */
static enum tlsg_ret put_utf8(struct tlsg_buf *out, uint32_t c)
{
	static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
	unsigned char b[4];
	unsigned size = utf8_size(c);
	unsigned i;

	if(c > CODE_POINT_MAX || (c >= 0xD800 && c <= 0xDFFF))
		return TLSG_E_PEER;
	for(i = size - 1; i > 0; i--, c >>= 6)
		b[i] = 0x80 | (c & 0x3F);
	b[0] = lead[size] | c;
	return put(out, b, size);
}

/** Appends characters of a fixed width. @param width  1, 2 or 4 bytes, big-endian. */
static enum tlsg_ret put_wide(struct tlsg_buf *out, const gnutls_datum_t *in, unsigned width)
{
	enum tlsg_ret ret = TLSG_OK;
	uint32_t c;
	unsigned i, j;

	if(in->size % width != 0)
		return TLSG_E_PEER;
	for(i = 0; i < in->size && ret == TLSG_OK; i += width) {
		c = 0;
		for(j = 0; j < width; j++)
			c = c << 8 | in->data[i + j];
		ret = put_utf8(out, c);
	}
	return ret;
}

/** @return number of bytes of the UTF-8 sequence that a byte begins, 1 to 4; 0: no sequence begins with it. */
static unsigned utf8_sequence_size(unsigned char first)
{
	if(first < 0x80)
		return 1;
	if(first >= 0xC2 && first <= 0xDF)
		return 2;
	if((first & 0xF0) == 0xE0)
		return 3;
	return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

/** Decodes one UTF-8 sequence of known size. @return TLSG_OK; TLSG_E_PEER: malformed or overlong. */
static enum tlsg_ret utf8_decode(const unsigned char *p, unsigned size, uint32_t *c)
{
	unsigned i;

	*c = size == 1 ? p[0] : p[0] & (0x7F >> size);
	for(i = 1; i < size; i++) {
		if((p[i] & 0xC0) != 0x80)
			return TLSG_E_PEER;
		*c = *c << 6 | (p[i] & 0x3F);
	}
	return utf8_size(*c) == size ? TLSG_OK : TLSG_E_PEER;
}

/** Appends UTF-8 after checking it. */
static enum tlsg_ret put_checked_utf8(struct tlsg_buf *out, const gnutls_datum_t *in)
{
	enum tlsg_ret ret = TLSG_OK;
	uint32_t c = 0;
	unsigned i, size;

	for(i = 0; i < in->size && ret == TLSG_OK; i += size) {
		size = utf8_sequence_size(in->data[i]);
		if(size == 0 || size > in->size - i)
			return TLSG_E_PEER;
		ret = utf8_decode(in->data + i, size, &c);
		if(ret == TLSG_OK)
			ret = put_utf8(out, c);
	}
	return ret;
}

/** Appends the value of an attribute in UTF-8. @return TLSG_OK; TLSG_E_PEER: no conversion, or malformed; TLSG_FULL. */
static enum tlsg_ret put_value(struct tlsg_buf *out, const gnutls_x509_ava_st *ava)
{
	switch(ava->value_tag) {
		case TAG_UTF8:
			return put_checked_utf8(out, &ava->value);
		case TAG_NUMERIC:
		case TAG_PRINTABLE:
		case TAG_T61:
		case TAG_IA5:
		case TAG_UTC_TIME:
		case TAG_GENERALIZED_TIME:
		case TAG_VISIBLE:
			return put_wide(out, &ava->value, 1);
		case TAG_BMP:
			return put_wide(out, &ava->value, 2);
		case TAG_UNIVERSAL:
			return put_wide(out, &ava->value, 4);
		default:
			return TLSG_E_PEER;
	}
}

static enum tlsg_ret attr_cb(const gnutls_x509_ava_st *ava, int position, const void *arg, struct tlsg_buf *out)
{
	(void)position;
	return has_oid(ava, arg) ? put_value(out, ava) : TLSG_AGAIN;
}

enum tlsg_ret tlsg_dn_text_attr_get(gnutls_x509_dn_t dn, enum tlsg_dn_attr attr, struct tlsg_buf *out)
{
	size_t start = out->wr;
	enum tlsg_ret ret;

	if((unsigned)attr >= TLSG_DN_ATTRS)
		return TLSG_EOF;
	ret = walk(dn, attr_cb, attr_oid[attr], out);
	if(ret != TLSG_OK)
		out->wr = start;
	return ret;
}

/** Appends the short name of an attribute type, or its object identifier. */
static enum tlsg_ret put_type(struct tlsg_buf *out, const gnutls_x509_ava_st *ava)
{
	unsigned i;

	for(i = 0; i < SHORT_NAMES; i++) {
		if(has_oid(ava, short_name[i].oid))
			return put(out, short_name[i].name, strlen(short_name[i].name));
	}
	return put(out, ava->oid.data, strnlen((const char *)ava->oid.data, ava->oid.size));
}

/** Appends a byte, as \xHH unless it is printable ASCII. The separators of attributes get a backslash in front. */
static enum tlsg_ret put_escaped(struct tlsg_buf *out, unsigned char byte)
{
	static const char digit[] = "0123456789ABCDEF";
	const char escaped[] = {'\\', 'x', digit[byte >> 4], digit[byte & 15]};
	const char quoted[] = {'\\', byte};

	if(byte == '/' || byte == '+')
		return put(out, quoted, sizeof(quoted));
	if(byte >= PRINTABLE_FIRST && byte <= PRINTABLE_LAST)
		return put(out, &byte, 1);
	return put(out, escaped, sizeof(escaped));
}

/**
 * How OpenSSL prints a value on one line.
 * @return bytes per printed character: 4 for a GeneralString of four-byte characters that all fit in one byte, of
 *         which the last byte is printed; 1 for everything else.
 */
static unsigned bytes_per_character(const gnutls_x509_ava_st *ava)
{
	unsigned i;

	if(ava->value_tag != TAG_GENERAL || ava->value.size % 4 != 0)
		return 1;
	for(i = 0; i < ava->value.size; i++) {
		if(i % 4 != 3 && ava->value.data[i] != 0)
			return 1;
	}
	return 4;
}

static enum tlsg_ret oneline_cb(const gnutls_x509_ava_st *ava, int position, const void *arg, struct tlsg_buf *out)
{
	unsigned step = bytes_per_character(ava);
	enum tlsg_ret ret;
	unsigned i;

	(void)arg;
	ret = put(out, position == 0 ? "/" : "+", 1);
	if(ret == TLSG_OK)
		ret = put_type(out, ava);
	if(ret == TLSG_OK)
		ret = put(out, "=", 1);
	for(i = step - 1; i < ava->value.size && ret == TLSG_OK; i += step)
		ret = put_escaped(out, ava->value.data[i]);
	return ret == TLSG_OK ? TLSG_AGAIN : ret;
}

enum tlsg_ret tlsg_dn_text_oneline(gnutls_x509_dn_t dn, struct tlsg_buf *out)
{
	size_t start = out->wr;
	enum tlsg_ret ret = walk(dn, oneline_cb, NULL, out);

	if(ret == TLSG_EOF)
		return TLSG_OK;
	out->wr = start;
	return ret;
}
