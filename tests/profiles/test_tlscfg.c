/*
 * tls_gnutls - tests of profiles/tlscfg.c: the sections of one file, split into words by the core's own lexer
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stand-in's region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "profiles/cipher/method.h"
#include "tests/profiles/tlscfg_parse.h"

/* ---- headers ---- */

static void test_header_forms(void **state)
{
	static const struct
	{
		const char *header;
		enum tlsg_role role;
		enum tlsg_prof_kind kind;
		uint16_t port;
		uint8_t len;
		uint8_t bytes[16];
	} rows[] = {
			{"[server:default]", TLSG_SERVER, TLSG_PROF_DEFAULT, 0, 0, {0}},
			{"[srv:def]", TLSG_SERVER, TLSG_PROF_DEFAULT, 0, 0, {0}},
			{"[s:DEFAULT]", TLSG_SERVER, TLSG_PROF_DEFAULT, 0, 0, {0}},
			{"[client:default]", TLSG_CLIENT, TLSG_PROF_DEFAULT, 0, 0, {0}},
			{"[CLI:def]", TLSG_CLIENT, TLSG_PROF_DEFAULT, 0, 0, {0}},
			{"[c:Default]", TLSG_CLIENT, TLSG_PROF_DEFAULT, 0, 0, {0}},
			{"[server:any]", TLSG_SERVER, TLSG_PROF_ANY, 0, 0, {0}},
			{"[c:ALL]", TLSG_CLIENT, TLSG_PROF_ANY, 0, 0, {0}},
			{"[server:10.0.0.1:5061]", TLSG_SERVER, TLSG_PROF_ADDR, 5061, 4, {10, 0, 0, 1}},
			{"[client:255.254.3.0:0]", TLSG_CLIENT, TLSG_PROF_ADDR, 0, 4, {255, 254, 3, 0}},
			{"[server:10.0.0.1:*]", TLSG_SERVER, TLSG_PROF_ADDR, 0, 4, {10, 0, 0, 1}},
			{"[server:10.0.0.1:65535]", TLSG_SERVER, TLSG_PROF_ADDR, 65535, 4, {10, 0, 0, 1}},
			{"[server:010.000.00.01:05061]", TLSG_SERVER, TLSG_PROF_ADDR, 5061, 4, {10, 0, 0, 1}},
			{"[server:[2001:db8::1]:5061]", TLSG_SERVER, TLSG_PROF_ADDR, 5061, 16, {0x20, 1, 0xd, 0xb8, [15] = 1}},
			{"[client:[::]:0]", TLSG_CLIENT, TLSG_PROF_ADDR, 0, 16, {0}},
			{"[client:[FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFE]:1]", TLSG_CLIENT, TLSG_PROF_ADDR, 1, 16,
					{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 254}},
			{"  [ server : 10 . 0 . 0 . 1 : 5061 ]  # spaces and a comment", TLSG_SERVER, TLSG_PROF_ADDR, 5061, 4,
					{10, 0, 0, 1}},
			{"\t[server:\t[::1]\t:7]\r", TLSG_SERVER, TLSG_PROF_ADDR, 7, 16, {[15] = 1}},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tlsg_prof *p;
		struct tlsg_set *set;
		char text[200];

		snprintf(text, sizeof(text), "\n%s\nserver_name=n.example\n", rows[i].header);
		set = parse(text);
		p = rows[i].kind == TLSG_PROF_DEFAULT ? set->defaults[rows[i].role] : set->list[rows[i].role];
		assert_non_null(p);
		assert_int_equal(p->role, rows[i].role);
		assert_int_equal(p->kind, rows[i].kind);
		assert_int_equal(p->port, rows[i].port);
		assert_int_equal(p->addr.len, rows[i].len);
		assert_memory_equal(p->addr.bytes, rows[i].bytes, rows[i].len);
		assert_str(&p->s.server_name, "n.example");
		assert_int_equal(p->line, 2);
		assert_str(&p->file, file);
		assert_int_equal(set->profs_len, 1);
		tlsg_set_drop(set);
	}
}

/* ---- keys and values ---- */

static void test_strings_and_their_aliases(void **state)
{
	static const struct
	{
		const char *key;
		size_t offset;
		bool is_path;
	} rows[] = {
			{"private_key", offsetof(struct tlsg_prof_settings, private_key), true},
			{"pkey_file", offsetof(struct tlsg_prof_settings, private_key), true},
			{"private_key_password", offsetof(struct tlsg_prof_settings, private_key_password), false},
			{"pkey_password", offsetof(struct tlsg_prof_settings, private_key_password), false},
			{"certificate", offsetof(struct tlsg_prof_settings, certificate), true},
			{"cert_file", offsetof(struct tlsg_prof_settings, certificate), true},
			{"ca_list", offsetof(struct tlsg_prof_settings, ca_list), true},
			{"calist_file", offsetof(struct tlsg_prof_settings, ca_list), true},
			{"ca_path", offsetof(struct tlsg_prof_settings, ca_path), true},
			{"crl", offsetof(struct tlsg_prof_settings, crl), true},
			{"cipher_list", offsetof(struct tlsg_prof_settings, cipher_list), false},
			{"server_name", offsetof(struct tlsg_prof_settings, server_name), false},
			{"server_id", offsetof(struct tlsg_prof_settings, server_id), false},
			{"certificate2", offsetof(struct tlsg_prof_settings, certificate2), true},
			{"cert_file2", offsetof(struct tlsg_prof_settings, certificate2), true},
			{"private_key2", offsetof(struct tlsg_prof_settings, private_key2), true},
			{"pkey_file2", offsetof(struct tlsg_prof_settings, private_key2), true},
			{"private_key_password2", offsetof(struct tlsg_prof_settings, private_key_password2), false},
			{"PKEY_Password2", offsetof(struct tlsg_prof_settings, private_key_password2), false},
	};
	size_t i, j;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_set *set;
		const char *s;
		char text[200];

		snprintf(text, sizeof(text), "[server:default]\n%s = v.x\n", rows[i].key);
		set = parse(text);
		s = (const char *)&set->defaults[TLSG_SERVER]->s;
		assert_str((const str *)(s + rows[i].offset), rows[i].is_path ? "/etc/kamailio/v.x" : "v.x");
		for(j = 0; j < sizeof(rows) / sizeof(rows[0]); j++)
			if(rows[j].offset != rows[i].offset)
				assert_str((const str *)(s + rows[j].offset), NULL);
		tlsg_set_drop(set);
	}
}

static void test_how_values_are_written(void **state)
{
	static const struct
	{
		const char *written;
		const char *value;
	} rows[] = {
			{"HIGH:!aNULL:@STRENGTH", "HIGH:!aNULL:@STRENGTH"},
			{"\"HIGH !aNULL\"", "HIGH !aNULL"},
			{"'HIGH'", "'HIGH'"}, /* a single quote is a character */
			{"\"\"", ""},
			{"\"a#b\" # comment", "a#b"},
			{"a#b", "a"},
			{"a\\#b", "a#b"},
			{"a\\ b", "a b"},
			{"a\\\"b\\\\c", "a\"b\\c"},
			{"a\\tb\\nc\\rd", "a\tb\nc\rd"},
			{"\"q\\\"q\\\\q\\n\"", "q\"q\\q\n"},
			{"\"two\nlines\"", "two\nlines"},
			{"\"joi\\\nned\"", "joined"},
			{"joi\\\nned", "joined"},
			{"\\x", "\\x"}, /* at the start a backslash is kept */
			{"a\"b\"c", "a\"b\"c"},
			{"pkcs11:token=t;object=o?pin-value=1", "pkcs11:token=t;object=o?pin-value=1"},
			{"a \t\r", "a"},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_set *set;
		char text[200];

		snprintf(text, sizeof(text), "[s:def]\ncipher_list = %s\nserver_id=after", rows[i].written);
		set = parse(text);
		assert_str(&set->defaults[TLSG_SERVER]->s.cipher_list, rows[i].value);
		assert_str(&set->defaults[TLSG_SERVER]->s.server_id, "after");
		tlsg_set_drop(set);
	}
}

static void test_booleans(void **state)
{
	static const struct
	{
		const char *word;
		int value;
	} rows[] = {{"yes", 1}, {"true", 1}, {"enable", 1}, {"enabled", 1}, {"on", 1}, {"1", 1}, {"no", 0}, {"false", 0},
			{"disable", 0}, {"disabled", 0}, {"off", 0}, {"0", 0}, {"\"YES\"", 1}, {"Off", 0}};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tlsg_prof_settings *s;
		struct tlsg_set *set;
		char text[200];

		snprintf(text, sizeof(text), "[s:def]\nverify_certificate=%s\n[c:def]\nrequire_cert=%s\n", rows[i].word,
				rows[i].word);
		set = parse(text);
		s = &set->defaults[TLSG_SERVER]->s;
		assert_int_equal(s->verify_certificate, rows[i].value);
		assert_int_equal(s->require_certificate, -1);
		s = &set->defaults[TLSG_CLIENT]->s;
		assert_int_equal(s->require_certificate, rows[i].value);
		assert_int_equal(s->verify_certificate, -1);
		tlsg_set_drop(set);
	}
}

static void test_numbers_and_enums(void **state)
{
	struct tlsg_set *set = parse("[s:def]\nverify_depth=0\nmethod=tlsv1.2+\nverify_client=Optional_No_CA\n"
								 "server_name_mode=2\nverify_name=1\nverify_cert=on\n"
								 "[c:def]\nverify_depth=\"255\"\ntls_method = \"SSLv23\"\nverify_client=on\n"
								 "server_name_mode = 9\nrequire_certificate=on\nverify_name = 2\n");
	const struct tlsg_prof_settings *s = &set->defaults[TLSG_SERVER]->s;

	(void)state;
	assert_int_equal(s->verify_depth, 0);
	assert_int_equal(s->method, TLSG_METHOD_TLSV1_2_PLUS);
	assert_int_equal(s->verify_client, TLSG_VERIFY_CLIENT_OPTIONAL_NO_CA);
	assert_int_equal(s->server_name_mode, 2);
	assert_int_equal(s->verify_name, 1);
	assert_int_equal(s->verify_certificate, 1);
	s = &set->defaults[TLSG_CLIENT]->s;
	assert_int_equal(s->verify_depth, 255);
	assert_int_equal(s->method, TLSG_METHOD_SSLV23);
	assert_int_equal(s->verify_client, TLSG_VERIFY_CLIENT_ON);
	assert_int_equal(s->server_name_mode, 0); /* unknown ones mean 0, with a warning */
	assert_int_equal(s->verify_name, 2);
	assert_int_equal(s->require_certificate, 1);
	tlsg_set_drop(set);
}

static void test_strange_mode_is_warned_about(void **state)
{
	struct tlsg_set *set;

	(void)state;
	tlsg_stub_log_clear();
	set = parse("[s:any]\nserver_name=a\nserver_name_mode=3\n");
	assert_int_equal(tlsg_stub_log_count(L_WARN), 1);
	assert_non_null(strstr(tlsg_stub_log_text(), "/tls.cfg:3: server_name_mode 3"));
	tlsg_set_drop(set);
	tlsg_stub_log_clear();
	set = parse("[s:any]\nserver_name=a\nserver_name_mode=2\n");
	assert_int_equal(tlsg_stub_log_count(L_WARN), 0);
	tlsg_set_drop(set);
}

static void test_last_of_a_key_wins(void **state)
{
	struct tlsg_set *set = parse("[s:def]\ncertificate=/one\ncert_file=/two\nmethod=TLSv1.3\ntls_method=TLSv1.1\n"
								 "pkey_password=first\nprivate_key_password=second\n");
	const struct tlsg_prof_settings *s = &set->defaults[TLSG_SERVER]->s;

	(void)state;
	assert_str(&s->certificate, "/two");
	assert_int_equal(s->method, TLSG_METHOD_TLSV1_1);
	assert_str(&s->private_key_password, "second");
	tlsg_set_drop(set);
}

static void test_longest_value(void **state)
{
	struct tlsg_set *set;
	char text[700];
	int n = snprintf(text, sizeof(text), "[s:def]\nserver_name=");

	(void)state;
	memset(text + n, 'x', 512);
	snprintf(text + n + 512, sizeof(text) - (size_t)n - 512, "\n");
	set = parse(text);
	assert_int_equal(set->defaults[TLSG_SERVER]->s.server_name.len, 512);
	tlsg_set_drop(set);
	memset(text + n, 'x', 513);
	snprintf(text + n + 513, sizeof(text) - (size_t)n - 513, "\n");
	assert_null(parse_bytes(text, strlen(text)));
	assert_non_null(strstr(err.text, "/tls.cfg:2:"));
	assert_non_null(strstr(err.text, "Token too long"));
}

static void test_nothing_in_the_file(void **state)
{
	static const char *const rows[] = {
			"", "\n", "# only a comment", "# one\n\n   \t\r\n# two\\\n[ still the comment\n"};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_set *set = parse(rows[i]);

		assert_int_equal(set->profs_len, 0);
		tlsg_set_drop(set);
	}
}

static void test_order_and_many(void **state)
{
	struct tlsg_set *set = parse("[server:10.0.0.1:1]\n[server:any]\nserver_name=x\n[client:10.0.0.1:1]\n"
								 "[server:[::1]:1]\n[server:10.0.0.1:2]");
	const struct tlsg_prof *p = set->list[TLSG_SERVER];

	(void)state;
	assert_int_equal(list_len(p), 4);
	assert_int_equal(list_len(set->list[TLSG_CLIENT]), 1);
	assert_int_equal(p->line, 6);
	assert_int_equal(p->next->line, 5);
	assert_int_equal(p->next->next->kind, TLSG_PROF_ANY);
	assert_int_equal(p->next->next->next->line, 1);
	tlsg_set_drop(set);
}

/* ---- errors ---- */

static void test_wrong_headers(void **state)
{
	static const struct wrong rows[] = {
			{"[", ":1:1: ", "TLS domain type missing"},
			{"[]\n", ":1:2: ", "Invalid TLS domain type"},
			{"\n\n  [peer:default]\n", ":3:4: ", "Invalid TLS domain type -2:'peer'"},
			{"[serverx:default]\n", ":1:2: ", "Invalid TLS domain type"},
			{"[\nserver:default]\n", ":", "Invalid TLS domain type"},
			{"[server", ":1:", "TLS domain IP address missing"},
			{"[server]\n", ":1:8: ", "Syntax error, ':' expected"},
			{"[server=default]\n", ":1:8: ", "Syntax error, ':' expected"},
			{"[server:", ":1:", "Missing IP address"},
			{"[server:]\n", ":1:9: ", "Syntax error, IP address expected"},
			{"[server:*]\n", ":1:9: ", "Syntax error, IP address expected"},
			{"[server:\"default\"]\n", ":1:", "Syntax error, IP address expected"},
			{"[server:default\n", ":", "Syntax error, ']' expected"},
			{"[server:default", ":1:", "Closing ']' missing"},
			{"[server:default:5061]\n", ":1:16: ", "Syntax error, ']' expected"},
			{"[server:default] x\n", ":1:18: ", "End of line expected"},
			{"[server:sip.example.com:5061]\n", ":1:9: ", "Invalid IPv4 address"},
			{"[server:256.0.0.1:5061]\n", ":1:9: ", "Invalid IPv4 address"},
			{"[server:1.2.3:5061]\n", ":1:9: ", "Invalid IPv4 address"},
			{"[server:1.2.3.4.5:5061]\n", ":1:16: ", "Syntax error, ':' expected"},
			{"[server:1.2..4:5061]\n", ":1:9: ", "Invalid IPv4 address"},
			{"[server:1.2.3.x:5061]\n", ":1:9: ", "Invalid IPv4 address"},
			{"[server:1.2.3.99999999999999999999:5061]\n", ":1:9: ", "Invalid IPv4 address"},
			{"[server:1.2.3.", ":1:9: ", "Invalid IPv4 address"},
			{"[server:1.2.3.4]\n", ":1:16: ", "Syntax error, ':' expected"},
			{"[server:1.2.3.4", ":1:", "Syntax error, ':' expected"},
			{"[server:1.2.3.4:", ":1:", "Premature end of file, port number missing"},
			{"[server:1.2.3.4:]\n", ":1:17: ", "Invalid port number ']'"},
			{"[server:1.2.3.4:\n", ":", "Invalid port number"},
			{"[server:1.2.3.4:65536]\n", ":1:17: ", "Invalid port number '65536'"},
			{"[server:1.2.3.4:70000]\n", ":1:17: ", "Invalid port number '70000'"},
			{"[server:1.2.3.4:4294972357]\n", ":1:17: ", "Invalid port number"},
			{"[server:1.2.3.4:-1]\n", ":1:17: ", "Invalid port number '-'"},
			{"[server:1.2.3.4:sip]\n", ":1:17: ", "Invalid port number 'sip'"},
			{"[server:[::1:5061]\n", ":", "Syntax error, ':' expected"}, /* "::1:5061" is an address */
			{"[server:[]:5061]\n", ":1:9: ", "Invalid IPv6 address"},
			{"[server:[::g]:5061]\n", ":1:9: ", "Invalid IPv6 address"},
			{"[server:[::ffff:1.2.3.4]:5061]\n", ":1:9: ", "Invalid IPv6 address"},
			{"[server:[fe80::1%eth0]:5061]\n", ":1:9: ", "Invalid IPv6 address"},
			{"[server:[1:2:3:4:5:6:7:8:9]:5061]\n", ":1:9: ", "Invalid IPv6 address"},
			{"[server:[::1", ":1:9: ", "Invalid IPv6 address"},
			{"[server:[::1]5061]\n", ":1:14: ", "Syntax error, ':' expected"},
	};

	(void)state;
	CHECK_WRONG(rows);
}

static void test_ipv6_longer_than_any_address(void **state)
{
	char text[5000] = "[server:[";
	size_t n = strlen(text);

	(void)state;
	while(n < sizeof(text) - 20) {
		memcpy(text + n, "ffff:", 5);
		n += 5;
	}
	memcpy(text + n, "1]:1]\n", 7);
	assert_null(parse_bytes(text, strlen(text)));
	assert_non_null(strstr(err.text, ":1:9: Invalid IPv6 address"));
}

static void test_wrong_lines(void **state)
{
	static const struct wrong rows[] = {
			{"certificate=/c\n[server:default]\n",
					":1:1: ", "Unsupported option 'certificate' before the first section"},
			{"[s:def]\n  nonsense = 1\n", ":2:3: ", "Unsupported option 'nonsense'"},
			{"[s:def]\ncertificate3=/c\n", ":2:1: ", "Unsupported option 'certificate3'"},
			{"[s:def]\nnonsense\"x\"\n", ":2:1: ", "Unsupported option 'nonsense'"},
			{"[s:def]\ncertificate\n", ":", "Syntax error, '=' expected"},
			{"[s:def]\ncertificate", ":2:", "Delimiter '=' missing"},
			{"[s:def]\ncertificate: /c\n", ":2:12: ", "Syntax error, '=' expected"},
			{"[s:def]\ncertificate =", ":2:", "Option value missing"},
			{"[s:def]\ncertificate = # nothing\nverify_cert=1\n", ":", "Option value missing"},
			{"[s:def]\ncertificate = /a b\n", ":2:18: ", "End of line expected"},
			{"[s:def]\ncertificate = \"/a\" /b\n", ":2:20: ", "End of line expected"},
			{"[s:def]\ncertificate = ~/c\n", ":2:15: ", "Invalid character"},
			{"[s:def]\ncertificate = /c{d}\n", ":2:17: ", "Invalid character"},
			{"[s:def]\ncertificate = \"/c\n", ":", "missing closing quote"},
			{"[s:def]\ncertificate = \"/c\\x\"\n", ":2:19: ", "unsupported escape"},
			{"[s:def]\ncertificate = /c\\", ":2:", "missing closing quote or escaped character"},
			{"[s:def]\nserver_name = s\xc3\xbc\x64.example\n", ":2:16: ", "Invalid character"},
			{"[s:def]\n= x\n", ":2:1: ", "Syntax error"},
			{"[s:def]\n\"certificate\" = x\n", ":2:", "Syntax error"},
			{"[s:def]\n}\n", ":2:1: ", "Syntax error"},
			{"[s:def]\nmethod=TLSv1.4\n", ":2:8: ", "Unsupported enum value 'TLSv1.4'"},
			{"[s:def]\nmethod=\"\"\n", ":2:", "Unsupported enum value ''"},
			{"[s:def]\nmethod=SSLv3\n", ":2:8: ", "Unsupported enum value 'SSLv3': "},
			{"[s:def]\nmethod=SSLv2\n", ":2:8: ", "broken"},
			{"[s:def]\nverify_client=maybe\n", ":2:15: ", "Unsupported enum value 'maybe' (allowed: off, on, "},
			{"[s:def]\nverify_cert=2\n", ":2:13: ", "Invalid option value '2', boolean expected"},
			{"[s:def]\nrequire_certificate=\n", ":", "Option value missing"},
			{"[s:def]\nverify_depth=nine\n", ":2:14: ", "Invalid integer value 'nine'"},
			{"[s:def]\nverify_depth=9x\n", ":2:14: ", "Invalid integer value '9x'"},
			{"[s:def]\nverify_depth=\"\"\n", ":2:", "Invalid integer value ''"},
			{"[s:def]\nverify_depth=99999999999\n", ":2:14: ", "Invalid integer value"},
			{"[s:def]\nverify_depth=9999999999999999999999\n", ":2:14: ", "Invalid integer value"},
			{"[s:def]\nverify_depth=-1\n", ":2:14: ", "Value -1 of 'verify_depth' is not allowed (allowed: 0 to "},
			{"[s:def]\nverify_name=3\n", ":2:13: ", "Value 3 of 'verify_name' is not allowed (allowed: 0 to 2)"},
			{"[s:def]\nserver_name_mode=x\n", ":2:18: ", "Invalid integer value 'x'"},
	};

	(void)state;
	CHECK_WRONG(rows);
}

static void test_zero_bytes(void **state)
{
	static const char quoted[] = "[s:def]\ncertificate=\"/etc/a\0b\"\n";
	static const char bare[] = "[s:def]\ncertificate=/a\0b\n";
	static const char line[] = "[s:def]\n\0\n";

	(void)state;
	assert_null(parse_bytes(quoted, sizeof(quoted) - 1));
	assert_non_null(strstr(err.text, ":2:14: Invalid character 0x0 in a value"));
	assert_null(parse_bytes(bare, sizeof(bare) - 1));
	assert_non_null(strstr(err.text, ":2:15: Invalid character"));
	assert_null(parse_bytes(line, sizeof(line) - 1));
	assert_non_null(strstr(err.text, ":2:1: "));
}

static void test_path_too_long(void **state)
{
	static char long_dir[TLSG_ERR_TEXT * 10];
	struct tlsg_set_options o = {.config_dir = {long_dir, sizeof(long_dir) - 1}};
	static const char text[] = "[s:def]\ncrl=x\n";
	struct tlsg_set *set;

	(void)state;
	memset(long_dir, 'd', sizeof(long_dir) - 1);
	set = tlsg_set_new(&o);
	write_to(file, text, sizeof(text) - 1);
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_tlscfg_file_parse(set, file, &err), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, ":2:5: Path too long"));
	tlsg_set_drop(set);
}

/* After an error the core's lexer keeps one character; the next file must not get it. */
static void test_nothing_is_left_of_a_refused_file(void **state)
{
	static const char *const wrong[] = {"[s:def]\nnonsense\n", "[s:def]\nnonsense=", "[s:def]\nnonsense\"x",
			"[s:def]\nnonsense#", "[s:def]\nnonsense x", "[s:def]\nnonsense[", "nonsense]"};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct tlsg_set *set;

		assert_null(parse_bytes(wrong[i], strlen(wrong[i])));
		tlsg_stub_log_clear();
		set = parse("[client:10.0.0.1:5]\nserver_id=i\n");
		assert_int_equal(set->list[TLSG_CLIENT]->line, 1);
		assert_int_equal(tlsg_stub_log_count(L_ERR), 0);
		tlsg_set_drop(set);
	}
}

static void test_second_default_replaces_with_a_warning(void **state)
{
	struct tlsg_set *set;

	(void)state;
	tlsg_stub_log_clear();
	set = parse("[s:def]\nverify_depth=1\n[c:def]\n[server:default]\nserver_id=x\n");
	assert_int_equal(set->defaults[TLSG_SERVER]->line, 4);
	assert_int_equal(set->defaults[TLSG_SERVER]->s.verify_depth, -1); /* nothing of the first is left */
	assert_int_equal(tlsg_stub_log_count(L_WARN), 1);
	assert_non_null(strstr(tlsg_stub_log_text(), "/tls.cfg:4: this default section replaces the one at "));
	assert_non_null(strstr(tlsg_stub_log_text(), "/tls.cfg:1\n"));
	tlsg_set_drop(set);
}

static void test_without_memory(void **state)
{
	struct tlsg_set_options o = {.config_dir = STR_STATIC_INIT("/")};
	static char text[100000];
	struct tlsg_set *set;
	size_t n = 0;
	int i;

	(void)state;
	for(i = 0; i < 1000; i++)
		n += (size_t)snprintf(
				text + n, sizeof(text) - n, "[server:10.0.%d.%d:1]\ncertificate=/c.pem\n", i / 250, i % 250);
	write_to(file, text, n);
	set = tlsg_set_new(&o);
	assert_non_null(set);
	tlsg_err_clear(&err);
	tlsg_stub_shm_fail_after(0);
	assert_int_equal(tlsg_tlscfg_file_parse(set, file, &err), TLSG_E_RESOURCE);
	tlsg_stub_shm_fail_after(-1);
	assert_int_equal(err.class, TLSG_CLASS_RESOURCE);
	tlsg_set_drop(set);
	set = parse_path(file);
	assert_non_null(set);
	assert_int_equal(list_len(set->list[TLSG_SERVER]), 1000);
	tlsg_set_drop(set);
}

/* The error object may be NULL, and descriptors are closed. */
static void test_no_error_object_and_no_leak(void **state)
{
	struct tlsg_set_options o = {.config_dir = STR_STATIC_INIT("/")};
	size_t blocks = tlsg_stub_shm_blocks();
	int before, after, i;

	(void)state;
	before = dup(0);
	close(before);
	for(i = 0; i < 50; i++) {
		struct tlsg_set *set = tlsg_set_new(&o);

		write_to(file, i % 2 ? "[s:def]\nx\n" : "[s:def]\n", i % 2 ? 10 : 8);
		assert_int_equal(tlsg_tlscfg_file_parse(set, file, NULL), i % 2 ? TLSG_E_CONFIG : TLSG_OK);
		tlsg_set_drop(set);
	}
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
	assert_int_equal(tlsg_stub_shm_blocks(), blocks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_header_forms),
			cmocka_unit_test(test_strings_and_their_aliases),
			cmocka_unit_test(test_how_values_are_written),
			cmocka_unit_test(test_booleans),
			cmocka_unit_test(test_numbers_and_enums),
			cmocka_unit_test(test_strange_mode_is_warned_about),
			cmocka_unit_test(test_last_of_a_key_wins),
			cmocka_unit_test(test_longest_value),
			cmocka_unit_test(test_nothing_in_the_file),
			cmocka_unit_test(test_order_and_many),
			cmocka_unit_test(test_wrong_headers),
			cmocka_unit_test(test_ipv6_longer_than_any_address),
			cmocka_unit_test(test_wrong_lines),
			cmocka_unit_test(test_zero_bytes),
			cmocka_unit_test(test_path_too_long),
			cmocka_unit_test(test_nothing_is_left_of_a_refused_file),
			cmocka_unit_test(test_second_default_replaces_with_a_warning),
			cmocka_unit_test(test_without_memory),
			cmocka_unit_test(test_no_error_object_and_no_leak),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
