/*
 * tls_gnutls - reads files that settings name
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, the key process.
 * Memory: this process's heap, without a scope; wiped before it is freed.  Lock: none.
 */
#include "profiles/keys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>


#include "base/host.h"
#include "base/wipe.h"

#define FILE_MAX_BYTES (16 * 1024 * 1024)

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
		tlsg_file_free(&d);
		return TLSG_E_CONFIG;
	}
	d.data[size] = '\0';
	*out = d;
	return TLSG_OK;
}

void tlsg_file_free(gnutls_datum_t *data)
{
	tlsg_wipe(data->data, data->size);
	gnutls_free(data->data);
	*data = (gnutls_datum_t){NULL, 0};
}

enum tlsg_ret tlsg_file_read(const char *setting, const char *file, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct stat st;
	enum tlsg_ret ret;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if(fd < 0 || fstat(fd, &st) < 0)
		ret = tlsg_file_unreadable(setting, file, false, errno, err);
	else if(!S_ISREG(st.st_mode))
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" is not a regular file", setting, file);
	else if(st.st_size == 0)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" is empty", setting, file);
	else if(st.st_size > FILE_MAX_BYTES)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\" is larger than 16 MiB", setting, file);
	else
		ret = content_read(setting, file, fd, (size_t)st.st_size, out, err);
	if(fd >= 0)
		close(fd);
	return ret;
}
