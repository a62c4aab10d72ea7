/*
 * tls_gnutls - runs work on a token in a short-lived child, which may crash or hang
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the result on this process's heap.  Lock: none.
 *
 * A PKCS#11 module is foreign code that does not survive a fork. The process that builds the first snapshot forks the
 * workers later, so it must not load one; and a module that crashes must not end Kamailio. So a child finds out what
 * the builder needs to know about a token, and ends.
 */
#ifndef TLSG_PKCS11_P11_PROBE_H
#define TLSG_PKCS11_P11_PROBE_H

#include <gnutls/gnutls.h>

#include "base/err.h"

#define TLSG_P11_PROBE_SECONDS 30			  /**< a child that takes longer is killed */
#define TLSG_P11_PROBE_MAX (16 * 1024 * 1024) /**< bytes that it may hand over */
#define TLSG_P11_LEAVE_SECONDS 5			  /**< for a call of a module to return when its process is to end */

/**
 * Work for the child.
 * @param arg   of the caller.
 * @param out   [out] bytes to hand over, allocated with gnutls_malloc().
 * @param err   [out] one sentence if it fails.
 */
typedef enum tlsg_ret (*tlsg_p11_probe_work)(void *arg, gnutls_datum_t *out, struct tlsg_err *err);

/**
 * Runs work in a child and waits for it. The child dumps no core and is killed if it takes too long.
 * @param seconds  how long to wait.
 * @param out      [out] on TLSG_OK what work handed over, to be freed with gnutls_free(); {NULL,0}: nothing.
 * @param err      [out] the child's sentence; or that it crashed or hung, and at which stage.
 * @return what work returned; TLSG_E_CONFIG: it crashed, hung, or ended without a result; TLSG_E_RESOURCE: no process,
 *         out of memory.
 */
enum tlsg_ret tlsg_p11_probe_run(tlsg_p11_probe_work work, void *arg, unsigned seconds, gnutls_datum_t *out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * In the child: sets what it does next, for the sentence about a crash.
 * @param name  put behind it in quotes; NULL: none.
 */
void tlsg_p11_probe_stage(const char *what, const char *name);

/**
 * First of all in a child that loads PKCS#11 modules: default signal handlers, no signal blocked, SIGPIPE ignored. When
 * the parent ends, and at SIGTERM, SIGINT and SIGHUP, the child has TLSG_P11_LEAVE_SECONDS left, then SIGALRM ends it:
 * a module that is killed in the middle of a call may leave its token damaged (SoftHSM in C_Login).
 */
void tlsg_p11_probe_signals(void);

/** Waits some milliseconds. */
void tlsg_p11_probe_pause(int ms);

/** @return milliseconds of CLOCK_MONOTONIC. */
long tlsg_p11_probe_clock(void);

#endif
