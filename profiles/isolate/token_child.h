/*
 * tls_gnutls - key isolation: a child of the token process, which alone loads a module; token_process.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: children of the token process.  Memory: its heap.  Lock: the gate, around a login.
 */
#ifndef TLSG_PROFILES_ISOLATE_TOKEN_CHILD_H
#define TLSG_PROFILES_ISOLATE_TOKEN_CHILD_H

#include "profiles/isolate/wire.h"

/** First thing in a child: signals do what they do to any program, no core, and it does not outlive the token process. */
void tlsg_token_child_init(void);

/**
 * Looks at an object and tells the token process.
 * @param fd    leads there.
 * @param cert  of a key, DER.
 * @param out   [out] facts about a key.
 * @return whether a key was found, which is wanted now.
 */
bool tlsg_token_child_look(int fd, enum tlsg_wire_look_kind what, const struct tlsg_p11_query *q,
		const gnutls_datum_t *cert, struct tlsg_p11_facts *out);

/**
 * Opens a key and works with it until the token process is gone, or the key cannot be opened any more: then that is told, as OVER with
 * a sentence.
 * @param o  with module and gate.
 */
void tlsg_token_child_run(int fd, const struct tlsg_p11_object *o);

#endif
