/*
 * tls_gnutls - reads tls.cfg: one file, or all files of a directory, and checks their profiles together
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: start-up or the RPC process that reloads.  Memory: the snapshot's arena, pkg while parsing.  Lock: none.
 *
 * Not here: the syntax of a file (tlscfg.h), defaults for what is not set (prof.h).
 */
#ifndef TLSG_PROFILES_TLSCFG_FILE_H
#define TLSG_PROFILES_TLSCFG_FILE_H

#include "profiles/set.h"

/**
 * Reads a file, or all regular files of a directory in order of their names, and adds their profiles to a snapshot.
 * @param set   new snapshot.
 * @param path  absolute or relative to the working directory, zero-terminated.
 * @param err   [out] "<file>:<line>:<column>: <what>".
 * @return TLSG_OK; TLSG_E_CONFIG (syntax, unknown option, duplicate, unreadable file); TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_tlscfg_file_parse(struct tlsg_set *set, const char *path, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
