/*
 * tls_gnutls - splits settings that name several files
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm).  Lock: none.
 */
#ifndef TLSG_PROFILES_LIST_H
#define TLSG_PROFILES_LIST_H

#include "profiles/prof.h"

/**
 * Splits a setting at its commas: `a.pem, b.pem`. An existing file with commas in its name is one file. In a list a URI
 * ends where another URI, or a path that begins with `/` or `.`, begins, since URIs may have commas. Relative names are
 * in the directory of the main configuration file.
 * @param set   snapshot that is being built.
 * @param name  name of the parameter, for messages.
 * @param list  the setting, not empty; its first name is absolute already.
 * @param out   [out] TLSG_PAIRS_MAX of them; zero-terminated; [arena], or the setting itself when there is nothing to
 *              split.
 * @param len   [out] how many, at least 1.
 * @return TLSG_OK; TLSG_E_CONFIG: an empty name, a path that is too long, more than TLSG_PAIRS_MAX; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_list_split(struct tlsg_set *set, const char *name, const str *list, str *out, int *len,
		struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
