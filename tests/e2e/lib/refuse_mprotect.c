/*
 * tls_gnutls - preloaded: read-only pages of libgnutls cannot be made writable, as where they are sealed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a Kamailio of the end-to-end tests.  Memory: none.  Lock: none.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int mprotect(void *start, size_t bytes, int protection)
{
	Dl_info info;

	if((protection & PROT_WRITE) != 0 && dladdr(start, &info) != 0 && info.dli_fname != NULL
			&& strstr(info.dli_fname, "libgnutls.so") != NULL) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_mprotect, start, bytes, protection);
}
