/*
 * tls_gnutls - PINs that a token has refused, remembered from one start of the host to the next
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that logs in to a token.  Memory: static, of each process; a path is valid until the next call.
 * Lock: none: records are created under another name and renamed.
 *
 * A supervisor that restarts the host with a wrong PIN again and again would lock the token. So a refused PIN leaves a
 * record in the host's runtime folder, one file for each token: a salted hash of the PIN, not the PIN, with rights
 * 0600. A PIN with a record is not tried by any process, at start or later, by auto_reload or to open a key again. Only
 * tls.reload tries it, since an operator has asked for that. The record goes when the token accepts that PIN, or when a
 * configuration with another PIN is in use. Between the processes that use one snapshot
 * pkcs11/p11_gate.h does the same, at once.
 *
 * What another user has put there is ignored. What this user or root owns there and is not a record is taken for one
 * that is damaged: the PIN is not tried.
 */
#ifndef TLSG_PKCS11_P11_REFUSED_H
#define TLSG_PKCS11_P11_REFUSED_H

#include <stdint.h>

#include "pkcs11/p11_uri.h"

/** What is remembered about a PIN of a token. */
enum tlsg_p11_refused
{
	TLSG_P11_REFUSED_NOT = 0, /**< nothing: it may be tried */
	TLSG_P11_REFUSED_BEFORE,  /**< the token has refused it */
	TLSG_P11_REFUSED_DAMAGED  /**< the record cannot be read or is malformed */
};

/**
 * Before processes are forked: says where records are. From now on they are asked.
 * @param folder  that of the host for files at runtime, copied; NULL, missing or too long: nothing is remembered.
 */
void tlsg_p11_refused_init(const char *folder);

/** Says whether this process, and those that it forks, ask the records. @param is_asked  false: an operator reloads. */
void tlsg_p11_refused_set_asked(bool is_asked);

/** @return whether a PIN with a record must not be tried. */
bool tlsg_p11_refused_is_asked(void);

/**
 * Looks for a record. Takes some 0.15 s if the token has one: the hash is slow on purpose.
 * @param token  URI of the token, as GnuTLS writes it.
 * @param tries  [out] how often the PIN was tried; 0: no record of this PIN.
 */
enum tlsg_p11_refused tlsg_p11_refused_find(const char *token, const char *pin, unsigned *tries);

/** @return a number that changes with the record of a token, whatever PIN it is of; 0: there is none. */
uint64_t tlsg_p11_refused_stamp(const char *token);

/**
 * Records that the token has refused a PIN; a record of another PIN of the token is replaced.
 * @param tries  [out] how often the PIN was tried, this time included.
 * @return TLSG_OK; TLSG_E_RESOURCE: it cannot be recorded, errno says why.
 */
enum tlsg_ret tlsg_p11_refused_add(const char *token, const char *pin, unsigned *tries) TLSG_MUST_CHECK;

/**
 * The token has accepted a PIN: removes its record, if there is one. Takes as long as tlsg_p11_refused_find(); a record
 * that another process writes in that time stays.
 */
void tlsg_p11_refused_remove(const char *token, const char *pin);

/**
 * A configuration is in use of which the token has accepted this PIN: removes the record of another PIN, if there is
 * one. Not earlier: that PIN may be of another key of the same configuration, and would be tried by each start. Takes
 * as long as tlsg_p11_refused_find(); a record that another process writes in that time stays.
 * @param token  URI of the token, also with attributes of its library.
 */
void tlsg_p11_refused_remove_other(const char *token, const char *pin);

/** @return path of the record of a token; "": nothing is remembered. Valid until the next call. */
const char *tlsg_p11_refused_path(const char *token);

/**
 * @return whether systemd made the folder for the service: it removes it when the service ends, unless the unit has
 *         RuntimeDirectoryPreserve=.
 * Source: systemd.exec(5), RUNTIME_DIRECTORY.
 */
bool tlsg_p11_refused_is_in_unit(void);

#endif
