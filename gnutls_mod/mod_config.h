/*
 * tls_gnutls - loads the configuration as a whole: at start-up, and again on tls.reload
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant (mod_init, PROC_INIT), the RPC process that reloads.  Memory: snapshots in shm.  Lock: one reload at a time.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_CONFIG_H
#define TLSG_GNUTLS_MOD_MOD_CONFIG_H

#include "base/err.h"

struct tlsg_set;

/**
 * Reads tls.cfg, or takes the module parameters, into a new snapshot without loading any file that it names.
 * @param out [out] owned by the caller.
 * @return TLSG_OK; TLSG_E_CONFIG; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_config_parse(struct tlsg_set **out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Parses as tlsg_config_parse() and keeps the result for the first tlsg_config_load(): root may be able to read what
 * the user that Kamailio runs as cannot.
 * @return as tlsg_config_parse().
 * Process: attendant, in mod_init, once.
 */
enum tlsg_ret tlsg_config_prepare(struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Parses, unless tlsg_config_prepare() has, checks that every server profile has a listen socket, loads and publishes.
 * On failure the current configuration stays.
 * @return TLSG_OK; TLSG_E_CONFIG; TLSG_E_RESOURCE; TLSG_AGAIN: another process reloads right now.
 */
enum tlsg_ret tlsg_config_load(struct tlsg_err *err) TLSG_MUST_CHECK;

/** Makes the lock of reloads. In mod_init. @return 0, -1. */
int tlsg_config_init(void);

/** Frees it. At shutdown. Idempotent. */
void tlsg_config_deinit(void);

#endif
