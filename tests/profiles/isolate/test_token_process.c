/*
 * tls_gnutls - tests of the token process without a token: requests, sources of PINs, modules that may be loaded
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: two processes.  Memory: heap, the stand-in's region; files in a folder of its own.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "base/host.h"
#include "base/scope.h"
#include "profiles/isolate/client.h"
#include "profiles/isolate/token_modules.h"
#include "profiles/keys/pin.h"
#include "profiles/isolate/key_process.h"
#include "profiles/isolate/token_process.h"
#include "profiles/isolate/wire.h"
#include "profiles/set.h"
#include "tests/lib/descriptors.h"
#include "tests/lib/hostile_client.h"

static char dir[] = "/tmp/tlsg_key_token_XXXXXX";
static struct tlsg_err err;
static pid_t process;

static int group_setup(void **state)
{
	(void)state;
	if(mkdtemp(dir) == NULL || tlsg_scope_install() != TLSG_OK || tlsg_arena_pool_global_init() != TLSG_OK
			|| tlsg_set_global_init() != TLSG_OK)
		return -1;
	return 0;
}

static int group_teardown(void **state)
{
	char line[128];

	(void)state;
	tlsg_set_global_deinit();
	tlsg_arena_pool_global_deinit();
	snprintf(line, sizeof(line), "rm -r %s", dir);
	return system(line);
}

static const struct hostile_target target = {tlsg_token_process_run, tlsg_client_set_token_process};

static int process_start(void **state)
{
	(void)state;
	process = hostile_target_start(&target);
	return process > 0 ? 0 : -1;
}

static int process_stop(void **state)
{
	(void)state;
	return hostile_target_stop(&target, process);
}

static const char *file_make(const char *name, mode_t mode)
{
	static char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("1234\n", f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

/* ---- requests ---- */

static const gnutls_datum_t cert = {(unsigned char *)"no certificate", 14};

static struct tlsg_p11_query query(const char *uri, const char *module)
{
	struct tlsg_p11_query q;

	memset(&q, 0, sizeof(q));
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_uri_parse(uri, &q.uri, &err), TLSG_OK);
	snprintf(q.module, sizeof(q.module), "%s", module);
	return q;
}

static enum tlsg_ret ask(enum tlsg_wire_look_kind what, const struct tlsg_p11_query *q)
{
	struct tlsg_client_look_request r = {
			.set_number = 1, .what = what, .q = q, .certificate = what == TLSG_WIRE_LOOK_KEY ? &cert : NULL};
	struct tlsg_client_look_reply a;

	tlsg_err_clear(&err);
	return tlsg_client_look(&r, &a, &err);
}

/* Each refusal has a sentence, and the next request gets a reply. */
static void test_refusals(void **state)
{
	const struct
	{
		enum tlsg_wire_look_kind what;
		const char *uri;
		const char *module;
		const char *why;
	} rows[] = {
			{TLSG_WIRE_LOOK_KEY, "pkcs11:token=a;object=b", "/nowhere/module.so", "cannot be loaded"},
			{TLSG_WIRE_LOOK_CHAIN, "pkcs11:token=a;object=b", "/nowhere/module.so", "cannot be loaded"},
			{TLSG_WIRE_LOOK_ANCHORS, "pkcs11:token=a", "/nowhere/module.so", "cannot be loaded"},
			{TLSG_WIRE_LOOK_KEY, "pkcs11:token=a;object=b", "./module.so", "not absolute"},
			{TLSG_WIRE_LOOK_KEY, "pkcs11:token=a;object=b", "no-such-module", "no PKCS#11 module \"no-such-module\""},
			{TLSG_WIRE_LOOK_KEY, "pkcs11:token=a;object=b?pin-source=/nowhere/pin", "/nowhere/module.so",
					"the PIN file \"/nowhere/pin\" cannot be read"},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_p11_query q = query(rows[i].uri, rows[i].module);

		assert_int_equal(ask(rows[i].what, &q), TLSG_E_CONFIG);
		if(strstr(err.text, rows[i].why) == NULL)
			fail_msg("row %zu: %s", i, err.text);
	}
}

/* A module that was not named during start-up is not even opened. */
static void test_module_after_start(void **state)
{
	struct tlsg_p11_query early = query("pkcs11:token=a;object=b", "/nowhere/early.so");
	struct tlsg_p11_query late = query("pkcs11:token=a;object=b", "/nowhere/late.so");

	(void)state;
	assert_int_equal(ask(TLSG_WIRE_LOOK_KEY, &early), TLSG_E_CONFIG);
	tlsg_client_startup_done();
	assert_int_equal(ask(TLSG_WIRE_LOOK_KEY, &late), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "was not named when Kamailio started"));
	assert_int_equal(ask(TLSG_WIRE_LOOK_KEY, &early), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "cannot be loaded"));
}

static void test_unknown_key(void **state)
{
	static const gnutls_datum_t text = {(unsigned char *)"some text", 9};
	gnutls_datum_t made = {NULL, 0};
	uint64_t id;

	(void)state;
	for(id = 0; id < 3; id++)
		assert_int_equal(
				tlsg_client_op(TLSG_WIRE_KEY_ON_TOKEN | id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_RSA_SHA256, &text, &made),
				GNUTLS_E_NO_CERTIFICATE_FOUND);
	assert_null(made.data);
}

/* What is wrong with a request. */
enum defect
{
	UNKNOWN_REQUEST,
	EMPTY,
	SHORT_HEAD,
	WHAT_0,
	WHAT_9,
	KEY_WITHOUT_CERT,
	CHAIN_WITH_CERT,
	PASSWORD_LEN,
	CERT_LEN,
	BOTH_LENS,
	ZERO_IN_PASSWORD,
	MODULE_WITHOUT_END,
	URI_WITHOUT_END,
	PIN_WITHOUT_END,
	NO_URI,
	DEFECTS
};

static size_t spoil(enum defect d, struct tlsg_wire_message *m)
{
	struct tlsg_wire_look_request t;
	size_t more = 0;

	memset(&t, 0, sizeof(t));
	t.what = TLSG_WIRE_LOOK_CHAIN;
	t.q = query("pkcs11:token=a;object=b", "/nowhere/module.so");
	m->head.request = d == UNKNOWN_REQUEST ? 9 : TLSG_WIRE_LOOK;
	if(d == WHAT_0 || d == WHAT_9)
		t.what = d == WHAT_0 ? 0 : 9;
	if(d == KEY_WITHOUT_CERT)
		t.what = TLSG_WIRE_LOOK_KEY;
	if(d == CHAIN_WITH_CERT)
		t.cert_len = (uint32_t)(more = 4);
	if(d == PASSWORD_LEN || d == BOTH_LENS)
		t.password_len = UINT32_MAX;
	if(d == CERT_LEN || d == BOTH_LENS)
		t.cert_len = d == CERT_LEN ? UINT32_MAX : 1;
	if(d == CERT_LEN)
		t.what = TLSG_WIRE_LOOK_KEY;
	if(d == ZERO_IN_PASSWORD)
		t.password_len = (uint32_t)(more = 4);
	if(d == MODULE_WITHOUT_END)
		memset(t.q.module, 'm', sizeof(t.q.module));
	if(d == URI_WITHOUT_END)
		memset(t.q.uri.uri + 7, 'u', sizeof(t.q.uri.uri) - 7);
	if(d == PIN_WITHOUT_END)
		memset(t.engine_pin.value, 'p', sizeof(t.engine_pin.value));
	if(d == NO_URI)
		snprintf(t.q.uri.uri, sizeof(t.q.uri.uri), "/etc/passwd");
	memcpy(m->payload, &t, sizeof(t));
	memset(m->payload + sizeof(t), 0, more);
	if(d == EMPTY)
		return 0;
	return d == SHORT_HEAD ? sizeof(t) - 1 : sizeof(t) + more;
}

/* Malformed requests: the connection is closed, others are not affected. */
static void test_malformed_requests(void **state)
{
	static struct tlsg_wire_message m;
	struct tlsg_p11_query q = query("pkcs11:token=a;object=b", "/nowhere/module.so");
	enum defect d;

	(void)state;
	for(d = 0; d < DEFECTS; d++) {
		int fd = hostile_client_next();
		size_t size;

		memset(&m, 0, sizeof(m));
		size = spoil(d, &m);
		m.head.size = (uint32_t)size;
		assert_int_equal(send(fd, &m, sizeof(m.head) + size, 0), sizeof(m.head) + size);
		if(recv(fd, &m, sizeof(m), 0) > 0)
			fail_msg("defect %d is answered", (int)d);
		close(fd);
	}
	assert_int_equal(ask(TLSG_WIRE_LOOK_CHAIN, &q), TLSG_E_CONFIG);
}

/* Descriptors end the connection, none gets into the process, and nothing is closed that blocks then. */
static void test_descriptors(void **state)
{
	struct tlsg_p11_query q = query("pkcs11:token=a;object=b", "/nowhere/module.so");
	unsigned before;
	int i;

	(void)state;
	assert_int_equal(ask(TLSG_WIRE_LOOK_CHAIN, &q), TLSG_E_CONFIG);
	descriptors_wait(descriptors_watched, process, HOSTILE_CLIENTS); /* the child has ended */
	before = descriptors_open(process);
	for(i = 0; i < 3; i++) {
		int peer, fd = hostile_client_next(), given[2];

		given[0] = hostile_client_lingering(&peer);
		given[1] = given[0];
		kill(process, SIGSTOP);
		if(i == 2)
			assert_int_equal(send(fd, "x", 1, 0), 1); /* malformed: the next one is not looked at any more */
		hostile_client_send_fds(fd, given, i == 1 ? 2 : 1);
		kill(process, SIGCONT);
		assert_int_equal(dup2(peer, given[0]), given[0]);
		close(given[0]);
		hostile_client_wait_end(fd);
		assert_true(send(fd, "x", 1, MSG_NOSIGNAL) < 0);
		assert_int_equal(ask(TLSG_WIRE_LOOK_CHAIN, &q), TLSG_E_CONFIG); /* a child is forked, and closes its copies */
		assert_non_null(strstr(err.text, "cannot be loaded"));
		close(fd);
		close(peer);
	}
	descriptors_wait(descriptors_open, process, before);
	assert_int_equal(descriptors_watched(process), HOSTILE_CLIENTS - 3);
	assert_int_equal(ask(TLSG_WIRE_LOOK_CHAIN, &q), TLSG_E_CONFIG);
}

/* A client floods the process with requests and disconnects; other clients get replies. */
static void test_flood(void **state)
{
	static struct tlsg_wire_message m;
	struct tlsg_p11_query q = query("pkcs11:token=a;object=b", "/nowhere/module.so");
	int i, sent = 0, fd = hostile_client_next();

	(void)state;
	for(i = 0; i < 200; i++) {
		memset(&m, 0, sizeof(m.head));
		m.head.size = (uint32_t)spoil(DEFECTS, &m);
		if(send(fd, &m, sizeof(m.head) + m.head.size, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			sent++;
	}
	assert_true(sent > 0);
	close(fd);
	assert_int_equal(ask(TLSG_WIRE_LOOK_CHAIN, &q), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "cannot be loaded"));
}

/* ---- modules ---- */

static void test_module_files(void **state)
{
	char path[256];

	(void)state;
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_token_modules_file_check("/bin/sh", &err), TLSG_OK); /* a link, in directories of root */
	assert_int_equal(tlsg_token_modules_file_check("/nowhere", &err), TLSG_E_CONFIG);
	if(geteuid() != 0) {
		print_message("skipped: files of root need root\n");
		return;
	}
	snprintf(path, sizeof(path), "%s", file_make("module.so", 0755));
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_token_modules_file_check(path, &err), TLSG_OK);
	assert_int_equal(chmod(path, 0775), 0);
	assert_int_equal(tlsg_token_modules_file_check(path, &err), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "others can write to it"));
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(chmod(dir, 0777), 0); /* whoever can rename it can replace it */
	assert_int_equal(tlsg_token_modules_file_check(path, &err), TLSG_E_CONFIG);
	assert_int_equal(chmod(dir, 01777), 0);
	assert_int_equal(tlsg_token_modules_file_check(path, &err), TLSG_OK);
	assert_int_equal(chown(path, 1, 0), 0);
	assert_int_equal(tlsg_token_modules_file_check(path, &err), TLSG_E_CONFIG);
	assert_int_equal(chmod(dir, 0700), 0);
}

/* ---- PINs ---- */

static bool known_cb(const char *uri, struct tlsg_p11_secret *pin)
{
	(void)uri;
	snprintf(pin->value, sizeof(pin->value), "typed");
	pin->is_set = true;
	return true;
}

static void test_sources_of_pins(void **state)
{
	char source[300];
	str word = STR_STATIC_INIT("profile"), none = STR_NULL;
	struct tlsg_p11_secret engine = {"engine", true}, unset = {"", false};
	const struct
	{
		const char *query;
		str *password;
		struct tlsg_p11_secret *engine;
		bool asks;
		const char *pin; /* NULL: none */
	} rows[] = {
			{"?pin-value=uri", &word, &engine, false, "uri"},
			{"?pin-value=uri", NULL, NULL, true, "uri"},
			{source, &word, &engine, false, "1234"},
			{"", &word, &engine, false, "profile"},
			{"", &none, &engine, false, "engine"},
			{"", NULL, &engine, false, "engine"},
			{"", &none, &engine, true, "engine"}, /* nobody is asked when there is an engine */
			{"", &none, NULL, true, "typed"},
			{"", NULL, NULL, true, NULL}, /* trust anchors need none */
			{"", &none, &unset, false, NULL},
			{"", &none, NULL, false, NULL},
	};
	size_t i;

	(void)state;
	snprintf(source, sizeof(source), "?pin-source=file:%s", file_make("pin", 0600));
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsg_pin_sources from = {rows[i].password, rows[i].engine, known_cb};
		struct tlsg_p11_query q;
		char uri[400];

		snprintf(uri, sizeof(uri), "pkcs11:token=a;object=b%s", rows[i].query);
		q = query(uri, "");
		tlsg_password_mode_set(rows[i].asks, NULL);
		assert_int_equal(tlsg_pin_find(&from, &q, &err), TLSG_OK);
		if(q.pin.is_set != (rows[i].pin != NULL) || (q.pin.is_set && strcmp(q.pin.value, rows[i].pin) != 0))
			fail_msg("row %zu: \"%s\"", i, q.pin.value);
	}
	tlsg_password_mode_set(false, NULL);
}

#define WITH_PROCESS(f) cmocka_unit_test_setup_teardown(f, process_start, process_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
			WITH_PROCESS(test_refusals),
			WITH_PROCESS(test_module_after_start),
			WITH_PROCESS(test_unknown_key),
			WITH_PROCESS(test_malformed_requests),
			WITH_PROCESS(test_descriptors),
			WITH_PROCESS(test_flood),
			cmocka_unit_test(test_module_files),
			cmocka_unit_test(test_sources_of_pins),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
