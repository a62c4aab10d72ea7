/*
 * tls_gnutls - the end of a noun after a number, for log lines and replies
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none.
 */
#ifndef TLSG_BASE_PLURAL_H
#define TLSG_BASE_PLURAL_H

/**
 * @param n  the number, as in `"%u file%s", n, tlsg_plural_s(n)`.
 * @return "" for 1, otherwise "s"; constant.
 */
static inline const char *tlsg_plural_s(unsigned long long n)
{
	return n == 1 ? "" : "s";
}

#endif
