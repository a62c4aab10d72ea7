/*
 * tls_gnutls - counts the descriptors of another process, for tests
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tests.  Memory: none.  Lock: none.
 */
#include "tests/lib/descriptors.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Calls f for each entry of a folder of /proc, and adds up what it returns. */
static unsigned sum(pid_t pid, const char *folder, unsigned (*f)(const char *path))
{
	char path[600];
	const struct dirent *e;
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, folder);
	d = opendir(path);
	assert_non_null(d);
	while((e = readdir(d)) != NULL) {
		if(e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/%s/%s", (int)pid, folder, e->d_name);
		n += f(path);
	}
	closedir(d);
	return n;
}

static unsigned one(const char *path)
{
	(void)path;
	return 1;
}

static unsigned targets(const char *path)
{
	char line[200];
	unsigned n = 0;
	FILE *f = fopen(path, "r");

	while(f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += strncmp(line, "tfd:", 4) == 0;
	if(f != NULL)
		fclose(f);
	return n;
}

unsigned descriptors_open(pid_t pid)
{
	return sum(pid, "fd", one);
}

unsigned descriptors_watched(pid_t pid)
{
	return sum(pid, "fdinfo", targets);
}

void descriptors_wait_read(int fd)
{
	char byte;
	int i;

	for(i = 0; i < 500 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0; i++)
		usleep(10000);
	if(i == 500)
		fail_msg("the message is not read");
}

void descriptors_wait(unsigned (*count)(pid_t pid), pid_t pid, unsigned wanted)
{
	unsigned n = count(pid);
	int i;

	for(i = 0; i < 500 && n != wanted; i++) {
		usleep(10000);
		n = count(pid);
	}
	if(n != wanted)
		fail_msg("%u descriptors, not %u", n, wanted);
}
