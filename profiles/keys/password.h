/*
 * tls_gnutls - passwords of encrypted keys: from the setting, a file or the environment, or typed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, the key process, the token process.  Memory: the caller's.  Lock: none.
 */
#ifndef TLSG_PROFILES_KEYS_PASSWORD_H
#define TLSG_PROFILES_KEYS_PASSWORD_H

#include "base/err.h"
#include "base/host.h"
#include "profiles/keys/path.h"

/** Size of a buffer for the longest password, its terminating zero included. */
#define TLSG_PASSWORD_SIZE 1024

/** One password. Wipe with tlsg_password_wipe(). */
struct tlsg_password
{
	bool is_set;				   /**< false: there is none, text is empty */
	bool is_asked;				   /**< it was typed, or would have to be */
	char text[TLSG_PASSWORD_SIZE]; /**< zero-terminated */
};

/**
 * Has a person type the password of a file.
 * @param file  path of the file, or URI of the object.
 * @param buf   [out] the password, zero-terminated.
 * @param size  of buf.
 * @param err   [out] why there is no password.
 * @return TLSG_OK; TLSG_E_CONFIG: no password.
 */
typedef enum tlsg_ret (*tlsg_password_ask_f)(const char *file, char *buf, size_t size, struct tlsg_err *err);

/**
 * Sets where passwords come from in this process and in those it forks.
 * @param asks  true: they are typed, settings are ignored; false: from the settings.
 * @param ask   prompts for one; NULL: there is nobody to prompt any more.
 */
void tlsg_password_mode_set(bool asks, tlsg_password_ask_f ask);

/** @return whether passwords are typed. */
bool tlsg_password_is_asked(void);

/** @return whether passwords are typed but there is nobody to prompt any more. */
bool tlsg_password_is_out_of_reach(void);

/** Size of a buffer for tlsg_password_setting(). */
#define TLSG_PASSWORD_SETTING_SIZE (TLSG_PATH_SIZE + 8)

/**
 * Makes the path in a setting `file:PATH` absolute; other settings stay as they are.
 * @param dir  directory of the main configuration file.
 * @param buf  TLSG_PASSWORD_SETTING_SIZE bytes that must outlive out.
 * @param out  [out] the setting, or one in buf.
 * @return false: the path is too long.
 */
bool tlsg_password_setting(const str *dir, const str *setting, char *buf, str *out);

/**
 * Finds the password for an encrypted file. To be called once per file, and only if it is encrypted: somebody may have
 * to type it.
 * @param setting  value of private_key_password: the password itself; `file:PATH`, whose first line is the password;
 *                 `env:NAME`, an environment variable. {NULL,0}: none.
 * @param file     the encrypted file, for messages.
 * @param out      [out] to be wiped by the caller, also after an error.
 * @param err      [out] never holds a password.
 * @return TLSG_OK (is_set may be false); TLSG_E_CONFIG: the password file is unreadable or empty, the variable is not
 *         set, the password is too long, none was typed.
 */
enum tlsg_ret tlsg_password_get(
		const str *setting, const char *file, struct tlsg_password *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Overwrites a password. */
void tlsg_password_wipe(struct tlsg_password *p);

#endif
