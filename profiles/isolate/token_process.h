/*
 * tls_gnutls - key isolation: the process that holds PINs and, in its children, sessions with tokens
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap; gates in memory shared with its children.  Lock: none.
 *
 * wire.h has the design that this process shares with the key process, timeouts.h the time limits. What is different
 * about tokens:
 *
 * Children. A PKCS#11 module is foreign code that may crash or hang, does not survive a fork, and can be as slow as the
 * device. The token process never loads one: it keeps the PINs and forks a child for each key of a snapshot. The child
 * looks the key up, reports what it found, stays logged in and signs. A slow key delays only those who use it; a child
 * that crashes affects no other, and one that hangs is killed. The next request starts a new one. A child ends with the
 * snapshot of its key.
 *
 * Waiting. Requests for a key queue in the socket of its child. Each carries the time until which its client waits for
 * the reply; the child does not pass one that is too late to the token.
 *
 * PINs. The builder of a snapshot says where the PIN is (a file, the value of private_key_password) and the token
 * process reads it. A child knows the PIN of its own key only. A PIN that a token rejected is not tried again for any
 * key of that token in that snapshot.
 *
 * Here are the handlers of messages; token_source has the sockets, token_pending the requests without a reply,
 * token_keys the keys and their children, token_child what a child does, token_modules which modules may be loaded.
 */
#ifndef TLSG_PROFILES_ISOLATE_TOKEN_PROCESS_H
#define TLSG_PROFILES_ISOLATE_TOKEN_PROCESS_H

#include "profiles/isolate/wire.h"

/**
 * Replies to requests until no other process is left, or a signal ends this one. Asks for passwords as
 * tlsg_password_mode_set() says. The caller has dropped privileges and made sure that no other process can trace this
 * one.
 * @param servers   from tlsg_wire_ends_init().
 * @param is_alive  whether a snapshot is in use.
 * @return TLSG_OK: all others are gone; TLSG_E_RESOURCE: it cannot continue, errno says why.
 */
enum tlsg_ret tlsg_token_process_run(const struct tlsg_wire_ends *servers, tlsg_wire_is_alive is_alive) TLSG_MUST_CHECK;

#endif
