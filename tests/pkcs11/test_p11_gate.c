/*
 * tls_gnutls - tests of pkcs11/p11_gate.c: which keys share a gate, and what processes know of each other through it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: two processes.  Memory: a shared mapping.  Lock: the gate.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pkcs11/p11_gate.h"

static void test_sharing(void **state)
{
	static const struct tlsg_p11_secret one = {"1234", true}, same = {"1234", true}, other = {"5678", true};
	static const struct tlsg_p11_secret empty = {"", true}, unset = {"", false};
	static const struct
	{
		const char *token_a, *token_b;
		const struct tlsg_p11_secret *pin_a, *pin_b;
		bool is_shared;
	} rows[] = {
			{"pkcs11:token=a", "pkcs11:token=a", &one, &same, true},
			{"pkcs11:token=a", "pkcs11:token=a", &unset, &unset, true},
			{"pkcs11:token=a", "pkcs11:token=b", &one, &same, false},
			{"pkcs11:token=a", "pkcs11:token=a", &one, &other, false},
			{"pkcs11:token=a", "pkcs11:token=a", &one, &unset, false},
			{"pkcs11:token=a", "pkcs11:token=a", &empty, &unset, false},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if(tlsg_p11_gate_is_shared(rows[i].token_a, rows[i].pin_a, rows[i].token_b, rows[i].pin_b) != rows[i].is_shared)
			fail_msg("row %zu", i);
}

/* A wrong PIN is known to all processes, also when the one that tried it dies in the gate. */
static void test_refused_by_a_process_that_dies(void **state)
{
	struct tlsg_p11_gate *gate = mmap(NULL, sizeof(*gate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	(void)state;
	assert_ptr_not_equal(gate, MAP_FAILED);
	assert_int_equal(tlsg_p11_gate_init(gate), TLSG_OK);
	assert_false(tlsg_p11_gate_is_refused(gate));
	pid = fork();
	if(pid == 0) {
		if(!tlsg_p11_gate_enter(gate))
			_exit(1);
		tlsg_p11_gate_refuse(gate);
		_exit(0); /* in the gate */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(tlsg_p11_gate_is_refused(gate));
	assert_true(tlsg_p11_gate_enter(gate));
	tlsg_p11_gate_leave(gate);
	assert_true(tlsg_p11_gate_enter(gate));
	tlsg_p11_gate_leave(gate);
	assert_int_equal(munmap(gate, sizeof(*gate)), 0);
}

static void test_no_gate(void **state)
{
	(void)state;
	assert_true(tlsg_p11_gate_enter(NULL));
	tlsg_p11_gate_refuse(NULL);
	assert_false(tlsg_p11_gate_is_refused(NULL));
	tlsg_p11_gate_leave(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_sharing),
			cmocka_unit_test(test_refused_by_a_process_that_dies),
			cmocka_unit_test(test_no_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
