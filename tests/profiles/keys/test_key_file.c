/*
 * tls_gnutls - tests of profiles/keys/key_file.c, password.c and the sharing of keys in load_key.c
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process; the key files are made with openssl.  Memory: heap, the stand-in's region.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/host.h"
#include "profiles/keys/key_file.h"
#include "profiles/keys/password.h"
#include "profiles/load_key.h"
#include "tests/lib/key_folder.h"

#define STR(literal) ((str)STR_STATIC_INIT(literal))
#define PASSWORD "seven dwarfs"

/* Made by openssl in the folder of the test. */
static const char *const commands[] = {
		"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem",
		"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem",
		"openssl genpkey -algorithm ED25519 -out ed.pem",
		"openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.pem",
		"openssl rsa -in rsa.pem -traditional -out rsa-pkcs1.pem",
		"openssl rsa -in rsa.pem -traditional -outform DER -out rsa-pkcs1.der",
		"openssl rsa -in rsa.pem -traditional -aes256 -passout 'pass:" PASSWORD "' -out rsa-old.pem",
		"openssl rsa -in rsa.pem -traditional -des3 -passout 'pass:" PASSWORD "' -out rsa-3des.pem",
		"openssl ec -in ec.pem -out ec-sec1.pem",
		"openssl ec -in ec.pem -outform DER -out ec-sec1.der",
		"openssl ec -in ec.pem -aes128 -passout 'pass:" PASSWORD "' -out ec-old.pem",
		"openssl pkcs8 -topk8 -nocrypt -in rsa.pem -outform DER -out rsa-pkcs8.der",
		"openssl pkcs8 -topk8 -in rsa.pem -passout 'pass:" PASSWORD "' -out rsa-enc.pem",
		"openssl pkcs8 -topk8 -in rsa.pem -passout 'pass:" PASSWORD "' -outform DER -out rsa-enc.der",
		"openssl pkcs8 -topk8 -in ec.pem -v2 aes-128-cbc -passout 'pass:" PASSWORD "' -out ec-enc.pem",
		"openssl pkcs8 -topk8 -in ec.pem -v1 PBE-SHA1-3DES -passout 'pass:" PASSWORD "' -out ec-pbe1.pem",
		"openssl pkcs8 -topk8 -in ed.pem -passout 'pass:" PASSWORD "' -out ed-enc.pem",
		"openssl ecparam -name prime256v1 -genkey -out ec-param.pem",
		"openssl req -x509 -key ec.pem -subj /CN=leaf -days 3 -out ec.crt",
		"openssl req -x509 -key rsa.pem -subj /CN=other -days 3 -out rsa.crt",
		"cat ec.crt ec.pem >both.pem",
		"cat ec.crt ec-enc.pem >both-enc.pem",
		"openssl pkcs12 -export -in ec.crt -inkey ec.pem -certfile rsa.crt -passout 'pass:" PASSWORD "' -out ec.p12",
		"openssl pkcs12 -export -in ec.crt -inkey ec.pem -passout pass: -out empty.p12",
		"openssl pkcs12 -export -in ec.crt -nokeys -passout 'pass:" PASSWORD "' -out nokey.p12",
		"openssl pkcs12 -export -legacy -in rsa.crt -inkey rsa.pem -passout 'pass:" PASSWORD "' -out rsa-legacy.p12",
		"printf 'seven dwarfs\\nand another line\\n' >password",
		"printf 'seven dwarfs\\r\\n' >password-crlf",
		"printf '\\nseven dwarfs\\n' >password-second",
		"printf 'nonsense' >text.pem",
		"head -c 600 rsa-enc.der >rsa-cut.der",
		"head -c 200 ec.p12 >cut.p12",
		"chmod 600 *",
};

static char config_dir[64];
static struct tlsg_err err;

static int group_setup(void **state)
{
	(void)state;
	if(key_folder_make(commands, sizeof(commands) / sizeof(commands[0])) != 0)
		return -1;
	snprintf(config_dir, sizeof(config_dir), "%s/", key_folder());
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	return key_folder_remove();
}

static struct tlsg_set *set_new(void)
{
	struct tlsg_set_options o = {.config_dir = {config_dir, (int)strlen(config_dir)}};
	struct tlsg_set *set = tlsg_set_new(&o);

	assert_non_null(set);
	return set;
}

static int clean(void **state)
{
	(void)state;
	tlsg_password_mode_set(false, NULL);
	tlsg_stub_log_clear();
	return 0;
}

static str text(const char *s)
{
	return (str){(char *)s, s != NULL ? (int)strlen(s) : 0};
}

static enum tlsg_ret load(const char *name, const char *password, struct tlsg_key_file_content *c)
{
	str file = key_folder_path(name), word = text(password);
	struct tlsg_key_file_request r = {"private_key", &file, &word};

	tlsg_err_clear(&err);
	return tlsg_key_file_load(&r, NULL, NULL, c, &err);
}

static void assert_loads(const char *name, const char *password, gnutls_pk_algorithm_t pk)
{
	struct tlsg_key_file_content c;

	if(load(name, password, &c) != TLSG_OK)
		fail_msg("%s: %s", name, err.text);
	assert_int_equal(c.pk, pk);
	assert_true(c.pkcs8.size > 0 && c.spki.size > 0);
	tlsg_key_file_content_free(&c);
	assert_null(c.pkcs8.data);
}

/* Refused, with a sentence that has the words in it and not the password. */
static void assert_refused(const char *name, const char *password, const char *words)
{
	struct tlsg_key_file_content c;
	str file = key_folder_path(name);

	assert_int_equal(load(name, password, &c), TLSG_E_CONFIG);
	assert_null(c.pkcs8.data);
	if(strstr(err.text, words) == NULL || strstr(err.text, file.s) == NULL)
		fail_msg("%s: \"%s\" lacks \"%s\"", name, err.text, words);
	if(password != NULL && strncmp(password, "file:", 5) != 0 && password[0] != '\0')
		assert_null(strstr(err.text, password));
}

/* ---- kinds of files ---- */

static const struct
{
	const char *name;
	gnutls_pk_algorithm_t pk;
} plain[] =
		{
				{"rsa.pem", GNUTLS_PK_RSA},
				{"rsa-pkcs1.pem", GNUTLS_PK_RSA},
				{"rsa-pkcs1.der", GNUTLS_PK_RSA},
				{"rsa-pkcs8.der", GNUTLS_PK_RSA},
				{"pss.pem", GNUTLS_PK_RSA_PSS},
				{"ec.pem", GNUTLS_PK_ECDSA},
				{"ec-sec1.pem", GNUTLS_PK_ECDSA},
				{"ec-sec1.der", GNUTLS_PK_ECDSA},
				{"ec-param.pem", GNUTLS_PK_ECDSA},
				{"both.pem", GNUTLS_PK_ECDSA},
				{"ed.pem", GNUTLS_PK_EDDSA_ED25519},
				{"empty.p12", GNUTLS_PK_ECDSA},
},
  encrypted[] = {
		  {"rsa-old.pem", GNUTLS_PK_RSA},
		  {"rsa-3des.pem", GNUTLS_PK_RSA},
		  {"rsa-enc.pem", GNUTLS_PK_RSA},
		  {"rsa-enc.der", GNUTLS_PK_RSA},
		  {"ec-old.pem", GNUTLS_PK_ECDSA},
		  {"ec-enc.pem", GNUTLS_PK_ECDSA},
		  {"ec-pbe1.pem", GNUTLS_PK_ECDSA},
		  {"both-enc.pem", GNUTLS_PK_ECDSA},
		  {"ed-enc.pem", GNUTLS_PK_EDDSA_ED25519},
		  {"ec.p12", GNUTLS_PK_ECDSA},
		  {"rsa-legacy.p12", GNUTLS_PK_RSA},
};

static void test_plain(void **state)
{
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		assert_loads(plain[i].name, NULL, plain[i].pk);
		assert_loads(plain[i].name, "not needed", plain[i].pk);
	}
}

static void test_encrypted(void **state)
{
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(encrypted) / sizeof(encrypted[0]); i++) {
		assert_loads(encrypted[i].name, PASSWORD, encrypted[i].pk);
		assert_refused(encrypted[i].name, NULL, "is encrypted; set private_key_password");
		assert_refused(encrypted[i].name, "eight dwarfs", "is encrypted and the password given does not open it");
		assert_refused(encrypted[i].name, "", "is encrypted and the password given does not open it");
	}
}

static void test_bad_files(void **state)
{
	str folder = key_folder_path(".");

	(void)state;
	assert_refused("text.pem", NULL, "holds no private key that can be used");
	assert_refused("text.pem", PASSWORD, "holds no private key that can be used");
	assert_refused("ec.crt", NULL, "holds no private key that can be used");
	assert_refused("rsa-cut.der", PASSWORD, "holds no private key that can be used");
	assert_refused("cut.p12", PASSWORD, "is not a readable PKCS#12 file");
	assert_refused("nokey.p12", PASSWORD, "holds no private key");
	assert_refused("missing", NULL, "No such file");
	assert_refused(".", NULL, "is not a regular file");
	(void)folder;
}

static void test_unreadable_names_the_user(void **state)
{
	char words[64];

	(void)state;
	snprintf(words, sizeof(words), "(uid %d): No such file", (int)geteuid());
	assert_refused("missing", NULL, words);
}

static void test_pkcs12(void **state)
{
	struct tlsg_key_file_content c;

	(void)state;
	assert_int_equal(load("ec.p12", PASSWORD, &c), TLSG_OK);
	assert_int_equal(c.certs_len, 1); /* without the certificate that is not in the chain */
	assert_true(c.certs[0].size > 100);
	assert_true(c.is_encrypted);
	tlsg_key_file_content_free(&c);
	assert_int_equal(load("empty.p12", NULL, &c), TLSG_OK);
	assert_false(c.is_encrypted);
	tlsg_key_file_content_free(&c);
}

static void test_names_of_pkcs12(void **state)
{
	(void)state;
	assert_true(tlsg_key_file_name_is_pkcs12(&STR("a.p12")));
	assert_true(tlsg_key_file_name_is_pkcs12(&STR("/x/A.PFX")));
	assert_false(tlsg_key_file_name_is_pkcs12(&STR(".p12")));
	assert_false(tlsg_key_file_name_is_pkcs12(&STR("a.pem")));
	assert_false(tlsg_key_file_name_is_pkcs12(&STR("p12")));
	assert_false(tlsg_key_file_name_is_pkcs12(&(str)STR_NULL));
}

/* ---- passwords ---- */

static void test_password_file(void **state)
{
	char setting[160];
	static const char *const good[] = {"password", "password-crlf"};
	size_t i;

	(void)state;
	for(i = 0; i < 2; i++) {
		snprintf(setting, sizeof(setting), "file:%s/%s", key_folder(), good[i]);
		assert_loads("ec-enc.pem", setting, GNUTLS_PK_ECDSA);
	}
	assert_int_equal(tlsg_stub_log_count(L_WARN), 0);
	snprintf(setting, sizeof(setting), "file:%s/password-second", key_folder());
	{
		struct tlsg_key_file_content c;

		assert_int_equal(load("ec-enc.pem", setting, &c), TLSG_E_CONFIG);
		assert_non_null(strstr(err.text, "first line"));
		snprintf(setting, sizeof(setting), "file:%s/nowhere", key_folder());
		assert_int_equal(load("ec-enc.pem", setting, &c), TLSG_E_CONFIG);
		assert_non_null(strstr(err.text, "private_key_password: cannot read"));
	}
}

static void test_password_file_for_everybody(void **state)
{
	char setting[160];
	str file = key_folder_path("password");

	(void)state;
	snprintf(setting, sizeof(setting), "file:%s", file.s);
	chmod(file.s, 0644);
	assert_loads("ec-enc.pem", setting, GNUTLS_PK_ECDSA);
	chmod(file.s, 0600);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 1);
	assert_non_null(strstr(tlsg_stub_log_text(), "holds a password and is world-readable: chmod o-r it"));
	assert_null(strstr(tlsg_stub_log_text(), PASSWORD));
}

static void test_key_for_everybody(void **state)
{
	static const char *const names[] = {"rsa.pem", "empty.p12", "ec-enc.pem"};
	size_t i;

	(void)state;
	for(i = 0; i < 3; i++) {
		tlsg_stub_log_clear();
		chmod(key_folder_path(names[i]).s, 0644);
		assert_loads(names[i], PASSWORD, i == 0 ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA);
		chmod(key_folder_path(names[i]).s, 0600);
		assert_int_equal(tlsg_stub_log_count(L_WARN), i < 2); /* no warning about an encrypted key */
		assert_loads(names[i], PASSWORD, i == 0 ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA);
		assert_int_equal(tlsg_stub_log_count(L_WARN), i < 2);
	}
}

static void test_password_in_the_environment(void **state)
{
	struct tlsg_key_file_content c;

	(void)state;
	setenv("TLSG_TEST_PASSWORD", PASSWORD, 1);
	assert_loads("rsa-enc.pem", "env:TLSG_TEST_PASSWORD", GNUTLS_PK_RSA);
	unsetenv("TLSG_TEST_PASSWORD");
	assert_int_equal(load("rsa-enc.pem", "env:TLSG_TEST_PASSWORD", &c), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "environment variable \"TLSG_TEST_PASSWORD\" is not set"));
	/* not looked for if the key is not encrypted */
	assert_loads("rsa.pem", "env:TLSG_TEST_PASSWORD", GNUTLS_PK_RSA);
}

static void test_password_path_is_made_absolute(void **state)
{
	char buf[TLSG_PASSWORD_SETTING_SIZE];
	str dir_str = STR("/etc/kamailio/"), out;

	(void)state;
	assert_true(tlsg_password_setting(&dir_str, &STR("file:pw"), buf, &out));
	assert_string_equal(out.s, "file:/etc/kamailio/pw");
	assert_int_equal(out.len, strlen(out.s));
	assert_true(tlsg_password_setting(&dir_str, &STR("file:/pw"), buf, &out));
	assert_string_equal(out.s, "file:/pw");
	assert_true(tlsg_password_setting(&dir_str, &STR("word"), buf, &out));
	assert_string_equal(out.s, "word");
	assert_true(tlsg_password_setting(&dir_str, &(str)STR_NULL, buf, &out));
	assert_null(out.s);
}

static unsigned asked;
static const char *answer;

static enum tlsg_ret ask(const char *file, char *buf, size_t size, struct tlsg_err *e)
{
	asked++;
	assert_non_null(strstr(file, key_folder()));
	if(answer == NULL)
		return tlsg_err_set(e, TLSG_E_CONFIG, "nobody is there");
	snprintf(buf, size, "%s", answer);
	return TLSG_OK;
}

static void test_password_is_asked_for_once(void **state)
{
	struct tlsg_key_file_content c;

	(void)state;
	asked = 0;
	tlsg_password_mode_set(true, ask);
	answer = PASSWORD;
	assert_loads("rsa.pem", NULL, GNUTLS_PK_RSA);
	assert_loads("empty.p12", NULL, GNUTLS_PK_ECDSA);
	assert_int_equal(asked, 0);
	assert_loads("ec-enc.pem", "settings do not count", GNUTLS_PK_ECDSA);
	assert_loads("ec.p12", NULL, GNUTLS_PK_ECDSA);
	assert_int_equal(asked, 2);
	answer = "eight dwarfs";
	assert_refused("ec-enc.pem", PASSWORD, "the password typed does not open it");
	assert_int_equal(asked, 3);
	answer = NULL;
	assert_int_equal(load("ec-enc.pem", NULL, &c), TLSG_E_CONFIG);
	assert_string_equal(err.text, "nobody is there");
	tlsg_password_mode_set(true, NULL);
	assert_refused("ec-enc.pem", PASSWORD, "can be typed at start only");
}

/* ---- keys of a snapshot ---- */

static enum tlsg_ret load_in(struct tlsg_set *set, const char *name, const char *password, struct tlsg_key **k)
{
	str file = key_folder_path(name), word = text(password);
	struct tlsg_key_file_request r = {"private_key", &file, &word};
	enum tlsg_ret ret;

	tlsg_err_clear(&err);
	ret = tlsg_load_key(set, &r, k, &err);
	tlsg_load_key_passwords_forget(set); /* word is gone */
	return ret;
}

static enum tlsg_ret load_kept(struct tlsg_set *set, const char *name, str *word, struct tlsg_key **k)
{
	str file = key_folder_path(name);
	struct tlsg_key_file_request r = {"private_key", &file, word};

	tlsg_err_clear(&err);
	return tlsg_load_key(set, &r, k, &err);
}

static void test_shared_with_the_same_password_only(void **state)
{
	struct tlsg_set *set = set_new();
	struct tlsg_key *first, *again, *other;
	str good = STR(PASSWORD), same = STR(PASSWORD), wrong = STR("eight dwarfs"), none = STR_NULL;

	(void)state;
	assert_int_equal(load_kept(set, "ec-enc.pem", &good, &first), TLSG_OK);
	assert_int_equal(load_kept(set, "ec-enc.pem", &same, &again), TLSG_OK);
	assert_ptr_equal(first, again);
	assert_int_equal(load_kept(set, "ec-enc.pem", &wrong, &other), TLSG_E_CONFIG);
	assert_int_equal(load_kept(set, "ec-enc.pem", &none, &other), TLSG_E_CONFIG);
	assert_int_equal(load_kept(set, "ec.pem", &good, &first), TLSG_OK);
	assert_int_equal(load_kept(set, "ec.pem", &wrong, &again), TLSG_OK);
	assert_ptr_equal(first, again);
	assert_int_equal(set->keys_len, 2);
	tlsg_load_key_passwords_forget(set);
	assert_null(first->password.s);
	tlsg_set_drop(set);
}

static void test_asked_password_serves_reloads(void **state)
{
	struct tlsg_set *set = set_new();
	struct tlsg_key *before, *after;
	char line[256];

	(void)state;
	tlsg_password_mode_set(true, ask);
	answer = PASSWORD;
	assert_int_equal(load_in(set, "ec.p12", NULL, &before), TLSG_OK);
	tlsg_set_publish(set);
	tlsg_password_mode_set(true, NULL);
	set = set_new();
	assert_int_equal(load_in(set, "ec.p12", NULL, &after), TLSG_OK);
	assert_int_equal(after->der.size, before->der.size);
	assert_memory_equal(after->der.data, before->der.data, before->der.size);
	assert_ptr_not_equal(after->der.data, before->der.data);
	assert_int_equal(after->certs_len, 1);
	assert_true(after->is_encrypted);
	assert_int_equal(load_in(set, "ec-enc.pem", NULL, &after), TLSG_E_CONFIG);
	tlsg_set_drop(set);
	snprintf(line, sizeof(line), "cd %s && cp rsa-legacy.p12 ec.p12", key_folder());
	assert_int_equal(system(line), 0);
	set = set_new();
	assert_int_equal(load_in(set, "ec.p12", NULL, &after), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "at start only"));
	tlsg_set_drop(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_teardown(test_plain, clean),
			cmocka_unit_test_teardown(test_encrypted, clean),
			cmocka_unit_test_teardown(test_bad_files, clean),
			cmocka_unit_test_teardown(test_unreadable_names_the_user, clean),
			cmocka_unit_test_teardown(test_pkcs12, clean),
			cmocka_unit_test_teardown(test_names_of_pkcs12, clean),
			cmocka_unit_test_teardown(test_password_file, clean),
			cmocka_unit_test_teardown(test_password_file_for_everybody, clean),
			cmocka_unit_test_teardown(test_key_for_everybody, clean),
			cmocka_unit_test_teardown(test_password_in_the_environment, clean),
			cmocka_unit_test_teardown(test_password_path_is_made_absolute, clean),
			cmocka_unit_test_teardown(test_password_is_asked_for_once, clean),
			cmocka_unit_test_teardown(test_shared_with_the_same_password_only, clean),
			cmocka_unit_test_teardown(test_asked_password_serves_reloads, clean),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
