/*
 * tls_gnutls - loads the configuration as a whole: at start-up, and again on tls.reload or by auto_reload
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant (mod_init, PROC_INIT), the RPC process that reloads, the process of auto_reload.
 * Memory: snapshots in shm.
 * Lock: its own, so that only one process reloads at a time.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_CONFIG_H
#define TLSG_GNUTLS_MOD_MOD_CONFIG_H

#include <stdbool.h>

#include "base/err.h"

struct tlsg_changes;
struct tlsg_source;
struct tlsg_set;

/**
 * Parses tls.cfg, or the module parameters if there is none, into a new snapshot. Files that it names are not read.
 * @param out [out] owned by the caller: tlsg_set_drop().
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
 * Parses the configuration, unless tlsg_config_prepare() has, checks that every server profile has a listen socket,
 * loads files and keys and publishes the snapshot. On failure the current configuration stays.
 * @return TLSG_OK; TLSG_E_CONFIG; TLSG_E_RESOURCE; TLSG_AGAIN: another process is reloading.
 */
enum tlsg_ret tlsg_config_load(struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * The same at runtime, for an operator: PINs that tokens have refused are tried again. A reload is logged, with what
 * differs from the configuration in use.
 * @param check    true: nothing is published; the result says whether it would have been.
 * @param changes  [out] filled on TLSG_OK; as for tlsg_changes_find().
 * @return as tlsg_config_load().
 */
enum tlsg_ret tlsg_config_reload(bool check, struct tlsg_changes *changes, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Reloads as tlsg_config_reload(), for auto_reload: PINs that tokens have refused are not tried.
 * @param seen  [out] on TLSG_E_CONFIG what was read: tlsg_source_free(). NULL: unknown.
 * @return as tlsg_config_load().
 */
enum tlsg_ret tlsg_config_reload_watched(
		struct tlsg_changes *changes, struct tlsg_source **seen, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Makes the lock of reloads. In mod_init. @return 0; -1: out of shared memory. */
int tlsg_config_init(void);

/** Frees the lock. At shutdown. Idempotent. */
void tlsg_config_deinit(void);

#endif
