/*
 * tls_gnutls - PINs that a token has refused, remembered from one start of the host to the next
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that logs in to a token.  Memory: static, of each process; a path is valid until the next call.
 * Lock: none: records are created under another name and renamed.
 */
#include "pkcs11/p11_refused.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "base/host.h"

#define RECORD_NAME "tls_refused_pin"
#define HEAD "tls_gnutls: a PIN that a token has refused, as a salted hash"
#define ROUNDS 600000 /* of PBKDF2 with SHA-256: PINs are short */
#define SALT_SIZE 16
#define HASH_SIZE 32
#define FOLDER_SIZE 1024
#define PATH_SIZE (FOLDER_SIZE + sizeof(RECORD_NAME) + 64)
#define RECORD_SIZE (TLSG_P11_URI_SIZE + 256)

/* A file and its content. */
struct record
{
	uint64_t stamp; /* of the file that was read */
	unsigned tries;
	char salt[2 * SALT_SIZE + 1]; /* in hex, as are hash and id */
	char hash[2 * HASH_SIZE + 1];
};

static char folder[FOLDER_SIZE];
static bool asked;

void tlsg_p11_refused_init(const char *path)
{
	char *full = path != NULL ? realpath(path, NULL) : NULL;

	folder[0] = '\0';
	if(full != NULL && strlen(full) < sizeof(folder))
		memcpy(folder, full, strlen(full) + 1);
	free(full);
	asked = true;
}

void tlsg_p11_refused_set_asked(bool is_asked)
{
	asked = is_asked;
}

bool tlsg_p11_refused_is_asked(void)
{
	return asked;
}

bool tlsg_p11_refused_is_in_unit(void)
{
	const char *at = getenv("RUNTIME_DIRECTORY"); /* a list with colons */
	size_t len = strlen(folder);

	while(at != NULL && len > 0) {
		if(strncmp(at, folder, len) == 0 && (at[len] == ':' || at[len] == '\0'))
			return true;
		at = strchr(at, ':');
		at = at != NULL ? at + 1 : NULL;
	}
	return false;
}

static void hex_write(const unsigned char *bytes, size_t len, char *out)
{
	size_t i;

	for(i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

const char *tlsg_p11_refused_path(const char *token)
{
	static char path[PATH_SIZE];
	unsigned char hash[HASH_SIZE];
	char id[17];

	path[0] = '\0';
	if(folder[0] == '\0' || gnutls_hash_fast(GNUTLS_DIG_SHA256, token, strlen(token), hash) < 0)
		return path;
	hex_write(hash, 8, id);
	snprintf(path, sizeof(path), "%s/" RECORD_NAME ".%s", folder, id);
	return path;
}

/* @param salt  2 * SALT_SIZE hex digits. @param out  [out] 2 * HASH_SIZE hex digits, zero-terminated. */
static bool hash_make(const char *pin, const char *salt, char *out)
{
	gnutls_datum_t key = {(unsigned char *)pin, (unsigned)strlen(pin)};
	gnutls_datum_t with = {(unsigned char *)salt, 2 * SALT_SIZE};
	unsigned char hash[HASH_SIZE];
	int rc = gnutls_pbkdf2(GNUTLS_MAC_SHA256, &key, &with, ROUNDS, hash, sizeof(hash));

	if(rc >= 0)
		hex_write(hash, sizeof(hash), out);
	gnutls_memset(hash, 0, sizeof(hash));
	return rc >= 0;
}

static int record_write(char *out, size_t size, const char *token, const struct record *r)
{
	return snprintf(out, size, HEAD "\ntoken %s\ntries %u\nsalt %s\nhash %s\n", token, r->tries, r->salt, r->hash);
}

/* Copies what follows a word at the start of a line, up to the end of that line. */
static void field_read(const char *text, const char *word, char *out, size_t size)
{
	const char *at = strstr(text, word);
	size_t len = at != NULL ? strcspn(at + strlen(word), "\n") : 0;

	if(len >= size)
		len = 0;
	if(len > 0)
		memcpy(out, at + strlen(word), len);
	out[len] = '\0';
}

/* Whether a text is a record of the token, exactly as record_write() writes it. */
static bool record_parse(const char *text, const char *token, struct record *r)
{
	char again[RECORD_SIZE], tries[16];

	field_read(text, "\ntries ", tries, sizeof(tries));
	field_read(text, "\nsalt ", r->salt, sizeof(r->salt));
	field_read(text, "\nhash ", r->hash, sizeof(r->hash));
	r->tries = (unsigned)strtoul(tries, NULL, 10);
	if(strlen(r->salt) != sizeof(r->salt) - 1 || strlen(r->hash) != sizeof(r->hash) - 1
			|| strspn(r->salt, "0123456789abcdef") != sizeof(r->salt) - 1
			|| strspn(r->hash, "0123456789abcdef") != sizeof(r->hash) - 1 || r->tries == 0)
		return false;
	return record_write(again, sizeof(again), token, r) < (int)sizeof(again) && strcmp(again, text) == 0;
}

/* Whether a file is this user's or root's. */
static bool is_own(const struct stat *st)
{
	return st->st_uid == geteuid() || st->st_uid == 0;
}

/* A number that changes with a file. @return not 0. */
static uint64_t file_stamp(const struct stat *st)
{
	uint64_t changed_ns = (uint64_t)st->st_ctim.tv_sec * UINT64_C(1000000000) + (uint64_t)st->st_ctim.tv_nsec;

	return (changed_ns ^ (uint64_t)st->st_ino << 40) | 1;
}

/* Reads the file of a token. @param text  [out] RECORD_SIZE bytes. @param stamp  [out] set if text is. */
static enum tlsg_p11_refused file_read(const char *path, char *text, uint64_t *stamp)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if(fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return TLSG_P11_REFUSED_NOT;
	if((fd >= 0 ? fstat(fd, &st) : lstat(path, &st)) < 0)
		st.st_uid = geteuid();
	else if(fd >= 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		n = read(fd, text, RECORD_SIZE - 1);
	if(fd >= 0)
		close(fd);
	if(!is_own(&st)) {
		LM_WARN("\"%s\" belongs to user id %d and is ignored: remove it\n", path, (int)st.st_uid);
		return TLSG_P11_REFUSED_NOT;
	}
	if(n < 0 || memchr(text, '\0', (size_t)n) != NULL)
		return TLSG_P11_REFUSED_DAMAGED;
	text[n] = '\0';
	*stamp = file_stamp(&st);
	return TLSG_P11_REFUSED_BEFORE;
}

uint64_t tlsg_p11_refused_stamp(const char *token)
{
	const char *path = tlsg_p11_refused_path(token);
	struct stat st;

	return path[0] != '\0' && lstat(path, &st) == 0 ? file_stamp(&st) : 0;
}

/*
 * Reads the record of a token.
 * @param is_same  [out] with TLSG_P11_REFUSED_BEFORE: whether it is of this PIN.
 * @return TLSG_P11_REFUSED_BEFORE: r is set; TLSG_P11_REFUSED_NOT: there is none; TLSG_P11_REFUSED_DAMAGED.
 */
static enum tlsg_p11_refused record_read(const char *token, const char *pin, struct record *r, bool *is_same)
{
	const char *path = tlsg_p11_refused_path(token);
	enum tlsg_p11_refused found = TLSG_P11_REFUSED_NOT;
	char text[RECORD_SIZE], hash[2 * HASH_SIZE + 1];

	if(path[0] != '\0')
		found = file_read(path, text, &r->stamp);
	if(found != TLSG_P11_REFUSED_BEFORE)
		return found;
	if(!record_parse(text, token, r) || !hash_make(pin, r->salt, hash))
		return TLSG_P11_REFUSED_DAMAGED;
	*is_same = gnutls_memcmp(hash, r->hash, sizeof(hash)) == 0;
	return TLSG_P11_REFUSED_BEFORE;
}

enum tlsg_p11_refused tlsg_p11_refused_find(const char *token, const char *pin, unsigned *tries)
{
	struct record r;
	bool is_same = false;
	enum tlsg_p11_refused found = record_read(token, pin, &r, &is_same);

	*tries = 0;
	if(found != TLSG_P11_REFUSED_BEFORE)
		return found;
	if(!is_same)
		return TLSG_P11_REFUSED_NOT;
	*tries = r.tries;
	return TLSG_P11_REFUSED_BEFORE;
}

/* Writes a file and gives it its name, which may be that of an older one. @return 0; -1: errno says why. */
static int file_replace(const char *path, const char *text, size_t size)
{
	char fresh[PATH_SIZE + 16];
	ssize_t n;
	int fd, cause;

	snprintf(fresh, sizeof(fresh), "%s.%d", path, (int)getpid());
	(void)unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if(fd < 0)
		return -1;
	errno = ENOSPC;
	n = write(fd, text, size);
	if(n == (ssize_t)size && close(fd) == 0 && rename(fresh, path) == 0)
		return 0;
	cause = errno;
	if(n != (ssize_t)size)
		close(fd);
	(void)unlink(fresh);
	errno = cause;
	return -1;
}

enum tlsg_ret tlsg_p11_refused_add(const char *token, const char *pin, unsigned *tries)
{
	unsigned char salt[SALT_SIZE];
	char text[RECORD_SIZE];
	struct record r;
	int len;

	(void)tlsg_p11_refused_find(token, pin, tries);
	*tries = *tries < 999999999 ? *tries + 1 : *tries;
	r.tries = *tries;
	errno = ENOENT;
	if(folder[0] == '\0' || gnutls_rnd(GNUTLS_RND_NONCE, salt, sizeof(salt)) < 0)
		return TLSG_E_RESOURCE;
	hex_write(salt, sizeof(salt), r.salt);
	errno = EINVAL;
	if(!hash_make(pin, r.salt, r.hash))
		return TLSG_E_RESOURCE;
	len = record_write(text, sizeof(text), token, &r);
	if(len < 0 || len >= (int)sizeof(text))
		return TLSG_E_RESOURCE;
	return file_replace(tlsg_p11_refused_path(token), text, (size_t)len) == 0 ? TLSG_OK : TLSG_E_RESOURCE;
}

/* Removes a record that was read, unless another process has replaced it while its hash was compared. */
static void record_remove(const char *token, const struct record *r)
{
	if(tlsg_p11_refused_stamp(token) == r->stamp)
		(void)unlink(tlsg_p11_refused_path(token));
}

void tlsg_p11_refused_remove(const char *token, const char *pin)
{
	struct record r;
	bool is_same = false;

	if(record_read(token, pin, &r, &is_same) == TLSG_P11_REFUSED_BEFORE && is_same)
		record_remove(token, &r);
}

void tlsg_p11_refused_remove_other(const char *token, const char *pin)
{
	char name[TLSG_P11_URI_SIZE];
	struct record r;
	bool is_same = false;

	if(tlsg_p11_uri_keep_token(token, name) && record_read(name, pin, &r, &is_same) == TLSG_P11_REFUSED_BEFORE
			&& !is_same)
		record_remove(name, &r);
}
