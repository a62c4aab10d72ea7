/*
 * tls_gnutls - reads values that are written the same way in tls.cfg and in module parameters; compares strings
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: none.
 */
#ifndef TLSG_PROFILES_VALUE_H
#define TLSG_PROFILES_VALUE_H

#include <stdbool.h>

#include "base/host.h"
#include "profiles/verify/verify_mode.h"

/** Whether a string is set and not empty. */
bool tlsg_value_is_set(const str *s);

/** Whether two strings are the same bytes. {NULL,0}, "not set", equals itself only. */
bool tlsg_value_is_same(const str *a, const str *b);

/** The same for names (of hosts, of options): upper and lower case of ASCII letters are equal. */
bool tlsg_value_is_same_name(const str *a, const str *b);

/**
 * Reads a value of `verify_client`.
 * @param token  `off`, `on`, `optional`, `optional_no_ca`, in any case.
 * @param out    [out] set on success only.
 * @return true; false: not one of them, or empty.
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

#endif
