/*
 * tls_gnutls - what the RPC commands ask the module for
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: set in mod_init; read in any RPC process.  Memory: static.  Lock: none.
 */
#ifndef TLSG_RPC_RPC_SOURCE_H
#define TLSG_RPC_RPC_SOURCE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/host.h"

struct receive_info;
struct tcp_connection;
struct tlsg_assoc;
struct tlsg_conn;

/** A setting that tls.options shows. */
struct tlsg_rpc_option
{
	const char *name;
	bool is_number;
	int number;
	str text; /**< {NULL,0}: not set */
};

/** How far a reload came. Selects the sentence of the fault. */
enum tlsg_rpc_reload_stage
{
	TLSG_RPC_RELOAD_PARSE,	 /**< the configuration file is wrong */
	TLSG_RPC_RELOAD_BUILD,	 /**< a file that it names is wrong, or its settings do not fit together */
	TLSG_RPC_RELOAD_SOCKETS, /**< no socket listens on the address of a server profile */
	TLSG_RPC_RELOAD_BUSY	 /**< another process is reloading */
};

/** What became of a connection that is to be closed. */
enum tlsg_rpc_killed
{
	TLSG_RPC_KILLED_NOT,  /**< there is none with that id */
	TLSG_RPC_KILLED,	  /**< it is closed */
	TLSG_RPC_KILLED_LATER /**< a process is using or opening it: it is closed when that is done */
};

/** Bytes of text about what a reload changes. binrpc replies with at most 1024 in one string. */
#define TLSG_RPC_CHANGES_BYTES 900

/** A reload. */
struct tlsg_rpc_reload
{
	bool check;							  /**< everything is checked, nothing changes */
	enum tlsg_rpc_reload_stage stage;	  /**< where it failed */
	char changes[TLSG_RPC_CHANGES_BYTES]; /**< lines, each beginning with '\n'; empty: nothing differs */
};

/** How TLS connections are visited, in the order of the core's table. */
struct tlsg_rpc_walk
{
	unsigned batch; /**< at most so many connections are visited before the lock is released */
	int after;		/**< begin behind the connection with that id, which may be gone; 0: with the first one */

	/**
	 * Called for each connection with TCPCONN_LOCK held: copies what it needs.
	 * @param conn  its TLS state; NULL: not made yet.
	 * @return false: no more are wanted.
	 */
	bool (*visit)(const struct tcp_connection *c, const struct tlsg_conn *conn, void *param);

	/** Called after each batch, without the lock. */
	void (*pause)(void *param);
};

/** The module behind the commands. Functions are called in the RPC process, without locks. */
struct tlsg_rpc_source
{
	/**
	 * One of the settings that tls.options shows, in the order of its fields.
	 * @param i  from 0.
	 * @param o  [out] text is borrowed until the next call of the core.
	 * @return false: there are no more than i.
	 */
	bool (*option)(unsigned i, struct tlsg_rpc_option *o);

	/**
	 * Loads the configuration and makes it the current one, and logs that.
	 * @param r    [in,out] check is set by the caller; stage is set unless TLSG_OK, changes on TLSG_OK.
	 * @param err  [out] why.
	 * @return TLSG_OK; TLSG_AGAIN: busy; TLSG_E_*: the old configuration stays.
	 */
	enum tlsg_ret (*reload)(struct tlsg_rpc_reload *r, struct tlsg_err *err);

	/** Closes a connection. @param id  of the TCP connection or DTLS association. */
	enum tlsg_rpc_killed (*kill)(int id);

	/**
	 * What a listing shows of a DTLS association beside its connection.
	 * @param a     its lock is held.
	 * @param ends  [out] addresses.
	 * @return seconds until it ends if it is not used.
	 */
	int (*assoc_ends)(const struct tlsg_assoc *a, struct receive_info *ends);

	/** @return DTLS associations that may exist at once; 0: DTLS is off. */
	unsigned (*assoc_max)(void);

	/** Visits TLS connections. @param param  passed to both functions. */
	void (*walk)(const struct tlsg_rpc_walk *w, void *param);
};

/** Sets what tlsg_rpc_source_get() returns. In mod_init. @param source  static, kept. */
void tlsg_rpc_source_set(const struct tlsg_rpc_source *source);

/** @return what tlsg_rpc_source_set() was given. */
const struct tlsg_rpc_source *tlsg_rpc_source_get(void);

#endif
