/*
 * tls_gnutls - what values mean that are written the same way in tls.cfg and in module parameters
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: none.
 */
#ifndef TLSG_PROFILES_VALUE_H
#define TLSG_PROFILES_VALUE_H

#include <stdbool.h>

#include "base/host.h"
#include "profiles/verify/verify_mode.h"

/** Room for the longest path that is accepted, its terminating zero included. */
#define TLSG_PATH_SIZE 4096

/**
 * Reads a value of `verify_client`.
 * @param token  `off`, `on`, `optional`, `optional_no_ca`, in any case.
 * @param out    [out] set on success only.
 * @return true: known; false: not one of them, or empty.
 * Source: spec 3.4.
 */
bool tlsg_value_verify_client(const str *token, enum tlsg_verify_client *out);

/**
 * Reads a whole number.
 * @param text  decimal digits, with a sign if wanted, and nothing else.
 * @param out   [out] set on success only.
 * @return true; false: empty, something else, or beyond an int.
 */
bool tlsg_value_number(const str *text, int *out);

/**
 * Reads a number without a sign.
 * @param text  decimal digits and nothing else; leading zeroes are allowed.
 * @param max   highest value allowed, at most UINT_MAX / 10 - 1.
 * @param out   [out] set on success only.
 * @return true; false: empty, something else, or above max.
 */
bool tlsg_value_decimal(const str *text, unsigned max, unsigned *out);

/**
 * Whether a value names something that is no file: a URI (`pkcs11:`, `tpmkey:`), or one of the spellings for
 * keys behind OpenSSL (`/engine:`, `/uri:`).
 */
bool tlsg_value_is_uri(const str *value);

/**
 * Whether a file name is relative to the directory of the main configuration file: it is not empty, begins with neither
 * `/` nor `.`, and is no URI.
 * Source: spec 3.8.
 */
bool tlsg_value_is_relative(const str *path);

/**
 * Writes the path that a value stands for: unchanged, or in the directory if it is relative.
 * @param dir   directory of the main configuration file, ends in `/`.
 * @param path  the value as written.
 * @param buf   [out] zero-terminated; TLSG_PATH_SIZE bytes.
 * @return length without the zero; -1: longer than the buffer, buf is then empty.
 */
int tlsg_value_path(const str *dir, const str *path, char *buf);

#endif
