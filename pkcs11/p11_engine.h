/*
 * tls_gnutls - what engine_config says about a token: the subset of OpenSSL's configuration that engines for HSMs use
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: start-up or the RPC process that reloads.  Memory: the caller's.  Lock: none.
 */
#ifndef TLSG_PKCS11_P11_ENGINE_H
#define TLSG_PKCS11_P11_ENGINE_H

#include "pkcs11/p11_pin.h"

/** What an engine's section gives. Plain data, wiped by whoever holds it. */
struct tlsg_p11_engine
{
	char module[TLSG_P11_PATH_SIZE]; /**< MODULE_PATH; "": not set */
	struct tlsg_p11_secret pin;		 /**< PIN, or password= of ENGINE_INIT */
	bool has_slot;
	unsigned long slot; /**< first number of ENGINE_INIT */
};

/**
 * Reads an OpenSSL configuration: `kamailio` (or `openssl_conf`) names a section, its `engines` a section, in which the engine's
 * id names the section that is read. Taken: MODULE_PATH, PIN, ENGINE_INIT = slot:n:n:password=PIN. What a GnuTLS has no use for
 * (dynamic_path, engine_id, init, VERBOSE, …) is told at INFO, what is not known at WARN.
 * @param text  any bytes; '\0' ends it too.
 * @param id    the engine's id, value of the parameter `engine`.
 * @param name  of the file, for messages.
 * @param out   [out] set on TLSG_OK, otherwise wiped.
 * @param err   [out] "<name>:<line>: …", never a value.
 * @return TLSG_OK; TLSG_E_CONFIG: syntax, a missing section, a value that is too long or not understood.
 * Source: OpenSSL config(5); engine_pkcs11's README; spec 1.4 engine_config.
 */
enum tlsg_ret tlsg_p11_engine_parse(const char *text, size_t len, const char *id, const char *name,
		struct tlsg_p11_engine *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Wipes the PIN and everything else. */
void tlsg_p11_engine_wipe(struct tlsg_p11_engine *e);

#endif
