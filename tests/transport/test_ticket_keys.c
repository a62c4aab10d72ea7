/*
 * tls_gnutls - tests of the keys of ticket_key_file: which key a ticket was made with, what is bound to it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region; the client's on the heap.  Lock: none.
 *
 * The name of a key in a ticket is GnuTLS's own. If a version of GnuTLS makes it in another way, these tests fail, and
 * only the first key decrypts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/crypto.h>

#include "base/host.h"
#include "profiles/ticket.h"
#include "profiles/ticket_file.h"
#include "tests/lib/ticket.h"
#include "tests/lib/ticket_server.h"

static const gnutls_protocol_t versions[] = {GNUTLS_TLS1_2, GNUTLS_TLS1_3};

/** Makes a key file. @return its path. */
static const char *key_make(const char *name, char buf[128])
{
	unsigned char key[TLSG_TICKET_MASTER_SIZE];
	FILE *f = fopen(tlsg_ticket_server_path(name, buf), "wb");

	assert_non_null(f);
	assert_true(gnutls_rnd(GNUTLS_RND_KEY, key, sizeof(key)) >= 0);
	assert_int_equal(fwrite(key, 1, sizeof(key), f), sizeof(key));
	fclose(f);
	return buf;
}

static gnutls_datum_t session_get(gnutls_protocol_t version)
{
	struct tlsg_ticket_result r;

	tlsg_ticket_connect(version, NULL, &r);
	assert_int_equal(r.client, 0);
	return r.session;
}

static bool resumes(gnutls_protocol_t version, const gnutls_datum_t *session)
{
	struct tlsg_ticket_result r;

	tlsg_ticket_connect(version, session, &r);
	assert_int_equal(r.client, 0);
	gnutls_free(r.session.data);
	return r.resumed;
}

/** Which key of the current snapshot a session's ticket was made with. */
static int match(const gnutls_datum_t *session, time_t now)
{
	struct tlsg_set *set = tlsg_set_get();
	struct tlsg_der tickets[2] = {{(unsigned char *)"short", 5}, {NULL, 0}};
	size_t at, bytes;
	int number;

	assert_true(tlsg_ticket_find(session, &at, &bytes));
	tickets[1] = (struct tlsg_der){session->data + at, (unsigned)bytes};
	number = tlsg_ticket_match(set->defaults[TLSG_SERVER], false, tickets, 2, now);
	tlsg_set_put(set);
	return number;
}

/** Each of the keys is found by its name in a ticket, in this period and in the next one of GnuTLS. */
static void test_match(void **state)
{
	const time_t period = 3 * (time_t)gnutls_db_get_default_cache_expiration();
	time_t now = time(NULL);
	char first[128], second[128], both[300];
	gnutls_datum_t s;
	size_t i;

	(void)state;
	key_make("first", first);
	key_make("second", second);
	for(i = 0; i < 2; i++) {
		tlsg_ticket_server_publish(second, NULL);
		s = session_get(versions[i]);
		assert_int_equal(match(&s, now), 0);
		snprintf(both, sizeof(both), "%s, %s", first, second);
		tlsg_ticket_server_publish(both, NULL);
		assert_int_equal(match(&s, now), 1);
		assert_int_equal(match(&s, now + period), 1);
		assert_int_equal(match(&s, now + 2 * period), -1);
		assert_int_equal(match(&s, now - period), -1);
		assert_true(resumes(versions[i], &s));
		tlsg_ticket_server_publish(first, NULL);
		assert_int_equal(match(&s, now), -1);
		assert_false(resumes(versions[i], &s));
		gnutls_free(s.data);
	}
}

/** The same without files: the key of this start. */
static void test_match_without_files(void **state)
{
	char file[128];
	gnutls_datum_t s;
	size_t i;

	(void)state;
	key_make("file", file);
	for(i = 0; i < 2; i++) {
		tlsg_ticket_server_publish(NULL, NULL);
		s = session_get(versions[i]);
		assert_int_equal(match(&s, time(NULL)), 0);
		assert_true(resumes(versions[i], &s));
		tlsg_ticket_server_publish(file, NULL);
		assert_int_equal(match(&s, time(NULL)), -1);
		assert_false(resumes(versions[i], &s));
		gnutls_free(s.data);
	}
}

/** A ticket with the name of a known key, and other bytes: a full handshake, whichever key it is. */
static void test_only_the_name_is_right(void **state)
{
	char first[128], second[128], both[300];
	size_t at, bytes, i;
	gnutls_datum_t s;

	(void)state;
	key_make("first", first);
	key_make("second", second);
	for(i = 0; i < 2; i++) {
		tlsg_ticket_server_publish(second, NULL);
		s = session_get(versions[i]);
		snprintf(both, sizeof(both), "%s,%s", first, second);
		tlsg_ticket_server_publish(both, NULL);
		assert_true(tlsg_ticket_find(&s, &at, &bytes));
		s.data[at + TLSG_TICKET_STATE_AT] ^= 1;
		assert_int_equal(match(&s, time(NULL)), 1);
		assert_false(resumes(versions[i], &s));
		s.data[at + TLSG_TICKET_STATE_AT] ^= 1;
		assert_true(resumes(versions[i], &s));
		gnutls_free(s.data);
	}
}

/** The keys of two profiles have nothing in common, though their file is the same. */
static void test_bound_to_the_profile(void **state)
{
	char file[128];
	gnutls_datum_t s;

	(void)state;
	tlsg_ticket_server_publish(key_make("file", file), "one.example");
	s = session_get(GNUTLS_TLS1_3);
	assert_true(resumes(GNUTLS_TLS1_3, &s));
	tlsg_ticket_server_publish(file, "two.example");
	assert_int_equal(match(&s, time(NULL)), -1);
	assert_false(resumes(GNUTLS_TLS1_3, &s));
	tlsg_ticket_server_publish(file, "one.example");
	assert_true(resumes(GNUTLS_TLS1_3, &s));
	gnutls_free(s.data);
}

/** How often some bytes are in shared memory. */
static unsigned copies_in_shm(const void *shared, const unsigned char *bytes, size_t len)
{
	const char *begin = shared;
	const char *end = shared;
	const char *at;
	unsigned found = 0;

	while(tlsg_host_in_shm(begin - 1))
		begin--;
	while(tlsg_host_in_shm(end))
		end++;
	for(at = begin; at != NULL && (size_t)(end - at) >= len; at++) {
		at = memchr(at, bytes[0], (size_t)(end - at) - len + 1);
		if(at == NULL)
			break;
		if(memcmp(at, bytes, len) == 0)
			found++;
	}
	return found;
}

static void key_get(bool datagram, time_t now, unsigned char key[TLSG_TICKET_KEY_SIZE])
{
	struct tlsg_set *set = tlsg_set_get();

	assert_int_equal(tlsg_ticket_key(set->defaults[TLSG_SERVER], 0, datagram, now, key), TLSG_OK);
	tlsg_set_put(set);
}

/** What is derived from the master of a start is stored, one key for each carrier, and is gone when it is replaced. */
static void test_derived_are_wiped(void **state)
{
	unsigned char tls[TLSG_TICKET_KEY_SIZE], dtls[TLSG_TICKET_KEY_SIZE], again[TLSG_TICKET_KEY_SIZE];
	time_t now = time(NULL);
	struct tlsg_set *set;
	gnutls_datum_t s;

	(void)state;
	tlsg_ticket_server_publish(NULL, "one.example");
	s = session_get(GNUTLS_TLS1_3);
	assert_int_equal(match(&s, now), 0);
	key_get(false, now, tls);
	key_get(true, now, dtls);
	assert_memory_not_equal(tls, dtls, sizeof(tls));
	key_get(false, now, again);
	assert_memory_equal(tls, again, sizeof(tls));
	set = tlsg_set_get();
	assert_int_equal(copies_in_shm(set, tls, sizeof(tls)), 1);
	assert_int_equal(copies_in_shm(set, dtls, sizeof(dtls)), 1);
	assert_int_equal(match(&s, now), 0);

	assert_int_equal(match(&s, now + 13 * 3600), -1); /* the names are those of the new master */
	assert_int_equal(copies_in_shm(set, tls, sizeof(tls)), 0);
	assert_int_equal(copies_in_shm(set, dtls, sizeof(dtls)), 0);
	key_get(false, now, again);
	assert_memory_not_equal(tls, again, sizeof(tls));
	assert_int_equal(match(&s, now), -1);
	tlsg_set_put(set);
	gnutls_free(s.data);
}

/** Profiles whose contexts take the same place in the table of stored keys keep their own keys. */
static void test_derived_of_many_profiles(void **state)
{
	enum
	{
		PROFILES = 150
	};
	static unsigned char keys[PROFILES][TLSG_TICKET_KEY_SIZE];
	unsigned char again[TLSG_TICKET_KEY_SIZE];
	time_t now = time(NULL);
	char name[32];
	int i, k;

	(void)state;
	for(i = 0; i < 2 * PROFILES; i++) {
		snprintf(name, sizeof(name), "p%d.example", i % PROFILES);
		tlsg_ticket_server_publish(NULL, name);
		key_get(false, now, i < PROFILES ? keys[i] : again);
		if(i >= PROFILES)
			assert_memory_equal(keys[i - PROFILES], again, sizeof(again));
		for(k = 0; k < i && i < PROFILES; k++)
			assert_memory_not_equal(keys[k], keys[i], sizeof(again));
	}
}

static int setup(void **state)
{
	(void)state;
	return tlsg_ticket_server_start();
}

static int teardown(void **state)
{
	(void)state;
	return tlsg_ticket_server_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_match), cmocka_unit_test(test_match_without_files),
			cmocka_unit_test(test_only_the_name_is_right), cmocka_unit_test(test_bound_to_the_profile),
			cmocka_unit_test(test_derived_of_many_profiles),
			cmocka_unit_test(test_derived_are_wiped), /* the last: it replaces the master ahead of its time */
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
