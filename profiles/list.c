/*
 * tls_gnutls - splits settings that name several files
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm).  Lock: none.
 */
#include "profiles/list.h"

#include <unistd.h>

#include "base/arena.h"
#include "profiles/keys/path.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of the name at the start of a text: up to a comma, or to the end. */
static int name_end(const str *text)
{
	bool in_uri = tlsg_path_is_uri(text);
	int i;

	for(i = 0; i < text->len; i++) {
		str rest;

		if(text->s[i] != ',')
			continue;
		rest.s = text->s + i + 1;
		rest.len = text->len - i - 1;
		while(rest.len > 0 && is_blank(*rest.s)) {
			rest.s++;
			rest.len--;
		}
		if(!in_uri || tlsg_path_is_uri(&rest) || (rest.len > 0 && (*rest.s == '/' || *rest.s == '.')))
			break;
	}
	return i;
}

static enum tlsg_ret add(struct tlsg_set *set, const char *name, str one, str *out, struct tlsg_err *err)
{
	char path[TLSG_PATH_SIZE];
	int len;

	while(one.len > 0 && is_blank(*one.s)) {
		one.s++;
		one.len--;
	}
	while(one.len > 0 && is_blank(one.s[one.len - 1]))
		one.len--;
	if(one.len == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: a name in the list is empty", name);
	len = tlsg_path_absolute(&set->options.config_dir, &one, path);
	if(len < 0)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "%s: the path of a file is longer than %d bytes", name, TLSG_PATH_SIZE - 1);
	out->s = tlsg_arena_keep_copy(set->arena, path, (size_t)len);
	out->len = len;
	return out->s != NULL ? TLSG_OK : tlsg_err_no_shm(err, name, (size_t)len + 1);
}

enum tlsg_ret tlsg_list_split(
		struct tlsg_set *set, const char *name, const str *list, str *out, int *len, struct tlsg_err *err)
{
	str rest = *list;
	enum tlsg_ret ret = TLSG_OK;
	int n = 0;

	if(name_end(list) == list->len || (!tlsg_path_is_uri(list) && access(list->s, F_OK) == 0)) {
		out[0] = *list;
		*len = 1;
		return TLSG_OK;
	}
	while(ret == TLSG_OK && rest.len >= 0) {
		str one = rest;

		while(one.len > 0 && is_blank(*one.s)) {
			one.s++;
			one.len--;
		}
		rest = one;
		one.len = name_end(&one);
		if(n == TLSG_PAIRS_MAX)
			return tlsg_err_set(err, TLSG_E_CONFIG, "%s: more than %d names", name, TLSG_PAIRS_MAX);
		ret = add(set, name, one, &out[n++], err);
		rest.s += one.len + 1;
		rest.len -= one.len + 1;
	}
	*len = n;
	return ret;
}
