/*
 * tls_gnutls - whether the running GnuTLS has known faults in how it puts fragments of DTLS together
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the attendant, at start.  Memory: private, freed before the call returns.  Lock: none.
 */
#ifndef TLSG_TRANSPORT_DGRAM_PROBE_H
#define TLSG_TRANSPORT_DGRAM_PROBE_H

/**
 * Whether GnuTLS lacks the corrections of April 2026 (CVE-2026-33845, CVE-2026-33846, CVE-2026-42009): the release
 * 3.8.13 has them, and so have packages of distributions with older numbers. So a session gets two fragments that
 * contradict each other, in a way that does no harm without the corrections.
 * @return static text for a warning; NULL: the corrections are there.
 * Source: GnuTLS NEWS 3.8.13, GNUTLS-SA-2026-04-29-1 to 3.
 */
const char *tlsg_dgram_probe_faults(void);

#endif
