/*
 * tls_gnutls - the parameters engine and engine_config: keys that were configured for an OpenSSL engine
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: start-up or the RPC process that reloads.  Memory: the caller's.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_ENGINE_H
#define TLSG_GNUTLS_MOD_MOD_ENGINE_H

#include "pkcs11/p11_engine.h"

struct tlsg_set;

/**
 * Reads engine_config, if it is set, and finds the module that the engine stands for: MODULE_PATH of engine_config;
 * else the value of `engine`, if it is a path or a name registered with p11-kit; for the engines `pkcs11`, `gem` and
 * `dynamic` the modules registered with p11-kit.
 * @param out     [out] set on TLSG_OK; wiped by the caller.
 * @param is_set  [out] false: no engine is configured.
 * @return TLSG_OK; TLSG_E_CONFIG: engine_config is unreadable or malformed; TLSG_E_RESOURCE.
 * Source: doc/hsm.md#from-an-openssl-engine.
 */
enum tlsg_ret tlsg_engine_load(struct tlsg_p11_engine *out, bool *is_set, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Notes the file engine_config, if it is read, in a snapshot that is being built: profiles/source.h. */
void tlsg_engine_note(struct tlsg_set *set);

#endif
