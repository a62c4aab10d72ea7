/*
 * tls_gnutls - a snapshot: one immutable set of profiles, published as a whole
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: built by one process, read and counted by all.
 * Memory: one arena (shm).  Lock: the publisher's lock for the pointer to the current one (taken here).
 */
#ifndef TLSG_PROFILES_SET_H
#define TLSG_PROFILES_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/host.h"
#include "base/role.h"

struct tlsg_arena;
struct tlsg_p11_engine;		/* pkcs11/p11_engine.h */
struct tlsg_prof;			/* profiles/prof.h */
struct tlsg_key;			/* profiles/key.h */
struct tlsg_trust;			/* profiles/verify/trust.h */
struct tlsg_priority;		/* profiles/priority.h */
struct tlsg_source;			/* profiles/source.h */
struct tlsg_token;			/* profiles/load_token.c */
struct tlsg_token_gate;		/* profiles/load_token.c */
struct tlsg_ticket_masters; /* profiles/ticket_file.h */

/** Settings of all profiles together, from the module parameters. Read when a snapshot is built. */
struct tlsg_set_options
{
	str session_id;						  /**< context of resumption: goes into the ticket keys */
	bool session_cache;					  /**< tickets are issued and accepted */
	bool is_watched;					  /**< what is read is noted, for auto_reload */
	uint32_t user;						  /**< id of the user that all processes have after start */
	bool datagram;						  /**< profiles may be used for DTLS */
	str config_dir;						  /**< directory of the main configuration file, ends in '/' */
	const struct tlsg_p11_engine *engine; /**< what engine and engine_config say; NULL: nothing */
};

struct tlsg_set
{
	struct tlsg_arena *arena;
	uint32_t number;		/**< 1, 2, … in order of building */
	uint32_t refs;			/**< atomic: connections, plus one while current */
	struct tlsg_set *older; /**< list of published ones that are still referenced; under the publisher's lock */
	struct tlsg_prof *defaults[TLSG_ROLES];
	struct tlsg_prof *list[TLSG_ROLES]; /**< lookup order */
	unsigned profs_len;
	unsigned keys_len;
	unsigned trusts_len;
	struct tlsg_key *keys;						/**< list */
	struct tlsg_trust *trusts;					/**< list */
	struct tlsg_priority *priorities;			/**< list */
	struct tlsg_token *tokens;					/**< list */
	struct tlsg_token_gate *gates;				/**< list */
	struct tlsg_source *sources;				/**< list: what was read, if options.is_watched */
	struct tlsg_ticket_masters *ticket_masters; /**< [arena] from ticket_key_file; NULL: not set */
	struct tlsg_set_options options;			/**< copied into the arena */
};

/** Sets up the list of snapshots in shared memory. Before the forks. @return TLSG_OK, TLSG_E_RESOURCE. */
enum tlsg_ret tlsg_set_global_init(void) TLSG_MUST_CHECK;

/** Releases their lock, which a process may have ended with. Attendant, at shutdown, when all others have ended. */
void tlsg_set_global_unlock(void);

/**
 * Drops the current snapshot's own reference and frees what is left. Attendant, at shutdown, after all connections are
 * freed.
 */
void tlsg_set_global_deinit(void);

/**
 * Makes an empty snapshot.
 * @return owned by the caller until tlsg_set_publish() or tlsg_set_drop(); NULL: out of shared memory.
 */
struct tlsg_set *tlsg_set_new(const struct tlsg_set_options *o);

/** Drops a snapshot that was not published. NULL allowed. */
void tlsg_set_drop(struct tlsg_set *set);

/** Makes a built snapshot the current one and owns it. The one before is freed with its last connection. */
void tlsg_set_publish(struct tlsg_set *set);

/** @return the current snapshot with a reference for the caller (tlsg_set_put); NULL before the first is published. */
struct tlsg_set *tlsg_set_get(void);

/**
 * Gives a reference back; the last one frees a snapshot that is no longer current. Any process; never enters GnuTLS.
 * NULL allowed.
 */
void tlsg_set_put(struct tlsg_set *set);

/** @return snapshots alive, the current one included. */
unsigned tlsg_set_alive(void);

/**
 * Whether the snapshot with that number is published and referenced: a process frees what it made for one that is not.
 */
bool tlsg_set_is_alive(uint32_t number);

/** @return how many published snapshots were freed: changes when a process may have something to free for them. */
uint32_t tlsg_set_gone(void);

#endif
