/*
 * tls_gnutls - preloaded into `kamailio -c`: whatever path a TLS module is loaded by, the stand-in is opened
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: `kamailio -c`, started by tls-gnutls-check.  Memory: static.  Lock: none.
 *
 * Kamailio's own rules for mpath, loadpath and loadmodule stay in force, paths of defines and substitutions included.
 * The TLS module need not be installed. Environment: TLS_GNUTLS_CHECK_RECORD, path of the stand-in (record.so).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The programs that a configuration starts are not concerned. */
__attribute__((constructor)) static void preload_end(void)
{
	unsetenv("LD_PRELOAD");
}

static bool is_tls_module(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : path;

	return name != NULL && (strcmp(name, "tls.so") == 0 || strcmp(name, "tls_gnutls.so") == 0);
}

/* Takes the place of the C library's. `flags` and the result are those of dlopen(3). */
void *dlopen(const char *path, int flags)
{
	void *(*next)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
	const char *record = getenv("TLS_GNUTLS_CHECK_RECORD");

	if(next == NULL)
		return NULL;
	return next(record != NULL && is_tls_module(path) ? record : path, flags);
}

/* Takes the place of the C library's: a TLS module is found in the first folder where Kamailio looks. */
int stat(const char *path, struct stat *out)
{
	int (*next)(const char *, struct stat *) = (int (*)(const char *, struct stat *))dlsym(RTLD_NEXT, "stat");
	int ret = next != NULL ? next(path, out) : -1;

	if(ret < 0 && is_tls_module(path)) {
		memset(out, 0, sizeof(*out));
		out->st_mode = S_IFREG | S_IRUSR;
		return 0;
	}
	return ret;
}
