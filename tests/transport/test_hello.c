/*
 * tls_gnutls - tests of the ClientHello reader
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: stack.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "transport/hello.h"

#define ROOM 70000

static unsigned char bytes[ROOM];
static struct tlsg_buf msg;

static void put(const void *data, size_t size)
{
	assert_true(tlsg_buf_put(&msg, data, size));
}

static void put_number(unsigned n, unsigned size)
{
	unsigned char b[2] = {(unsigned char)(n >> 8), (unsigned char)n};

	put(b + (2 - size), size);
}

/* Version, random, session id, two suites, no compression. */
static void begin(void)
{
	static const unsigned char zero[32];

	tlsg_buf_init(&msg, bytes, sizeof(bytes));
	put("\x03\x03", 2);
	put(zero, sizeof(zero));
	put("\x02xy", 3);
	put("\x00\x04\x13\x01\xc0\x2b", 6);
	put("\x01\x00", 2);
}

static void put_extension(unsigned type, const void *data, size_t size)
{
	put_number(type, 2);
	put_number((unsigned)size, 2);
	put(data, size);
}

/* An extension block with server_name holding one host name. */
static void put_name(const char *name, size_t size)
{
	put_number((unsigned)(size + 9), 2);
	put_number(0, 2);
	put_number((unsigned)(size + 5), 2);
	put_number((unsigned)(size + 3), 2);
	put_number(0, 1);
	put_number((unsigned)size, 2);
	put(name, size);
}

static enum tlsg_ret read_msg(struct tlsg_hello *h)
{
	return tlsg_hello_read(bytes, msg.wr, false, h);
}

/* Not read: malformed, or with `illegal` of a value that is not allowed. */
static void assert_refused(bool illegal)
{
	struct tlsg_hello h;

	assert_int_equal(read_msg(&h), TLSG_E_PEER);
	assert_int_equal(h.illegal, illegal);
}

static void test_fields(void **state)
{
	struct tlsg_hello h;

	(void)state;
	begin();
	put_number(4 + 5 + 4 + 12 + 4 + 6, 2);
	put_extension(13, "\x00\x04\x04\x03\x08\x04", 6);
	put_extension(43, "\x04\x03\x04\x03\x03", 5);
	put_extension(0, "\x00\x0a\x00\x00\x07host.de", 12);
	assert_int_equal(read_msg(&h), TLSG_OK);
	assert_int_equal(h.version, 0x0303);
	assert_int_equal(h.suites_len, 2);
	assert_memory_equal(h.suites, "\x13\x01\xc0\x2b", 4);
	assert_int_equal(h.name_len, 7);
	assert_memory_equal(h.name, "host.de", 7);
	assert_int_equal(h.versions_len, 2);
	assert_memory_equal(h.versions, "\x03\x04\x03\x03", 4);
	assert_int_equal(h.sigs_len, 2);
	assert_memory_equal(h.sigs, "\x04\x03\x08\x04", 4);
}

/* DTLS: a cookie behind the session id, and versions that count down. */
static void test_datagram(void **state)
{
	static const unsigned old = TLSG_VERSION_BIT(TLSG_TLS1_0) | TLSG_VERSION_BIT(TLSG_TLS1_1);
	static const unsigned sent[] = {0xfefd, 0xfefc, 0xfeff, 0x0303, 0x0100};
	const unsigned offered[] = {
			old | TLSG_VERSION_BIT(TLSG_TLS1_2), old | TLSG_VERSION_BIT(TLSG_TLS1_2), old, 0, 0 /* of a draft */};
	struct tlsg_cipher_offer offer;
	struct tlsg_hello h;
	size_t i, n;

	(void)state;
	for(i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		tlsg_buf_init(&msg, bytes, sizeof(bytes));
		put_number(sent[i], 2);
		put("0123456789abcdef0123456789abcdef", 32);
		put("\x00", 1);
		put("\x10the cookie has 16", 17);
		put("\x00\x04\xc0\x2c\xc0\x2b\x01\x00", 8);
		assert_int_equal(tlsg_hello_read(bytes, msg.wr, true, &h), TLSG_OK);
		assert_int_equal(h.version, sent[i]);
		assert_int_equal(h.suites_len, 2);
		assert_memory_equal(h.suites, "\xc0\x2c\xc0\x2b", 4);
		tlsg_hello_offer(&h, ~0U, &offer);
		assert_int_equal(offer.versions, offered[i]);
		for(n = 0; n < msg.wr; n++)
			assert_int_equal(tlsg_hello_read(bytes, n, true, &h), TLSG_E_PEER);
	}
}

static void test_no_extensions(void **state)
{
	struct tlsg_hello h;

	(void)state;
	begin();
	assert_int_equal(read_msg(&h), TLSG_OK);
	assert_null(h.name);
	assert_null(h.versions);
	assert_null(h.sigs);
}

static void test_names(void **state)
{
	static char name[300];
	struct tlsg_hello h;

	(void)state;
	memset(name, 'a', sizeof(name));
	begin();
	put_name(name, 255);
	assert_int_equal(read_msg(&h), TLSG_OK);
	assert_int_equal(h.name_len, 255);
	begin();
	put_name(name, 256); /* too long for a host name */
	assert_refused(true);
	begin();
	put_name("", 0); /* HostName<1..2^16-1>: does not fit */
	assert_refused(false);
	begin();
	put_name("good\0evil", 9);
	assert_int_equal(read_msg(&h), TLSG_OK);
	assert_false(h.name_is_visible);
	begin(); /* would forge a log line */
	put_name("a\nWARNING: b", 12);
	assert_int_equal(read_msg(&h), TLSG_OK);
	assert_false(h.name_is_visible);
	begin();
	put_name("a b", 3);
	assert_int_equal(read_msg(&h), TLSG_OK);
	assert_false(h.name_is_visible);
	begin();
	put_name("\x1b[2Jx", 5);
	assert_int_equal(read_msg(&h), TLSG_OK);
	assert_false(h.name_is_visible);
	begin();
	put_name("a\x9b", 2);
	assert_int_equal(read_msg(&h), TLSG_OK);
	assert_false(h.name_is_visible);
	begin();
	put_name("a_b:1", 5);
	assert_int_equal(read_msg(&h), TLSG_OK);
	assert_true(h.name_is_visible);
	begin(); /* two host names */
	put_number(4 + 10, 2);
	put_extension(0, "\x00\x08\x00\x00\x01x\x00\x00\x01y", 10);
	assert_refused(true);
	begin(); /* an unknown type is skipped */
	put_number(4 + 10, 2);
	put_extension(0, "\x00\x08\x09\x00\x01x\x00\x00\x01y", 10);
	assert_int_equal(read_msg(&h), TLSG_OK);
	assert_memory_equal(h.name, "y", 1);
	assert_false(h.illegal);
}

static void test_every_truncation_is_refused(void **state)
{
	struct tlsg_hello h;
	size_t whole;
	size_t head;
	size_t n;

	(void)state;
	begin();
	head = msg.wr;
	put_name("host.example", 12);
	whole = msg.wr;
	assert_int_equal(tlsg_hello_read(bytes, whole, false, &h), TLSG_OK);
	for(n = 0; n < whole; n++) {
		assert_int_equal(tlsg_hello_read(bytes, n, false, &h), n == head ? TLSG_OK : TLSG_E_PEER);
		assert_false(h.illegal);
	}
	bytes[whole] = 0; /* a byte too many */
	assert_int_equal(tlsg_hello_read(bytes, whole + 1, false, &h), TLSG_E_PEER);
	assert_false(h.illegal);
}

static void test_malformed_lists(void **state)
{
	static const struct
	{
		unsigned type, size;
	} empty[] = {{10, 2}, {13, 2}, {43, 1}};
	size_t i;

	(void)state;
	begin();
	put_number(4 + 4, 2);
	put_extension(43, "\x03\x03\x04\x03", 4);
	assert_refused(false);
	for(i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		begin();
		put_number(4 + empty[i].size, 2);
		put_extension(empty[i].type, "\x00\x00", empty[i].size);
		assert_refused(false);
	}
	begin();
	bytes[38] = 3; /* length of the suites */
	assert_refused(false);
}

/* Nothing is negotiated, but a malformed list of protocols is noticed. */
static void test_protocols(void **state)
{
	static const struct
	{
		const char *ext;
		unsigned size;
		bool good;
	} rows[] = {
			{"\x00\x04\x03sip", 6, true},
			{"\x00\x0d\x03sip\x08http/1.1", 15, true},
			{"", 0, false},
			{"\x00\x00", 2, false},
			{"\x00\x01\x00", 3, false},		   /* an empty name */
			{"\x00\x05\x00\x03sip", 7, false}, /* the same before another */
			{"\x00\x05\x03sip\x00", 7, false}, /* and behind one */
			{"\x00\x04\x04sip", 6, false},	   /* longer than the list */
			{"\x00\x03\x03sip", 6, false},	   /* list shorter than the extension */
			{"\x00\x05\x03sip", 6, false},	   /* and longer */
			{"\x00", 1, false},
	};
	struct tlsg_hello h;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		put_number(4 + rows[i].size, 2);
		put_extension(16, rows[i].ext, rows[i].size);
		if(rows[i].good)
			assert_int_equal(read_msg(&h), TLSG_OK);
		else
			assert_refused(false);
	}
}

/* A session id has at most 32 bytes. */
static void test_session_id(void **state)
{
	static const unsigned char zero[33];
	struct tlsg_hello h;
	unsigned size;

	(void)state;
	for(size = 32; size <= 33; size++) {
		tlsg_buf_init(&msg, bytes, sizeof(bytes));
		put("\x03\x03", 2);
		put(zero, 32);
		put_number(size, 1);
		put(zero, size);
		put("\x00\x02\x13\x01\x01\x00", 6);
		if(size == 32)
			assert_int_equal(read_msg(&h), TLSG_OK);
		else
			assert_refused(false);
	}
}

/* Where the ClientHello has no extension, everything is offered that its version allows. */
static void test_offer_without_extensions(void **state)
{
	struct tlsg_cipher_offer offer;
	struct tlsg_hello h;

	(void)state;
	begin();
	assert_int_equal(read_msg(&h), TLSG_OK);
	tlsg_hello_offer(&h, TLSG_VERSION_BIT(TLSG_TLS1_2), &offer);
	assert_ptr_equal(offer.ids, h.suites);
	assert_int_equal(offer.ids_bytes, 4);
	assert_int_equal(offer.versions,
			TLSG_VERSION_BIT(TLSG_TLS1_0) | TLSG_VERSION_BIT(TLSG_TLS1_1) | TLSG_VERSION_BIT(TLSG_TLS1_2));
	assert_int_equal(offer.keys, TLSG_CIPHER_KEY_ALL);
	assert_int_equal(offer.groups, 0);
	assert_int_equal(offer.curves, 0);
	assert_int_equal(offer.dh_groups, 0);
	assert_null(offer.group_numbers);
	assert_int_equal(offer.group_numbers_len, 0);
	assert_int_equal(offer.without, 0);
	assert_int_equal(offer.usable, 0);
}

/* The curves of an ECDSA key are limited unless TLS 1.3 can be negotiated. */
static void test_offer_groups(void **state)
{
	const unsigned tls12 = TLSG_VERSION_BIT(TLSG_TLS1_2);
	const unsigned tls13 = TLSG_VERSION_BIT(TLSG_TLS1_3);
	struct tlsg_cipher_offer offer;
	struct tlsg_hello h;

	(void)state;
	begin();
	put_number(4 + 5 + 4 + 8, 2);
	put_extension(43, "\x04\x03\x04\x03\x03", 5);
	put_extension(10, "\x00\x06\x00\x18\x01\x00\x01\x17", 8); /* P-384, ffdhe2048, and 23 with a high byte */
	assert_int_equal(read_msg(&h), TLSG_OK);
	tlsg_hello_offer(&h, tls12, &offer);
	assert_int_equal(offer.groups, TLSG_CIPHER_GROUP_SENT | TLSG_CIPHER_GROUP(24));
	assert_int_equal(offer.curves, offer.groups);
	assert_int_equal(
			offer.dh_groups, TLSG_CIPHER_DH_SENT | TLSG_CIPHER_DH_GROUP(256) | TLSG_CIPHER_DH_GROUP(256 + 0x17));
	tlsg_hello_offer(&h, tls12 | tls13, &offer);
	assert_int_equal(offer.groups, 0);
	assert_int_equal(offer.curves, TLSG_CIPHER_GROUP_SENT | TLSG_CIPHER_GROUP(24));
	assert_int_equal(offer.group_numbers_len, 3);
	assert_memory_equal(offer.group_numbers, "\x00\x18\x01\x00\x01\x17", 6);
}

static void test_offer_with_extensions(void **state)
{
	static const struct
	{
		const char *sigs;	/* two algorithms */
		const char *groups; /* one group */
		unsigned keys;
		unsigned curves;
		unsigned dh_groups;
	} all[] = {
			{"\x04\x03\x05\x03", "\x00\x17", TLSG_CIPHER_KEY_ECDSA, TLSG_CIPHER_GROUP(23), 0},
			{"\x04\x01\x08\x04", "\x00\x1d", TLSG_CIPHER_KEY_RSA, TLSG_CIPHER_GROUP(29), 0},
			{"\x08\x07\x04\x02", "\x01\x00", TLSG_CIPHER_KEY_ECDSA | TLSG_CIPHER_KEY_DSA, 0,
					TLSG_CIPHER_DH_SENT | TLSG_CIPHER_DH_GROUP(256)},					   /* ffdhe2048 */
			{"\x04\x01\x08\x04", "\x01\xfd", TLSG_CIPHER_KEY_RSA, 0, TLSG_CIPHER_DH_SENT}, /* a private one */
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct tlsg_cipher_offer offer;
		struct tlsg_hello h;

		begin();
		put_number(4 + 5 + 4 + 6 + 4 + 4, 2);
		put_extension(43, "\x04\x03\x04\x7f\x1c", 5); /* TLS 1.3, and a draft of it */
		put_number(13, 2);
		put_number(6, 2);
		put_number(4, 2);
		put(all[i].sigs, 4);
		put_number(10, 2);
		put_number(4, 2);
		put_number(2, 2);
		put(all[i].groups, 2);
		assert_int_equal(read_msg(&h), TLSG_OK);
		tlsg_hello_offer(&h, TLSG_VERSION_BIT(TLSG_TLS1_3), &offer);
		assert_int_equal(offer.versions, TLSG_VERSION_BIT(TLSG_TLS1_3));
		assert_int_equal(offer.keys, all[i].keys);
		assert_int_equal(offer.curves, TLSG_CIPHER_GROUP_SENT | all[i].curves);
		assert_int_equal(offer.dh_groups, all[i].dh_groups);
		assert_int_equal(offer.without, 0);
	}
}

/* Extensions with a ticket of TLS 1.2, tickets of TLS 1.3, and supported_versions or none. */
static void put_tickets(bool tls13, const char *ticket, size_t ticket_size, const char *psks, size_t psks_size)
{
	begin();
	put_number((unsigned)(4 + ticket_size + (psks != NULL ? 4 + psks_size : 0) + (tls13 ? 9 : 0)), 2);
	put_extension(35, ticket, ticket_size);
	if(tls13)
		put_extension(43, "\x04\x03\x04\x03\x03", 5);
	if(psks != NULL)
		put_extension(41, psks, psks_size);
}

static const struct tlsg_der *tickets_of(struct tlsg_hello *h, unsigned allowed, unsigned *len)
{
	assert_int_equal(read_msg(h), TLSG_OK);
	return tlsg_hello_tickets(h, allowed, len);
}

static void test_tickets(void **state)
{
	static const char two[] = "\x00\x11\x00\x03"
							  "one"
							  "\x01\x02\x03\x04\x00\x02"
							  "zw"
							  "\x00\x00\x00\x00\x00\x02\x01x";
	const unsigned all = TLSG_VERSION_BIT(TLSG_TLS1_2) | TLSG_VERSION_BIT(TLSG_TLS1_3);
	const struct tlsg_der *t;
	struct tlsg_hello h;
	unsigned len;

	(void)state;
	put_tickets(true, "old", 3, two, sizeof(two) - 1);
	t = tickets_of(&h, all, &len);
	assert_int_equal(len, 2);
	assert_int_equal(t[0].size, 3);
	assert_memory_equal(t[0].data, "one", 3);
	assert_int_equal(t[1].size, 2);
	assert_memory_equal(t[1].data, "zw", 2);
	t = tlsg_hello_tickets(&h, TLSG_VERSION_BIT(TLSG_TLS1_2), &len); /* the server has TLS 1.2 only */
	assert_int_equal(len, 1);
	assert_memory_equal(t->data, "old", 3);
	put_tickets(false, "old", 3, two, sizeof(two) - 1); /* the client has TLS 1.2 only */
	t = tickets_of(&h, all, &len);
	assert_int_equal(len, 1);
	assert_memory_equal(t->data, "old", 3);
	put_tickets(true, "", 0, NULL, 0); /* nothing to resume */
	(void)tickets_of(&h, all, &len);
	assert_int_equal(len, 0);
	(void)tlsg_hello_tickets(&h, TLSG_VERSION_BIT(TLSG_TLS1_2), &len);
	assert_int_equal(len, 0);
}

/* What is malformed is left to GnuTLS; nothing behind the end is read, and no more than a few are. */
static void test_malformed_tickets(void **state)
{
	static const char many[] = "\x00\x2a"
							   "\x00\x01"
							   "a....\x00\x01"
							   "b....\x00\x01"
							   "c....\x00\x01"
							   "d....\x00\x01"
							   "e....\x00\x01"
							   "f....";
	static const char *const lists[] = {"", "\x00",
			"\x00\x07\x00\x01"
			"a...",
			"\x00\x05\x00\x03"
			"abc",
			"\x00\x04\xff\xff"
			"ab"};
	static const size_t sizes[] = {0, 1, 8, 7, 6};
	struct tlsg_hello h;
	unsigned len;
	size_t i;

	(void)state;
	put_tickets(true, "", 0, many, sizeof(many) - 1);
	(void)tickets_of(&h, TLSG_VERSION_BIT(TLSG_TLS1_3), &len);
	assert_int_equal(len, TLSG_HELLO_TICKETS);
	for(i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		put_tickets(true, "", 0, lists[i], sizes[i]);
		(void)tickets_of(&h, TLSG_VERSION_BIT(TLSG_TLS1_3), &len);
		assert_int_equal(len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_fields),
			cmocka_unit_test(test_datagram),
			cmocka_unit_test(test_no_extensions),
			cmocka_unit_test(test_protocols),
			cmocka_unit_test(test_names),
			cmocka_unit_test(test_every_truncation_is_refused),
			cmocka_unit_test(test_malformed_lists),
			cmocka_unit_test(test_session_id),
			cmocka_unit_test(test_offer_without_extensions),
			cmocka_unit_test(test_offer_groups),
			cmocka_unit_test(test_offer_with_extensions),
			cmocka_unit_test(test_tickets),
			cmocka_unit_test(test_malformed_tickets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
