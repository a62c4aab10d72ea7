/*
 * tls_gnutls - the group `tls` of the core's configuration framework: settings that can be read and changed at runtime
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: declared in mod_init (attendant); read by all processes.
 * Memory: static until it is declared, then the core's block (shm).  Lock: none of its own.
 *
 * Not here: module parameters outside the group, and the checks at start (mod_params.h).
 */
#ifndef TLSG_GNUTLS_MOD_MOD_GROUP_H
#define TLSG_GNUTLS_MOD_MOD_GROUP_H

#include "core/cfg/cfg.h"
#include "core/str.h"

/* Members that only Kamailio 6.0 and later have. */
#if VERSIONVAL >= 6000000
#define TLSG_CFG_SINCE_6_0(...) __VA_ARGS__
#else
#define TLSG_CFG_SINCE_6_0(...)
#endif

/**
 * The group. The order of the members is that of the definitions in mod_group.c, and their names are those of the
 * variables, for RPC clients as for tls.so: doc/parameters.md#variables-at-runtime.
 */
struct cfg_group_tls
{
	int force_run;
	str method;
	str server_name;
	int server_name_mode;
	str server_id;
	int verify_certificate;
	int verify_depth;
	int require_certificate;
	str verify_client;
	str private_key;
	TLSG_CFG_SINCE_6_0(str private_key_password;) /* never filled: any RPC client could read it */
	str ca_list;
	str ca_path;
	str crl;
	str certificate;
	str cipher_list;
	int session_cache;
	str session_id;
	str config; /* absolute, or as written when it begins with '.'; {NULL,0}: module parameters make the profiles */
	int log;
	int debug;
	int connection_timeout; /* ticks of 1/16 s, at most 0x7fffffff */
	int disable_compression;
	int ssl_release_buffers;
	int ssl_free_list_max;
	int ssl_max_send_fragment; /* bytes, 512 to 16384; -1: no limit */
	int ssl_read_ahead;
	int low_mem_threshold1; /* KB; -1 default, 0 off; read through tlsg_low_mem_bytes() */
	int low_mem_threshold2;
	int ct_wq_max; /* bytes */
	int con_ct_wq_max;
	int ct_wq_blk_size;
	int send_close_notify;
};

/** What module parameters set, until tlsg_group_declare(). Read it through tlsg_group_get(). */
extern struct cfg_group_tls tlsg_group_defaults;

/**
 * Declares the group to the core with tlsg_group_defaults as its values, after converting connection_timeout to ticks.
 * @return 0; -1: the core refuses, a line at ERR says so.
 * Process: attendant, in mod_init, once. Lock: none.
 */
int tlsg_group_declare(void);

/**
 * The current values. Do not keep the pointer from one step to the next: the core replaces the block. Not at shutdown,
 * when the framework is gone.
 * @return never NULL: the defaults before tlsg_group_declare().
 */
const struct cfg_group_tls *tlsg_group_get(void);

/** Value of a variable of the group, e.g. TLSG_CFG(ct_wq_max). */
#define TLSG_CFG(var) (tlsg_group_get()->var)

#endif
