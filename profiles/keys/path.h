/*
 * tls_gnutls - paths in settings: relative to the directory of the main configuration file, or a URI in their place
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: none.
 *
 * Not here: which directory that is, and the paths in module parameters, gnutls_mod/mod_path.h.
 */
#ifndef TLSG_PROFILES_KEYS_PATH_H
#define TLSG_PROFILES_KEYS_PATH_H

#include "base/host.h"

/** Size of a buffer for the longest path that is accepted, its terminating zero included. */
#define TLSG_PATH_SIZE 4096

/**
 * Whether a value is not a file name but a URI (`pkcs11:`, `tpmkey:`), or a key name as OpenSSL's engines and stores
 * take it (`/engine:`, `/uri:`).
 */
bool tlsg_path_is_uri(const str *value);

/**
 * Whether a file name is relative to the directory of the main configuration file: it is not empty, begins with neither
 * `/` nor `.`, and is not a URI.
 */
bool tlsg_path_is_relative(const str *path);

/**
 * Writes the path that a value stands for: unchanged, or in the directory if it is relative.
 * @param dir   directory of the main configuration file, ends in `/`.
 * @param path  the value as written.
 * @param buf   [out] zero-terminated; TLSG_PATH_SIZE bytes.
 * @return length without the zero; -1: longer than the buffer, buf is then empty.
 */
int tlsg_path_absolute(const str *dir, const str *path, char *buf);

#endif
