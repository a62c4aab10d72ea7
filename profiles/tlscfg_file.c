/*
 * tls_gnutls - reads tls.cfg: one file, or all files of a directory, and checks their profiles together
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: start-up or the RPC process that reloads.  Memory: the snapshot's arena.  Lock: none.
 */
#include "profiles/tlscfg_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "profiles/tlscfg.h"
#include "profiles/source.h"
#include "profiles/value.h"
#include "profiles/keys/path.h"
#include "profiles/prof.h"

/* A file of a directory, in the arena. */
struct entry
{
	struct entry *next;
	char *path;
};

static enum tlsg_ret entry_add(struct tlsg_set *set, const char *dir, const char *name, struct entry **list)
{
	char path[TLSG_PATH_SIZE];
	struct entry *e;
	int len = snprintf(path, sizeof(path), "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);

	if(len < 0 || (size_t)len >= sizeof(path))
		return TLSG_E_CONFIG;
	e = tlsg_arena_keep(set->arena, sizeof(*e));
	if(e == NULL)
		return TLSG_E_RESOURCE;
	e->path = tlsg_arena_keep_copy(set->arena, path, (size_t)len);
	if(e->path == NULL)
		return TLSG_E_RESOURCE;
	while(*list != NULL && strcmp((*list)->path, e->path) < 0)
		list = &(*list)->next;
	e->next = *list;
	*list = e;
	return TLSG_OK;
}

static enum tlsg_ret dir_list(struct tlsg_set *set, const char *path, struct entry **list, struct tlsg_err *err)
{
	DIR *dir = opendir(path);
	const struct dirent *d;
	enum tlsg_ret ret = TLSG_OK;

	if(dir == NULL)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: the directory cannot be opened: %s", path, strerror(errno));
	while(ret == TLSG_OK && (d = readdir(dir)) != NULL)
		if(strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			ret = entry_add(set, path, d->d_name, list);
	closedir(dir);
	if(ret == TLSG_E_CONFIG)
		return tlsg_err_set(err, ret, "%s: holds a file whose path is longer than %d bytes", path, TLSG_PATH_SIZE - 1);
	if(ret != TLSG_OK)
		return tlsg_err_no_shm(err, path, 0);
	return TLSG_OK;
}

static enum tlsg_ret dir_read(struct tlsg_set *set, const char *path, struct tlsg_err *err)
{
	struct entry *list = NULL;
	const struct entry *e;
	enum tlsg_ret ret = dir_list(set, path, &list, err);
	struct stat info;

	for(e = list; e != NULL && ret == TLSG_OK; e = e->next) {
		if(stat(e->path, &info) != 0)
			return tlsg_err_set(err, TLSG_E_CONFIG, "%s: cannot be accessed: %s", e->path, strerror(errno));
		if(S_ISREG(info.st_mode))
			ret = tlsg_tlscfg_parse(set, e->path, info.st_mode, err);
	}
	return ret;
}

/* ---- all files together ---- */

/* Whether two profiles of one address cannot be told apart. Equal server names are allowed: the later profile wins. */
static bool is_duplicate(const struct tlsg_prof *a, const struct tlsg_prof *b)
{
	if(a->kind != TLSG_PROF_ADDR || b->kind != TLSG_PROF_ADDR || a->port != b->port
			|| !tlsg_addr_is_equal(&a->addr, &b->addr))
		return false;
	if(a->s.server_name.len > 0 && b->s.server_name.len > 0)
		return false;
	return a->s.server_id.len == 0 || b->s.server_id.len == 0
		   || tlsg_value_is_same_name(&a->s.server_id, &b->s.server_id);
}

static enum tlsg_ret list_check(const struct tlsg_prof *list, struct tlsg_err *err)
{
	const struct tlsg_prof *p, *q;

	for(p = list; p != NULL; p = p->next) {
		if(p->kind == TLSG_PROF_ANY && p->s.server_name.len == 0 && p->s.server_id.len == 0)
			return tlsg_err_set(err, TLSG_E_CONFIG,
					"%.*s:%d:1: TLS domain for any address without server_name: nothing could select it", p->file.len,
					p->file.s, p->line);
		for(q = p->next; q != NULL; q = q->next)
			if(is_duplicate(p, q))
				return tlsg_err_set(err, TLSG_E_CONFIG,
						"%.*s:%d:1: Duplicate TLS domain: same address and port as %.*s:%d, and no server_name in both",
						p->file.len, p->file.s, p->line, q->file.len, q->file.s, q->line);
	}
	return TLSG_OK;
}

enum tlsg_ret tlsg_tlscfg_file_parse(struct tlsg_set *set, const char *path, struct tlsg_err *err)
{
	struct tlsg_err unused;
	struct stat info;
	enum tlsg_ret ret;
	int role, error;

	tlsg_err_clear(&unused);
	if(err == NULL)
		err = &unused;
	if(path[0] == '\0' || strlen(path) >= TLSG_PATH_SIZE)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the path of the profiles' file is empty or longer than %d bytes",
				TLSG_PATH_SIZE - 1);
	error = stat(path, &info) != 0 ? errno : 0;
	if(error != 0 || !S_ISREG(info.st_mode)) /* tlsg_tlscfg_parse() notes files */
		tlsg_source_note(set, path, error == 0 && S_ISDIR(info.st_mode));
	if(error != 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: cannot be accessed: %s", path, strerror(error));
	if(S_ISDIR(info.st_mode)) {
		ret = dir_read(set, path, err);
	} else if(S_ISREG(info.st_mode)) {
		const char *kept = tlsg_arena_keep_copy(set->arena, path, strlen(path));

		if(kept == NULL)
			return tlsg_err_no_shm(err, path, strlen(path) + 1);
		ret = tlsg_tlscfg_parse(set, kept, info.st_mode, err);
	} else {
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: is neither a file nor a directory", path);
	}
	for(role = 0; role < TLSG_ROLES && ret == TLSG_OK; role++)
		ret = list_check(set->list[role], err);
	return ret;
}
