/*
 * tls_gnutls - preloaded: takes outgoing messages before any module can, and keeps pages of a module read-only
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a Kamailio of the end-to-end tests.  Memory: none.  Lock: none.
 *
 * Environment: EARLY_EVENT is the number of an event to register for, or the beginning of a module's name, whose
 * read-only pages cannot be made writable.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern int sr_event_register_cb(int type, int (*cb)(void *)) __attribute__((weak));

static int ignore(void *event)
{
	(void)event;
	return 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *wanted = getenv("EARLY_EVENT");

	if(wanted != NULL && atoi(wanted) != 0 && sr_event_register_cb != NULL)
		(void)sr_event_register_cb(atoi(wanted), ignore);
}

int mprotect(void *start, size_t bytes, int protection)
{
	const char *wanted = getenv("EARLY_EVENT");
	Dl_info info;

	if((protection & PROT_WRITE) != 0 && wanted != NULL && atoi(wanted) == 0 && dladdr(start, &info) != 0
			&& info.dli_fname != NULL && strstr(info.dli_fname, wanted) != NULL) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_mprotect, start, bytes, protection);
}
