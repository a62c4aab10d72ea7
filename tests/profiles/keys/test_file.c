/*
 * tls_gnutls - tests of profiles/keys/file.c: which files are read, and that others are not even opened
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process, and one of its own without /proc.  Memory: heap; files in a folder of its own.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mknod, chroot */
#endif

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/host.h"
#include "profiles/keys/file.h"

#define TEXT "some text"

static char dir[] = "/tmp/tlsg_file_XXXXXX";
static struct tlsg_err err;
static int socket_fd = -1;

static const char *path_of(const char *name)
{
	static char path[4][128];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s%s%s", name[0] != '/' ? dir : "", name[0] != '/' ? "/" : "", name);
	return p;
}

static int socket_make(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(socket_fd, (struct sockaddr *)&a, sizeof(a));
}

static int group_setup(void **state)
{
	FILE *f;

	(void)state;
	if(mkdtemp(dir) == NULL)
		return -1;
	f = fopen(path_of("good"), "w");
	if(f == NULL || fputs(TEXT, f) < 0 || fclose(f) != 0)
		return -1;
	f = fopen(path_of("empty"), "w");
	if(f == NULL || fclose(f) != 0)
		return -1;
	f = fopen(path_of("large"), "w");
	if(f == NULL || ftruncate(fileno(f), 16 * 1024 * 1024 + 1) < 0 || fclose(f) != 0)
		return -1;
	if(mkdir(path_of("folder"), 0700) < 0 || mkfifo(path_of("fifo"), 0600) < 0 || socket_make(path_of("socket")) < 0)
		return -1;
	/* as certbot has them: live/name/key.pem -> ../../archive/name/key1.pem, and more */
	return symlink("good", path_of("link")) < 0 || symlink("../good", path_of("folder/link")) < 0
						   || symlink("folder/link", path_of("link2")) < 0 || symlink(dir, path_of("folder/up")) < 0
						   || symlink("fifo", path_of("to-fifo")) < 0 || symlink("folder", path_of("to-folder")) < 0
						   || symlink("/dev/zero", path_of("to-zero")) < 0
						   || symlink("nowhere", path_of("dangling")) < 0 || symlink("loop", path_of("loop")) < 0
				   ? -1
				   : 0;
}

static int group_teardown(void **state)
{
	char line[128];

	(void)state;
	close(socket_fd);
	snprintf(line, sizeof(line), "rm -r %s", dir);
	return system(line);
}

static enum tlsg_ret file_read(const char *path, gnutls_datum_t *data)
{
	data->data = NULL;
	data->size = 0;
	tlsg_err_clear(&err);
	return tlsg_file_read("private_key", path, data, &err);
}

static void assert_read(const char *path)
{
	gnutls_datum_t data;

	if(file_read(path, &data) != TLSG_OK)
		fail_msg("%s: %s", path, err.text);
	assert_int_equal(data.size, strlen(TEXT));
	assert_string_equal((char *)data.data, TEXT);
	gnutls_free(data.data);
}

static void test_regular_files(void **state)
{
	static const char *const names[] = {"good", "link", "folder/link", "link2", "folder/up/good", "to-folder/link"};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_read(path_of(names[i]));
}

static const struct
{
	const char *name;
	const char *why;
} refused[] = {
		{"fifo", "is not a regular file but a FIFO"},
		{"to-fifo", "is not a regular file but a FIFO"},
		{"socket", "is not a regular file but a socket"},
		{"folder", "is not a regular file but a directory"},
		{"to-folder", "is not a regular file but a directory"},
		{"/dev/zero", "is not a regular file but a device"},
		{"/dev/tty", "is not a regular file but a device"},
		{"to-zero", "is not a regular file but a device"},
		{"/proc/version", "is not a regular file but one that the kernel generates"},
		{"/proc/self/status", "is not a regular file but one that the kernel generates"},
		{"/sys/kernel/uevent_seqnum", "is not a regular file but one that the kernel generates"},
		{"empty", "is empty"},
		{"large", "is larger than 16 MiB"},
		{"nowhere", "No such file or directory"},
		{"dangling", "No such file or directory"},
		{"good/under", "Not a directory"},
		{"loop", "symbolic links"},
};

static void test_refused(void **state)
{
	gnutls_datum_t data;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const char *path = path_of(refused[i].name);

		if(access(path, F_OK) < 0 && path[0] == '/' && strncmp(path, "/sys", 4) == 0) {
			print_message("skipped: %s is not there\n", path);
			continue;
		}
		if(file_read(path, &data) != TLSG_E_CONFIG || strstr(err.text, refused[i].why) == NULL
				|| strstr(err.text, path) == NULL)
			fail_msg("%s: \"%s\"", path, err.text);
		assert_null(data.data);
	}
}

/* What is refused is not opened, which could already do something or block: inotify(7) sees opening. */
static void test_not_opened(void **state)
{
	static const char *const names[] = {"fifo", "socket", "folder", "empty", "large", "device"};
	int watch = inotify_init1(IN_NONBLOCK);
	struct inotify_event e;
	gnutls_datum_t data;
	size_t i;

	(void)state;
	assert_true(watch >= 0);
	if(mknod(path_of("device"), S_IFCHR | 0600, makedev(1, 5)) < 0)
		print_message("skipped: only root can make a device\n");
	for(i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *path = path_of(names[i]);

		if(inotify_add_watch(watch, path, IN_OPEN) < 0)
			continue;
		assert_int_equal(file_read(path, &data), TLSG_E_CONFIG);
		if(read(watch, &e, sizeof(e)) > 0)
			fail_msg("%s was opened", path);
	}
	assert_true(inotify_add_watch(watch, path_of("good"), IN_OPEN) >= 0);
	assert_read(path_of("link"));
	assert_true(read(watch, &e, sizeof(e)) > 0);
	close(watch);
}

static int without_proc(void)
{
	gnutls_datum_t data;

	if(chroot(dir) < 0 || chdir("/") < 0 || access("/proc", F_OK) == 0)
		return 1;
	if(file_read("/good", &data) != TLSG_OK || strcmp((char *)data.data, TEXT) != 0)
		return 2;
	gnutls_free(data.data);
	if(file_read("/folder/link", &data) != TLSG_OK || strcmp((char *)data.data, TEXT) != 0)
		return 3;
	gnutls_free(data.data);
	if(file_read("/to-fifo", &data) != TLSG_E_CONFIG || strstr(err.text, "but a FIFO") == NULL)
		return 4;
	return file_read("/folder/up/good", &data) == TLSG_E_CONFIG ? 0 : 5; /* leads to a folder that is not there */
}

/* chroot without /proc */
static void test_without_proc(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	if(geteuid() != 0) {
		print_message("skipped: only root can change its root directory\n");
		return;
	}
	pid = fork();
	if(pid == 0)
		_exit(without_proc());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int as_nobody(const char *path)
{
	gnutls_datum_t data;

	if(setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	return file_read(path, &data) == TLSG_E_CONFIG && strstr(err.text, "cannot read") != NULL
						   && strstr(err.text, "Permission denied") != NULL
				   ? 0
				   : 2;
}

/* That the path can be looked at does not mean that it can be read. */
static void test_rights(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	if(geteuid() != 0) {
		print_message("skipped: only root can become another user\n");
		return;
	}
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(path_of("good"), 0600), 0);
	pid = fork();
	if(pid == 0)
		_exit(as_nobody(path_of("good")));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_regular_files),
			cmocka_unit_test(test_refused),
			cmocka_unit_test(test_not_opened),
			cmocka_unit_test(test_without_proc),
			cmocka_unit_test(test_rights),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
