/*
 * tls_gnutls - module parameters, the runtime configuration group `tls`, their defaults, ranges and conversions
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: set while the configuration is parsed (attendant, before any fork); read by all processes.
 * Memory: static and pkg before the forks, then the core's configuration block (shm).  Lock: none of its own.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_PARAMS_H
#define TLSG_GNUTLS_MOD_MOD_PARAMS_H

#include <stdint.h>

#include "core/cfg/cfg.h"
#include "core/sr_module.h"

#include "profiles/prof.h"
#include "transport/slots.h"

/* What hosts from 6.0 on have more in the group. */
#if VERSIONVAL >= 6000000
#define TLSG_CFG_SINCE_6_0(...) __VA_ARGS__
#else
#define TLSG_CFG_SINCE_6_0(...)
#endif

/**
 * The group `tls` of the core's configuration framework. Order and types are those of the definitions in mod_params.c; names
 * are the names of the variables. Source: spec section 2.
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
	int ssl_max_send_fragment; /* bytes, 512 to 16384; -1: no limit of ours */
	int ssl_read_ahead;
	int low_mem_threshold1; /* KB; -1 default, 0 off; read through tlsg_params_low_mem_bytes() */
	int low_mem_threshold2;
	int ct_wq_max; /* bytes */
	int con_ct_wq_max;
	int ct_wq_blk_size;
	int send_close_notify;
};

#define TLSG_WARN_DAYS_MAX 8

/** Bits of `keylog_mode`. Source: spec 1.5. */
enum tlsg_keylog_mode
{
	TLSG_KEYLOG_INIT = 1,
	TLSG_KEYLOG_ACTIVE = 2,
	TLSG_KEYLOG_LOG = 4,
	TLSG_KEYLOG_FILE = 8,
	TLSG_KEYLOG_PEER = 16,
	TLSG_KEYLOG_FILTER = 1024
};

/** Parameters that are no part of the group: fixed once the configuration is read. Strings: {NULL,0} is "not set". */
struct tlsg_params_private
{
	int renegotiation; /**< 0: a peer that renegotiates is disconnected; 1: it is let */
	str xavp_cfg;	   /**< name of the xavp with server_name and server_id */
	str event_callback;
	str certificate; /**< as configured; the group shows it without the PIN of a URI */
	str private_key;
	str ca_list;
	str private_key_password; /**< used when key_password_mode is 0 */
	int key_password_mode;	  /**< 0: from the configuration; 1: asked for on the terminal */
	str certificate2;		  /**< path, absolute after tlsg_params_declare() */
	str private_key2;
	str private_key_password2;
	int keylog_mode; /**< bits of enum tlsg_keylog_mode, 0 off */
	str keylog_file; /**< path, absolute after tlsg_params_declare(); set when TLSG_KEYLOG_FILE is */
	str keylog_peer; /**< udp:ip:port; set when TLSG_KEYLOG_PEER is */
	int init_mode;
	int provider_quirks;
	str provider_quirks_config;
	str rand_engine;
	str engine; /**< `NONE`, or an engine's name */
	str engine_config;
	str engine_algorithms;
	int handshake_timeout_s;	/**< 0 off, up to 86400 */
	int handshakes_max;			/**< -1: what fits a quarter of shared memory; 0 no limit */
	int handshakes_per_address; /**< 0 no limit */
	int send_timeout_s;			/**< accepted, without effect; -1 not set */
	int verify_name;			/**< 0 off, 1 RFC 5922, 2 RFC 5922 and wildcards */
	int outgoing_sni;			/**< 1: the server_name of the profile is sent too */
	int key_isolation;			/**< 0, 1 */
	str certificate_warn_days;
	int warn_days[TLSG_WARN_DAYS_MAX]; /**< certificate_warn_days as numbers, highest first */
	unsigned warn_days_len;			   /**< 0: no warnings */
};

/** The table for module_exports. Source: spec section 1. */
extern param_export_t tlsg_mod_params[];

/**
 * Checks what was configured, makes paths absolute and declares the group. Logs, once each at INFO, the settings that steer
 * OpenSSL alone and were changed from their default.
 * @return 0; -1: a value is refused or the group cannot be declared; a line at ERR names parameter, value and what is allowed.
 * Process: attendant, in mod_init, once. Lock: none.
 * Source: `tls` module mod_init() and fix_tls_cfg(); ranges: spec section 2.
 */
int tlsg_params_declare(void);

/**
 * The group as this process sees it now. Do not keep the pointer over steps: the core replaces the block. Not at shutdown, when the
 * framework is gone.
 * @return never NULL: the defaults before tlsg_params_declare().
 */
const struct cfg_group_tls *tlsg_params_cfg(void);

/** Value of a variable of the group, e.g. TLSG_CFG(ct_wq_max). */
#define TLSG_CFG(var) (tlsg_params_cfg()->var)

/** @return the parameters outside the group, never NULL; final after tlsg_params_declare(). */
const struct tlsg_params_private *tlsg_params_private(void);

/**
 * Fills the settings of the profile that the module parameters make, the same for both roles. Every number is set; a path that was
 * set is absolute or a URI.
 * @param s [out] strings are borrowed from this process's memory: copy them into the snapshot (tlsg_build_prof() does).
 * @return 0; -1: method or verify_client unknown (cannot happen after tlsg_params_declare()).
 * Process: any. Lock: none.
 * Source: spec 1.2. `server_name` is filled: it serves outgoing connections, `tls` ignores it.
 */
int tlsg_params_fill_settings(struct tlsg_prof_settings *s);

/**
 * Fills the options for a new snapshot.
 * @param o [out] strings are borrowed from this process's memory; tlsg_set_new() copies them.
 */
void tlsg_params_set_options(struct tlsg_set_options *o);

/**
 * Takes the number of processes, from which the default thresholds follow, and logs both thresholds at WARN.
 * @param processes  get_max_procs(), at least 1.
 * @return 0; -1: processes is not positive.
 * Process: attendant, in the hook `init`, before the forks. Lock: none.
 * Source: spec 13.3.
 */
int tlsg_params_init_thresholds(int processes);

/**
 * What handshakes_max and handshakes_per_address allow.
 * @param l [out] see there.
 * Process: attendant, after tlsg_params_declare(). Lock: none.
 */
void tlsg_params_slots(struct tlsg_slots_limits *l);

/** Which guard against low memory. */
enum tlsg_low_mem
{
	TLSG_LOW_MEM_NEW = 0,	  /**< low_mem_threshold1: below it no new TLS connection is begun */
	TLSG_LOW_MEM_EXISTING = 1 /**< low_mem_threshold2: below it nothing is done on existing ones */
};

/**
 * Bytes of free shared memory below which the guard refuses, as configured at this moment.
 * @return bytes; 0: the guard is off, or the host cannot tell how much memory is free.
 * Process: any, after tlsg_params_init_thresholds(). Lock: none.
 */
uint64_t tlsg_params_low_mem_bytes(enum tlsg_low_mem which);

#endif
