/*
 * tls_gnutls - key isolation: all time limits of the key process, the token process, and the processes that wait for them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: nothing; constants.  Memory: none.  Lock: none.
 *
 * Sending never waits. The limit on looking at a token without key_isolation is TLSG_P11_PROBE_SECONDS (pkcs11/p11_probe.h).
 */
#ifndef TLSG_PROFILES_ISOLATE_TIMEOUTS_H
#define TLSG_PROFILES_ISOLATE_TIMEOUTS_H

#include "pkcs11/p11_probe.h"

/* How long a process waits for a reply. */
#define TLSG_TIMEOUT_OP_MS 2000	   /**< signature, decryption: a worker in a handshake, which fails then */
#define TLSG_TIMEOUT_LOAD_MS 20000 /**< a key file is read: the builder of a snapshot */
#define TLSG_TIMEOUT_LOOK_MS \
	((TLSG_P11_PROBE_SECONDS + 10) * 1000) /**< an object on a token is looked up: the builder */
#define TLSG_TIMEOUT_PASSWORD_MS 600000	   /**< either of these while somebody is asked for passwords */

/* What the token process does about its children. */
#define TLSG_TIMEOUT_HANG_MS 30000	/**< a child that has owed a signature for that long is killed; a lookup: LOOK_MS */
#define TLSG_TIMEOUT_TICK_MS 1000	/**< how often it checks for that */
#define TLSG_TIMEOUT_REOPEN_MS 1000 /**< a key that could not be opened is not tried again for that long */

#endif
