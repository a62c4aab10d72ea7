/*
 * tls_gnutls - key isolation: asks the key process; key_wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, any process that steps a handshake.
 * Memory: one buffer of this process; nothing of a key.  Lock: none.
 */
#ifndef TLSG_PROFILES_KEY_CLIENT_H
#define TLSG_PROFILES_KEY_CLIENT_H

#include "profiles/key_file.h"
#include "profiles/key_op.h"

/** Turns isolation on for this process and those it forks. @param door  socket that leads to the key process; -1: off. */
void tlsg_key_client_set(int door);

/** @return whether keys in files are read by the key process. */
bool tlsg_key_client_is_on(void);

/**
 * Has a key file read.
 * @param set_number  of the snapshot that is being built.
 * @param r           as for tlsg_key_file_load(); a path in `file:` is absolute.
 * @param id          [out] number of the key, not 0; the key lives as long as the snapshot.
 * @param out         [out] as from tlsg_key_file_load(), but without pkcs8.
 * @return TLSG_OK; TLSG_E_CONFIG as tlsg_key_file_load(); TLSG_E_RESOURCE: the key process does not answer.
 */
enum tlsg_ret tlsg_key_client_load(uint32_t set_number, const struct tlsg_key_request *r, uint64_t *id,
		struct tlsg_key_content *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Has something signed or decrypted. Waits TLSG_KEY_DO_MS at most.
 * @param made  [out] heap, gnutls_free().
 * @return 0; GnuTLS's error; GNUTLS_E_TIMEDOUT: no answer, tlsg_key_client_why() says so.
 */
int tlsg_key_client_do(
		uint64_t id, enum tlsg_key_op op, gnutls_sign_algorithm_t algo, const gnutls_datum_t *in, gnutls_datum_t *made);

/** Start-up is over: nobody can be asked for passwords any more; this process gives its connection back. */
void tlsg_key_client_over(void);

/** Why the last question was not answered, since the last call. @return static text; NULL nothing went wrong. */
const char *tlsg_key_client_why(void);

#endif
