/*
 * tls_gnutls - the table of RPC commands, and what they ask the module for
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: registered in mod_init; commands run in any RPC process.  Memory: static.  Lock: none.
 */
#ifndef TLSG_RPC_RPC_EXPORT_H
#define TLSG_RPC_RPC_EXPORT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/host.h"

struct tcp_connection;
struct tlsg_conn;

/** What tls.options shows, in its order and units. Source: spec 10.4. */
struct tlsg_rpc_options
{
	int force_run;
	str method;
	int verify_certificate;
	int verify_depth;
	int require_certificate;
	str verify_client;
	str private_key;
	str ca_list;
	str certificate;
	str cipher_list;
	int session_cache;
	str session_id;
	str config;
	int log;
	int debug;
	int connection_timeout; /**< seconds */
	int disable_compression;
	int ssl_release_buffers;
	int ssl_freelist_max;
	int ssl_max_send_fragment;
	int ssl_read_ahead;
	int send_close_notify;
	int low_mem_threshold1; /**< bytes */
	int low_mem_threshold2; /**< bytes */
	int ct_wq_max;
	int con_ct_wq_max;
	int ct_wq_blk_size;
};

/** How far a reload came. Decides the sentence of the fault. */
enum tlsg_rpc_reload_stage
{
	TLSG_RPC_RELOAD_PARSE,	 /**< the configuration file */
	TLSG_RPC_RELOAD_BUILD,	 /**< the files that it names, and whether all fits together */
	TLSG_RPC_RELOAD_SOCKETS, /**< a server profile that no socket listens for */
	TLSG_RPC_RELOAD_BUSY	 /**< another process reloads right now */
};

/** The module behind the commands. Functions are called in the RPC process, without locks except where said. */
struct tlsg_rpc_source
{
	/** Fills in what is configured now. Strings are borrowed until the next call of the core. */
	void (*options)(struct tlsg_rpc_options *o);

	/**
	 * Loads the configuration and makes it the current one.
	 * @param stage [out] where it failed, set unless TLSG_OK.
	 * @param err   [out] why.
	 * @return TLSG_OK; TLSG_AGAIN: busy; TLSG_E_*: the old configuration stays.
	 */
	enum tlsg_ret (*reload)(enum tlsg_rpc_reload_stage *stage, struct tlsg_err *err);

	/** Ends a connection. @param id  of the TCP connection. @return false: there is none of that number, or it is not TLS. */
	bool (*kill)(int id);

	/** The TLS state of a TCP connection, NULL none. Called with TCPCONN_LOCK held. */
	const struct tlsg_conn *(*conn)(const struct tcp_connection *c);
};

/**
 * Registers all commands. In mod_init.
 * @param source  static, kept.
 * @return 0; -1: the core refuses, for example because another module has a command of the same name.
 */
int tlsg_rpc_register(const struct tlsg_rpc_source *source);

/** @return what tlsg_rpc_register() was given. */
const struct tlsg_rpc_source *tlsg_rpc_source_get(void);

#endif
