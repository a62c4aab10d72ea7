/*
 * tls_gnutls - reads files that settings name
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, the key process.
 * Memory: this process's heap, without a scope; wiped before it is freed.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH, syscall */
#endif

#include "profiles/keys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#if defined(SYS_openat2) && __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif

#include <gnutls/crypto.h>

#include "base/host.h"

#define FILE_MAX_BYTES (16 * 1024 * 1024)
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Reads an open file up to size. @return bytes read; -1: errno says why. */
static ssize_t read_all(int fd, unsigned char *to, size_t size)
{
	size_t done = 0;

	while(done < size) {
		ssize_t n = read(fd, to + done, size - done);

		if(n < 0 && errno == EINTR)
			continue;
		if(n < 0)
			return -1;
		if(n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

enum tlsg_ret tlsg_file_unreadable(const char *setting, const char *file, bool is_dir, int error, struct tlsg_err *err)
{
	struct passwd entry, *found = NULL;
	char buf[2048];

	if(getpwuid_r(geteuid(), &entry, buf, sizeof(buf), &found) != 0)
		found = NULL;
	if(err != NULL)
		err->sys_errno = error;
	return tlsg_err_set(err, TLSG_E_CONFIG, "%s: cannot read %s\"%s\" as user %s (uid %d): %s", setting,
			is_dir ? "the directory " : "", file, found != NULL ? found->pw_name : "without a name", (int)geteuid(),
			strerror(error));
}

/* Reads a regular file that is open. */
static enum tlsg_ret content_read(
		const char *setting, const char *file, int fd, size_t size, gnutls_datum_t *out, struct tlsg_err *err)
{
	gnutls_datum_t d = {gnutls_malloc(size + 1), (unsigned)size};
	ssize_t n;

	if(d.data == NULL)
		return tlsg_err_set(
				err, TLSG_E_RESOURCE, "%s: out of memory: %zu bytes wanted to read \"%s\"", setting, size, file);
	n = read_all(fd, d.data, size);
	if(n != (ssize_t)size) {
		tlsg_err_set(err, TLSG_E_CONFIG, "%s: cannot read \"%s\": %s", setting, file,
				n < 0 ? strerror(errno) : "it changed while it was read");
		gnutls_memset(d.data, 0, size);
		gnutls_free(d.data);
		return TLSG_E_CONFIG;
	}
	d.data[size] = '\0';
	*out = d;
	return TLSG_OK;
}

/* ---- opening only what may be read ---- */

static const char *kind_of(mode_t mode)
{
	switch(mode & S_IFMT) {
		case S_IFDIR:
			return "a directory";
		case S_IFIFO:
			return "a FIFO";
		case S_IFSOCK:
			return "a socket";
		default:
			return "a device";
	}
}

/* Files that the kernel makes up when they are read. */
static bool is_on_disk(int path_fd)
{
	/* proc, sysfs, debugfs, tracefs: linux/magic.h, which some systems lack */
	static const unsigned long made_up[] = {0x9fa0, 0x62656572, 0x64626720, 0x74726163};
	struct statfs fs;
	size_t i;

	if(fstatfs(path_fd, &fs) < 0)
		return false;
	for(i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++)
		if((unsigned long)fs.f_type == made_up[i])
			return false;
	return true;
}

/* Where the path has led to, without following symbolic links once they are resolved. */
static int open_resolved(const char *file)
{
	char real[PATH_MAX];

	if(realpath(file, real) == NULL)
		return -1;
#ifdef RESOLVE_NO_SYMLINKS
	{
		struct open_how how = {.flags = READ_FLAGS, .resolve = RESOLVE_NO_SYMLINKS};
		int fd = (int)syscall(SYS_openat2, AT_FDCWD, real, &how, sizeof(how));

		if(fd >= 0 || errno != ENOSYS)
			return fd;
	}
#endif
	return open(real, READ_FLAGS | O_NOFOLLOW); /* before Linux 5.6: the last component only */
}

/* @param path_fd, seen  the file from O_PATH, and what it is. @return descriptor; -1: errno says why. */
static int open_same(const char *file, int path_fd, const struct stat *seen)
{
	char link[32];
	struct stat st;
	int fd;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, READ_FLAGS);
	if(fd < 0 && errno == ENOENT)
		fd = open_resolved(file);
	if(fd < 0)
		return -1;
	if(fstat(fd, &st) == 0 && st.st_dev == seen->st_dev && st.st_ino == seen->st_ino)
		return fd;
	close(fd);
	errno = ESTALE; /* it was replaced in between */
	return -1;
}

/* Reads the file that path_fd names. */
static enum tlsg_ret same_read(
		const char *setting, const char *file, int path_fd, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct stat st;
	enum tlsg_ret ret;
	int fd;

	if(fstat(path_fd, &st) < 0)
		return tlsg_file_unreadable(setting, file, false, errno, err);
	if(!S_ISREG(st.st_mode))
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "%s: \"%s\" is not a regular file but %s", setting, file, kind_of(st.st_mode));
	if(!is_on_disk(path_fd))
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "%s: \"%s\" is not a regular file but one that the kernel makes up", setting, file);
	if(st.st_size == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" is empty", setting, file);
	if(st.st_size > FILE_MAX_BYTES)
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" is larger than 16 MiB", setting, file);
	fd = open_same(file, path_fd, &st);
	if(fd < 0)
		return tlsg_file_unreadable(setting, file, false, errno, err);
	ret = content_read(setting, file, fd, (size_t)st.st_size, out, err);
	close(fd);
	return ret;
}

enum tlsg_ret tlsg_file_read(const char *setting, const char *file, gnutls_datum_t *out, struct tlsg_err *err)
{
	int path_fd = open(file, O_PATH | O_CLOEXEC);
	enum tlsg_ret ret;

	if(path_fd < 0)
		return tlsg_file_unreadable(setting, file, false, errno, err);
	ret = same_read(setting, file, path_fd, out, err);
	close(path_fd);
	return ret;
}
