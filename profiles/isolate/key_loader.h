/*
 * tls_gnutls - key isolation: a child of the key process that reads one key file
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process and these children.  Memory: heap.  Lock: none.
 *
 * Who names a file may also have written it: encrypted with so many rounds that it takes hours to read, or as a key of
 * so many bits that to check it does. And the disk may hang. So once Kamailio serves, the key process does not read
 * files itself, and goes on signing meanwhile.
 */
#ifndef TLSG_PROFILES_ISOLATE_KEY_LOADER_H
#define TLSG_PROFILES_ISOLATE_KEY_LOADER_H

#include <sys/types.h>

#include "profiles/keys/key_file.h"

/** A child that was started. */
struct tlsg_key_loader
{
	int fd; /**< becomes readable when there is a result */
	pid_t pid;
};

/**
 * Forks a child that reads a file.
 * @param r             as for tlsg_key_file_load(), and known and param, too.
 * @param l             [out] for tlsg_key_loader_finish().
 * @return TLSG_OK; TLSG_E_RESOURCE: errno says why.
 */
enum tlsg_ret tlsg_key_loader_start(const struct tlsg_key_file_request *r, tlsg_key_file_known_f known, void *param,
		struct tlsg_key_loader *l) TLSG_MUST_CHECK;

/**
 * Takes the result and ends the child; without waiting for a result: one that has none yet is killed.
 * @param setting  name of the parameter, and
 * @param file     path, for messages.
 * @param out      [out] zeroed before, to be freed by the caller after TLSG_OK only.
 * @return as from tlsg_key_file_load(); TLSG_E_RESOURCE, too, if there is no result.
 */
enum tlsg_ret tlsg_key_loader_finish(struct tlsg_key_loader *l, const char *setting, const char *file,
		struct tlsg_key_file_content *out, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
