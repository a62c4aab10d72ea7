/*
 * tls_gnutls - passwords of encrypted keys: as written, from a file, from the environment, or asked for
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: whoever reads key files: the builder of a snapshot, the key process.  Memory: the caller's.  Lock: none.
 */
#ifndef TLSG_PROFILES_KEYS_PASSWORD_H
#define TLSG_PROFILES_KEYS_PASSWORD_H

#include "base/err.h"
#include "base/host.h"

/** Room for the longest password, its terminating zero included. */
#define TLSG_PASSWORD_SIZE 1024

/** One password. Wipe with tlsg_password_wipe(). */
struct tlsg_password
{
	bool is_set;				   /**< false: there is none; text is then empty */
	bool is_asked;				   /**< somebody typed it, or would have to */
	char text[TLSG_PASSWORD_SIZE]; /**< zero-terminated */
};

/**
 * Asks a person for the password of a file.
 * @param file  what it is for.
 * @param buf   [out] the password, zero-terminated.
 * @param size  room in buf.
 * @param err   [out] why there is no answer.
 * @return TLSG_OK; TLSG_E_CONFIG: no answer.
 */
typedef enum tlsg_ret (*tlsg_password_ask_f)(const char *file, char *buf, size_t size, struct tlsg_err *err);

/**
 * Says where passwords come from in this process (and in those it forks).
 * @param asks  true: from a person, settings do not count; false: from the settings.
 * @param ask   how to ask; NULL: nobody can be asked now.
 */
void tlsg_password_mode_set(bool asks, tlsg_password_ask_f ask);

/** @return whether passwords are asked for. */
bool tlsg_password_is_asked(void);

/** @return whether passwords are asked for but nobody can be asked now. */
bool tlsg_password_is_out_of_reach(void);

#define TLSG_PASSWORD_SETTING_SIZE (4096 + 8)

/**
 * Makes the path in a setting `file:PATH` absolute; other settings stay.
 * @param dir  directory of the main configuration file.
 * @param buf  TLSG_PASSWORD_SETTING_SIZE bytes that must outlive out.
 * @param out  [out] the setting, or one in buf.
 * @return false: the path is too long.
 */
bool tlsg_password_setting(const str *dir, const str *setting, char *buf, str *out);

/**
 * Finds the password for an encrypted file. Call it when the file turned out to be encrypted, and once for each file: it may ask.
 * @param setting  value of private_key_password: the password itself; `file:PATH`, of which the first line is the password;
 *                 `env:NAME`, a variable of the environment. {NULL,0}: none.
 * @param file     the encrypted file, for messages.
 * @param out      [out] to be wiped by the caller, also after an error.
 * @param err      [out] never holds a password.
 * @return TLSG_OK (is_set may be false); TLSG_E_CONFIG: the password file cannot be read or is empty, there is no such variable, the
 *         password is too long, nobody answered.
 */
enum tlsg_ret tlsg_password_get(
		const str *setting, const char *file, struct tlsg_password *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Overwrites a password. */
void tlsg_password_wipe(struct tlsg_password *p);

#endif
