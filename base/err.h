/*
 * tls_gnutls - results and errors that every folder shares
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: none.
 */
#ifndef TLSG_BASE_ERR_H
#define TLSG_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

/** Result of every function that can fail or has to wait. Values other than TLSG_OK set no output. */
enum tlsg_ret
{
	TLSG_OK = 0,		  /**< done */
	TLSG_AGAIN = 1,		  /**< nothing wrong, more bytes from the peer are needed */
	TLSG_EOF = 2,		  /**< the peer ended the TLS session */
	TLSG_FULL = 3,		  /**< nothing wrong, the output buffer is full */
	TLSG_E_CONFIG = -1,	  /**< a setting or a local file is wrong */
	TLSG_E_PEER = -2,	  /**< the peer broke the protocol, failed verification or went away */
	TLSG_E_RESOURCE = -3, /**< out of memory, a limit reached */
	TLSG_E_INTERNAL = -4  /**< a broken invariant, a call in the wrong state */
};

#define TLSG_MUST_CHECK __attribute__((warn_unused_result))

/** Where an error comes from; decides the log level. */
enum tlsg_err_class
{
	TLSG_CLASS_NONE = 0, /**< no error recorded */
	TLSG_CLASS_LOCAL,	 /**< configuration or local file */
	TLSG_CLASS_PEER,	 /**< the other side */
	TLSG_CLASS_RESOURCE, /**< memory or limits */
	TLSG_CLASS_INTERNAL	 /**< a bug in the module */
};

#define TLSG_ERR_TEXT 512

/** The first cause of a failure. Plain data: may sit in shared memory, may be copied. */
struct tlsg_err
{
	enum tlsg_err_class class;
	int gnutls_code; /**< GNUTLS_E_* or 0 */
	int alert;		 /**< GNUTLS_A_* sent or received, -1 none */
	int sys_errno;	 /**< errno or 0 */
	char text[TLSG_ERR_TEXT];
};

/**
 * Empties an error object.
 * @param e [out] not NULL.
 */
void tlsg_err_clear(struct tlsg_err *e);

/**
 * Records a cause, unless one is already recorded (the first cause is kept).
 * @param e    [in,out] NULL allowed: nothing is recorded.
 * @param ret  negative result that belongs to the cause; decides the class.
 * @param fmt  printf format of one sentence without newline and full stop; text beyond 511 bytes is cut.
 * @return ret, so that callers can write `return tlsg_err_set(...)`; TLSG_E_INTERNAL when ret is not negative.
 */
enum tlsg_ret tlsg_err_set(struct tlsg_err *e, enum tlsg_ret ret, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));

/** What a callback returns to GnuTLS when the module is at fault. In the range that gnutls.h leaves to applications. */
#define TLSG_ERR_DEFECT (-65000)

/**
 * Records that shared memory ran out, in the words that all parts of the module use.
 * @param e      [in,out] NULL allowed.
 * @param what   what the memory was for, begins the sentence: a setting, a profile, a file; NULL: nothing to name.
 * @param bytes  wanted; 0: not known.
 * @return TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_err_no_shm(struct tlsg_err *e, const char *what, size_t bytes);

/**
 * Maps a result of GnuTLS and records it as the cause. With the next function the only place where GnuTLS codes are
 * interpreted.
 * @param e     [in,out] NULL allowed.
 * @param code  value returned by a GnuTLS function that worked on what this host has: settings, files, its own records.
 * @param what  what was attempted, for the text: "<what>: <gnutls text>".
 * @return TLSG_OK for code >= 0; TLSG_AGAIN (nothing recorded) for GNUTLS_E_AGAIN and GNUTLS_E_INTERRUPTED;
 *         TLSG_EOF (nothing recorded) for GNUTLS_E_PREMATURE_TERMINATION; TLSG_E_RESOURCE for memory;
 *         TLSG_E_INTERNAL for invalid requests, internal errors and TLSG_ERR_DEFECT; TLSG_E_CONFIG for errors of local
 *         files and settings; TLSG_E_PEER for everything else.
 * Source: GnuTLS manual, "Error codes and descriptions".
 */
enum tlsg_ret tlsg_err_gnutls(struct tlsg_err *e, int code, const char *what);

/**
 * The same for functions that worked on a peer's bytes, such as gnutls_handshake() and gnutls_record_recv().
 * @return as tlsg_err_gnutls(), but TLSG_E_PEER also for every code that a peer can provoke: invalid requests, internal
 *         errors of GnuTLS, credentials that do not suit its offer.
 */
enum tlsg_ret tlsg_err_gnutls_peer(struct tlsg_err *e, int code, const char *what);

#endif
