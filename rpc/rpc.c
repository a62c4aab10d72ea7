/*
 * tls_gnutls - the RPC commands tls.*: their table, and a declaration of each
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: registered in mod_init; commands run in any RPC process.  Memory: static.  Lock: none.
 */
#include "rpc/rpc.h"

#include "core/rpc_lookup.h"

#include "rpc/rpc_source.h"

/* From 5.7 on the core can delay reloads that follow each other too fast. */
#if VERSIONVAL >= 5007000
#define RELOAD_FLAGS RPC_EXEC_DELTA
#else
#define RELOAD_FLAGS 0
#endif

static const char *reload_doc[] = {
		"Load the TLS configuration and its files again; with the argument check, only check them", NULL};
static const char *list_doc[] = {
		"List the open TLS connections; with limit=, after=, ip=, sni=, state=, older-than= some of them", NULL};
static const char *info_doc[] = {"Show the number of TLS connections and of queued bytes", NULL};
static const char *options_doc[] = {"Show the configured parameters", NULL};
static const char *kill_doc[] = {
		"Close the TLS connection with the given id, or those that ip=, sni=, state=, older-than= select", NULL};
static const char *profiles_doc[] = {"Show the TLS profiles with their certificates and CRLs", NULL};
static const char *sessions_doc[] = {"Show counters of handshakes, alerts and verifications", NULL};
static const char *version_doc[] = {"Show the versions of the module and of GnuTLS", NULL};

static rpc_export_t commands[] = {
		{"tls.reload", tlsg_rpc_reload, reload_doc, RELOAD_FLAGS},
		{"tls.list", tlsg_rpc_list, list_doc, RET_ARRAY},
		{"tls.info", tlsg_rpc_info, info_doc, 0},
		{"tls.options", tlsg_rpc_options, options_doc, 0},
		{"tls.kill", tlsg_rpc_kill, kill_doc, 0},
		{"tls.profiles", tlsg_rpc_profiles, profiles_doc, RET_ARRAY},
		{"tls.sessions", tlsg_rpc_sessions, sessions_doc, 0},
		{"tls.version", tlsg_rpc_version, version_doc, 0},
		{NULL, NULL, NULL, 0},
};

int tlsg_rpc_register(const struct tlsg_rpc_source *source)
{
	tlsg_rpc_source_set(source);
	if(rpc_register_array(commands) != 0) {
		LM_ERR("cannot register the RPC commands tls.*: does another module have them? Load only one TLS module\n");
		return -1;
	}
	return 0;
}
