/*
 * tls_gnutls - what GnuTLS, nettle and p11-kit take from the environment and from the system-wide configuration
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant at start; the process that reloads.  Memory: static.  Lock: none.
 *
 * doc/environment.md lists everything that the libraries read, also what is harmless and so not here.
 */
#ifndef TLSG_BASE_ENVIRONMENT_H
#define TLSG_BASE_ENVIRONMENT_H

#include <stdbool.h>

#include "base/err.h"

/** A variable whose value weakens the process or can end it. Static. */
struct tlsg_environment_note
{
	const char *name;	/**< of the variable */
	const char *effect; /**< half a sentence */
	const char *remedy; /**< half a sentence, in the imperative */
};

/** What is known about the GnuTLS that is loaded. */
struct tlsg_environment_library
{
	const char *features; /**< words, what it was built with for hardware; NULL unknown. Static. */
	const char *config;	  /**< path of the system-wide configuration; NULL none. Static. */
	bool provides;		  /**< it opens the token of [provider], in this process and now */
	bool compresses;	  /**< it compresses certificates when the configuration says so */
};

/**
 * Goes through the variables that are set to something that an operator should know of.
 * @param at  [in,out] 0 at first.
 * @return the next one; NULL: no more.
 * Source: secure_getenv() in GnuTLS 3.7.9 to 3.8.13, nettle 3.10, p11-kit 0.25.
 */
const struct tlsg_environment_note *tlsg_environment_next(unsigned *at);

/**
 * Asks the library about itself.
 * @param library  [out]
 * Source: gnutls_get_library_config(), gnutls_get_system_config_file(); NEWS of GnuTLS 3.8.10.
 */
void tlsg_environment_library(struct tlsg_environment_library *library);

/**
 * Whether sessions can be shared by processes with this library and configuration: a session must hold no handle of one
 * process (AF_ALG, /dev/crypto, a token of [provider]), and nothing may expand what a peer sends (certificates).
 * @return TLSG_OK; TLSG_E_CONFIG: do not serve TLS; err names the cause and the remedy.
 * Source: GnuTLS manual, "System-wide configuration of the library"; lib/accelerated/afalg.c, cryptodev.c.
 */
enum tlsg_ret tlsg_environment_check(
		const struct tlsg_environment_library *library, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
