/*
 * tls_gnutls - files that hold secrets: who can read them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none.
 */
#ifndef TLSG_BASE_SECRET_FILE_H
#define TLSG_BASE_SECRET_FILE_H

#include <sys/types.h>

/**
 * Logs a line at WARN if a file with a secret is world-readable. The file is used all the same.
 * @param name    of the file.
 * @param secret  that it holds, with its article: "a PIN".
 * @param mode    st_mode of the file, from stat() or fstat().
 */
void tlsg_secret_file_warn(const char *name, const char *secret, mode_t mode);

#endif
