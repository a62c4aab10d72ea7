/*
 * tls_gnutls - key isolation: asks the processes that hold keys; wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, any process that steps a handshake.
 * Memory: buffers of this process; nothing of a key.  Lock: none.
 */
#ifndef TLSG_PROFILES_ISOLATE_CLIENT_H
#define TLSG_PROFILES_ISOLATE_CLIENT_H

#include "profiles/keys/key_file.h"
#include "profiles/keys/op.h"
#include "profiles/isolate/wire.h"

/** Turns isolation on for this process and those it forks. @param door  socket that leads to the key process; -1: off. */
void tlsg_client_set_key_process(int door);

/** The same for keys on tokens. @param door  socket that leads to the token process; -1: off. */
void tlsg_client_set_token_process(int door);

/** @return whether keys in files are read by the key process. */
bool tlsg_client_has_key_process(void);

/** @return whether keys on tokens are opened by the token process. */
bool tlsg_client_has_token_process(void);

/**
 * Has a key file read.
 * @param set_number  of the snapshot that is being built.
 * @param r           as for tlsg_key_file_load(); a path in `file:` is absolute.
 * @param id          [out] number of the key, not 0; the key lives as long as the snapshot.
 * @param out         [out] as from tlsg_key_file_load(), but without pkcs8.
 * @return TLSG_OK; TLSG_E_CONFIG as tlsg_key_file_load(); TLSG_E_RESOURCE: the key process does not answer.
 */
enum tlsg_ret tlsg_client_load(uint32_t set_number, const struct tlsg_key_file_request *r, uint64_t *id,
		struct tlsg_key_file_content *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/** A question about an object on a token. All is borrowed. */
struct tlsg_client_look_request
{
	uint32_t set_number; /**< of the snapshot that is being built */
	enum tlsg_wire_look_kind what;
	const struct tlsg_p11_query *q;			  /**< its PIN is not looked at, that of its URI is */
	const struct tlsg_p11_secret *engine_pin; /**< NULL: no engine is configured */
	const str *password;					  /**< private_key_password, a path in `file:` absolute; NULL allowed */
	const gnutls_datum_t *certificate;		  /**< DER, of a key; otherwise NULL */
};

/** What is known about it. */
struct tlsg_client_look_reply
{
	uint64_t id; /**< number of the key; it lives as long as the snapshot */
	gnutls_pk_algorithm_t pk;
	unsigned bits;
	unsigned can;		/**< enum tlsg_p11_can */
	gnutls_datum_t pem; /**< certificates: heap, gnutls_free() */
};

/**
 * Has the token process look at an object, with the PIN that it finds there, and keep the key.
 * @param out  [out] set on TLSG_OK.
 * @return TLSG_OK; TLSG_E_CONFIG as from tlsg_p11_look_key(), or the module is none that may be loaded; TLSG_E_RESOURCE: it does not
 *         answer.
 */
enum tlsg_ret tlsg_client_look(const struct tlsg_client_look_request *r, struct tlsg_client_look_reply *out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Has something signed or decrypted. Waits TLSG_TIMEOUT_OP_MS at most.
 * @param made  [out] heap, gnutls_free().
 * @return 0; GnuTLS's error; GNUTLS_E_TIMEDOUT: no answer. tlsg_client_why() says so, and what is the matter with a token.
 */
int tlsg_client_op(
		uint64_t id, enum tlsg_op op, gnutls_sign_algorithm_t algo, const gnutls_datum_t *in, gnutls_datum_t *made);

/** Start-up is over: nobody can be asked for passwords any more; this process gives its connections back. */
void tlsg_client_startup_done(void);

/** Why a question was not answered, since the last call. @return text that the next question may change; NULL nothing went wrong. */
const char *tlsg_client_why(void);

#endif
