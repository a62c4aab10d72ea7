/*
 * tls_gnutls - tests of profiles/match.c: which profile a connection gets
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: static.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "profiles/match.h"

/* A profile in the tables of these tests; address "" is `any`. */
struct row
{
	const char *label;
	const char *addr;
	uint16_t port;
	const char *name;
	int mode;
	const char *id;
};

/* A lookup and the label of what it must find; NULL: the default profile. */
struct lookup
{
	const char *addr;
	uint16_t port;
	const char *name;
	const char *id;
	const char *found;
};

#define ROWS_MAX 8

static struct tlsg_addr addr_of(const char *text)
{
	struct tlsg_addr a = {.len = 0};
	unsigned b[4];

	if(strcmp(text, "v6") == 0) {
		a.len = 16;
		a.bytes[0] = 0xfd;
		a.bytes[15] = 1;
		return a;
	}
	if(sscanf(text, "%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]) == 4) {
		a.len = 4;
		for(int i = 0; i < 4; i++)
			a.bytes[i] = (uint8_t)b[i];
	}
	return a;
}

static str str_of(const char *text)
{
	str s = {(char *)text, text != NULL ? (int)strlen(text) : 0};

	return s;
}

/* rows: in the order of the file, so the last one is tried first. */
static void check(enum tlsg_role role, const struct row *rows, size_t n, const struct lookup *lookups, size_t count)
{
	static struct tlsg_prof def[TLSG_ROLES];
	struct tlsg_prof p[ROWS_MAX] = {{.port = 0}};
	struct tlsg_set set = {.defaults = {&def[0], &def[1]}};
	size_t i;

	assert_true(n <= ROWS_MAX);
	def[TLSG_SERVER].kind = def[TLSG_CLIENT].kind = TLSG_PROF_DEFAULT;
	for(i = 0; i < n; i++) {
		p[i].kind = rows[i].addr[0] == '\0' ? TLSG_PROF_ANY : TLSG_PROF_ADDR;
		p[i].addr = addr_of(rows[i].addr);
		p[i].port = rows[i].port;
		p[i].s.server_name = str_of(rows[i].name);
		p[i].s.server_name_mode = rows[i].mode;
		p[i].s.server_id = str_of(rows[i].id);
		p[i].id = str_of(rows[i].label);
		p[i].next = set.list[role];
		set.list[role] = &p[i];
	}
	for(i = 0; i < count; i++) {
		const struct tlsg_match_query q = {
				.role = role,
				.addr = addr_of(lookups[i].addr),
				.port = lookups[i].port,
				.server_name = str_of(lookups[i].name),
				.server_id = str_of(lookups[i].id),
		};
		const struct tlsg_prof *found = tlsg_match_find(&set, &q);

		if(lookups[i].found == NULL)
			assert_ptr_equal(found, &def[role]);
		else if(found->id.s == NULL || strcmp(found->id.s, lookups[i].found) != 0)
			fail_msg("lookup %zu: found %s, not %s", i, found->id.s ? found->id.s : "the default", lookups[i].found);
	}
}

#define CHECK(role, rows, lookups) \
	check(role, rows, sizeof(rows) / sizeof((rows)[0]), lookups, sizeof(lookups) / sizeof((lookups)[0]))

static void test_nothing_configured(void **state)
{
	static const struct lookup lookups[] = {
			{"10.0.0.1", 5061, NULL, NULL, NULL},
			{"", 0, "a.example", "id", NULL},
	};

	(void)state;
	check(TLSG_SERVER, NULL, 0, lookups, 2);
	check(TLSG_CLIENT, NULL, 0, lookups, 2);
}

static void test_by_address(void **state)
{
	static const struct row rows[] = {
			{"one", "10.0.0.1", 5061, NULL, 0, NULL},
			{"two", "10.0.0.2", 0, NULL, 0, NULL},
			{"six", "v6", 5061, NULL, 0, NULL},
	};
	static const struct lookup lookups[] = {
			{"10.0.0.1", 5061, NULL, NULL, "one"},
			{"10.0.0.1", 5062, NULL, NULL, NULL},
			{"10.0.0.3", 5061, NULL, NULL, NULL},
			{"10.0.0.2", 1, NULL, NULL, "two"}, /* port 0 is any port */
			{"10.0.0.2", 65535, NULL, NULL, "two"},
			{"v6", 5061, NULL, NULL, "six"},
			{"v6", 5060, NULL, NULL, NULL},
			{"", 5061, NULL, NULL, NULL}, /* no address equals nothing */
			/* a profile without a name matches every name */
			{"10.0.0.1", 5061, "a.example", NULL, "one"},
			{"10.0.0.1", 5061, "", NULL, "one"},
	};

	(void)state;
	CHECK(TLSG_SERVER, rows, lookups);
	CHECK(TLSG_CLIENT, rows, lookups);
}

static void test_by_name_exactly(void **state)
{
	static const struct row rows[] = {
			{"a", "10.0.0.1", 5061, "a.example", 0, NULL},
			{"b", "10.0.0.1", 5061, "b.example", 0, NULL},
			{"any", "", 0, "any.example", 0, NULL},
			{"dotted", "", 0, "dotted.example.", 0, NULL},
	};
	static const struct lookup lookups[] = {
			{"10.0.0.1", 5061, "a.example", NULL, "a"}, {"10.0.0.1", 5061, "A.Example", NULL, "a"},
			{"10.0.0.1", 5061, "b.example", NULL, "b"},
			{"10.0.0.1", 5061, "c.example", NULL, NULL}, /* no fallback to the address */
			{"10.0.0.1", 5061, "x.a.example", NULL, NULL},
			{"10.0.0.1", 5061, "a.example.", NULL, "a"}, /* the dot of the root does not count */
			{"10.0.0.1", 5061, "a.example..", NULL, NULL}, {"10.0.0.1", 5061, "dotted.example", NULL, "dotted"},
			{"10.0.0.1", 5061, "dotted.example.", NULL, "dotted"}, {"10.0.0.1", 5061, ".", NULL, NULL},
			{"10.0.0.1", 5061, "a.exampl", NULL, NULL}, {"10.0.0.1", 5062, "a.example", NULL, NULL},
			{"10.0.0.1", 5061, NULL, NULL, "b"}, /* without SNI the address decides, last section first */
			{"10.9.9.9", 1, "any.example", NULL, "any"}, {"10.0.0.1", 5061, "any.example", NULL, "any"},
			{"10.9.9.9", 1, "other.example", NULL, NULL}, {"10.9.9.9", 1, NULL, NULL, NULL}, /* `any` needs a name */
	};

	(void)state;
	CHECK(TLSG_SERVER, rows, lookups);
}

static void test_name_modes(void **state)
{
	static const struct row rows[] = {
			{"exact", "", 0, "zero.example", 0, NULL}, {"both", "", 0, "one.example", 1, NULL},
			{"below", "", 0, "two.example", 2, NULL}, {"odd", "", 0, "odd.example", 7, NULL}, /* as 0 */
	};
	static const struct lookup lookups[] = {
			{"", 0, "zero.example", NULL, "exact"},
			{"", 0, "s.zero.example", NULL, NULL},
			{"", 0, "one.example", NULL, "both"},
			{"", 0, "s.ONE.example", NULL, "both"},
			{"", 0, "t.s.one.example", NULL, "both"},
			{"", 0, ".one.example", NULL, "both"},
			{"", 0, "xone.example", NULL, NULL}, /* the dot must be there */
			{"", 0, "s.one.example.", NULL, "both"},
			{"", 0, "two.example", NULL, NULL},
			{"", 0, "s.two.example", NULL, "below"},
			{"", 0, "odd.example", NULL, "odd"},
			{"", 0, "s.odd.example", NULL, NULL},
			{"", 0, "example", NULL, NULL},
	};

	(void)state;
	CHECK(TLSG_SERVER, rows, lookups);
}

static void test_last_section_wins(void **state)
{
	static const struct row rows[] = {
			{"first", "10.0.0.1", 5061, "a.example", 0, NULL},
			{"second", "10.0.0.1", 5061, "a.example", 0, NULL},
			{"wide", "", 0, "example", 1, NULL},
	};
	static const struct lookup lookups[] = {
			{"10.0.0.1", 5061, "a.example", NULL, "wide"}, /* no best match: the last that fits */
			{"10.0.0.1", 5061, NULL, NULL, "second"},
	};

	(void)state;
	CHECK(TLSG_SERVER, rows, lookups);
}

static void test_by_server_id(void **state)
{
	static const struct row rows[] = {
			{"gold", "10.0.0.1", 0, NULL, 0, "Gold"},
			{"silver", "", 0, "silver.example", 0, "silver"},
			{"plain", "10.0.0.2", 0, NULL, 0, NULL},
			{"empty", "10.0.0.3", 0, NULL, 0, ""},
	};
	static const struct lookup lookups[] = {
			{"10.9.9.9", 1, NULL, "gold", "gold"}, /* the address is not looked at */
			{"10.9.9.8", 7, NULL, "GOLD", "gold"}, {"10.9.9.9", 1, NULL, "silver", "silver"}, /* nor is the name */
			{"10.9.9.9", 1, "other.example", "silver", "silver"}, {"10.9.9.9", 1, NULL, "golden", NULL},
			{"10.0.0.2", 1, NULL, "unknown", "plain"}, /* unknown ids fall back to the address */
			{"10.0.0.1", 1, NULL, "unknown", "gold"}, {"10.0.0.3", 1, NULL, "", "empty"},
			{"10.9.9.9", 1, NULL, "", NULL}, /* an empty id equals nothing */
	};

	(void)state;
	CHECK(TLSG_CLIENT, rows, lookups);
}

/* A later section is tried first, and may match by address before an earlier one matches by id. */
static void test_order_of_id_and_address(void **state)
{
	static const struct row rows[] = {
			{"by-id", "10.0.0.5", 0, NULL, 0, "gold"},
			{"by-address", "10.0.0.1", 0, NULL, 0, NULL},
	};
	static const struct lookup lookups[] = {
			{"10.0.0.1", 1, NULL, "gold", "by-address"},
			{"10.0.0.9", 1, NULL, "gold", "by-id"},
	};

	(void)state;
	CHECK(TLSG_CLIENT, rows, lookups);
}

static void test_roles_are_apart(void **state)
{
	struct tlsg_prof server = {.kind = TLSG_PROF_ADDR, .addr = addr_of("10.0.0.1")};
	struct tlsg_prof def[TLSG_ROLES] = {{.kind = TLSG_PROF_DEFAULT}, {.kind = TLSG_PROF_DEFAULT}};
	struct tlsg_set set = {.defaults = {&def[0], &def[1]}, .list = {&server, NULL}};
	struct tlsg_match_query q = {.role = TLSG_CLIENT, .addr = addr_of("10.0.0.1")};

	(void)state;
	assert_ptr_equal(tlsg_match_find(&set, &q), &def[TLSG_CLIENT]);
	q.role = TLSG_SERVER;
	assert_ptr_equal(tlsg_match_find(&set, &q), &server);
}

static void test_askable(void **state)
{
	static const char *const good[] = {
			"sip.example.org", "sip-1.Example.org.", "127.0.0.1", "xn--bcher-kva.example", ""};
	static const char *const bad[] = {"sip_1.example.org", "*.example.org", "2001:db8::1", "sip:example.org",
			("b\xc3\xbc"
			 "cher.example"),
			"a b", "sip.example.org:5061"};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(tlsg_match_is_askable(&(str){(char *)good[i], (int)strlen(good[i])}));
	for(i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(tlsg_match_is_askable(&(str){(char *)bad[i], (int)strlen(bad[i])}));
	assert_false(tlsg_match_is_askable(&(str){(char *)"a\0b", 3}));
}

static void test_switchable(void **state)
{
	struct tlsg_prof p = {.kind = TLSG_PROF_DEFAULT};

	(void)state;
	assert_true(tlsg_match_is_switchable(&p));
	p.kind = TLSG_PROF_ADDR;
	assert_false(tlsg_match_is_switchable(&p));
	p.s.server_name = str_of("");
	assert_false(tlsg_match_is_switchable(&p));
	p.s.server_name = str_of("a.example");
	assert_true(tlsg_match_is_switchable(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_nothing_configured),
			cmocka_unit_test(test_by_address),
			cmocka_unit_test(test_by_name_exactly),
			cmocka_unit_test(test_name_modes),
			cmocka_unit_test(test_last_section_wins),
			cmocka_unit_test(test_by_server_id),
			cmocka_unit_test(test_order_of_id_and_address),
			cmocka_unit_test(test_roles_are_apart),
			cmocka_unit_test(test_askable),
			cmocka_unit_test(test_switchable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
