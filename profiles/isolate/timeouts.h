/*
 * tls_gnutls - key isolation: all time limits, of the key process, the token process and their clients
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: constants only.  Memory: none.  Lock: none.
 *
 * Sending never waits. The limit on looking at a token without key_isolation is TLSG_P11_PROBE_SECONDS
 * (pkcs11/p11_probe.h).
 */
#ifndef TLSG_PROFILES_ISOLATE_TIMEOUTS_H
#define TLSG_PROFILES_ISOLATE_TIMEOUTS_H

#include "pkcs11/p11_probe.h"

/* How long a process waits for a reply. */
/** A signature or a decryption: a worker in a handshake, which fails then. */
#define TLSG_TIMEOUT_OP_MS 2000
/** A key file is read: the builder of a snapshot. */
#define TLSG_TIMEOUT_LOAD_MS 20000
/** An object on a token is looked up: the builder of a snapshot. */
#define TLSG_TIMEOUT_LOOK_MS ((TLSG_P11_PROBE_SECONDS + 10) * 1000)
/** Either of these while somebody is asked for passwords. */
#define TLSG_TIMEOUT_PASSWORD_MS 600000

/* What the key process does about its children. */
/** A child that has not read its file by then is killed: before the builder stops waiting. */
#define TLSG_TIMEOUT_READ_MS 15000

/* What the token process does about its children. */
/** A child that has owed the reply to OP for that long is killed; the reply to LOOK: TLSG_TIMEOUT_LOOK_MS. */
#define TLSG_TIMEOUT_HANG_MS 30000
/** A child whose connection was closed is killed if it has not ended by then. */
#define TLSG_TIMEOUT_LEAVE_MS (TLSG_P11_LEAVE_SECONDS * 1000)
/** How often either process checks its children. */
#define TLSG_TIMEOUT_TICK_MS 1000
/** A key that could not be opened is not tried again for that long. */
#define TLSG_TIMEOUT_REOPEN_MS 1000

#endif
