/*
 * tls_gnutls - key isolation: a child of the token process, where the PKCS#11 module of one key runs
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: children of the token process.  Memory: its heap.  Lock: the gate, around a login.
 */
#ifndef TLSG_PROFILES_ISOLATE_TOKEN_CHILD_H
#define TLSG_PROFILES_ISOLATE_TOKEN_CHILD_H

#include "pkcs11/p11_key.h"
#include "profiles/isolate/wire.h"

/**
 * Looks an object up and reports to the token process.
 * @param fd    connection to the token process.
 * @param cert  DER, that a key must match.
 * @param out   [out] facts about a key.
 * @return whether a key was found, which the child then works with.
 */
bool tlsg_token_child_look(int fd, enum tlsg_wire_look_kind what, const struct tlsg_p11_query *q,
		const gnutls_datum_t *cert, struct tlsg_p11_facts *out);

/**
 * Opens a key and handles OP until the token process is gone, or until the key cannot be opened any more: then it
 * reports CLOSED with a sentence.
 * @param o     with module and gate.
 * @param name  of the key in messages.
 */
void tlsg_token_child_run(int fd, const struct tlsg_p11_object *o, const char *name);

#endif
