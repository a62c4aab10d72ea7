/*
 * tls_gnutls - the files and directories that a snapshot was read from, to find out whether they have changed since
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot (notes); the process of auto_reload (copies, compares).
 * Memory: noted in the snapshot's arena (shm); copies on the heap of a process.  Lock: none.
 *
 * A file has changed if its content has. It is read again only if stat(2) shows a difference, so a file that was merely
 * touched, copied over itself or renamed to and fro has not. Of a file that cannot be read stat(2) alone decides.
 *
 * Digests in a snapshot are readable for all processes, and a file may hold a PIN or a password, which are short: a
 * digest would tell them to who has taken over a worker. So none is made of what was read as root, at start, unless all
 * processes are root's; the process of auto_reload adds it to its copy if it can read the file.
 *
 * Not here: when a change leads to a reload (watch.h).
 */
#ifndef TLSG_PROFILES_SOURCE_H
#define TLSG_PROFILES_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct tlsg_set;

#define TLSG_SOURCE_DIGEST_BYTES 32 /* SHA-256 */

/** What stat(2) says, following symbolic links. Numbers of one size only: there is no padding. */
struct tlsg_source_stamp
{
	int64_t error; /**< errno; 0: the others are set */
	int64_t device;
	int64_t inode;
	int64_t size;
	int64_t modified_ns;
	int64_t changed_ns;
};

/** A file or a directory, as it was. */
struct tlsg_source
{
	struct tlsg_source *next;
	char *path;
	bool is_dir;	 /**< the names in it count, not the files */
	bool is_recent;	 /**< changed so shortly before that the next change may have the same time */
	bool has_digest; /**< false: it could not be read, or was read as another user than all processes have */
	struct tlsg_source_stamp stamp;
	unsigned char digest[TLSG_SOURCE_DIGEST_BYTES];
};

/** What tlsg_source_compare() has found. */
struct tlsg_source_diff
{
	unsigned len;		/**< number of changed sources */
	const char *first;	/**< path of one of them, borrowed from the list; NULL: none */
	uint64_t signature; /**< of the changed sources as they are now: equal while nothing changes further */
};

/**
 * Notes a file or a directory in a snapshot, as it is now; to be called before it is read, so that a change in between
 * is found. Does nothing unless the option is_watched of the snapshot is set. Without shared memory nothing is noted:
 * then the snapshot cannot be completed either.
 * @param set     that is being built.
 * @param path    zero-terminated; copied.
 * @param is_dir  it is a directory.
 */
void tlsg_source_note(struct tlsg_set *set, const char *path, bool is_dir);

/**
 * Notes the file in a setting `file:PATH`; other settings may be secrets and are passed over.
 * @param setting  zero-terminated, or NULL.
 */
void tlsg_source_note_setting(struct tlsg_set *set, const char *setting);

/**
 * Adds digests that are missing, of files that have not changed since.
 * @param list  [in,out] a copy.
 */
void tlsg_source_complete(struct tlsg_source *list);

/** Copies a list. @return [heap] tlsg_source_free(); NULL: the list is empty, or no memory. */
struct tlsg_source *tlsg_source_copy(const struct tlsg_source *list);

/** Frees a copy. NULL allowed. */
void tlsg_source_free(struct tlsg_source *list);

/**
 * Compares each source with the file as it is now.
 * @param list  [in,out] a copy: what has another stamp and the same content gets the new stamp.
 * @param out   [out] what has changed.
 * Blocks as long as the file systems do.
 * Source: stat(2).
 */
void tlsg_source_compare(struct tlsg_source *list, struct tlsg_source_diff *out);

#endif
