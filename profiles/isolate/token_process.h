/*
 * tls_gnutls - key isolation: the process that holds PINs and sessions of keys on tokens
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap; gates in memory shared with its children.  Lock: none.
 *
 * wire.h has the design that both processes that hold keys share. What is different about tokens:
 *
 * Children. A PKCS#11 module is foreign code that may crash or hang, does not survive a fork, and can be as slow as the device. The token
 * process never loads one: it keeps the PINs and forks a child for each key of a snapshot. The child looks at the key, says what it found,
 * stays logged in and signs. A key that is slow keeps only those waiting who want it; a child that crashes takes nobody along, and one that
 * hangs is killed. With the next question a new one is forked. It goes with the snapshot of its key.
 *
 * Waiting. Questions about a key queue up in the socket of its child. Each carries the time until which somebody waits for the answer; the
 * child does not bother the token with one that is too old.
 *
 * PINs. The builder of a snapshot says where the PIN is (a file, what private_key_password says) and the token process reads it. A
 * child knows the PIN of its own key. A PIN that a token refused is not tried again for any key of that token in that snapshot.
 */
#ifndef TLSG_PROFILES_ISOLATE_TOKEN_PROCESS_H
#define TLSG_PROFILES_ISOLATE_TOKEN_PROCESS_H

#include "base/err.h"
#include "profiles/isolate/wire.h"

/**
 * Answers questions until no other process is left, or a signal ends this one. Passwords are asked for as
 * tlsg_password_mode_set() says. The caller has given up privileges and may not be looked into.
 * @param door      ours, from tlsg_wire_socketpair().
 * @param is_alive  whether a snapshot is in use.
 * @return TLSG_OK: all others are gone; TLSG_E_RESOURCE: it cannot go on.
 */
enum tlsg_ret tlsg_token_process_run(int door, tlsg_wire_is_alive is_alive) TLSG_MUST_CHECK;

#endif
