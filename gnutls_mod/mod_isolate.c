/*
 * tls_gnutls - key isolation: starts the key process and the token process; profiles/isolate/wire.h has the design
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
#include "profiles/isolate/key_process.h"
#include "profiles/isolate/token_process.h"
#include "profiles/keys/password.h"
#include "profiles/set.h"

static bool is_wanted(void)
{
	return tlsg_params_private()->key_isolation != 0;
}

int tlsg_isolate_init(void)
{
	return is_wanted() ? register_procs(2) : 0;
}

/* No process of the same user can trace this one (ptrace(2)), and it dumps no core. */
static int protect(void)
{
	const struct rlimit none = {0, 0};

	if(setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -1;
	return 0;
}

/*
 * Stays root, so that key files may be readable by root alone. But the real user becomes that of the other processes,
 * or they could not send this one a signal.
 */
static int key_process_protect(void)
{
	if(geteuid() == 0 && uid > 0 && setresuid((uid_t)uid, 0, 0) < 0)
		return -1;
	return protect();
}

/* PKCS#11 modules run in children of this process: not as root. */
static int token_process_protect(void)
{
	uid_t real, effective, saved;

	if(do_suid() < 0 || getresuid(&real, &effective, &saved) < 0)
		return -1;
	if(uid > 0 && (real != (uid_t)uid || effective != (uid_t)uid || saved != (uid_t)uid)) {
		errno = EPERM;
		return -1;
	}
	return protect();
}

/* One of the two processes. */
struct holder
{
	const char *name;
	const char *keys; /* that it holds, for the log */
	int (*protect)(void);
	enum tlsg_ret (*run)(const struct tlsg_wire_ends *servers, tlsg_wire_is_alive is_alive);
	void (*set)(const struct tlsg_wire_ends *clients); /* tells the client side */
};

static const struct holder key_process = {
		"tls key process", "in files", key_process_protect, tlsg_key_process_run, tlsg_client_set_key_process};
static const struct holder token_process = {
		"tls token process", "on tokens", token_process_protect, tlsg_token_process_run, tlsg_client_set_token_process};

static void run(const struct holder *h, const struct tlsg_wire_ends *servers)
{
	if(h->protect() < 0) {
		LM_ERR("key_isolation: the process \"%s\" cannot be protected from other processes: %s\n", h->name,
				strerror(errno));
		return;
	}
	tlsg_password_mode_set(tlsg_params_private()->key_password_mode != 0, tlsg_terminal_ask);
	if(h->run(servers, tlsg_set_is_alive) != TLSG_OK)
		LM_ERR("key_isolation: the process \"%s\" cannot continue: %s\n", h->name, strerror(errno));
}

static int start(const struct holder *h)
{
	struct tlsg_wire_ends servers, clients;
	int pid;

	if(tlsg_wire_ends_init((unsigned)get_max_procs(), &servers, &clients) != TLSG_OK) {
		LM_ERR("key_isolation: cannot create sockets for %d processes: %s; raise the limit on open files (ulimit -n)\n",
				get_max_procs(), strerror(errno));
		return -1;
	}
	pid = fork_process(PROC_NOCHLDINIT, (char *)h->name, 0);
	if(pid < 0) {
		LM_ERR("key_isolation: the process \"%s\" cannot be started\n", h->name);
		return -1;
	}
	if(pid == 0) {
		tlsg_wire_ends_close(&clients);
		tlsg_client_set_key_process(NULL);
		run(h, &servers);
		ksr_exit(-1);
	}
	tlsg_wire_ends_close(&servers);
	h->set(&clients);
	LM_INFO("private keys %s are held by a process of their own (pid %d)\n", h->keys, pid);
	return 0;
}

int tlsg_isolate_start(void)
{
	if(!is_wanted())
		return 0;
	return start(&key_process) < 0 || start(&token_process) < 0 ? -1 : 0;
}

void tlsg_isolate_process_started(void)
{
	if(is_wanted())
		tlsg_client_keep_own();
}

void tlsg_isolate_startup_done(void)
{
	if(is_wanted())
		tlsg_client_startup_done();
}
