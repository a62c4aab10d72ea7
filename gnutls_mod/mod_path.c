/*
 * tls_gnutls - paths in parameters: relative to the directory of the main configuration file
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant, before any fork; the directory also in the RPC process that reloads.
 * Memory: pkg before the forks, never freed.  Lock: none.
 */
#include "gnutls_mod/mod_path.h"

#include "core/globals.h"

#include "base/host.h"
#include "profiles/keys/path.h"

str tlsg_mod_path_dir(void)
{
	str dir = {cfg_file, 0};
	const char *slash = cfg_file != NULL && cfg_file[0] == '/' ? strrchr(cfg_file, '/') : NULL;

	if(slash != NULL)
		dir.len = (int)(slash - cfg_file) + 1;
	return dir;
}

int tlsg_mod_path_make(const char *name, const str *path, char *buf)
{
	str dir = tlsg_mod_path_dir();
	int len = tlsg_path_absolute(&dir, path, buf);

	if(dir.len > 0 && len >= 0)
		return len;
	LM_ERR("parameter \"%s\": \"%.*s\" cannot be made a path in the directory of \"%s\" (allowed: %d bytes)\n", name,
			path->len, path->s, cfg_file != NULL ? cfg_file : "", TLSG_PATH_SIZE - 1);
	return -1;
}

int tlsg_mod_path_convert(const char *name, str *path, const char *def)
{
	str from = {(char *)def, def != NULL ? (int)strlen(def) : 0};
	char buf[TLSG_PATH_SIZE];
	char *copy;
	int len;

	if(path->s != NULL)
		from = *path;
	if(!tlsg_path_is_relative(&from))
		return 0;
	len = tlsg_mod_path_make(name, &from, buf);
	if(len < 0)
		return -1;
	copy = pkg_malloc((size_t)len + 1);
	if(copy == NULL) {
		PKG_MEM_ERROR;
		return -1;
	}
	memcpy(copy, buf, (size_t)len + 1);
	path->s = copy;
	path->len = len;
	return 0;
}
