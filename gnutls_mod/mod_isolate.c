/*
 * tls_gnutls - key isolation: starts the process that holds the keys; profiles/key_wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant; the key process.  Memory: none.  Lock: none.
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
#include "profiles/key_client.h"
#include "profiles/key_password.h"
#include "profiles/key_server.h"

#define PROCESS_NAME "tls key process"

static bool is_wanted(void)
{
	return tlsg_params_private()->key_isolation != 0;
}

int tlsg_isolate_init(void)
{
	return is_wanted() ? register_procs(1) : 0;
}

/*
 * Root stays root here, so that key files may be readable by root alone; but the real user becomes that of the other processes, or they
 * could not end this one. No process of that user can look into this one (ptrace(2)), and no core file is written.
 */
static int shut(void)
{
	const struct rlimit none = {0, 0};

	if(geteuid() == 0 && uid > 0 && setresuid((uid_t)uid, 0, 0) < 0)
		return -1;
	if(setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -1;
	return 0;
}

static void run(int door)
{
	if(shut() < 0) {
		LM_ERR("key_isolation: the process cannot be shut against the others: %s\n", strerror(errno));
		return;
	}
	tlsg_password_mode_set(tlsg_params_private()->key_password_mode != 0, tlsg_terminal_ask);
	if(tlsg_key_server_run(door) != TLSG_OK)
		LM_ERR("key_isolation: the process cannot go on: %s\n", strerror(errno));
}

int tlsg_isolate_start(void)
{
	int ours, theirs, pid;

	if(!is_wanted())
		return 0;
	if(tlsg_key_server_door(&ours, &theirs) != TLSG_OK) {
		LM_ERR("key_isolation: no sockets: %s\n", strerror(errno));
		return -1;
	}
	pid = fork_process(PROC_NOCHLDINIT, PROCESS_NAME, 0);
	if(pid < 0) {
		LM_ERR("key_isolation: the process cannot be started\n");
		return -1;
	}
	if(pid == 0) {
		close(theirs);
		run(ours);
		ksr_exit(-1);
	}
	close(ours);
	tlsg_key_client_set(theirs);
	LM_INFO("private keys in files are held by a process of their own (pid %d)\n", pid);
	return 0;
}

void tlsg_isolate_over(void)
{
	if(is_wanted())
		tlsg_key_client_over();
}
