/*
 * tls_gnutls - tests of certificates as text: hand-made certificates, compared with what OpenSSL's functions say
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: heap.  Lock: none.
 *
 * libcrypto is loaded at run time as the reference for everything that has to look as it does with `tls`.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "transport/cert_text.h"

/* ---- a writer of DER ---- */
#define TAG_INTEGER 0x02
#define TAG_BIT_STRING 0x03
#define TAG_OCTET_STRING 0x04
#define TAG_OID 0x06
#define TAG_SEQUENCE 0x30
#define TAG_SET 0x31
#define TAG_UTC_TIME 0x17
#define TAG_GENERALIZED_TIME 0x18
#define DER_SIZE 65536

struct der
{
	unsigned char *data;
	size_t size;
};

static void der_put(struct der *d, const void *data, size_t size)
{
	d->data = realloc(d->data, d->size + size + 1);
	assert_non_null(d->data);
	if(size > 0)
		memcpy(d->data + d->size, data, size);
	d->size += size;
}

/** Appends an element. */
static void der_tlv(struct der *d, unsigned char tag, const void *data, size_t size)
{
	unsigned char head[5] = {tag, 0x83, size >> 16 & 0xFF, size >> 8 & 0xFF, size & 0xFF};

	if(size < 128) {
		head[1] = size;
		der_put(d, head, 2);
	} else if(size < 65536) {
		head[1] = 0x82;
		head[2] = size >> 8;
		head[3] = size & 0xFF;
		if(size < 256) {
			head[1] = 0x81;
			head[2] = size;
		}
		der_put(d, head, size < 256 ? 3 : 4);
	} else {
		der_put(d, head, 5);
	}
	der_put(d, data, size);
}

/** Puts what was written so far into an element. */
static void der_wrap(struct der *d, unsigned char tag)
{
	struct der inner = *d;

	memset(d, 0, sizeof(*d));
	der_tlv(d, tag, inner.data, inner.size);
	free(inner.data);
}

static void der_add(struct der *d, struct der *part)
{
	der_put(d, part->data, part->size);
	free(part->data);
	memset(part, 0, sizeof(*part));
}

/** Appends an object identifier given as text. */
static void der_oid(struct der *d, const char *text)
{
	unsigned char out[64];
	unsigned long arc[32] = {0};
	size_t len = 0;
	size_t pos = 0;
	size_t i;
	int shift;
	char *end;

	while(*text != '\0') {
		arc[len++] = strtoul(text, &end, 10);
		text = *end == '.' ? end + 1 : end;
	}
	arc[1] += arc[0] * 40;
	for(i = 1; i < len; i++) {
		for(shift = 28; shift > 0; shift -= 7) {
			if(arc[i] >> shift != 0)
				out[pos++] = 0x80 | (arc[i] >> shift & 0x7F);
		}
		out[pos++] = arc[i] & 0x7F;
	}
	der_tlv(d, TAG_OID, out, pos);
}

/* ---- certificates ---- */
/** One attribute value of a name. */
struct ava
{
	const char *oid;
	unsigned char tag;
	const char *value;
	size_t size;   /**< 0: strlen(value) */
	bool same_set; /**< in the set of the one before */
};

struct spec
{
	const struct ava *subject;
	size_t subject_len;
	const char *serial; /**< content of the INTEGER */
	size_t serial_len;
	const char *not_before; /**< NULL: a default */
	unsigned char not_before_tag;
	const char *not_after;
	unsigned char not_after_tag;
	const void *san; /**< content of the extension's SEQUENCE, NULL none */
	size_t san_len;
	int version; /**< as encoded; -1 leaves the field out */
};

static struct der name_make(const struct ava *ava, size_t len)
{
	struct der name = {NULL, 0};
	struct der set = {NULL, 0};
	struct der one = {NULL, 0};
	size_t i;

	for(i = 0; i < len; i++) {
		der_oid(&one, ava[i].oid);
		der_tlv(&one, ava[i].tag, ava[i].value, ava[i].size ? ava[i].size : strlen(ava[i].value));
		der_wrap(&one, TAG_SEQUENCE);
		der_add(&set, &one);
		if(i + 1 < len && ava[i + 1].same_set)
			continue;
		der_wrap(&set, TAG_SET);
		der_add(&name, &set);
	}
	der_wrap(&name, TAG_SEQUENCE);
	return name;
}

/** AlgorithmIdentifier ecdsa-with-SHA256. */
static struct der algorithm_make(void)
{
	struct der d = {NULL, 0};

	der_oid(&d, "1.2.840.10045.4.3.2");
	der_wrap(&d, TAG_SEQUENCE);
	return d;
}

/** A public key on P-256: the base point. */
static struct der key_make(void)
{
	static const unsigned char point[] = "\x00\x04"
										 "\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d"
										 "\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96"
										 "\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33"
										 "\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
	struct der d = {NULL, 0};

	der_oid(&d, "1.2.840.10045.2.1");
	der_oid(&d, "1.2.840.10045.3.1.7");
	der_wrap(&d, TAG_SEQUENCE);
	der_tlv(&d, TAG_BIT_STRING, point, sizeof(point) - 1);
	der_wrap(&d, TAG_SEQUENCE);
	return d;
}

static struct der validity_make(const struct spec *s)
{
	const char *from = s->not_before ? s->not_before : "210203040506Z";
	const char *to = s->not_after ? s->not_after : "310105090307Z";
	struct der d = {NULL, 0};

	der_tlv(&d, s->not_before_tag ? s->not_before_tag : TAG_UTC_TIME, from, strlen(from));
	der_tlv(&d, s->not_after_tag ? s->not_after_tag : TAG_UTC_TIME, to, strlen(to));
	der_wrap(&d, TAG_SEQUENCE);
	return d;
}

/** The extensions field with a subject alternative name. */
static struct der extensions_make(const struct spec *s)
{
	struct der value = {NULL, 0};
	struct der d = {NULL, 0};

	der_tlv(&value, TAG_SEQUENCE, s->san, s->san_len);
	der_oid(&d, "2.5.29.17");
	der_tlv(&d, TAG_OCTET_STRING, value.data, value.size);
	free(value.data);
	der_wrap(&d, TAG_SEQUENCE);
	der_wrap(&d, TAG_SEQUENCE);
	der_wrap(&d, 0xA3);
	return d;
}

static const struct ava plain_subject[] = {{"2.5.4.3", 12, "plain", 0, false}};

/** Makes a certificate (signature: garbage). The issuer has the same name. */
static struct der cert_make(const struct spec *s)
{
	const struct ava *subject = s->subject ? s->subject : plain_subject;
	size_t subject_len = s->subject ? s->subject_len : 1;
	const unsigned char version[] = {2, 1, s->version};
	struct der d = {NULL, 0};
	struct der part;

	if(s->version >= 0)
		der_tlv(&d, 0xA0, version, sizeof(version));
	der_tlv(&d, TAG_INTEGER, s->serial ? s->serial : "\x01", s->serial ? s->serial_len : 1);
	part = algorithm_make();
	der_add(&d, &part);
	part = name_make(subject, subject_len);
	der_add(&d, &part);
	part = validity_make(s);
	der_add(&d, &part);
	part = name_make(subject, subject_len);
	der_add(&d, &part);
	part = key_make();
	der_add(&d, &part);
	if(s->san != NULL) {
		part = extensions_make(s);
		der_add(&d, &part);
	}
	der_wrap(&d, TAG_SEQUENCE);
	part = algorithm_make();
	der_add(&d, &part);
	der_tlv(&d, TAG_BIT_STRING, "\x00\x30\x06\x02\x01\x01\x02\x01\x01", 9);
	der_wrap(&d, TAG_SEQUENCE);
	return d;
}

static struct tlsg_cert *cert_new(const struct der *d)
{
	struct tlsg_der in = {d->data, d->size};

	return tlsg_cert_text_new(&in);
}

/* ---- the reference ---- */
static struct
{
	void *(*d2i_X509)(void **, const unsigned char **, long);
	void (*X509_free)(void *);
	void *(*X509_get_subject_name)(const void *);
	void *(*X509_get_issuer_name)(const void *);
	char *(*X509_NAME_oneline)(const void *, char *, int);
	int (*X509_NAME_get_index_by_NID)(const void *, int, int);
	void *(*X509_NAME_get_entry)(const void *, int);
	void *(*X509_NAME_ENTRY_get_data)(const void *);
	int (*ASN1_STRING_to_UTF8)(unsigned char **, const void *);
	void *(*X509_get_serialNumber)(void *);
	void *(*ASN1_INTEGER_to_BN)(const void *, void *);
	char *(*BN_bn2dec)(const void *);
	void (*BN_free)(void *);
	void (*CRYPTO_free)(void *, const char *, int);
	const void *(*X509_get0_notBefore)(const void *);
	const void *(*X509_get0_notAfter)(const void *);
	int (*ASN1_TIME_print)(void *, const void *);
	long (*X509_get_version)(const void *);
	int (*PEM_write_bio_X509)(void *, const void *);
	void *(*BIO_new)(const void *);
	const void *(*BIO_s_mem)(void);
	int (*BIO_read)(void *, void *, int);
	int (*BIO_free)(void *);
	int (*OBJ_txt2nid)(const char *);
} ref;

static const char *const attr_oid[TLSG_DN_ATTRS] = {
		"2.5.4.3", "2.5.4.7", "2.5.4.6", "2.5.4.8", "2.5.4.10", "2.5.4.11", "0.9.2342.19200300.100.1.1"};

#define REF_LOAD(lib, name)                      \
	do {                                         \
		*(void **)&ref.name = dlsym(lib, #name); \
		if(ref.name == NULL)                     \
			return -1;                           \
	} while(0)

static int ref_load(void **state)
{
	void *lib = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);

	(void)state;
	if(lib == NULL) {
		printf("cannot load the reference: %s\n", dlerror());
		return -1;
	}
	REF_LOAD(lib, d2i_X509);
	REF_LOAD(lib, X509_free);
	REF_LOAD(lib, X509_get_subject_name);
	REF_LOAD(lib, X509_get_issuer_name);
	REF_LOAD(lib, X509_NAME_oneline);
	REF_LOAD(lib, X509_NAME_get_index_by_NID);
	REF_LOAD(lib, X509_NAME_get_entry);
	REF_LOAD(lib, X509_NAME_ENTRY_get_data);
	REF_LOAD(lib, ASN1_STRING_to_UTF8);
	REF_LOAD(lib, X509_get_serialNumber);
	REF_LOAD(lib, ASN1_INTEGER_to_BN);
	REF_LOAD(lib, BN_bn2dec);
	REF_LOAD(lib, BN_free);
	REF_LOAD(lib, CRYPTO_free);
	REF_LOAD(lib, X509_get0_notBefore);
	REF_LOAD(lib, X509_get0_notAfter);
	REF_LOAD(lib, ASN1_TIME_print);
	REF_LOAD(lib, X509_get_version);
	REF_LOAD(lib, PEM_write_bio_X509);
	REF_LOAD(lib, BIO_new);
	REF_LOAD(lib, BIO_s_mem);
	REF_LOAD(lib, BIO_read);
	REF_LOAD(lib, BIO_free);
	REF_LOAD(lib, OBJ_txt2nid);
	return 0;
}

static void *ref_cert(const struct der *d)
{
	const unsigned char *p = d->data;

	return ref.d2i_X509(NULL, &p, d->size);
}

/** Value of an attribute as the reference converts it. @return length, -1 absent, -2 not convertible. */
static int ref_attr(void *x, bool issuer, unsigned attr, char *out)
{
	void *name = issuer ? ref.X509_get_issuer_name(x) : ref.X509_get_subject_name(x);
	int index = ref.X509_NAME_get_index_by_NID(name, ref.OBJ_txt2nid(attr_oid[attr]), -1);
	unsigned char *text = NULL;
	int len;

	if(index < 0)
		return -1;
	len = ref.ASN1_STRING_to_UTF8(&text, ref.X509_NAME_ENTRY_get_data(ref.X509_NAME_get_entry(name, index)));
	if(len < 0)
		return -2;
	memcpy(out, text, len);
	ref.CRYPTO_free(text, __FILE__, __LINE__);
	return len;
}

/* ---- comparing ---- */
static char text[DER_SIZE];
static char expected[DER_SIZE];

static struct tlsg_buf out_buf(void)
{
	struct tlsg_buf b;

	tlsg_buf_init(&b, text, sizeof(text));
	return b;
}

static void assert_text(const struct tlsg_buf *b, const char *want, size_t len)
{
	if(b->wr != len || memcmp(text, want, len) != 0)
		fail_msg("got '%.*s', want '%.*s'", (int)b->wr, text, (int)len, want);
}

/** Compares all attributes and the line of a name with the reference. */
static void compare_name(struct tlsg_cert *c, void *x, enum tlsg_cert_side side)
{
	bool issuer = side == TLSG_CERT_ISSUER;
	struct tlsg_buf b = out_buf();
	unsigned attr;
	int len;

	assert_non_null(ref.X509_NAME_oneline(
			issuer ? ref.X509_get_issuer_name(x) : ref.X509_get_subject_name(x), expected, sizeof(expected)));
	assert_int_equal(tlsg_cert_text_line(c, side, &b), TLSG_OK);
	assert_text(&b, expected, strlen(expected));
	for(attr = 0; attr < TLSG_DN_ATTRS; attr++) {
		b = out_buf();
		len = ref_attr(x, issuer, attr, expected);
		if(len == -1) {
			assert_int_equal(tlsg_cert_text_attr_get(c, side, attr, &b), TLSG_EOF);
		} else if(len == -2) {
			assert_int_equal(tlsg_cert_text_attr_get(c, side, attr, &b), TLSG_E_PEER);
			assert_int_equal(b.wr, 0);
		} else {
			assert_int_equal(tlsg_cert_text_attr_get(c, side, attr, &b), TLSG_OK);
			assert_text(&b, expected, len);
		}
	}
}

/** Makes a certificate and compares its names with the reference. @return false: GnuTLS does not take the certificate. */
static bool compare_subject(const struct ava *ava, size_t len)
{
	struct spec s = {.subject = ava, .subject_len = len, .version = 2};
	struct der d = cert_make(&s);
	struct tlsg_cert *c = cert_new(&d);
	void *x = ref_cert(&d);

	if(c != NULL && x != NULL) {
		compare_name(c, x, TLSG_CERT_SUBJECT);
		compare_name(c, x, TLSG_CERT_ISSUER);
	}
	ref.X509_free(x);
	tlsg_cert_text_free(c);
	free(d.data);
	return c != NULL;
}

#define SUBJECT(...)                                                                 \
	do {                                                                             \
		static const struct ava subject[] = {__VA_ARGS__};                           \
		assert_true(compare_subject(subject, sizeof(subject) / sizeof(subject[0]))); \
	} while(0)

/* ---- tests ---- */
static void test_names_are_those_of_the_reference(void **state)
{
	(void)state;
	/* everything that scripts ask for, usual types */
	SUBJECT({"2.5.4.6", 19, "DE", 0, 0}, {"2.5.4.8", 12, "Berlin", 0, 0}, {"2.5.4.7", 12, "Mitte", 0, 0},
			{"2.5.4.10", 12, "Example", 0, 0}, {"2.5.4.11", 12, "Unit", 0, 0}, {"2.5.4.3", 12, "sip.example.org", 0, 0},
			{"0.9.2342.19200300.100.1.1", 12, "user1", 0, 0}, {"1.2.840.113549.1.9.1", 22, "a@b.c", 0, 0});
	/* the first of several values is taken */
	SUBJECT({"2.5.4.11", 12, "first", 0, 0}, {"2.5.4.11", 12, "second", 0, 0}, {"2.5.4.3", 12, "x", 0, 0});
	/* several values in one set */
	SUBJECT({"2.5.4.3", 12, "a", 0, 0}, {"0.9.2342.19200300.100.1.1", 12, "b", 0, true}, {"2.5.4.10", 12, "c", 0, 0});
	/* UTF-8 of two, three and four bytes */
	SUBJECT({"2.5.4.3", 12, "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\x9e", 0, 0});
	/* T61String is Latin-1 */
	SUBJECT({"2.5.4.10", 20, "M\xfcller\xff", 0, 0});
	/* BMPString, with a character of each length in UTF-8 */
	SUBJECT({"2.5.4.10", 30, "\x00\x41\x00\xe4\x20\xac", 6, 0});
	/* UniversalString */
	SUBJECT({"2.5.4.10", 28, "\x00\x00\x00\x41\x00\x01\xf4\xde", 8, 0});
	/* control characters, slash, equals sign, backslash, DEL, zero */
	SUBJECT({"2.5.4.3", 12, "a/b=c\\d\x01\n\x7f", 0, 0}, {"2.5.4.10", 12, "a\0b", 3, 0});
	/* types without a short name, and rarely used ones */
	SUBJECT({"1.3.6.1.4.1.99999.1.2", 12, "private", 0, 0}, {"2.5.4.97", 12, "VATDE-1", 0, 0},
			{"0.9.2342.19200300.100.1.25", 22, "example", 0, 0}, {"2.5.4.5", 19, "4711", 0, 0},
			{"1.3.6.1.4.1.311.60.2.1.3", 19, "DE", 0, 0}, {"2.5.4.4", 12, "surname", 0, 0});
	/* GeneralString: four-byte characters show only their last byte in the line */
	SUBJECT({"2.5.4.3", 27, "\0\0\0A\0\0\0B", 8, 0}, {"2.5.4.10", 27, "ABCD", 4, 0}, {"2.5.4.11", 27, "abc", 3, 0});
	/* VisibleString, NumericString, IA5String */
	SUBJECT({"2.5.4.3", 26, "visible", 0, 0}, {"2.5.4.10", 18, "123", 0, 0}, {"2.5.4.11", 22, "ia5", 0, 0});
	/* a long value */
	SUBJECT({"2.5.4.3", 12,
			"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
			"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
			"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
			0, 0});
}

static void test_wrong_strings_are_refused_like_the_reference(void **state)
{
	(void)state;
	SUBJECT({"2.5.4.3", 12, "\xc3", 0, 0});				/* cut */
	SUBJECT({"2.5.4.3", 12, "\xc0\x80", 0, 0});			/* overlong */
	SUBJECT({"2.5.4.3", 12, "\xe0\x80\x80", 0, 0});		/* overlong */
	SUBJECT({"2.5.4.3", 12, "\xed\xa0\x80", 0, 0});		/* surrogate */
	SUBJECT({"2.5.4.3", 12, "\xf4\x90\x80\x80", 0, 0}); /* beyond the last character */
	SUBJECT({"2.5.4.3", 12, "a\xff", 0, 0});			/* no UTF-8 */
	SUBJECT({"2.5.4.3", 30, "\xd8\x00", 2, 0});			/* surrogate */
	SUBJECT({"2.5.4.3", 30, "\x00\x41\x00", 3, 0});		/* odd length */
	SUBJECT({"2.5.4.3", 28, "\x00\x11\x00\x00", 4, 0}); /* beyond the last character */
	SUBJECT({"2.5.4.3", 28, "\x00\x00\x41", 3, 0});		/* odd length */
	SUBJECT({"2.5.4.3", 27, "general", 0, 0});			/* type without conversion */
	SUBJECT({"2.5.4.3", 4, "octets", 0, 0});			/* type without conversion */
}

static unsigned long seed = 20260101;

static unsigned next_random(unsigned below)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 33) % below;
}

static void test_random_names(void **state)
{
	static const unsigned char tags[] = {12, 18, 19, 20, 22, 26, 27, 28, 30, 4};
	static const char *const more_oids[] = {
			"2.5.4.5", "2.5.4.42", "1.2.840.113549.1.9.1", "1.2.3.4.5.6789", "2.5.4.12", "0.9.2342.19200300.100.1.25"};
	unsigned char value[6][40];
	struct ava ava[6];
	unsigned round, i, j, pick, compared = 0;

	(void)state;
	for(round = 0; round < 3000; round++) {
		unsigned len = next_random(6) + 1;

		for(i = 0; i < len; i++) {
			pick = next_random(TLSG_DN_ATTRS + 6);
			ava[i].oid = pick < TLSG_DN_ATTRS ? attr_oid[pick] : more_oids[pick - TLSG_DN_ATTRS];
			ava[i].tag = tags[next_random(sizeof(tags))];
			ava[i].size = (next_random(9) + 1) * 4;
			ava[i].same_set = i > 0 && next_random(4) == 0;
			ava[i].value = (const char *)value[i];
			for(j = 0; j < ava[i].size; j++)
				value[i][j] = next_random(3) == 0 ? next_random(256) : next_random(2) * ' ' + next_random(64);
		}
		compared += compare_subject(ava, len);
	}
	printf("%u of %u random certificates compared\n", compared, round);
	assert_true(compared > round / 2);
}

static void test_empty_subject(void **state)
{
	static const struct ava none[1];
	struct spec s = {.subject = none, .subject_len = 0, .version = 2};
	struct der d = cert_make(&s);
	struct tlsg_cert *c = cert_new(&d);
	struct tlsg_buf b = out_buf();

	(void)state;
	assert_non_null(c);
	assert_int_equal(tlsg_cert_text_line(c, TLSG_CERT_SUBJECT, &b), TLSG_OK);
	assert_int_equal(b.wr, 0);
	assert_int_equal(tlsg_cert_text_attr_get(c, TLSG_CERT_SUBJECT, TLSG_DN_CN, &b), TLSG_EOF);
	assert_int_equal(tlsg_cert_text_attr_get(c, TLSG_CERT_SUBJECT, (enum tlsg_dn_attr)TLSG_DN_ATTRS, &b), TLSG_EOF);
	tlsg_cert_text_free(c);
	free(d.data);
}

static void test_serials(void **state)
{
	static const struct
	{
		const char *bytes;
		size_t len;
	} serial[] = {
			{"\x00", 1},
			{"\x01", 1},
			{"\x7f", 1},
			{"\x00\x80", 2},
			{"\x00\xff\xff\xff\xff\xff\xff\xff\xff", 9},
			{"\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12\x34\x56\x78", 20},
			{"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 21},
			{"\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			 "\xff\xff\xff\xff\xff\xff",
					32},
			{"\xff", 1},	 /* -1 */
			{"\x80", 1},	 /* -128 */
			{"\x80\x00", 2}, /* -32768 */
			{"\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0\x12", 10},
	};
	unsigned i;

	(void)state;
	for(i = 0; i < sizeof(serial) / sizeof(serial[0]); i++) {
		struct spec s = {.serial = serial[i].bytes, .serial_len = serial[i].len, .version = 2};
		struct der d = cert_make(&s);
		struct tlsg_cert *c = cert_new(&d);
		void *x = ref_cert(&d);
		void *bn = ref.ASN1_INTEGER_to_BN(ref.X509_get_serialNumber(x), NULL);
		char *dec = ref.BN_bn2dec(bn);
		struct tlsg_buf b = out_buf();

		assert_non_null(c);
		assert_int_equal(tlsg_cert_text_serial(c, &b), TLSG_OK);
		assert_text(&b, dec, strlen(dec));
		ref.CRYPTO_free(dec, __FILE__, __LINE__);
		ref.BN_free(bn);
		ref.X509_free(x);
		tlsg_cert_text_free(c);
		free(d.data);
	}
}

static void test_serial_limits(void **state)
{
	char bytes[70];
	struct spec s = {.serial = bytes, .version = 2};
	static const size_t len[] = {40, 64, 65, 70};
	unsigned i;

	(void)state;
	memset(bytes, 0x7f, sizeof(bytes));
	for(i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		struct tlsg_buf b = out_buf();
		struct tlsg_cert *c;
		struct der d;

		s.serial_len = len[i];
		d = cert_make(&s);
		c = cert_new(&d);
		assert_non_null(c);
		assert_int_equal(tlsg_cert_text_serial(c, &b), TLSG_E_PEER);
		assert_int_equal(b.wr, 0);
		tlsg_cert_text_free(c);
		free(d.data);
	}
}

/** Text of a time as the reference prints it. @return length. */
static int ref_time(const void *t)
{
	void *bio = ref.BIO_new(ref.BIO_s_mem());
	int len;

	assert_int_equal(ref.ASN1_TIME_print(bio, t), 1);
	len = ref.BIO_read(bio, expected, sizeof(expected));
	ref.BIO_free(bio);
	return len;
}

static void test_dates(void **state)
{
	static const struct spec dates[] = {
			{.not_before = "700101000000Z", .not_after = "310105090307Z", .version = 2},
			{.not_before = "990228235959Z", .not_after = "491231235959Z", .version = 2},
			{.not_before = "000229120000Z", .not_after = "20500101000000Z", .not_after_tag = 0x18, .version = 2},
			{.not_before = "20240229010203Z",
					.not_before_tag = 0x18,
					.not_after = "99991231235959Z",
					.not_after_tag = 0x18,
					.version = 2},
	};
	struct tlsg_buf b;
	unsigned i;
	int len;

	(void)state;
	for(i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		struct der d = cert_make(&dates[i]);
		struct tlsg_cert *c = cert_new(&d);
		void *x = ref_cert(&d);

		assert_non_null(c);
		b = out_buf();
		len = ref_time(ref.X509_get0_notBefore(x));
		assert_int_equal(tlsg_cert_text_date(c, TLSG_CERT_NOT_BEFORE, &b), TLSG_OK);
		assert_text(&b, expected, len);
		b = out_buf();
		len = ref_time(ref.X509_get0_notAfter(x));
		assert_int_equal(tlsg_cert_text_date(c, TLSG_CERT_NOT_AFTER, &b), TLSG_OK);
		assert_text(&b, expected, len);
		ref.X509_free(x);
		tlsg_cert_text_free(c);
		free(d.data);
	}
	b = out_buf();
	assert_int_equal(tlsg_cert_text_date_format((time_t)INT64_MAX, &b), TLSG_E_PEER);
	assert_int_equal(tlsg_cert_text_date_format((time_t)300000000000, &b), TLSG_E_PEER);
	assert_int_equal(b.wr, 0);
}

static void test_versions(void **state)
{
	int version;

	(void)state;
	for(version = -1; version <= 2; version++) {
		struct spec s = {.version = version};
		struct der d = cert_make(&s);
		struct tlsg_cert *c = cert_new(&d);
		void *x = ref_cert(&d);

		assert_non_null(c);
		assert_int_equal(tlsg_cert_text_version(c), ref.X509_get_version(x));
		ref.X509_free(x);
		tlsg_cert_text_free(c);
		free(d.data);
	}
}

#define SAN_OTHER 0xA0
#define SAN_EMAIL 0x81
#define SAN_DNS 0x82
#define SAN_URI 0x86
#define SAN_IP 0x87
#define SAN_RID 0x88

static void assert_san(const struct tlsg_cert *c, enum tlsg_cert_san kind, unsigned index, const char *want, size_t len)
{
	struct tlsg_buf b = out_buf();

	assert_int_equal(tlsg_cert_text_san_get(c, kind, index, &b), TLSG_OK);
	assert_text(&b, want, len);
}

static void test_alternative_names(void **state)
{
	static const char v6[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01";
	struct der san = {NULL, 0};
	struct spec s = {.version = 2};
	struct tlsg_buf b = out_buf();
	struct tlsg_cert *c;
	struct der d;

	(void)state;
	der_tlv(&san, SAN_DNS, "a.example.org", 13);
	der_tlv(&san, SAN_IP, "\x7f\x00\x00\x01", 4);
	der_tlv(&san, SAN_URI, "sip:example.org", 15);
	der_tlv(&san, SAN_DNS, "b.example.org\0.evil.org", 23);
	der_tlv(&san, SAN_EMAIL, "me@example.org", 14);
	der_tlv(&san, SAN_RID, "\x2a\x03\x04", 3);
	der_tlv(&san, SAN_IP, v6, 16);
	der_tlv(&san, SAN_IP, "\x01\x02\x03", 3);
	der_tlv(&san, SAN_URI, "sip:\xc3\xa4", 6);
	s.san = san.data;
	s.san_len = san.size;
	d = cert_make(&s);
	c = cert_new(&d);
	assert_non_null(c);
	assert_int_equal(tlsg_cert_text_san_count(c, TLSG_SAN_DNS), 2);
	assert_int_equal(tlsg_cert_text_san_count(c, TLSG_SAN_IP), 3);
	assert_int_equal(tlsg_cert_text_san_count(c, TLSG_SAN_URI), 2);
	assert_int_equal(tlsg_cert_text_san_count(c, TLSG_SAN_EMAIL), 1);
	assert_int_equal(tlsg_cert_text_san_count(c, (enum tlsg_cert_san)TLSG_SANS), 0);
	assert_san(c, TLSG_SAN_DNS, 0, "a.example.org", 13);
	assert_san(c, TLSG_SAN_DNS, 1, "b.example.org\0.evil.org", 23);
	assert_san(c, TLSG_SAN_IP, 0, "\x7f\x00\x00\x01", 4);
	assert_san(c, TLSG_SAN_IP, 1, v6, 16);
	assert_san(c, TLSG_SAN_URI, 0, "sip:example.org", 15);
	assert_san(c, TLSG_SAN_URI, 1, "sip:\xc3\xa4", 6);
	assert_san(c, TLSG_SAN_EMAIL, 0, "me@example.org", 14);
	assert_int_equal(tlsg_cert_text_san_get(c, TLSG_SAN_IP, 2, &b), TLSG_E_PEER);
	assert_int_equal(tlsg_cert_text_san_get(c, TLSG_SAN_DNS, 2, &b), TLSG_EOF);
	assert_int_equal(tlsg_cert_text_san_get(c, TLSG_SAN_EMAIL, UINT32_MAX, &b), TLSG_EOF);
	assert_int_equal(tlsg_cert_text_san_get(c, (enum tlsg_cert_san)TLSG_SANS, 0, &b), TLSG_EOF);
	assert_int_equal(b.wr, 0);
	tlsg_cert_text_free(c);
	free(d.data);
	free(san.data);
}

static void test_no_and_malformed_alternative_names(void **state)
{
	static const struct spec specs[] = {{.version = 2}, {.san = "\x82\x7f\x41", .san_len = 3, .version = 2}, /* cut */
			{.san = "\x82\x00", .san_len = 2, .version = 2}, /* an empty name */
			{.san = "", .san_len = 0, .version = 2}};		 /* no name */
	unsigned i;

	(void)state;
	for(i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct tlsg_buf b = out_buf();
		struct der d = cert_make(&specs[i]);
		struct tlsg_cert *c = cert_new(&d);

		if(c != NULL) {
			assert_int_equal(tlsg_cert_text_san_get(c, TLSG_SAN_DNS, 0, &b), TLSG_EOF);
			assert_int_equal(tlsg_cert_text_san_count(c, TLSG_SAN_DNS), 0);
		} else {
			assert_int_not_equal(i, 0); /* only a malformed one may be refused as a whole */
		}
		tlsg_cert_text_free(c);
		free(d.data);
	}
}

static void test_many_alternative_names(void **state)
{
	struct der san = {NULL, 0};
	struct spec s = {.version = 2};
	struct tlsg_cert *c;
	struct der d;
	char name[32];
	unsigned i;

	(void)state;
	for(i = 0; i < 500; i++)
		der_tlv(&san, SAN_DNS, name, snprintf(name, sizeof(name), "host%u.example.org", i));
	s.san = san.data;
	s.san_len = san.size;
	d = cert_make(&s);
	c = cert_new(&d);
	assert_non_null(c);
	assert_int_equal(tlsg_cert_text_san_count(c, TLSG_SAN_DNS), 500);
	assert_san(c, TLSG_SAN_DNS, 499, name, strlen(name));
	tlsg_cert_text_free(c);
	free(d.data);
	free(san.data);
}

static void test_pem(void **state)
{
	struct spec s = {.version = 2};
	struct der d = cert_make(&s);
	struct tlsg_der der = {d.data, d.size};
	struct tlsg_buf b = out_buf();
	void *bio = ref.BIO_new(ref.BIO_s_mem());
	void *x = ref_cert(&d);
	int len;
	size_t size;

	(void)state;
	assert_int_equal(ref.PEM_write_bio_X509(bio, x), 1);
	len = ref.BIO_read(bio, expected, sizeof(expected));
	ref.BIO_free(bio);
	ref.X509_free(x);
	assert_int_equal(tlsg_cert_text_pem(&der, &b), TLSG_OK);
	assert_text(&b, expected, len);
	size = b.wr;
	tlsg_buf_init(&b, text, size);
	assert_int_equal(tlsg_cert_text_pem(&der, &b), TLSG_OK);
	tlsg_buf_init(&b, text, size - 1);
	assert_int_equal(tlsg_cert_text_pem(&der, &b), TLSG_FULL);
	assert_int_equal(b.wr, 0);
	free(d.data);
}

static void test_pem_url(void **state)
{
	struct tlsg_der der = {(unsigned char *)"\xfb\xff\xbf", 3}; /* base64 "+/+/" */
	static const char want[] = "-----BEGIN%20CERTIFICATE-----%0a%2b%2f%2b%2f%0a-----END%20CERTIFICATE-----%0a";
	struct tlsg_buf b = out_buf();

	(void)state;
	assert_int_equal(tlsg_cert_text_pem_url(&der, &b), TLSG_OK);
	assert_text(&b, want, strlen(want));
	tlsg_buf_init(&b, text, strlen(want) - 1);
	assert_int_equal(tlsg_cert_text_pem_url(&der, &b), TLSG_FULL);
	assert_int_equal(b.wr, 0);
}

static void test_small_buffers(void **state)
{
	static const struct ava subject[] = {{"2.5.4.3", 12, "J\xc3\xbcrgen", 0, false}, {"2.5.4.10", 12, "O\n", 0, false}};
	struct spec s = {.subject = subject, .subject_len = 2, .serial = "\x12\x34", .serial_len = 2, .version = 2};
	struct der d = cert_make(&s);
	struct tlsg_cert *c = cert_new(&d);
	struct tlsg_buf b;
	size_t size;

	(void)state;
	assert_non_null(c);
	for(size = 0; size < strlen("/CN=J\\xC3\\xBCrgen/O=O\\x0A"); size++) {
		tlsg_buf_init(&b, text, size);
		assert_int_equal(tlsg_cert_text_line(c, TLSG_CERT_SUBJECT, &b), TLSG_FULL);
		assert_int_equal(b.wr, 0);
	}
	for(size = 0; size < strlen("J\xc3\xbcrgen"); size++) {
		tlsg_buf_init(&b, text, size);
		assert_int_equal(tlsg_cert_text_attr_get(c, TLSG_CERT_SUBJECT, TLSG_DN_CN, &b), TLSG_FULL);
		assert_int_equal(b.wr, 0);
	}
	tlsg_buf_init(&b, text, 3);
	assert_int_equal(tlsg_cert_text_serial(c, &b), TLSG_FULL);
	assert_int_equal(tlsg_cert_text_date(c, TLSG_CERT_NOT_AFTER, &b), TLSG_FULL);
	assert_int_equal(b.wr, 0);
	tlsg_cert_text_free(c);
	free(d.data);
}

static void test_garbage(void **state)
{
	struct spec s = {.version = 2};
	struct der d = cert_make(&s);
	struct tlsg_der in = {d.data, 0};

	(void)state;
	for(in.size = 0; in.size < d.size; in.size++)
		assert_null(tlsg_cert_text_new(&in));
	in.data = (unsigned char *)"garbage";
	in.size = 7;
	assert_null(tlsg_cert_text_new(&in));
	tlsg_cert_text_free(NULL);
	free(d.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_names_are_those_of_the_reference),
			cmocka_unit_test(test_wrong_strings_are_refused_like_the_reference),
			cmocka_unit_test(test_random_names),
			cmocka_unit_test(test_empty_subject),
			cmocka_unit_test(test_serials),
			cmocka_unit_test(test_serial_limits),
			cmocka_unit_test(test_dates),
			cmocka_unit_test(test_versions),
			cmocka_unit_test(test_alternative_names),
			cmocka_unit_test(test_no_and_malformed_alternative_names),
			cmocka_unit_test(test_many_alternative_names),
			cmocka_unit_test(test_pem),
			cmocka_unit_test(test_pem_url),
			cmocka_unit_test(test_small_buffers),
			cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, ref_load, NULL);
}
