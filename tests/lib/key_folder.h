/*
 * tls_gnutls - a folder with files that openssl makes, for tests of keys
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tests.  Memory: static; the stand-in's region.  Lock: none.
 */
#ifndef TLSG_TESTS_LIB_KEY_FOLDER_H
#define TLSG_TESTS_LIB_KEY_FOLDER_H

#include <stddef.h>

#include "base/host.h"

/**
 * For the setup of a group: sets up what snapshots need, makes the folder and runs commands in it.
 * @param commands  of the shell, each with fewer than 400 bytes; their standard error goes to the file "log".
 * @param len       number of commands.
 * @return 0; -1: the one that failed is printed.
 */
int key_folder_make(const char *const *commands, size_t len);

/** For the teardown: the opposite. @return 0; otherwise the folder cannot be removed. */
int key_folder_remove(void);

/** @return the path of the folder, without a slash at the end. */
const char *key_folder(void);

/** @return path of a file in the folder, valid until the fifth one after it. */
str key_folder_path(const char *name);

#endif
