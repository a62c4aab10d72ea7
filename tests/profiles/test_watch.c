/*
 * tls_gnutls - tests of profiles/source.c and watch.c: what counts as a change of a file, and when it is acted upon
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap, stand-in shared memory.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena_pool.h"
#include "base/host.h"
#include "profiles/set.h"
#include "profiles/source.h"
#include "profiles/watch.h"

static struct tlsg_set_options watched = {.is_watched = true};
static char folder[256];

/* A path in the folder of the test; at most four at a time. */
static char *path_of(const char *name)
{
	static char path[4][512];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

static void write_in_place(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Another file under the same name. */
static void write_text(const char *name, const char *text)
{
	write_in_place(path_of("new"), text);
	assert_int_equal(rename(path_of("new"), path_of(name)), 0);
}

static struct tlsg_set *set_with(const char *a, const char *b)
{
	struct tlsg_set *set = tlsg_set_new(&watched);

	assert_non_null(set);
	tlsg_source_note(set, path_of(a), false);
	if(b != NULL)
		tlsg_source_note(set, path_of(b), false);
	return set;
}

static unsigned changed(struct tlsg_source *list)
{
	struct tlsg_source_diff diff;

	tlsg_source_compare(list, &diff);
	assert_true((diff.len == 0) == (diff.first == NULL));
	return diff.len;
}

static void test_nothing_is_noted_when_off(void **state)
{
	static const struct tlsg_set_options off = {.is_watched = false};
	struct tlsg_set *set = tlsg_set_new(&off);

	(void)state;
	write_text("a", "one");
	tlsg_source_note(set, path_of("a"), false);
	tlsg_source_note_setting(set, "file:/etc/hostname");
	assert_null(set->sources);
	assert_null(tlsg_source_copy(set->sources));
	tlsg_set_drop(set);
}

static void test_setting(void **state)
{
	struct tlsg_set *set = tlsg_set_new(&watched);

	(void)state;
	tlsg_source_note_setting(set, NULL);
	tlsg_source_note_setting(set, "/a/secret/that/looks/like/a/path");
	tlsg_source_note_setting(set, "env:NAME");
	assert_null(set->sources);
	tlsg_source_note_setting(set, "file:/nowhere/password");
	assert_string_equal(set->sources->path, "/nowhere/password");
	tlsg_set_drop(set);
}

static void test_content_decides(void **state)
{
	struct tlsg_source *list;
	struct tlsg_set *set;

	(void)state;
	write_text("a", "one");
	set = set_with("a", NULL);
	list = tlsg_source_copy(set->sources);
	tlsg_set_drop(set);
	assert_int_equal(changed(list), 0);
	write_text("a", "one"); /* another inode */
	assert_int_equal(changed(list), 0);
	write_text("a", "two"); /* of the same length */
	assert_int_equal(changed(list), 1);
	write_text("a", "one");
	assert_int_equal(changed(list), 0);
	assert_int_equal(unlink(path_of("a")), 0);
	assert_int_equal(changed(list), 1);
	write_text("a", "one");
	assert_int_equal(changed(list), 0);
	tlsg_source_free(list);
}

/* Two writes may get the same time, and have the same length. */
static void test_change_within_the_same_tick(void **state)
{
	struct tlsg_source *list;
	struct tlsg_set *set;

	(void)state;
	write_text("a", "one");
	set = set_with("a", NULL);
	list = tlsg_source_copy(set->sources);
	write_in_place(path_of("a"), "two");
	/* as if the clock of the file system had stood still */
	struct stat st;
	assert_int_equal(stat(path_of("a"), &st), 0);
	list->stamp.modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	list->stamp.changed_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	assert_true(list->is_recent);
	assert_int_equal(changed(list), 1);
	tlsg_source_free(list);
	tlsg_set_drop(set);
}

/* All processes can read a snapshot: a digest of a file that they cannot read would tell them a PIN in it. */
static void test_no_digest_of_what_another_user_has_read(void **state)
{
	static const unsigned char none[TLSG_SOURCE_DIGEST_BYTES];
	struct tlsg_set_options privileged = {.is_watched = true, .user = (uint32_t)geteuid() + 1};
	struct tlsg_source *list, *own;
	struct tlsg_set *set;

	(void)state;
	write_text("a", "one");
	set = tlsg_set_new(&privileged);
	tlsg_source_note(set, path_of("a"), false);
	assert_false(set->sources->has_digest);
	assert_memory_equal(set->sources->digest, none, sizeof(none));
	list = tlsg_source_copy(set->sources);
	own = tlsg_source_copy(set->sources);
	tlsg_source_complete(own);
	assert_true(own->has_digest);
	assert_int_equal(changed(list), 0);
	assert_int_equal(changed(own), 0);
	write_text("a", "one"); /* another inode */
	assert_int_equal(changed(list), 1);
	assert_int_equal(changed(own), 0);
	tlsg_source_complete(list); /* too late: it may be another content */
	assert_false(list->has_digest);
	write_text("a", "two");
	assert_int_equal(changed(list), 1);
	assert_int_equal(changed(own), 1);
	tlsg_source_free(list);
	tlsg_source_free(own);
	tlsg_set_drop(set);
}

static void test_link(void **state)
{
	struct tlsg_source *list;
	struct tlsg_set *set;

	(void)state;
	write_text("a", "one");
	write_text("b", "two");
	assert_int_equal(symlink("a", path_of("link")), 0);
	set = set_with("link", NULL);
	list = tlsg_source_copy(set->sources);
	assert_int_equal(changed(list), 0);
	assert_int_equal(symlink("b", path_of("new")), 0);
	assert_int_equal(rename(path_of("new"), path_of("link")), 0);
	assert_int_equal(changed(list), 1);
	tlsg_source_free(list);
	tlsg_set_drop(set);
	unlink(path_of("link"));
}

static void test_directory(void **state)
{
	struct tlsg_set *set = tlsg_set_new(&watched);
	struct tlsg_source *list;

	(void)state;
	assert_int_equal(mkdir(path_of("dir"), 0700), 0);
	write_text("dir/a", "one");
	tlsg_source_note(set, path_of("dir"), true);
	list = tlsg_source_copy(set->sources);
	write_text("dir/a", "two"); /* the files are noted by themselves */
	assert_int_equal(changed(list), 0);
	write_text("dir/b", "two");
	assert_int_equal(changed(list), 1);
	unlink(path_of("dir/a"));
	assert_int_equal(changed(list), 1);
	unlink(path_of("dir/b"));
	write_text("dir/a", "one");
	assert_int_equal(changed(list), 0);
	unlink(path_of("dir/a"));
	assert_int_equal(rmdir(path_of("dir")), 0);
	assert_int_equal(changed(list), 1);
	tlsg_source_free(list);
	tlsg_set_drop(set);
}

/* ---- when it is acted upon ---- */

static enum tlsg_watch_what look(struct tlsg_watch *w, const struct tlsg_set *set)
{
	struct tlsg_source_diff diff;

	return tlsg_watch_look(w, set, &diff);
}

static void test_two_looks_must_agree(void **state)
{
	struct tlsg_watch w = {0};
	struct tlsg_set *set;

	(void)state;
	write_text("a", "one");
	write_text("b", "one");
	set = set_with("a", "b");
	assert_int_equal(look(&w, set), TLSG_WATCH_NOTHING);
	write_text("a", "two");
	assert_int_equal(look(&w, set), TLSG_WATCH_SEEN);
	write_text("b", "two"); /* the other half of a pair */
	assert_int_equal(look(&w, set), TLSG_WATCH_SEEN);
	assert_int_equal(look(&w, set), TLSG_WATCH_RELOAD);
	assert_int_equal(look(&w, set), TLSG_WATCH_RELOAD); /* nothing was said about the first: busy */
	write_text("a", "one");
	write_text("b", "one");
	assert_int_equal(look(&w, set), TLSG_WATCH_NOTHING);
	write_text("a", "two");
	assert_int_equal(look(&w, set), TLSG_WATCH_SEEN);
	tlsg_watch_clear(&w);
	tlsg_set_drop(set);
}

static void test_refused_is_not_tried_again(void **state)
{
	struct tlsg_watch w = {0};
	struct tlsg_set *set, *tried;

	(void)state;
	write_text("a", "one");
	unlink(path_of("b"));
	set = set_with("a", NULL);
	write_text("a", "two");
	assert_int_equal(look(&w, set), TLSG_WATCH_SEEN);
	assert_int_equal(look(&w, set), TLSG_WATCH_RELOAD);
	tried = set_with("a", "b"); /* names a file that is missing */
	tlsg_watch_refused(&w, tlsg_source_copy(tried->sources));
	tlsg_set_drop(tried);
	assert_int_equal(look(&w, set), TLSG_WATCH_NOTHING);
	assert_int_equal(look(&w, set), TLSG_WATCH_NOTHING);
	write_text("b", "one"); /* a file that only the refused configuration names */
	assert_int_equal(look(&w, set), TLSG_WATCH_SEEN);
	assert_int_equal(look(&w, set), TLSG_WATCH_RELOAD);
	tlsg_watch_refused(&w, NULL); /* cause unknown: again */
	assert_int_equal(look(&w, set), TLSG_WATCH_RELOAD);
	write_text("a", "one");
	assert_int_equal(look(&w, set), TLSG_WATCH_BACK);
	assert_int_equal(look(&w, set), TLSG_WATCH_NOTHING);
	tlsg_watch_clear(&w);
	tlsg_set_drop(set);
}

static void test_another_configuration_is_followed(void **state)
{
	struct tlsg_watch w = {0};
	struct tlsg_set *set, *next;

	(void)state;
	write_text("a", "one");
	set = set_with("a", NULL);
	assert_int_equal(look(&w, set), TLSG_WATCH_NOTHING);
	write_text("a", "two");
	assert_int_equal(look(&w, set), TLSG_WATCH_SEEN);
	next = set_with("a", NULL); /* tls.reload */
	assert_int_equal(look(&w, next), TLSG_WATCH_NOTHING);
	assert_int_equal(look(&w, next), TLSG_WATCH_NOTHING);
	tlsg_watch_clear(&w);
	tlsg_set_drop(set);
	tlsg_set_drop(next);
}

static int setup(void **state)
{
	(void)state;
	watched.user = (uint32_t)geteuid();
	strcpy(folder, "/tmp/tlsg-watch-XXXXXX");
	if(mkdtemp(folder) == NULL)
		return -1;
	return tlsg_arena_pool_global_init() == TLSG_OK && tlsg_set_global_init() == TLSG_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path_of("a"));
	unlink(path_of("b"));
	tlsg_set_global_deinit();
	tlsg_arena_pool_global_deinit();
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_nothing_is_noted_when_off),
			cmocka_unit_test(test_setting),
			cmocka_unit_test(test_content_decides),
			cmocka_unit_test(test_change_within_the_same_tick),
			cmocka_unit_test(test_no_digest_of_what_another_user_has_read),
			cmocka_unit_test(test_link),
			cmocka_unit_test(test_directory),
			cmocka_unit_test(test_two_looks_must_agree),
			cmocka_unit_test(test_refused_is_not_tried_again),
			cmocka_unit_test(test_another_configuration_is_followed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
