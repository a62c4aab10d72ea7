/*
 * tls_gnutls - parses texts of tls.cfg, for the tests of profiles/tlscfg.c and tlscfg_file.c
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stand-in's region; a temporary folder.  Lock: none.
 */
#ifndef TLSG_TESTS_PROFILES_TLSCFG_PARSE_H
#define TLSG_TESTS_PROFILES_TLSCFG_PARSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "profiles/prof.h"
#include "profiles/tlscfg_file.h"
#include "base/arena_pool.h"

static char dir[] = "/tmp/tlsg_parse_XXXXXX";
static char file[64];
static char subdir[64];
static struct tlsg_err err;

static inline int group_setup(void **state)
{
	(void)state;
	if(mkdtemp(dir) == NULL || tlsg_arena_pool_global_init() != TLSG_OK || tlsg_set_global_init() != TLSG_OK)
		return -1;
	snprintf(file, sizeof(file), "%s/tls.cfg", dir);
	snprintf(subdir, sizeof(subdir), "%s/tls.d", dir);
	return mkdir(subdir, 0700);
}

static inline int group_teardown(void **state)
{
	(void)state;
	tlsg_set_global_deinit();
	tlsg_arena_pool_global_deinit();
	unlink(file);
	return rmdir(subdir) == 0 && rmdir(dir) == 0 ? 0 : -1;
}

static inline void write_to(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Parses a file or a directory. @return the snapshot; NULL: it was refused, err says why. */
static inline struct tlsg_set *parse_path(const char *path)
{
	struct tlsg_set_options o = {.config_dir = STR_STATIC_INIT("/etc/kamailio/")};
	struct tlsg_set *set = tlsg_set_new(&o);
	enum tlsg_ret ret;

	assert_non_null(set);
	tlsg_err_clear(&err);
	ret = tlsg_tlscfg_file_parse(set, path, &err);
	if(ret == TLSG_OK)
		return set;
	assert_int_not_equal(err.class, TLSG_CLASS_NONE);
	tlsg_set_drop(set);
	return NULL;
}

static inline struct tlsg_set *parse_bytes(const char *text, size_t len)
{
	write_to(file, text, len);
	return parse_path(file);
}

/* Text that must be accepted. */
static inline struct tlsg_set *parse(const char *text)
{
	struct tlsg_set *set = parse_bytes(text, strlen(text));

	if(set == NULL)
		fail_msg("%s", err.text);
	return set;
}

static inline void assert_str(const str *s, const char *expected)
{
	if(expected == NULL) {
		assert_null(s->s);
		return;
	}
	assert_non_null(s->s);
	assert_string_equal(s->s, expected);
	assert_int_equal(s->len, (int)strlen(expected));
}

static inline unsigned list_len(const struct tlsg_prof *p)
{
	unsigned n = 0;

	for(; p != NULL; p = p->next)
		n++;
	return n;
}

struct wrong
{
	const char *text;
	const char *position; /* after the name of the file */
	const char *what;
};

static inline void check_wrong(const struct wrong *rows, size_t n)
{
	size_t i;

	for(i = 0; i < n; i++) {
		struct tlsg_set *set = parse_bytes(rows[i].text, strlen(rows[i].text));
		char start[100];

		if(set != NULL)
			fail_msg("accepted: %s", rows[i].text);
		assert_int_equal(err.class, TLSG_CLASS_LOCAL);
		snprintf(start, sizeof(start), "%s%s", file, rows[i].position);
		if(strncmp(err.text, start, strlen(start)) != 0 || strstr(err.text, rows[i].what) == NULL)
			fail_msg("for <%s>: \"%s\" is not \"%s … %s\"", rows[i].text, err.text, start, rows[i].what);
	}
}

#define CHECK_WRONG(rows) check_wrong(rows, sizeof(rows) / sizeof((rows)[0]))

#endif
