/*
 * tls_gnutls - the RPC commands tls.*: their table, and a declaration of each
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: registered in mod_init; commands run in any RPC process.  Memory: static.  Lock: none held on return.
 *
 * Each command is in rpc_<name>.c. Its fields, units and faults are those of doc/rpc.md.
 */
#ifndef TLSG_RPC_RPC_H
#define TLSG_RPC_RPC_H

#include "core/rpc.h"

struct tlsg_rpc_source;

/**
 * Registers all commands. In mod_init.
 * @param source  what the commands ask the module for: static, kept.
 * @return 0; -1: the core refuses, for example because another module has a command of the same name.
 */
int tlsg_rpc_register(const struct tlsg_rpc_source *source);

/**
 * tls.reload [check]: loads the configuration again; with check, only says whether that is possible. A text: the line
 * of tls.so, then a line for each change. Fault 500: the sentence of tls.so, ": " and the cause; fault 400: another
 * argument.
 */
void tlsg_rpc_reload(rpc_t *rpc, void *ctx);

/**
 * tls.list [NAME=VALUE ...]: an array of structures, one for each TLS or WSS connection that the arguments select, in
 * the order of the core's table. Connections that are opened or closed meanwhile may be missing. Fault 400: an argument
 * with '=' is not one of rpc_filter.h.
 */
void tlsg_rpc_list(rpc_t *rpc, void *ctx);

/** tls.info: one structure with numbers of connections and queued bytes. */
void tlsg_rpc_info(rpc_t *rpc, void *ctx);

/** tls.options: one structure with the settings in use. */
void tlsg_rpc_options(rpc_t *rpc, void *ctx);

/**
 * tls.kill ID: closes a connection; tls.kill NAME=VALUE ...: all that the arguments select. A line of text; fault 400:
 * the argument is missing or malformed, or none of them selects.
 */
void tlsg_rpc_kill(rpc_t *rpc, void *ctx);

/**
 * tls.profiles: an array of structures, one for each profile of the current configuration, in the order in which they
 * are looked up: server profiles first, the default profile of a role last.
 */
void tlsg_rpc_profiles(rpc_t *rpc, void *ctx);

/**
 * tls.sessions: one structure: the figures of transport/stats.h under their names, then handshakes_unfinished,
 * arena_bytes, arena_spare_bytes, configurations (snapshots in memory).
 */
void tlsg_rpc_sessions(rpc_t *rpc, void *ctx);

/** tls.version: one structure: module, version, gnutls (loaded), gnutls_built (compiled with). All are text. */
void tlsg_rpc_version(rpc_t *rpc, void *ctx);

#endif
