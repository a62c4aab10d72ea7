/*
 * tls_gnutls - key isolation: starts the processes that hold keys; profiles/isolate/wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant; the key process, the token process.  Memory: none.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* setresuid */
#endif

#include "gnutls_mod/mod_isolate.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/daemonize.h"
#include "core/globals.h"
#include "core/pt.h"
#include "core/sr_module.h"

#include "base/host.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_terminal.h"
#include "profiles/isolate/client.h"
#include "profiles/keys/password.h"
#include "profiles/isolate/key_process.h"
#include "profiles/isolate/token_process.h"
#include "profiles/set.h"

#define KEY_PROCESS "tls key process"
#define TOKEN_PROCESS "tls token process"

static bool is_wanted(void)
{
	return tlsg_params_private()->key_isolation != 0;
}

int tlsg_isolate_init(void)
{
	return is_wanted() ? register_procs(2) : 0;
}

/* No process of the same user can look into this one (ptrace(2)), and no core file is written. */
static int shut(void)
{
	const struct rlimit none = {0, 0};

	if(setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -1;
	return 0;
}

/*
 * Root stays root here, so that key files may be readable by root alone; but the real user becomes that of the other processes, or they
 * could not end this one.
 */
static int keys_shut(void)
{
	if(geteuid() == 0 && uid > 0 && setresuid((uid_t)uid, 0, 0) < 0)
		return -1;
	return shut();
}

/* Modules of tokens run in children of this one: not as root. */
static int tokens_shut(void)
{
	uid_t real, effective, saved;

	if(do_suid() < 0 || getresuid(&real, &effective, &saved) < 0)
		return -1;
	if(uid > 0 && (real != (uid_t)uid || effective != (uid_t)uid || saved != (uid_t)uid)) {
		errno = EPERM;
		return -1;
	}
	return shut();
}

/* What one of the processes is made of. */
struct holder
{
	const char *name;
	int (*shut)(void);
	enum tlsg_ret (*run)(int door, tlsg_wire_is_alive is_alive);
	void (*set)(int door);
};

static const struct holder keys = {KEY_PROCESS, keys_shut, tlsg_key_process_run, tlsg_client_set_key_process};
static const struct holder tokens = {TOKEN_PROCESS, tokens_shut, tlsg_token_process_run, tlsg_client_set_token_process};

static void run(const struct holder *h, int door)
{
	if(h->shut() < 0) {
		LM_ERR("key_isolation: the process \"%s\" cannot be shut against the others: %s\n", h->name, strerror(errno));
		return;
	}
	tlsg_password_mode_set(tlsg_params_private()->key_password_mode != 0, tlsg_terminal_ask);
	if(h->run(door, tlsg_set_is_alive) != TLSG_OK)
		LM_ERR("key_isolation: the process \"%s\" cannot go on: %s\n", h->name, strerror(errno));
}

/* @param other  door of another one, not for this: -1 none. @return their end of the door; -1. */
static int start(const struct holder *h, int other)
{
	int ours, theirs, pid;

	if(tlsg_wire_socketpair(&ours, &theirs) != TLSG_OK) {
		LM_ERR("key_isolation: no sockets: %s\n", strerror(errno));
		return -1;
	}
	pid = fork_process(PROC_NOCHLDINIT, (char *)h->name, 0);
	if(pid < 0) {
		LM_ERR("key_isolation: the process \"%s\" cannot be started\n", h->name);
		return -1;
	}
	if(pid == 0) {
		close(theirs);
		if(other >= 0)
			close(other);
		tlsg_client_set_key_process(-1);
		run(h, ours);
		ksr_exit(-1);
	}
	close(ours);
	h->set(theirs);
	LM_INFO("private keys %s are held by a process of their own (pid %d)\n", h == &keys ? "in files" : "on tokens",
			pid);
	return theirs;
}

int tlsg_isolate_start(void)
{
	int door;

	if(!is_wanted())
		return 0;
	door = start(&keys, -1);
	if(door < 0)
		return -1;
	return start(&tokens, door) < 0 ? -1 : 0;
}

void tlsg_isolate_over(void)
{
	if(is_wanted())
		tlsg_client_startup_done();
}
