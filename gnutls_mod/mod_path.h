/*
 * tls_gnutls - paths in parameters: relative to the directory of the main configuration file
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant, before any fork; the directory also in the RPC process that reloads.
 * Memory: pkg before the forks, never freed.  Lock: none.
 *
 * Which values are paths, and which are URIs, is in profiles/keys/path.h.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_PATH_H
#define TLSG_GNUTLS_MOD_MOD_PATH_H

#include "core/str.h"

/** @return directory of the main configuration file with its last '/', borrowed; empty: its path is not absolute. */
str tlsg_mod_path_dir(void);

/**
 * Makes a path absolute.
 * @param path  as written.
 * @param buf   [out] zero-terminated; TLSG_PATH_SIZE bytes (profiles/keys/path.h).
 * @return length without the zero; -1: too long, or the directory is not known. A line at ERR says so.
 */
int tlsg_mod_path_make(const char *name, const str *path, char *buf);

/**
 * Makes the path of a parameter absolute, in memory that stays.
 * @param name  of the parameter, for the log.
 * @param path  [in,out] {NULL,0}: not set.
 * @param def   value of a parameter that is not set; NULL: none.
 * @return 0, also when the value is not a relative path; -1: a line at ERR says why.
 */
int tlsg_mod_path_convert(const char *name, str *path, const char *def);

#endif
