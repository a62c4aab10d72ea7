/*
 * tls_gnutls - tests of the names of objects on tokens
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stack.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pkcs11/p11_uri.h"

static void test_what_is_a_name(void **state)
{
	static const char *const names[] = {"pkcs11:", "PKCS11:token=x", "/engine:key", "/ENGINE:pkcs11:object=x",
			"/uri:pkcs11:object=x", "/uri:file:x", "tpmkey:uuid=1"};
	static const char *const others[] = {
			"", "pkcs11", "/etc/pkcs11:x", "./pkcs11:x", "/engine", "cert.pem", " pkcs11:"};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_true(tlsg_p11_uri_is(names[i]));
	for(i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(tlsg_p11_uri_is(others[i]));
	assert_false(tlsg_p11_uri_is(NULL));
}

static const struct
{
	const char *value;
	const char *uri; /* canonical */
	const char *pin; /* NULL none */
	const char *pin_source;
	const char *module_path;
	const char *module_name;
	const char *type;
	bool has_object;
	bool has_token;
} good[] = {
		{"pkcs11:", "pkcs11:", NULL, "", "", "", "", false, false},
		{"pkcs11:token=sip;object=key;type=private?pin-value=12%2634", "pkcs11:token=sip;object=key;type=private",
				"12&34", "", "", "", "private", true, true},
		{"pkcs11:id=%01%02?pin-source=file:/run/pin", "pkcs11:id=%01%02", NULL, "file:/run/pin", "", "", "", true,
				false},
		{"pkcs11:object=a?pinfile=/run/pin", "pkcs11:object=a", NULL, "/run/pin", "", "", "", true, false},
		{"pkcs11:serial=77?module-path=/lib/x.so&module-name=x", "pkcs11:serial=77", NULL, "", "/lib/x.so", "x", "",
				false, true},
		{"pkcs11:token=t?pin-value=", "pkcs11:token=t", "", "", "", "", "", false, true},
		{"/uri:pkcs11:object=a;type=cert", "pkcs11:object=a;type=cert", NULL, "", "", "", "cert", true, false},
		{"/engine:pkcs11:object=a;type=public?pin-value=9", "pkcs11:object=a;type=public", "9", "", "", "", "public",
				true, false},
		{"/engine:my key", "pkcs11:object=my%20key", NULL, "", "", "", "", true, false},
		{"/engine:label_my_key", "pkcs11:object=my_key", NULL, "", "", "", "", true, false},
		{"/engine:id_0aFF", "pkcs11:id=%0A%FF", NULL, "", "", "", "", true, false},
		{"/engine:slot_5-id_01", "pkcs11:slot-id=5;id=%01", NULL, "", "", "", "", true, false},
		{"/engine:slot_5-label_a", "pkcs11:slot-id=5;object=a", NULL, "", "", "", "", true, false},
		{"/engine:slot_0-a", "pkcs11:slot-id=0;object=a", NULL, "", "", "", "", true, false},
};

static void test_good_names(void **state)
{
	struct tlsg_p11_uri u;
	struct tlsg_err err;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		tlsg_err_clear(&err);
		if(tlsg_p11_uri_parse(good[i].value, &u, &err) != TLSG_OK)
			fail_msg("%s: %s", good[i].value, err.text);
		assert_string_equal(u.uri, good[i].uri);
		assert_int_equal(u.has_pin, good[i].pin != NULL);
		assert_string_equal(u.pin, good[i].pin != NULL ? good[i].pin : "");
		assert_string_equal(u.pin_source, good[i].pin_source);
		assert_string_equal(u.module_path, good[i].module_path);
		assert_string_equal(u.module_name, good[i].module_name);
		assert_string_equal(u.type, good[i].type);
		assert_int_equal(u.has_object, good[i].has_object);
		assert_int_equal(u.has_token, good[i].has_token);
		assert_int_equal(u.has_slot, strstr(good[i].uri, "slot-id") != NULL);
	}
}

/* The canonical form means the same and stays as it is. */
static void test_canonical_is_canonical(void **state)
{
	struct tlsg_p11_uri once, twice;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(tlsg_p11_uri_parse(good[i].value, &once, NULL), TLSG_OK);
		assert_int_equal(tlsg_p11_uri_parse(once.uri, &twice, NULL), TLSG_OK);
		assert_string_equal(once.uri, twice.uri);
	}
}

static void test_bad_names(void **state)
{
	static const char *const bad[] = {
			"pkcs11:token=%zz?pin-value=S3CRET",
			"pkcs11:tokn=a?pin-value=S3CRET",
			"pkcs11:x-a=b;token=a?pin-value=S3CRET",
			"pkcs11:token=a?pin-value=S3CRET&pin-source=/x",
			"pkcs11:token=a?pin%2Dvalue=S3CRET",
			"pkcs11:type=nothing?pin-value=S3CRET",
			"pkcs11:token=a;PIN-VALUE=S3CRET",
			"/uri:file:/etc/key.pem?pin-value=S3CRET",
			"/uri:",
			"/engine:",
			"/engine:id_",
			"/engine:id_123",
			"/engine:id_xy",
			"/engine:label_",
			"/engine:slot_x-a",
			"/engine:slot_1",
			"/engine:slot_1-id_",
			"tpmkey:uuid=1",
	};
	struct tlsg_p11_uri u;
	struct tlsg_err err;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tlsg_err_clear(&err);
		memset(&u, 'x', sizeof(u));
		if(tlsg_p11_uri_parse(bad[i], &u, &err) != TLSG_E_CONFIG)
			fail_msg("%s is accepted as %s", bad[i], u.uri);
		assert_null(strstr(err.text, "S3CRET"));
		assert_true(err.text[0] == '"');
		assert_string_equal(u.pin, "");
		assert_string_equal(u.uri, "");
	}
}

static void test_long_values(void **state)
{
	struct tlsg_p11_uri u;
	char text[8192];
	size_t n;

	(void)state;
	for(n = 100; n < 7000; n += 300) {
		int at = snprintf(text, sizeof(text), "pkcs11:token=a?pin-value=");

		memset(text + at, '1', n);
		text[(size_t)at + n] = '\0';
		assert_int_equal(tlsg_p11_uri_parse(text, &u, NULL), n < TLSG_P11_PIN_SIZE ? TLSG_OK : TLSG_E_CONFIG);
		at = snprintf(text, sizeof(text), "pkcs11:object=");
		memset(text + at, 'o', n);
		text[(size_t)at + n] = '\0';
		assert_int_equal(
				tlsg_p11_uri_parse(text, &u, NULL), (size_t)at + n < TLSG_P11_URI_SIZE ? TLSG_OK : TLSG_E_CONFIG);
	}
}

static void test_redaction(void **state)
{
	static const struct
	{
		const char *value;
		const char *shown;
	} rows[] = {
			{"pkcs11:token=a", "pkcs11:token=a"},
			{"pkcs11:token=a?pin-value=1", "pkcs11:token=a?pin=..."},
			{"pkcs11:token=a?module-path=/x&pin-value=1&y", "pkcs11:token=a?module-path=/x&pin=..."},
			{"pkcs11:pin-value=1", "pkcs11:pin=..."},
			{"pkcs11:token=a;PinFile=1", "pkcs11:token=a;pin=..."},
			{"pkcs11:token=a?x-pin=1", "pkcs11:token=a?pin=..."},
			{"pkcs11:token=a?p%69n-value=1", "pkcs11:token=a?pin=..."},
			{"pkcs11:object=spinning;token=pin", "pkcs11:object=spinning;token=pin"},
			{"a\001b\nc", "a.b.c"},
			{"", ""},
	};
	char out[64];
	char tiny[8];
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(tlsg_p11_uri_redact(rows[i].value, out, sizeof(out)), rows[i].shown);
	assert_string_equal(tlsg_p11_uri_redact("pkcs11:token=a", tiny, sizeof(tiny)), "pkcs11:");
	assert_string_equal(tlsg_p11_uri_redact("a?pin-value=1", tiny, sizeof(tiny)), "a?pin=.");
}

/* Two objects with the same names in two modules have different URIs; without a module there is nothing to add. */
static void test_module_in_the_uri(void **state)
{
	struct tlsg_p11_uri a, b;
	struct tlsg_err err;

	(void)state;
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_uri_parse("pkcs11:token=t;object=o?module-path=/a.so&pin-value=1", &a, &err), TLSG_OK);
	assert_int_equal(tlsg_p11_uri_parse("pkcs11:token=t;object=o?module-name=far&pin-value=1", &b, &err), TLSG_OK);
	assert_string_equal(a.uri, b.uri);
	assert_int_equal(tlsg_p11_uri_add_module(&a, &err), TLSG_OK);
	assert_int_equal(tlsg_p11_uri_add_module(&b, &err), TLSG_OK);
	assert_true(strcmp(a.uri, "pkcs11:token=t;object=o?module-path=/a.so") == 0
				|| strcmp(a.uri, "pkcs11:token=t;object=o?module-path=%2Fa.so") == 0); /* by version of p11-kit */
	assert_string_equal(b.uri, "pkcs11:token=t;object=o?module-name=far");
	assert_int_equal(tlsg_p11_uri_parse("pkcs11:token=t;object=o", &a, &err), TLSG_OK);
	assert_int_equal(tlsg_p11_uri_add_module(&a, &err), TLSG_OK);
	assert_string_equal(a.uri, "pkcs11:token=t;object=o");
	memset(a.module_path, 'x', sizeof(a.module_path) - 1);
	memset(a.uri + strlen(a.uri), 'y', sizeof(a.uri) - strlen(a.uri) - 1);
	a.uri[sizeof(a.uri) - 1] = '\0';
	assert_int_equal(tlsg_p11_uri_add_module(&a, &err), TLSG_E_CONFIG);
}

static void test_libraries(void **state)
{
	static const char one[] = "pkcs11:library-manufacturer=M;library-description=D;token=a";

	(void)state;
	assert_true(tlsg_p11_uri_has_same_library(one, "pkcs11:library-description=D;library-manufacturer=M;token=b"));
	assert_false(tlsg_p11_uri_has_same_library(one, "pkcs11:library-description=E;library-manufacturer=M;token=a"));
	assert_false(tlsg_p11_uri_has_same_library(one, "pkcs11:library-description=D;library-manufacturer=N;token=a"));
	assert_false(tlsg_p11_uri_has_same_library(one, "not a URI"));
}

/* What the token itself says stays as it is written: files are named after it. */
static void test_token_only(void **state)
{
#define TPM "model=SW%20%20%20TPM%00%00;manufacturer=IBM;serial=0000000000000000;token=sip"
#define ODD "model=v2%3B;manufacturer=M%C3%BCller%20%26%20Co;serial=a%2Fb;token=1%25%2C%3D"
	static const struct
	{
		const char *uri;
		const char *token; /* "": malformed */
	} rows[] = {
			{"pkcs11:" TPM, "pkcs11:" TPM},
			{"pkcs11:library-description=A%20token;library-version=2.6;library-manufacturer=M;" TPM, "pkcs11:" TPM},
			{"pkcs11:" TPM ";library-version=2.6", "pkcs11:" TPM},
			{"pkcs11:library-description=D;" ODD, "pkcs11:" ODD},
			{"pkcs11:library-description=D;" ODD ";id=%01;object=o;type=private?pin-value=1&module-path=/x.so",
					"pkcs11:" ODD},
			{"pkcs11:library-version=2.6;token=library-a", "pkcs11:token=library-a"},
			{"pkcs11:library-version=2.6;model=;serial=1;token=", "pkcs11:model=;serial=1;token="},
			{"pkcs11:library-version=2.6", "pkcs11:"},
			{"none", ""},
			{"", ""},
			{"pkcs11:token=%zz", ""},
	};
	char out[TLSG_P11_URI_SIZE];
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(out, 'x', sizeof(out));
		assert_int_equal(tlsg_p11_uri_keep_token(rows[i].uri, out), rows[i].token[0] != '\0');
		assert_string_equal(out, rows[i].token);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_what_is_a_name),
			cmocka_unit_test(test_good_names),
			cmocka_unit_test(test_canonical_is_canonical),
			cmocka_unit_test(test_bad_names),
			cmocka_unit_test(test_long_values),
			cmocka_unit_test(test_redaction),
			cmocka_unit_test(test_module_in_the_uri),
			cmocka_unit_test(test_libraries),
			cmocka_unit_test(test_token_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
