/*
 * tls_gnutls - tests of work in a child that may crash or hang, and of what processes share about a PIN
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process and its children.  Memory: heap, stand-in shared memory.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/host.h"
#include "pkcs11/p11_key.h"
#include "pkcs11/p11_probe.h"

static enum tlsg_ret answer(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	const size_t *size = arg;

	(void)err;
	out->data = gnutls_malloc(*size + 1);
	out->size = (unsigned)*size;
	memset(out->data, 'a', *size);
	return TLSG_OK;
}

static enum tlsg_ret refuse(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	(void)out;
	return tlsg_err_set(err, *(enum tlsg_ret *)arg, "100%% %s", "wrong");
}

static enum tlsg_ret crash(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	(void)out;
	(void)err;
	tlsg_p11_probe_stage("loading", "x");
	raise(*(int *)arg);
	return TLSG_OK;
}

static enum tlsg_ret leave(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	tlsg_p11_probe_stage("leaving", NULL);
	_exit(7);
}

static enum tlsg_ret hang(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	tlsg_p11_probe_stage("waiting", NULL);
	pause();
	return TLSG_OK;
}

/* 1: default signal handlers, no core dumps. */
static enum tlsg_ret look_at_myself(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct sigaction now;
	struct rlimit core;

	(void)arg;
	(void)out;
	if(sigaction(SIGUSR1, NULL, &now) != 0 || now.sa_handler != SIG_DFL)
		return tlsg_err_set(err, TLSG_E_CONFIG, "a handler of the parent is set");
	if(getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "a core could be written");
	return TLSG_OK;
}

static void test_answers(void **state)
{
	static const size_t sizes[] = {0, 1, 5, 4096, 65536, 1000000};
	gnutls_datum_t out;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i];

		assert_int_equal(tlsg_p11_probe_run(answer, &size, 20, &out, NULL), TLSG_OK);
		assert_int_equal(out.size, size);
		if(size > 0)
			assert_true(out.data[0] == 'a' && out.data[size - 1] == 'a');
		gnutls_free(out.data);
	}
}

static void test_refusals(void **state)
{
	static const enum tlsg_ret rets[] = {TLSG_E_CONFIG, TLSG_E_RESOURCE, TLSG_E_INTERNAL};
	gnutls_datum_t out;
	struct tlsg_err err;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rets) / sizeof(rets[0]); i++) {
		enum tlsg_ret ret = rets[i];

		tlsg_err_clear(&err);
		assert_int_equal(tlsg_p11_probe_run(refuse, &ret, 20, &out, &err), ret);
		assert_string_equal(err.text, "100% wrong");
		assert_null(out.data);
	}
}

static void test_crashes(void **state)
{
	static const int signals[] = {SIGSEGV, SIGABRT, SIGKILL, SIGUSR1, SIGALRM};
	gnutls_datum_t out;
	struct tlsg_err err;
	char expected[100];
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int sig = signals[i];

		tlsg_err_clear(&err);
		assert_int_equal(tlsg_p11_probe_run(crash, &sig, 20, &out, &err), TLSG_E_CONFIG);
		snprintf(expected, sizeof(expected), "the PKCS#11 module crashed (signal %d), loading \"x\"", sig);
		assert_string_equal(err.text, expected);
	}
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_probe_run(leave, NULL, 20, &out, &err), TLSG_E_CONFIG);
	assert_string_equal(err.text, "the PKCS#11 module ended the process (status 7), leaving");
}

static enum tlsg_ret answer_after_signal(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	size_t size = 3;

	(void)raise(*(int *)arg);
	return answer(&size, out, err);
}

static enum tlsg_ret hang_after_signal(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	(void)raise(*(int *)arg);
	return hang(NULL, out, err);
}

/* Being asked to end does not interrupt a call of a module, unless that takes too long. */
static void test_asked_to_end(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	gnutls_datum_t out;
	struct tlsg_err err;
	size_t i;
	int sig = SIGTERM;

	(void)state;
	for(i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sig = signals[i];
		tlsg_err_clear(&err);
		assert_int_equal(tlsg_p11_probe_run(answer_after_signal, &sig, 20, &out, &err), TLSG_OK);
		assert_int_equal(out.size, 3);
		gnutls_free(out.data);
	}
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_probe_run(hang_after_signal, &sig, 60, &out, &err), TLSG_E_CONFIG);
	assert_string_equal(err.text, "the PKCS#11 module crashed (signal 14), waiting");
}

static void test_hang(void **state)
{
	gnutls_datum_t out;
	struct tlsg_err err;

	(void)state;
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_probe_run(hang, NULL, 1, &out, &err), TLSG_E_CONFIG);
	assert_string_equal(err.text, "the PKCS#11 module hangs: no answer within 1 s, waiting");
}

static volatile sig_atomic_t heard;

static void on_signal(int sig)
{
	heard = sig;
}

/* The host must not see SIGCHLD: it takes the end of any child for that of a worker. */
static void test_the_host_hears_nothing(void **state)
{
	struct sigaction own = {.sa_handler = on_signal};
	struct sigaction before, after;
	gnutls_datum_t out;
	size_t size = 3;

	(void)state;
	assert_int_equal(sigaction(SIGCHLD, &own, &before), 0);
	assert_int_equal(sigaction(SIGUSR1, &own, NULL), 0);
	assert_int_equal(tlsg_p11_probe_run(answer, &size, 20, &out, NULL), TLSG_OK);
	gnutls_free(out.data);
	assert_int_equal(tlsg_p11_probe_run(look_at_myself, NULL, 20, &out, NULL), TLSG_OK);
	assert_int_equal(heard, 0);
	assert_int_equal(sigaction(SIGCHLD, &before, &after), 0);
	assert_true(after.sa_handler == on_signal);
	signal(SIGUSR1, SIG_DFL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void test_a_gate_survives_its_holder(void **state)
{
	struct tlsg_p11_gate *gate = shm_malloc(sizeof(*gate));
	struct tlsg_p11_object *o = calloc(1, sizeof(*o));
	gnutls_privkey_t key;
	struct tlsg_err err;
	pid_t pid;

	(void)state;
	assert_int_equal(tlsg_p11_gate_init(gate), TLSG_OK);
	pid = fork();
	if(pid == 0) {
		pthread_mutex_lock(&gate->lock);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	snprintf(o->module, sizeof(o->module), "/nowhere/p11.so");
	snprintf(o->uri, sizeof(o->uri), "pkcs11:object=x");
	o->gate = gate;
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_key_open(o, &key, &err), TLSG_E_CONFIG);
	assert_null(key);
	assert_non_null(strstr(err.text, "\"/nowhere/p11.so\" cannot be loaded: the file cannot be read"));
	assert_int_equal(pthread_mutex_trylock(&gate->lock), 0);
	pthread_mutex_unlock(&gate->lock);
	/* a PIN that another process found wrong is not tried */
	assert_false(tlsg_p11_key_is_refused(o));
	gate->refused = 1;
	assert_true(tlsg_p11_key_is_refused(o));
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_p11_key_open(o, &key, &err), TLSG_E_CONFIG);
	assert_null(key);
	assert_non_null(strstr(err.text, "the PIN is wrong"));
	free(o);
	shm_free(gate);
}

static void test_what_a_key_can(void **state)
{
	static const struct
	{
		gnutls_sign_algorithm_t algo;
		unsigned needs;
	} rows[] = {
			{GNUTLS_SIGN_RSA_SHA1, TLSG_P11_CAN_PKCS1},
			{GNUTLS_SIGN_RSA_SHA256, TLSG_P11_CAN_PKCS1},
			{GNUTLS_SIGN_RSA_RAW, TLSG_P11_CAN_PKCS1},
			{GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, TLSG_P11_CAN_PSS_SHA256},
			{GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, TLSG_P11_CAN_PSS_SHA384},
			{GNUTLS_SIGN_RSA_PSS_SHA512, TLSG_P11_CAN_PSS_SHA512},
			{GNUTLS_SIGN_ECDSA_SHA256, TLSG_P11_CAN_ECDSA},
			{GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, TLSG_P11_CAN_ECDSA},
			{GNUTLS_SIGN_EDDSA_ED25519, TLSG_P11_CAN_EDDSA},
			{GNUTLS_SIGN_EDDSA_ED448, TLSG_P11_CAN_EDDSA},
			{GNUTLS_SIGN_DSA_SHA256, 0},
	};
	char text[200], tiny[8];
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(tlsg_p11_key_can(rows[i].needs, rows[i].algo), rows[i].needs != 0);
		assert_false(tlsg_p11_key_can(~rows[i].needs, rows[i].algo) && rows[i].needs != 0);
	}
	assert_string_equal(tlsg_p11_key_describe(0, text, sizeof(text)), "nothing");
	assert_string_equal(tlsg_p11_key_describe(TLSG_P11_CAN_DECRYPT, text, sizeof(text)), "nothing");
	assert_string_equal(tlsg_p11_key_describe(TLSG_P11_CAN_PKCS1 | TLSG_P11_CAN_PSS_SHA384, text, sizeof(text)),
			"RSA PKCS#1, RSA-PSS SHA-384");
	assert_string_equal(tlsg_p11_key_describe(~0u, tiny, sizeof(tiny)), "RSA PKC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_answers),
			cmocka_unit_test(test_refusals),
			cmocka_unit_test(test_crashes),
			cmocka_unit_test(test_hang),
			cmocka_unit_test(test_asked_to_end),
			cmocka_unit_test(test_the_host_hears_nothing),
			cmocka_unit_test(test_a_gate_survives_its_holder),
			cmocka_unit_test(test_what_a_key_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
