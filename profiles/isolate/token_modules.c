/*
 * tls_gnutls - key isolation: which PKCS#11 modules children of the token process may load
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process and its children.  Memory: its heap.  Lock: none.
 */
#include "profiles/isolate/token_modules.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pkcs11/p11_module.h"

#define NAMED_MAX 16

static char named[NAMED_MAX][TLSG_P11_PATH_SIZE]; /* by the configuration, at start-up */
static unsigned named_len;

enum tlsg_ret tlsg_token_modules_init(void)
{
	named_len = 0;
	return setenv("P11_KIT_NO_USER_CONFIG", "1", 1) == 0 ? TLSG_OK : TLSG_E_RESOURCE;
}

static const char *name_of(const struct tlsg_p11_query *q)
{
	if(q->uri.module_path[0] != '\0')
		return q->uri.module_path;
	return q->uri.module_name[0] != '\0' ? q->uri.module_name : q->module;
}

static bool was_named(const char *path)
{
	unsigned i;

	for(i = 0; i < named_len; i++)
		if(strcmp(named[i], path) == 0)
			return true;
	return false;
}

void tlsg_token_modules_note(const struct tlsg_p11_query *q)
{
	const char *name = name_of(q);

	if(name[0] != '/' || was_named(name) || named_len == NAMED_MAX)
		return;
	memcpy(named[named_len++], name, strlen(name) + 1);
}

static bool is_registered(const char *path)
{
	char found[TLSG_P11_PATH_SIZE], a[PATH_MAX], b[PATH_MAX];
	struct tlsg_err unused;

	tlsg_err_clear(&unused);
	return tlsg_p11_module_find(strrchr(path, '/') + 1, found, &unused) == TLSG_OK && realpath(found, a) != NULL
		   && realpath(path, b) != NULL && strcmp(a, b) == 0;
}

/* A directory that others can write to is safe if it is sticky: they cannot rename what they do not own. */
static bool is_only_roots(const struct stat *st)
{
	bool others_write = (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;

	return st->st_uid == 0 && (!others_write || (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0));
}

enum tlsg_ret tlsg_token_modules_file_check(const char *path, struct tlsg_err *err)
{
	char real[PATH_MAX];
	struct stat st;
	char *end;

	if(path[0] == '\0')
		return TLSG_OK; /* registered with `remote:`: what it runs is up to root's configuration */
	if(realpath(path, real) == NULL)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "the PKCS#11 module \"%.200s\" cannot be loaded: %s", path, strerror(errno));
	for(;;) {
		if(lstat(real, &st) < 0 || !is_only_roots(&st))
			return tlsg_err_set(err, TLSG_E_CONFIG,
					"key_isolation: the PKCS#11 module \"%.150s\" is not loaded: \"%.150s\" does not belong to root, "
					"or others can write to it",
					path, real);
		end = strrchr(real, '/');
		if(end == NULL || real[1] == '\0')
			return TLSG_OK;
		end[end == real ? 1 : 0] = '\0';
	}
}

enum tlsg_ret tlsg_token_modules_check(const struct tlsg_p11_query *q, struct tlsg_err *err)
{
	const char *name = name_of(q);

	if(strchr(name, '/') == NULL)
		return TLSG_OK; /* all registered modules, or one of them by name */
	if(name[0] != '/')
		return tlsg_err_set(err, TLSG_E_CONFIG, "key_isolation: the path of the PKCS#11 module is not absolute");
	if(!was_named(name) && !is_registered(name))
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"key_isolation: the PKCS#11 module \"%.200s\" was not named when Kamailio started, and is not "
				"registered with p11-kit: restart",
				name);
	return tlsg_token_modules_file_check(name, err);
}
