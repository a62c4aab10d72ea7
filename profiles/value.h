/*
 * tls_gnutls - what values mean that are written the same way in tls.cfg and in module parameters
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: none.
 */
#ifndef TLSG_PROFILES_VALUE_H
#define TLSG_PROFILES_VALUE_H

#include "profiles/keys/path.h"
#include "profiles/prof.h"

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

#endif
