/*
 * tls_gnutls - tests of the counters
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process and its children.  Memory: the stand-in's region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/stats_value.h"
#include "transport/stats.h"

static int setup(void **state)
{
	(void)state;
	return tlsg_stats_init() == TLSG_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	tlsg_stats_deinit();
	return 0;
}

#define assert_figure(name, want) assert_int_equal(tlsg_stats_value_of(name), want)

static void test_handshakes(void **state)
{
	(void)state;
	tlsg_stats_handshake_done(GNUTLS_TLS1_0, false, TLSG_SERVER);
	tlsg_stats_handshake_done(GNUTLS_TLS1_2, false, TLSG_SERVER);
	tlsg_stats_handshake_done(GNUTLS_TLS1_3, true, TLSG_SERVER);
	tlsg_stats_handshake_done(GNUTLS_TLS1_3, false, TLSG_CLIENT);
	tlsg_stats_handshake_done(GNUTLS_DTLS1_2, true, TLSG_CLIENT);
	tlsg_stats_handshake_done(GNUTLS_DTLS1_0, false, TLSG_SERVER);
	tlsg_stats_handshake_done(GNUTLS_DTLS0_9, false, TLSG_SERVER);
	assert_figure("handshakes_done", 7);
	assert_figure("handshakes_done_server", 5);
	assert_figure("handshakes_done_client", 2);
	assert_figure("handshakes_done_full", 5);
	assert_figure("handshakes_done_resumed", 2);
	assert_figure("handshakes_done_tls1_0", 1);
	assert_figure("handshakes_done_tls1_1", 0);
	assert_figure("handshakes_done_tls1_2", 1);
	assert_figure("handshakes_done_tls1_3", 2);
	assert_figure("handshakes_done_dtls1_0", 1);
	assert_figure("handshakes_done_dtls1_2", 1);
	assert_figure("handshakes_done_other_version", 1);
}

/* Those by role and version add up to handshakes_done_resumed, DTLS included. */
static void test_resumed(void **state)
{
	static const struct
	{
		int version;
		const char *name;
	} rows[] = {{GNUTLS_TLS1_0, "tls1_0"}, {GNUTLS_TLS1_1, "tls1_1"}, {GNUTLS_TLS1_2, "tls1_2"},
			{GNUTLS_TLS1_3, "tls1_3"}, {GNUTLS_DTLS1_0, "dtls1_0"}, {GNUTLS_DTLS1_2, "dtls1_2"}};
	char name[64];
	size_t i, j, times;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tlsg_stats_handshake_done(rows[i].version, false, TLSG_SERVER); /* a full one is not counted */
		for(j = 0; j <= i; j++) {
			tlsg_stats_handshake_done(rows[i].version, true, TLSG_CLIENT);
			tlsg_stats_handshake_done(rows[i].version, true, TLSG_SERVER);
		}
		tlsg_stats_handshake_done(rows[i].version, true, TLSG_SERVER);
	}
	for(i = 0, times = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(name, sizeof(name), "handshakes_resumed_client_%s", rows[i].name);
		assert_figure(name, i + 1);
		snprintf(name, sizeof(name), "handshakes_resumed_server_%s", rows[i].name);
		assert_figure(name, i + 2);
		times += 2 * i + 3;
	}
	assert_figure("handshakes_done_resumed", times);
}

static void test_dtls(void **state)
{
	(void)state;
	tlsg_stats_dtls(TLSG_DTLS_COOKIE);
	tlsg_stats_dtls(TLSG_DTLS_UNSENT);
	tlsg_stats_dtls(TLSG_DTLS_UNSENT);
	tlsg_stats_dtls((enum tlsg_stats_dtls)TLSG_DTLS_FIGURES);
	assert_figure("dtls_cookies_sent", 1);
	assert_figure("dtls_unsent", 2);
	assert_figure("dtls_malformed", 0);
}

static void test_failures(void **state)
{
	(void)state;
	tlsg_stats_handshake_failed(TLSG_FAIL_VERIFY);
	tlsg_stats_handshake_failed(TLSG_FAIL_TIMEOUT);
	tlsg_stats_handshake_failed((enum tlsg_stats_failure)TLSG_FAILURES);
	assert_figure("handshakes_failed", 3);
	assert_figure("handshakes_failed_verify", 1);
	assert_figure("handshakes_failed_timeout", 1);
	assert_figure("handshakes_failed_internal", 1);
	assert_figure("handshakes_failed_protocol", 0);
}

static void test_alerts(void **state)
{
	(void)state;
	tlsg_stats_alert(true, GNUTLS_A_CLOSE_NOTIFY);
	tlsg_stats_alert(true, GNUTLS_A_UNKNOWN_CA);
	tlsg_stats_alert(false, GNUTLS_A_UNKNOWN_CA);
	tlsg_stats_alert(false, GNUTLS_A_NO_APPLICATION_PROTOCOL);
	tlsg_stats_alert(false, 200);
	tlsg_stats_alert(false, 100000);
	assert_figure("alerts_sent", 2);
	assert_figure("alerts_received", 4);
	assert_figure("alerts_sent_close_notify", 1);
	assert_figure("alerts_sent_unknown_ca", 1);
	assert_figure("alerts_received_unknown_ca", 1);
	assert_figure("alerts_received_no_application_protocol", 1);
	assert_figure("alerts_received_close_notify", 0);
	assert_figure("alerts_received_other", 2);
}

static void test_verify(void **state)
{
	(void)state;
	tlsg_stats_verify_failed(TLSG_V_OK);
	tlsg_stats_verify_failed(TLSG_V_EXPIRED);
	tlsg_stats_verify_failed(TLSG_V_WEAK);
	tlsg_stats_verify_failed((enum tlsg_verify_code)99);
	assert_figure("verify_failed", 3);
	assert_figure("verify_failed_expired", 1);
	assert_figure("verify_failed_weak", 1);
	assert_figure("verify_failed_other", 1);
	assert_figure("verify_failed_revoked", 0);
}

static void test_counter_names_are_unique(void **state)
{
	unsigned i, j;

	(void)state;
	assert_true(tlsg_stats_len() > 100);
	for(i = 0; i < tlsg_stats_len(); i++) {
		assert_non_null(tlsg_stats_doc(i));
		assert_int_equal(
				strspn(tlsg_stats_name(i), "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(tlsg_stats_name(i)));
		for(j = 0; j < i; j++)
			assert_string_not_equal(tlsg_stats_name(i), tlsg_stats_name(j));
	}
	assert_null(tlsg_stats_name(i));
	assert_null(tlsg_stats_doc(i));
	assert_int_equal(tlsg_stats_value(i), 0);
}

static void test_other_processes_are_counted(void **state)
{
	int i, status = 1;
	pid_t pid;

	(void)state;
	for(i = 0; i < 4; i++) {
		pid = fork();
		if(pid == 0) {
			int n;

			for(n = 0; n < 1000; n++)
				tlsg_stats_handshake_done(GNUTLS_TLS1_3, false, TLSG_SERVER);
			_exit(0);
		}
		assert_true(pid > 0);
	}
	for(i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_figure("handshakes_done_tls1_3", 4000);
}

static void test_without_init(void **state)
{
	(void)state;
	tlsg_stats_handshake_done(GNUTLS_TLS1_3, false, TLSG_SERVER);
	tlsg_stats_handshake_failed(TLSG_FAIL_ALERT);
	tlsg_stats_alert(true, 0);
	tlsg_stats_verify_failed(TLSG_V_EXPIRED);
	assert_figure("handshakes_done", 0);
	tlsg_stats_deinit();
	tlsg_stub_shm_fail_after(0);
	assert_int_equal(tlsg_stats_init(), TLSG_E_RESOURCE);
	tlsg_stub_shm_fail_after(-1);
	assert_int_equal(tlsg_stats_init(), TLSG_OK);
	assert_int_equal(tlsg_stats_init(), TLSG_OK);
	tlsg_stats_deinit();
	tlsg_stats_deinit();
	assert_int_equal(tlsg_stub_shm_in_use(), 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
			test(test_handshakes),
			test(test_resumed),
			test(test_dtls),
			test(test_failures),
			test(test_alerts),
			test(test_verify),
			test(test_counter_names_are_unique),
			test(test_other_processes_are_counted),
			cmocka_unit_test(test_without_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
