/*
 * tls_gnutls - tests of profiles/value.c: values of settings
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: static.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "profiles/value.h"

static void test_verify_client(void **state)
{
	static const struct
	{
		const char *token;
		bool known;
		enum tlsg_verify_client value;
	} rows[] = {
			{"off", true, TLSG_VERIFY_CLIENT_OFF},
			{"on", true, TLSG_VERIFY_CLIENT_ON},
			{"Optional", true, TLSG_VERIFY_CLIENT_OPTIONAL},
			{"OPTIONAL_NO_CA", true, TLSG_VERIFY_CLIENT_OPTIONAL_NO_CA},
			{"", false, 0},
			{"o", false, 0},
			{"offf", false, 0},
			{"optional_no", false, 0},
			{"1", false, 0},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		str s = {(char *)rows[i].token, (int)strlen(rows[i].token)};
		enum tlsg_verify_client v = TLSG_VERIFY_CLIENT_UNSET;

		assert_int_equal(tlsg_value_verify_client(&s, &v), rows[i].known);
		assert_int_equal(v, rows[i].known ? rows[i].value : TLSG_VERIFY_CLIENT_UNSET);
	}
}

static void test_numbers(void **state)
{
	static const struct
	{
		const char *text;
		bool is_number;
		int number;
		bool is_decimal; /* up to 255 */
		unsigned decimal;
	} rows[] = {
			{"0", true, 0, true, 0},
			{"255", true, 255, true, 255},
			{"256", true, 256, false, 0},
			{"0007", true, 7, true, 7},
			{"-1", true, -1, false, 0},
			{"+5", true, 5, false, 0},
			{"2147483647", true, 2147483647, false, 0},
			{"-2147483648", true, -2147483647 - 1, false, 0},
			{"2147483648", false, 0, false, 0},
			{"-2147483649", false, 0, false, 0},
			{"99999999999999999999", false, 0, false, 0},
			{"4294967297", false, 0, false, 0},
			{"", false, 0, false, 0},
			{"-", false, 0, false, 0},
			{"1 ", false, 0, false, 0},
			{" 1", false, 0, false, 0},
			{"\t1", false, 0, false, 0},
			{"0x1", false, 0, false, 0},
			{"1a", false, 0, false, 0},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		str s = {(char *)rows[i].text, (int)strlen(rows[i].text)};
		unsigned decimal = 77;
		int number = 77;

		assert_int_equal(tlsg_value_number(&s, &number), rows[i].is_number);
		assert_int_equal(number, rows[i].is_number ? rows[i].number : 77);
		assert_int_equal(tlsg_value_decimal(&s, 255, &decimal), rows[i].is_decimal);
		assert_int_equal(decimal, rows[i].is_decimal ? rows[i].decimal : 77);
	}
}

static void test_strings(void **state)
{
	static const struct
	{
		str a;
		str b;
		bool is_same;
		bool is_same_name;
	} rows[] = {
			{STR_STATIC_INIT("a.pem"), STR_STATIC_INIT("a.pem"), true, true},
			{STR_STATIC_INIT("a.pem"), STR_STATIC_INIT("A.pem"), false, true},
			{STR_STATIC_INIT("a.pem"), STR_STATIC_INIT("a.pe"), false, false},
			{STR_STATIC_INIT("a.pem"), STR_STATIC_INIT("b.pem"), false, false},
			{STR_STATIC_INIT(""), STR_STATIC_INIT(""), true, true},
			{STR_STATIC_INIT(""), {NULL, 0}, false, false}, /* set to nothing is not the same as not set */
			{{NULL, 0}, STR_STATIC_INIT(""), false, false},
			{{NULL, 0}, STR_STATIC_INIT("a"), false, false},
			{{NULL, 0}, {NULL, 0}, true, true},
	};
	str unset = {NULL, 0}, empty = STR_STATIC_INIT(""), a = STR_STATIC_INIT("a");
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(tlsg_value_is_same(&rows[i].a, &rows[i].b), rows[i].is_same);
		assert_int_equal(tlsg_value_is_same_name(&rows[i].a, &rows[i].b), rows[i].is_same_name);
	}
	assert_false(tlsg_value_is_set(&unset));
	assert_false(tlsg_value_is_set(&empty));
	assert_true(tlsg_value_is_set(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_verify_client),
			cmocka_unit_test(test_numbers),
			cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
