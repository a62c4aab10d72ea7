/*
 * tls_gnutls - the files and directories that a snapshot was read from, to find out whether they have changed since
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot (notes); the process of auto_reload (copies, compares).
 * Memory: noted in the snapshot's arena (shm); copies on the heap of a process.  Lock: none.
 */
#include "profiles/source.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/arena.h"
#include "profiles/keys/file.h"
#include "profiles/set.h"

#define FROM_FILE "file:"
#define NS_PER_S 1000000000
#define RECENT_NS (2LL * NS_PER_S) /* file systems with the coarsest times have steps of two seconds */
#define FNV_OFFSET 14695981039346656037ULL
#define FNV_PRIME 1099511628211ULL

static int64_t ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * NS_PER_S + t->tv_nsec;
}

/* @return whether the file was changed just now. */
static bool stamp_take(const char *path, struct tlsg_source_stamp *out)
{
	struct timespec now;
	struct stat st;

	memset(out, 0, sizeof(*out));
	if(stat(path, &st) != 0) {
		out->error = errno;
		return false;
	}
	out->device = (int64_t)st.st_dev;
	out->inode = (int64_t)st.st_ino;
	out->size = st.st_size;
	out->modified_ns = ns_of(&st.st_mtim);
	out->changed_ns = ns_of(&st.st_ctim);
	clock_gettime(CLOCK_REALTIME, &now);
	return ns_of(&now) - out->changed_ns < RECENT_NS;
}

static bool digest_file(const char *path, unsigned char *out)
{
	gnutls_datum_t data = {NULL, 0};
	bool done;

	if(tlsg_file_read("auto_reload", path, &data, NULL) != TLSG_OK)
		return false;
	done = gnutls_hash_fast(GNUTLS_DIG_SHA256, data.data, data.size, out) >= 0;
	tlsg_file_free(&data);
	return done;
}

/* The digests of all names, combined so that their order does not count. */
static bool digest_dir(const char *path, unsigned char *out)
{
	unsigned char one[TLSG_SOURCE_DIGEST_BYTES];
	DIR *dir = opendir(path);
	const struct dirent *d;
	unsigned i;
	bool done = dir != NULL;

	memset(out, 0, TLSG_SOURCE_DIGEST_BYTES);
	while(done && (d = readdir(dir)) != NULL) {
		done = gnutls_hash_fast(GNUTLS_DIG_SHA256, d->d_name, strlen(d->d_name), one) >= 0;
		for(i = 0; i < sizeof(one); i++)
			out[i] ^= one[i];
	}
	if(dir != NULL)
		closedir(dir);
	return done;
}

static bool digest_take(const char *path, bool is_dir, unsigned char *out)
{
	return is_dir ? digest_dir(path, out) : digest_file(path, out);
}

void tlsg_source_note(struct tlsg_set *set, const char *path, bool is_dir)
{
	struct tlsg_source *s;

	if(!set->options.is_watched)
		return;
	s = tlsg_arena_keep(set->arena, sizeof(*s));
	if(s == NULL)
		return;
	s->path = tlsg_arena_keep_copy(set->arena, path, strlen(path));
	if(s->path == NULL)
		return;
	s->is_dir = is_dir;
	s->is_recent = stamp_take(path, &s->stamp);
	s->has_digest = geteuid() == (uid_t)set->options.user && digest_take(path, is_dir, s->digest);
	s->next = set->sources;
	set->sources = s;
}

void tlsg_source_note_setting(struct tlsg_set *set, const char *setting)
{
	if(setting != NULL && strncmp(setting, FROM_FILE, strlen(FROM_FILE)) == 0)
		tlsg_source_note(set, setting + strlen(FROM_FILE), false);
}

void tlsg_source_free(struct tlsg_source *list)
{
	while(list != NULL) {
		struct tlsg_source *next = list->next;

		gnutls_free(list->path);
		gnutls_free(list);
		list = next;
	}
}

struct tlsg_source *tlsg_source_copy(const struct tlsg_source *list)
{
	struct tlsg_source *first = NULL;
	struct tlsg_source **end = &first;

	for(; list != NULL; list = list->next) {
		struct tlsg_source *s = gnutls_malloc(sizeof(*s));

		if(s != NULL) {
			*s = *list;
			s->next = NULL;
			s->path = gnutls_strdup(list->path);
			*end = s;
			end = &s->next;
		}
		if(s == NULL || s->path == NULL) {
			tlsg_source_free(first);
			return NULL;
		}
	}
	return first;
}

void tlsg_source_complete(struct tlsg_source *list)
{
	struct tlsg_source_stamp now;
	struct tlsg_source *s;

	for(s = list; s != NULL; s = s->next) {
		if(s->has_digest || s->stamp.error != 0)
			continue;
		(void)stamp_take(s->path, &now);
		if(memcmp(&now, &s->stamp, sizeof(now)) == 0)
			s->has_digest = digest_take(s->path, s->is_dir, s->digest);
	}
}

/* @param now  [out] stamp of the file. */
static bool is_changed(struct tlsg_source *s, struct tlsg_source_stamp *now)
{
	unsigned char digest[TLSG_SOURCE_DIGEST_BYTES];
	bool is_recent = stamp_take(s->path, now);
	bool is_same_stamp = memcmp(now, &s->stamp, sizeof(*now)) == 0;

	if(is_same_stamp && !(s->is_recent && s->has_digest))
		return false;
	if(!s->has_digest || !digest_take(s->path, s->is_dir, digest) || memcmp(digest, s->digest, sizeof(digest)) != 0)
		return true;
	s->stamp = *now;
	s->is_recent = is_recent;
	return false;
}

/* FNV-1a: enough to see whether something goes on changing. */
static uint64_t sign(uint64_t sum, const void *data, size_t size)
{
	const unsigned char *byte = data;
	size_t i;

	for(i = 0; i < size; i++)
		sum = (sum ^ byte[i]) * FNV_PRIME;
	return sum;
}

void tlsg_source_compare(struct tlsg_source *list, struct tlsg_source_diff *out)
{
	struct tlsg_source_stamp now;
	struct tlsg_source *s;

	*out = (struct tlsg_source_diff){.signature = FNV_OFFSET};
	for(s = list; s != NULL; s = s->next) {
		if(!is_changed(s, &now))
			continue;
		if(out->len++ == 0)
			out->first = s->path;
		out->signature = sign(out->signature, s->path, strlen(s->path));
		out->signature = sign(out->signature, &now, sizeof(now));
	}
}
