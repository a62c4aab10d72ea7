/*
 * tls_gnutls - a folder with files that openssl makes, for tests of keys
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tests.  Memory: static; the stand-in's region.  Lock: none.
 */
#include "tests/lib/key_folder.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena_pool.h"
#include "base/scope.h"
#include "profiles/set.h"

static char dir[] = "/tmp/tlsg_key_XXXXXX";

int key_folder_make(const char *const *commands, size_t len)
{
	char line[512];
	size_t i;

	if(mkdtemp(dir) == NULL || tlsg_scope_install() != TLSG_OK || tlsg_arena_pool_global_init() != TLSG_OK
			|| tlsg_set_global_init() != TLSG_OK)
		return -1;
	for(i = 0; i < len; i++) {
		snprintf(line, sizeof(line), "cd %s && umask 022 && %s 2>>log", dir, commands[i]);
		if(system(line) != 0) {
			print_error("failed: %s\n", commands[i]);
			return -1;
		}
	}
	return 0;
}

int key_folder_remove(void)
{
	char line[128];

	tlsg_set_global_deinit();
	tlsg_arena_pool_global_deinit();
	snprintf(line, sizeof(line), "rm -r %s", dir);
	return system(line);
}

const char *key_folder(void)
{
	return dir;
}

str key_folder_path(const char *name)
{
	static char path[4][128];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return (str){p, (int)strlen(p)};
}
