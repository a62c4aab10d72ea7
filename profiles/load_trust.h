/*
 * tls_gnutls - reads the settings ca_list, ca_path and crl: files, directories and tokens with CA certificates and CRLs
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.
 * Memory: the snapshot's arena (shm); what is read and parsed on the way, this process's heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_LOAD_TRUST_H
#define TLSG_PROFILES_LOAD_TRUST_H

#include "profiles/prof.h"
#include "profiles/verify/trust.h"

/**
 * Finds or loads the CAs and CRLs for three settings: ca_list (file of PEM certificates), ca_path (directory of PEM
 * certificates: if it has names like 1a2b3c4d.0 only those count, else all files), crl (file of PEM CRLs and
 * certificates). {NULL,0} or empty: none. Certificates that appear twice are kept once.
 * @param set  snapshot that is being built.
 * @param s    of which ca_list, ca_path and crl are read. A ca_path that is missing or has no certificate is refused if
 *             the settings ask for a peer's certificate to be verified and ca_list has none either; else it is warned
 *             about.
 * @param out  [out] owned by the snapshot; if no setting is set, one without CAs.
 * @param err  [out] names setting and file, and the user if a file cannot be read.
 * @return TLSG_OK; TLSG_E_CONFIG: unreadable, empty, malformed, or without certificates or CRLs; TLSG_E_RESOURCE.
 * Source: load_ca_list() and load_crl() of the module `tls`.
 */
enum tlsg_ret tlsg_load_trust(struct tlsg_set *set, const struct tlsg_prof_settings *s, struct tlsg_trust **out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
