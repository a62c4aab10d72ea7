/*
 * tls_gnutls - the table of DTLS associations: which connection belongs to which pair of addresses
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; made and freed in the attendant.  Memory: shm.
 * Lock: one for each bucket, taken here for a few instructions; one for each association, taken by its user. No code
 * holds two of them, and none takes an association's lock while it holds a bucket's. The lock of the addresses
 * (addr_count.h) is taken while a bucket's is held.
 *
 * TCP has the core's table of connections; UDP has none, so this is the one of DTLS. Sockets are numbers here; what is
 * done with a connection is up to the caller. An association is freed by the last process that lets go of it.
 */
#ifndef TLSG_TRANSPORT_ASSOC_H
#define TLSG_TRANSPORT_ASSOC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/host.h"
#include "profiles/addr.h"
#include "transport/dgram_order.h"

struct tlsg_conn;

/**
 * Numbers of associations begin here, so that they differ from those that the core gives to TCP connections. The low
 * bits of a number are those of the bucket, so the place of an association that has ended is still known.
 */
#define TLSG_ASSOC_ID_FIRST (1 << 30)

/** Most that tlsg_assoc_collect_after() returns at once. */
#define TLSG_ASSOC_COLLECT_MAX 64

/** Random bytes of a ClientHello, which tell one from another: RFC 5246 section 7.4.1.2. */
#define TLSG_ASSOC_RANDOM 32

/** What identifies an association. */
struct tlsg_assoc_key
{
	int socket;			   /**< number of the local socket */
	struct tlsg_addr peer; /**< len 4 or 16 */
	uint16_t port;		   /**< of the peer */
};

/** One association. Fields without a remark never change. */
struct tlsg_assoc
{
	struct tlsg_assoc *next; /**< in its bucket; for assoc.c only */
	struct tlsg_assoc_key key;
	uint32_t bucket;
	uint32_t peer_count; /**< of tlsg_addr_count_take(); 0: not counted */
	int first_id;		 /**< number that it was made with: its place among those of the bucket */
	uint32_t refs;		 /**< atomic: one of the table, one of each process that uses it */
	uint32_t linked;	 /**< atomic: 1 while the table has it */
	uint32_t urgent;	 /**< atomic: 1: tlsg_assoc_collect() returns it in each round */
	uint32_t slow;		 /**< atomic: sleeps that a process has waited in vain for the one that has the lock */
	ticks_t used_at;	 /**< atomic: when a message was last received or sent; before: when it was made */
	uint32_t is_used;	 /**< atomic: 1: a message was received or sent */
	gen_lock_t lock;
	struct tlsg_dgram_order order; /**< of what the peer sends */
	uint32_t ending;			   /**< atomic: 1: the process that has the lock is to end the association */
	/* with the lock held */
	bool is_over;				 /**< it is being removed: do not use it */
	int id;						 /**< of conn; another one takes its place with another number */
	int candidate_id;			 /**< of candidate */
	struct tlsg_conn *conn;		 /**< NULL: not made yet */
	struct tlsg_conn *candidate; /**< of a peer that starts again, until its handshake is done; NULL none */
	unsigned char hello[2][TLSG_ASSOC_RANDOM]; /**< random bytes of the ClientHello of conn, of candidate; server */
	unsigned unanswered;					   /**< requests sent since a message was last received */
	ticks_t unanswered_since;				   /**< when the first of them was sent */
};

/**
 * Makes the table. Before the forks.
 * @param max          associations that may exist at once, at least 1.
 * @param per_address  of them with one address, without those that this host has opened (addr_count.h); 0: no limit.
 * @return TLSG_OK; TLSG_E_RESOURCE: out of shared memory, or the generator of GnuTLS fails.
 */
enum tlsg_ret tlsg_assoc_init(unsigned max, unsigned per_address) TLSG_MUST_CHECK;

/** Frees the table with all associations and their connections. At shutdown, without users. Idempotent. */
void tlsg_assoc_deinit(void);

/**
 * At shutdown, when all other processes have ended: releases the locks of the table that they ended with. Those of
 * associations stay: their sessions may be half changed.
 */
void tlsg_assoc_table_unlock(void);

/** @return a number for a connection of an association, higher than those before; used again after 2^30 others. */
int tlsg_assoc_number(const struct tlsg_assoc *a);

/** @return the association, with a reference for the caller (tlsg_assoc_put()); NULL: there is none. */
struct tlsg_assoc *tlsg_assoc_find(const struct tlsg_assoc_key *key);

/**
 * As tlsg_assoc_find(), by its number, which may have changed when the association is locked.
 */
struct tlsg_assoc *tlsg_assoc_find_id(int id);

/**
 * Finds an association or makes an empty one, without connections.
 * @param is_accepted  the peer opens it: it counts for the limit of its address.
 * @param out          [out] with a reference for the caller; NULL unless TLSG_OK.
 * @return TLSG_OK, also when another process adds it meanwhile; TLSG_FULL: as many exist as are allowed; TLSG_E_PEER:
 *         as many with this address; TLSG_E_RESOURCE: out of shared memory.
 */
enum tlsg_ret tlsg_assoc_add(
		const struct tlsg_assoc_key *key, bool is_accepted, struct tlsg_assoc **out) TLSG_MUST_CHECK;

/** Gives a reference back. The last one frees the association and its connections. NULL allowed. */
void tlsg_assoc_put(struct tlsg_assoc *a);

/** Removes an association from the table; those who use it still can. Its lock is not held. Idempotent. */
void tlsg_assoc_remove(struct tlsg_assoc *a);

/**
 * Takes the lock of an association, under which its connections are used. A step takes less than a millisecond, but one
 * of a handshake as long as a token or a key process needs to sign. So this waits for 20 ms at most while a handshake
 * is unfinished (tlsg_assoc_urgent()), for one second otherwise; and not at all when another process has waited that
 * long for the same step.
 * @return false: another process still has it.
 */
bool tlsg_assoc_lock(struct tlsg_assoc *a) TLSG_MUST_CHECK;

/** As tlsg_assoc_lock(), without waiting. */
bool tlsg_assoc_try(struct tlsg_assoc *a) TLSG_MUST_CHECK;

/** Releases it. */
void tlsg_assoc_unlock(struct tlsg_assoc *a);

/** Notes that a message was received or sent. */
void tlsg_assoc_touch(struct tlsg_assoc *a);

/** Sets whether the timer visits an association in each round: while a handshake is unfinished. Any lock. */
void tlsg_assoc_urgent(struct tlsg_assoc *a, bool on);

/** @return what tlsg_assoc_urgent() has set. Any lock. */
bool tlsg_assoc_is_urgent(const struct tlsg_assoc *a);

/** @return number of buckets; fixed after tlsg_assoc_init(), 0 before. */
unsigned tlsg_assoc_buckets(void);

/**
 * Collects the associations of a bucket, each with a reference for the caller.
 * @param all   false: only those that are urgent; buckets without any are not locked.
 * @param out   [out] the associations.
 * @param from  how many of the bucket to skip, for a second call when more than max were found.
 * @param max   room in out.
 * @return number of entries in out; less than max: the bucket has no more.
 */
unsigned tlsg_assoc_collect(unsigned bucket, bool all, struct tlsg_assoc **out, unsigned from, unsigned max);

/**
 * Collects associations in an order that stays when numbers change: by bucket, then by the number that an association
 * was made with.
 * @param after  [in,out] 0: from the beginning; the number of an association: those behind it. If that has ended, those
 *               behind the place that an association made with the number has. It is set for the next call.
 * @param out    [out] the associations of one bucket, each with a reference for the caller.
 * @param max    room in out, at least 1; at most TLSG_ASSOC_COLLECT_MAX are used.
 * @return number of entries in out; 0: there are no more.
 */
unsigned tlsg_assoc_collect_after(int *after, struct tlsg_assoc **out, unsigned max);

/** @return associations that exist now. */
unsigned tlsg_assoc_count(void);

#endif
