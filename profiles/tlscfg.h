/*
 * tls_gnutls - reads the sections of one file
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: start-up or the RPC process that reloads.  Memory: the snapshot's arena, pkg while parsing.  Lock: none.
 *
 * Not here: several files, and checks of profiles against each other (tlscfg_file.h).
 */
#ifndef TLSG_PROFILES_TLSCFG_H
#define TLSG_PROFILES_TLSCFG_H

#include <sys/types.h>

#include "profiles/set.h"

/**
 * Reads the sections of one file and adds their profiles to a snapshot. Duplicates are not detected here.
 * @param set        new snapshot.
 * @param path       a regular file; zero-terminated, in the snapshot's arena: the profiles point to it.
 * @param mode       st_mode of the file: a password in a world-readable one leads to a warning.
 * @param err        [out] not NULL; "<path>:<line>:<column>: <what>".
 * @return TLSG_OK; TLSG_E_CONFIG: syntax, unknown option or value, unreadable; TLSG_E_RESOURCE.
 * Process: any single one. Lock: none.
 * Source: the format of `tls`; the core's core/cfg_parser.c splits the file into words.
 */
enum tlsg_ret tlsg_tlscfg_parse(
		struct tlsg_set *set, const char *path, mode_t mode, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
