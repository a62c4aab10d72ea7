/*
 * tls_gnutls - counters of what happens on connections: handshakes, alerts, failed verifications
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm, one block made before the forks.  Lock: none (relaxed atomics).
 *
 * Counters that many processes change often have cache lines of their own. Counting before tlsg_stats_init() or after
 * tlsg_stats_deinit() does nothing, so connections need no special case at startup, at shutdown and in unit tests.
 */
#ifndef TLSG_TRANSPORT_STATS_H
#define TLSG_TRANSPORT_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "profiles/prof.h"
#include "profiles/verify/verify.h"

/** Why a handshake failed: the first cause. */
enum tlsg_stats_failure
{
	TLSG_FAIL_PROTOCOL,	 /**< the peer broke the protocol: not TLS at all, bad record, bad signature */
	TLSG_FAIL_NO_COMMON, /**< no version, suite, group or signature in common */
	TLSG_FAIL_VERIFY,	 /**< the peer's certificate was refused */
	TLSG_FAIL_NO_CERT,	 /**< a certificate was required and not sent */
	TLSG_FAIL_ALERT,	 /**< the peer sent a fatal alert */
	TLSG_FAIL_CLOSED,	 /**< the peer closed or reset the connection */
	TLSG_FAIL_TIMEOUT,	 /**< handshake_timeout */
	TLSG_FAIL_MEMORY,	 /**< no memory, low_mem_threshold, queue limits */
	TLSG_FAIL_LOCAL,	 /**< a key, token, file or setting of this host */
	TLSG_FAIL_INTERNAL	 /**< a defect of the module */
};
#define TLSG_FAILURES 10

/** Limits on what a peer can make this host hold or do, for which a connection was ended or refused. */
enum tlsg_stats_limit
{
	TLSG_LIMIT_MEMORY,	   /**< bytes that one connection holds */
	TLSG_LIMIT_IDLE,	   /**< records without data */
	TLSG_LIMIT_STALLED,	   /**< a record or message that began after the handshake and did not go on */
	TLSG_LIMIT_HANDSHAKES, /**< handshakes_max */
	TLSG_LIMIT_ADDRESS	   /**< handshakes_per_address */
};
#define TLSG_LIMITS 5

/** Why a session that was offered for resumption was not resumed. */
enum tlsg_stats_ticket
{
	TLSG_TICKET_NO_KEY,	 /**< made with no key that the profile has now: other settings, server, or an old key */
	TLSG_TICKET_INVALID, /**< made with such a key, and expired, damaged, or of a version or suite not offered now */
	TLSG_TICKET_CERTIFICATE, /**< the certificate in it is not acceptable any more: the handshake failed */
	TLSG_TICKET_BY_SERVER	 /**< outgoing connections: the server made a full handshake */
};
#define TLSG_TICKET_REFUSALS 4

/** What happens on sockets of dtls_listen outside of associations. */
enum tlsg_stats_dtls
{
	TLSG_DTLS_MALFORMED, /**< received: not a datagram of DTLS */
	TLSG_DTLS_UNKNOWN,	 /**< received: belongs to no association and does not begin one */
	TLSG_DTLS_COOKIE,	 /**< a cookie was asked for */
	TLSG_DTLS_FULL,		 /**< an association was refused: dtls_max_connections */
	TLSG_DTLS_ADDRESS,	 /**< the same: dtls_max_per_address */
	TLSG_DTLS_RESTARTED, /**< a peer replaced its association by a new one */
	TLSG_DTLS_IDLE,		 /**< an association ended: dtls_lifetime */
	TLSG_DTLS_NOT_SIP,	 /**< decrypted text that is not SIP */
	TLSG_DTLS_BUSY,		 /**< dropped, as another process was busy with the handshake of its association */
	TLSG_DTLS_UNSENT	 /**< a message that was not sent */
};
#define TLSG_DTLS_FIGURES 10

/**
 * Makes the counters, all 0. Before the forks; a second call does nothing.
 * @return TLSG_OK; TLSG_E_RESOURCE out of shared memory.
 */
enum tlsg_ret tlsg_stats_init(void) TLSG_MUST_CHECK;

/** Frees the counters. Attendant, at shutdown, after the last connection is freed. Idempotent. */
void tlsg_stats_deinit(void);

/**
 * Counts a finished handshake.
 * @param version  gnutls_protocol_t; unknown values count as "other".
 * @param resumed  without a new certificate exchange.
 * @param role     of this host.
 */
void tlsg_stats_handshake_done(int version, bool resumed, enum tlsg_role role);

/** Counts a handshake that failed, once per connection. @param why  unknown values count as TLSG_FAIL_INTERNAL. */
void tlsg_stats_handshake_failed(enum tlsg_stats_failure why);

/** Counts what happened on a socket of dtls_listen. @param which  unknown values count nothing. */
void tlsg_stats_dtls(enum tlsg_stats_dtls which);

/** Counts a connection that a limit ended or refused. @param which  unknown values count nothing. */
void tlsg_stats_limit(enum tlsg_stats_limit which);

/** Counts a session that was offered and not resumed. @param why  unknown values count nothing. */
void tlsg_stats_ticket_refused(enum tlsg_stats_ticket why);

/**
 * Counts an alert.
 * @param sent  true: sent; false: received.
 * @param code  gnutls_alert_description_t; codes without a name count as "other".
 */
void tlsg_stats_alert(bool sent, unsigned code);

/**
 * Counts a verification that failed, enforced or not.
 * @param code  TLSG_V_OK counts nothing; unknown values count as "other".
 */
void tlsg_stats_verify_failed(enum tlsg_verify_code code);

/** @return number of figures that can be read, sums included; the same in every process and at any time. */
unsigned tlsg_stats_len(void);

/**
 * @param index  0 to tlsg_stats_len() - 1.
 * @return name in lower case with underscores; NULL when index is out of range.
 */
const char *tlsg_stats_name(unsigned index);

/**
 * @param index  as for tlsg_stats_name().
 * @return one English line saying what is counted; NULL when index is out of range.
 */
const char *tlsg_stats_doc(unsigned index);

/** @param index  as for tlsg_stats_name(). @return the figure now; 0 before init and when index is out of range. */
uint64_t tlsg_stats_value(unsigned index);

#endif
