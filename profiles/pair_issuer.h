/*
 * tls_gnutls - tells which of our own certificates are sent without their issuer
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: this process's heap while it runs.  Lock: none.
 */
#ifndef TLSG_PROFILES_PAIR_ISSUER_H
#define TLSG_PROFILES_PAIR_ISSUER_H

#include "profiles/set.h"

/**
 * Logs at NOTICE, once for each certificate, that it is sent without its issuer, if the issuer may be an intermediate:
 * the certificate is the only one of its chain and not self-signed, and no CA of the snapshot is a root with the
 * issuer's name. What the snapshot in force has told already is not told again.
 * @param set  complete: all certificates and CAs are loaded.
 */
void tlsg_pair_issuer_tell(const struct tlsg_set *set);

#endif
