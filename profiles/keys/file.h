/*
 * tls_gnutls - reads files that settings name
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, the key process.
 * Memory: this process's heap, without a scope; wiped before it is freed.  Lock: none.
 *
 * With key_isolation the key process reads files as root for workers that an attacker may control. So only regular
 * files on a disk are opened: opening a device can reboot the machine, rewind a tape or block, and reading a file that
 * the kernel generates can consume data that other programs wait for. The type of the file that a path resolves to,
 * through symbolic links too, is checked without opening it (O_PATH). Then that same file is opened, even if the path
 * resolves to another one by then.
 */
#ifndef TLSG_PROFILES_KEYS_FILE_H
#define TLSG_PROFILES_KEYS_FILE_H

#include <gnutls/gnutls.h>

#include "base/err.h"

/**
 * Reads a regular file of at most 16 MiB.
 * @param setting  name of the parameter, for the error text.
 * @param file     path, zero-terminated.
 * @param out      [out] [heap] set on TLSG_OK: to be freed with tlsg_file_free(); followed by a zero byte that is not
 *                 counted.
 * @return TLSG_OK; TLSG_E_CONFIG: unreadable (err names the reason and the user), not a regular file (err says of which
 *         type it is), empty, too large; TLSG_E_RESOURCE.
 * Source: open(2), O_PATH; proc(5), /proc/self/fd; where /proc is not mounted openat2(2), RESOLVE_NO_SYMLINKS.
 */
enum tlsg_ret tlsg_file_read(
		const char *setting, const char *file, gnutls_datum_t *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Wipes and frees what tlsg_file_read() gave. @param data  its data may be NULL; empty afterwards. */
void tlsg_file_free(gnutls_datum_t *data);

/**
 * Records that a file or a directory cannot be read, and as which user it was tried.
 * @param setting  name of the parameter.
 * @param file     path, zero-terminated.
 * @param is_dir   it is a directory.
 * @param error    errno.
 * @return TLSG_E_CONFIG.
 */
enum tlsg_ret tlsg_file_unreadable(const char *setting, const char *file, bool is_dir, int error, struct tlsg_err *err);

#endif
