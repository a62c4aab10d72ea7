/*
 * tls_gnutls - module parameters: defaults, ranges, checks, conversions
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: set while the configuration is parsed (attendant, before any fork); read by all processes.
 * Memory: static, and pkg before the forks.  Lock: none.
 *
 * Not here: the group of settings that can be read and changed at runtime (mod_group.h).
 */
#ifndef TLSG_GNUTLS_MOD_MOD_PARAMS_H
#define TLSG_GNUTLS_MOD_MOD_PARAMS_H

#include <stdint.h>

#include "core/sr_module.h"

#include "profiles/prof.h"
#include "transport/slots.h"

#define TLSG_WARN_DAYS_MAX 8

/** Bits of `keylog_mode`: doc/parameters.md. */
enum tlsg_keylog_mode
{
	TLSG_KEYLOG_INIT = 1,
	TLSG_KEYLOG_ACTIVE = 2,
	TLSG_KEYLOG_LOG = 4,
	TLSG_KEYLOG_FILE = 8,
	TLSG_KEYLOG_PEER = 16,
	TLSG_KEYLOG_FILTER = 1024
};

/** Parameters outside the group: fixed once the configuration is parsed. Strings: {NULL,0} is "not set". */
struct tlsg_params_private
{
	int renegotiation; /**< 0: a peer that renegotiates is disconnected; 1: it may */
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
	str ticket_key_file; /**< list of paths, the first one absolute after tlsg_params_declare() */
	int keylog_mode;	 /**< bits of enum tlsg_keylog_mode, 0 off */
	str keylog_file;	 /**< path, absolute after tlsg_params_declare(); set when TLSG_KEYLOG_FILE is */
	str keylog_peer;	 /**< udp:ip:port; set when TLSG_KEYLOG_PEER is */
	int init_mode;
	int provider_quirks;
	str provider_quirks_config;
	str rand_engine;
	str engine; /**< `NONE`, or an engine's name */
	str engine_config;
	str engine_algorithms;
	int handshake_timeout_s;	/**< 0 off, up to 86400 */
	int auto_reload_s;			/**< 0 off, up to 86400 */
	int handshakes_max;			/**< -1: what fits a quarter of shared memory; 0 no limit */
	int handshakes_per_address; /**< 0 no limit */
	int send_timeout_s;			/**< accepted, without effect; -1 not set */
	int verify_name;			/**< 0 off, 1 RFC 5922, 2 RFC 5922 and wildcards */
	int outgoing_sni;			/**< 1: the server_name of the profile is sent too */
	int key_isolation;			/**< 0, 1 */
	int dtls_max_connections;	/**< read through tlsg_params_associations() */
	int dtls_max_per_address;	/**< read through tlsg_params_associations_per_address() */
	int dtls_lifetime_s;		/**< after which an association that is not used ends */
	int dtls_mtu;				/**< bytes of a datagram in a handshake, without IP and UDP headers */
	str certificate_warn_days;
	int warn_days[TLSG_WARN_DAYS_MAX]; /**< certificate_warn_days as numbers, highest first */
	unsigned warn_days_len;			   /**< 0: no warnings */
};

/** The table for module_exports: doc/parameters.md#module-parameters. */
extern param_export_t tlsg_mod_params[];

/**
 * Checks the parameters, makes paths absolute and declares the group. A switch other than 0 and 1 becomes 1 and a size
 * above its range the largest one, each with a line at WARNING. Logs once, at INFO, each setting that only affects
 * OpenSSL and was changed from its default; these take any value.
 * @return 0; -1: a value is not allowed, or the group cannot be declared; a line at ERR names parameter, value and what
 *         is allowed.
 * Process: attendant, in mod_init, once. Lock: none.
 */
int tlsg_params_declare(void);

/** @return the parameters outside the group, never NULL; final after tlsg_params_declare(). */
const struct tlsg_params_private *tlsg_params_private(void);

/**
 * Fills the settings of the profile that the module parameters describe, the same for both roles. Every number is set;
 * a path that was set is absolute or a URI. server_name is for outgoing connections; tls.so ignores it.
 * @param s [out] strings are borrowed from this process's memory: copy them into the snapshot (tlsg_build_prof() does).
 * @return 0; -1: method or verify_client is unknown (not after tlsg_params_declare()).
 * Process: any. Lock: none.
 */
int tlsg_params_fill_settings(struct tlsg_prof_settings *s);

/**
 * Fills the options for a new snapshot.
 * @param o [out] strings are borrowed from this process's memory; tlsg_set_new() copies them.
 */
void tlsg_params_set_options(struct tlsg_set_options *o);

/**
 * Computes the limits that handshakes_max and handshakes_per_address stand for.
 * @param l [out] see transport/slots.h.
 * Process: attendant, after tlsg_params_declare(). Lock: none.
 */
void tlsg_params_slots(struct tlsg_slots_limits *l);

/**
 * Computes what dtls_max_connections stands for: -1 is the number that a quarter of shared memory has room for.
 * @return DTLS associations that may exist at once, at least 1.
 * Process: any, after tlsg_params_declare(). Lock: none.
 */
unsigned tlsg_params_associations(void);

/**
 * Computes what dtls_max_per_address stands for: -1 is half of tlsg_params_associations().
 * @return accepted DTLS associations that one address may have at once; 0: no limit.
 */
unsigned tlsg_params_associations_per_address(void);

#endif
