/*
 * tls_gnutls - paths in settings: relative to the directory of the main configuration file, or a URI in their place
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: none.
 */
#include "profiles/keys/path.h"

#include <strings.h>

static const char *const uri_prefixes[] = {"pkcs11:", "tpmkey:", "/engine:", "/uri:"};

bool tlsg_path_is_uri(const str *value)
{
	size_t i, len;

	if(value->s == NULL || value->len <= 0)
		return false;
	for(i = 0; i < sizeof(uri_prefixes) / sizeof(uri_prefixes[0]); i++) {
		len = strlen(uri_prefixes[i]);
		if((size_t)value->len >= len && strncasecmp(value->s, uri_prefixes[i], len) == 0)
			return true;
	}
	return false;
}

bool tlsg_path_is_relative(const str *path)
{
	if(path->s == NULL || path->len <= 0)
		return false;
	return path->s[0] != '/' && path->s[0] != '.' && !tlsg_path_is_uri(path);
}

int tlsg_path_absolute(const str *dir, const str *path, char *buf)
{
	size_t dir_len = tlsg_path_is_relative(path) ? (size_t)dir->len : 0;
	size_t path_len = path->len > 0 ? (size_t)path->len : 0;

	buf[0] = '\0';
	if(dir_len + path_len >= TLSG_PATH_SIZE)
		return -1;
	if(dir_len > 0)
		memcpy(buf, dir->s, dir_len);
	if(path_len > 0)
		memcpy(buf + dir_len, path->s, path_len);
	buf[dir_len + path_len] = '\0';
	return (int)(dir_len + path_len);
}
