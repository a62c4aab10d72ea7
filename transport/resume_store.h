/*
 * tls_gnutls - sessions of outgoing connections that can be resumed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm, one block for each session, wiped before it is freed.
 * Lock: its own, for a few comparisons; nothing is allocated, freed or computed under it.
 *
 * Bounded in number and bytes; when it is full, the sessions that were stored first are dropped. A session leaves the
 * store when it is taken, so none is used twice. Not here: which session fits which connection (conn_resume.h).
 */
#ifndef TLSG_TRANSPORT_RESUME_STORE_H
#define TLSG_TRANSPORT_RESUME_STORE_H

#include <stdint.h>
#include <time.h>

#include "base/err.h"

/** Bytes of what identifies a session: a hash. */
#define TLSG_RESUME_KEY_SIZE 32
/** Largest session in bytes; it contains the certificates of the server. */
#define TLSG_RESUME_SIZE_MAX (16 * 1024)

/** A session. Owned by the store, or by the caller who took it. */
struct tlsg_resume_session
{
	struct tlsg_resume_session *next; /**< for the store */
	uint64_t stored;				  /**< for the store: order of storing */
	unsigned char key[TLSG_RESUME_KEY_SIZE];
	time_t until; /**< cannot be resumed after it */
	int own;	  /**< number of this host's certificate in the profile, which was sent; -1 none */
	size_t size;
	unsigned char data[]; /**< as gnutls_session_get_data2() gives it */
};

/**
 * Makes the store. Before the forks; a second call does nothing. Without it nothing is stored and nothing found.
 * @param bytes_max  of all sessions together.
 * @return TLSG_OK, TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_resume_store_init(size_t bytes_max) TLSG_MUST_CHECK;

/** Wipes and frees all sessions. Attendant, at shutdown. Idempotent. */
void tlsg_resume_store_deinit(void);

/**
 * Takes the newest session with a key out of the store.
 * @param now  sessions whose time is over are not returned.
 * @return owned by the caller: tlsg_resume_store_free(); NULL: none.
 */
struct tlsg_resume_session *tlsg_resume_store_take(const unsigned char key[TLSG_RESUME_KEY_SIZE], time_t now);

/**
 * Makes a session to be stored.
 * @param size  of data: 1 to TLSG_RESUME_SIZE_MAX.
 * @return all zero but for size: the caller fills it; NULL: too large, no store, or out of shared memory.
 */
struct tlsg_resume_session *tlsg_resume_store_new(size_t size);

/** Stores a session. @param s  owned by the store afterwards; data, size, key, own and until are set. */
void tlsg_resume_store_put(struct tlsg_resume_session *s);

/** Wipes and frees a session. NULL allowed. */
void tlsg_resume_store_free(struct tlsg_resume_session *s);

/** @param bytes  [out] of the sessions in the store. @return how many there are. */
unsigned tlsg_resume_store_len(size_t *bytes);

#endif
