/*
 * tls_gnutls - ticket_key_file: reads the master keys of session tickets
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot; at start before root's privileges are dropped.
 * Memory: the snapshot's arena (shm), wiped with it.  Lock: none.
 *
 * Not here: the keys that profiles derive from these (ticket.h).
 */
#ifndef TLSG_PROFILES_TICKET_FILE_H
#define TLSG_PROFILES_TICKET_FILE_H

#include "profiles/prof.h"

/** Files that ticket_key_file can name. */
#define TLSG_TICKET_MASTERS_MAX TLSG_PAIRS_MAX
/** Bytes of a file, and of the master key that it is. */
#define TLSG_TICKET_MASTER_SIZE 64

/** Master keys. The first encrypts, all decrypt. */
struct tlsg_ticket_masters
{
	unsigned len; /**< at least 1 */
	unsigned char key[TLSG_TICKET_MASTERS_MAX][TLSG_TICKET_MASTER_SIZE];
};

/**
 * Reads all files of the parameter into a snapshot.
 * @param set      [in,out] not yet built; ticket_masters is set, if the parameter is.
 * @param setting  value of ticket_key_file, its first name absolute; not set: nothing is read.
 * @param err      [out] the first cause, with the file.
 * @return TLSG_OK; TLSG_E_CONFIG: a file cannot be read, is not a regular file, can be written by everybody, has not
 *         64 bytes, is not random, or has the same key as another one; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_ticket_file_load(struct tlsg_set *set, const str *setting, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Logs a line at WARNING for each file that this process's user cannot read, which it needs to for tls.reload.
 * @param setting  as for tlsg_ticket_file_load().
 */
void tlsg_ticket_file_warn(struct tlsg_set *set, const str *setting);

#endif
