/*
 * tls_gnutls - tests of the keys that the token process holds: children that take their time to end
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a process and its children.  Memory: heap; a page shared by these processes.  Lock: none.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/host.h"
#include "pkcs11/p11_probe.h"
#include "profiles/isolate/token_child.h"
#include "profiles/isolate/token_keys.h"

static struct
{
	volatile int calls;	  /* that have begun */
	volatile int may_end; /* the calls return */
} * shared;				  /* [mapped, shared with children] */

/* In the place of the module's: the object is found at once. */
bool tlsg_token_child_look(int fd, enum tlsg_wire_look_kind what, const struct tlsg_p11_query *q,
		const gnutls_datum_t *cert, struct tlsg_p11_facts *out)
{
	(void)fd;
	(void)what;
	(void)q;
	(void)cert;
	memset(out, 0, sizeof(*out));
	return true;
}

/* A login that takes long; then the token refuses the PIN. */
void tlsg_token_child_run(int fd, const struct tlsg_p11_object *o, const char *name)
{
	sigset_t all;

	(void)fd;
	(void)name;
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)tlsg_p11_gate_enter(o->gate);
	shared->calls++;
	while(!shared->may_end)
		tlsg_p11_probe_pause(5);
	tlsg_p11_gate_refuse(o->gate);
	tlsg_p11_gate_leave(o->gate);
}

static bool is_alive_cb(uint32_t number)
{
	(void)number;
	return true;
}

static int group_setup(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared != MAP_FAILED && tlsg_token_source_init() && tlsg_token_keys_init(is_alive_cb) ? 0 : -1;
}

/* An entry of a snapshot of its own. */
static struct tlsg_token_keys_entry *key_new(uint32_t set_number)
{
	static struct tlsg_wire_look_request r;
	struct tlsg_token_keys_entry *e;

	memset(&r, 0, sizeof(r));
	r.set_number = set_number;
	r.what = TLSG_WIRE_LOOK_KEY;
	e = tlsg_token_keys_new(NULL, &r, NULL);
	assert_non_null(e);
	return e;
}

/* @return number of the gate. */
static int key_settle(struct tlsg_token_keys_entry *e)
{
	static const struct tlsg_p11_facts facts;
	int gate = tlsg_token_keys_settle(e, &facts);

	assert_true(gate >= 0);
	return gate;
}

/* Starts the child of a new key and waits until it logs in. @return number of the gate. */
static int child_in_login(struct tlsg_token_keys_entry *e)
{
	struct tlsg_wire_head head = {.request = TLSG_WIRE_GATE};

	shared->calls = 0;
	shared->may_end = 0;
	assert_true(tlsg_token_keys_child_start(e));
	head.op = key_settle(e);
	assert_int_equal(send(e->child->fd, &head, sizeof(head), 0), sizeof(head));
	while(shared->calls == 0)
		tlsg_p11_probe_pause(5);
	return head.op;
}

static void children_end(void)
{
	while(tlsg_token_keys_child_reap())
		tlsg_p11_probe_pause(5);
	tlsg_token_source_sweep();
}

/* What the child of a dropped key learns about its PIN does not become true of the PIN of a new one. */
static void test_gate_of_a_child_that_ends_late(void **state)
{
	struct tlsg_token_keys_entry *fresh, *third, *old = key_new(1);
	int gate = child_in_login(old);

	(void)state;
	tlsg_token_keys_free(old);
	assert_true(tlsg_token_keys_child_reap());
	fresh = key_new(2);
	assert_int_not_equal(key_settle(fresh), gate);
	shared->may_end = 1;
	children_end();
	assert_false(tlsg_p11_key_is_refused(&fresh->object));
	third = key_new(3);
	assert_int_equal(key_settle(third), gate); /* it is free again */
	assert_false(tlsg_p11_key_is_refused(&third->object));
	tlsg_token_keys_free(fresh);
	tlsg_token_keys_free(third);
}

/* A child that does not return from its call, and has blocked all signals, is killed. */
static void test_child_that_never_ends(void **state)
{
	struct tlsg_token_keys_entry *e = key_new(4);
	pid_t pid;

	(void)state;
	(void)child_in_login(e);
	pid = e->pid;
	tlsg_token_keys_free(e);
	assert_int_equal(kill(pid, 0), 0);
	children_end();
	assert_int_equal(kill(pid, 0), -1);
}

/* As when all clients are gone. */
static void test_all_are_dropped(void **state)
{
	struct tlsg_token_keys_entry *e = key_new(5);

	(void)state;
	(void)child_in_login(e);
	shared->may_end = 1;
	tlsg_token_keys_free_all();
	assert_false(tlsg_token_keys_child_reap());
	tlsg_token_source_sweep();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_gate_of_a_child_that_ends_late),
			cmocka_unit_test(test_child_that_never_ends),
			cmocka_unit_test(test_all_are_dropped),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
