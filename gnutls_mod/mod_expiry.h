/*
 * tls_gnutls - warns before certificates and CRLs of the configuration expire
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the core's timer process; statistics: any process.  Memory: pkg of the timer process.
 * Lock: none held while script code runs.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_EXPIRY_H
#define TLSG_GNUTLS_MOD_MOD_EXPIRY_H

/** What expires. */
enum tlsg_expiry_kind
{
	TLSG_EXPIRY_CERTIFICATE, /**< own certificates of all profiles */
	TLSG_EXPIRY_CRL
};

/** tlsg_expiry_days_left() of nothing: later than any threshold of an alarm. */
#define TLSG_EXPIRY_NEVER 36500

/**
 * When the first of the current configuration expires. Any process.
 * @return whole days, rounded down; 0: in less than a day, or it has expired; TLSG_EXPIRY_NEVER: there is none, or it
 *         is later than that. Never negative: exporters of the core print statistics without sign.
 */
int tlsg_expiry_days_left(enum tlsg_expiry_kind kind);

/**
 * Registers the timer, unless certificate_warn_days is empty. In mod_init.
 * Each item is reported once for each threshold that it reaches: a line at WARN, and
 * event_route[tls:certificate-expiring] with $xavp(tls_expiring=>kind), profile, file, days, date.
 * @return 0; -1: the timer cannot be registered.
 */
int tlsg_expiry_init(void);

#endif
