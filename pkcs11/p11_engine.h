/*
 * tls_gnutls - reads engine_config: the parts of OpenSSL's configuration that engines for HSMs use
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: start-up or the RPC process that reloads.  Memory: the caller's.  Lock: none.
 */
#ifndef TLSG_PKCS11_P11_ENGINE_H
#define TLSG_PKCS11_P11_ENGINE_H

#include "pkcs11/p11_pin.h"

/** Settings of an engine. Plain data, wiped by its owner. */
struct tlsg_p11_engine
{
	char module[TLSG_P11_PATH_SIZE]; /**< MODULE_PATH; "": not set */
	struct tlsg_p11_secret pin;		 /**< PIN, or password= of ENGINE_INIT */
	bool has_slot;
	unsigned long slot; /**< first number of ENGINE_INIT */
};

/**
 * Reads an OpenSSL configuration: `kamailio` (or `openssl_conf`) names a section, `engines` in it another one, in which
 * the engine's id names the section that counts. Read are MODULE_PATH, PIN, ENGINE_INIT = slot:n:n:password=PIN.
 * Commands for OpenSSL's engine (dynamic_path, engine_id, init, VERBOSE, …) are logged at INFO, unknown ones at WARN.
 * @param text  any bytes, read up to the first zero byte.
 * @param id    the engine's id, value of the parameter `engine`.
 * @param name  of the file, for messages.
 * @param out   [out] set on TLSG_OK, otherwise wiped.
 * @param err   [out] "<name>:<line>: …", never holds a value.
 * @return TLSG_OK; TLSG_E_CONFIG: a syntax error, a missing section, a value that is too long or malformed.
 * Source: OpenSSL config(5); engine_pkcs11's README; doc/hsm.md#from-an-openssl-engine.
 */
enum tlsg_ret tlsg_p11_engine_parse(const char *text, size_t len, const char *id, const char *name,
		struct tlsg_p11_engine *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Wipes everything. */
void tlsg_p11_engine_wipe(struct tlsg_p11_engine *e);

#endif
