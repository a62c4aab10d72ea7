/*
 * tls_gnutls - work on a token in a process of its own, which may crash or hang
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the answer on this process's heap.  Lock: none.
 *
 * A PKCS#11 module is foreign code that does not survive a fork. The builder of the first snapshot forks the workers, so it must
 * not load one; and a module that crashes must not take Kamailio along. What has to be known about a token is found out by
 * a child that ends at once.
 */
#ifndef TLSG_PKCS11_P11_PROBE_H
#define TLSG_PKCS11_P11_PROBE_H

#include <gnutls/gnutls.h>

#include "base/err.h"

#define TLSG_P11_PROBE_SECONDS 30
#define TLSG_P11_PROBE_MAX (16 * 1024 * 1024)

/**
 * What the child does.
 * @param arg   of the caller.
 * @param out   [out] bytes to hand over, allocated with gnutls_malloc().
 * @param err   [out] sentence for a refusal.
 */
typedef enum tlsg_ret (*tlsg_p11_probe_work)(void *arg, gnutls_datum_t *out, struct tlsg_err *err);

/**
 * Runs work in a child and waits for its answer. The child dumps no core, and is killed when it takes too long.
 * @param seconds  patience.
 * @param out      [out] on TLSG_OK what work handed over, to be freed with gnutls_free(); {NULL,0}: nothing.
 * @param err      [out] the child's sentence; or that it crashed or hung, and during what.
 * @return what work returned; TLSG_E_CONFIG: it crashed, hung, or said nothing; TLSG_E_RESOURCE: no process, no memory.
 */
enum tlsg_ret tlsg_p11_probe_run(tlsg_p11_probe_work work, void *arg, unsigned seconds, gnutls_datum_t *out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/** In the child: says what comes next, for the sentence about a crash. @param what  "loading the module \"x\"". */
void tlsg_p11_probe_stage(const char *what, const char *name);

/** Waits. @param ms  milliseconds. */
void tlsg_p11_probe_pause(int ms);

/** @return milliseconds of a clock that only goes forward. */
long tlsg_p11_probe_clock(void);

#endif
