/*
 * tls_gnutls - warns before certificates and CRLs of the configuration expire
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the core's timer process.  Memory: pkg of that process.  Lock: none held while script code runs.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_EXPIRY_H
#define TLSG_GNUTLS_MOD_MOD_EXPIRY_H

/**
 * Registers the timer, unless certificate_warn_days is empty. In mod_init.
 * Each item is reported once for each threshold that it reaches: a line at WARN, and
 * event_route[tls:certificate-expiring] with $xavp(tls_expiring=>kind), profile, file, days, date.
 * @return 0; -1: the timer cannot be registered.
 */
int tlsg_expiry_init(void);

#endif
