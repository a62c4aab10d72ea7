/*
 * tls_gnutls - key isolation: requests to the processes that hold keys; wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, any process that steps a handshake.
 * Memory: buffers of this process; no private key.  Lock: none.
 */
#ifndef TLSG_PROFILES_ISOLATE_CLIENT_H
#define TLSG_PROFILES_ISOLATE_CLIENT_H

#include "profiles/isolate/wire.h"
#include "profiles/keys/key_file.h"
#include "profiles/keys/op.h"

/**
 * Has this process, and those it forks, use the key process.
 * @param clients  from tlsg_wire_ends_init(), owned from now on; NULL: not any more, all connections are closed.
 */
void tlsg_client_set_key_process(const struct tlsg_wire_ends *clients);

/** The same for the token process. @param clients  as for tlsg_client_set_key_process(). */
void tlsg_client_set_token_process(const struct tlsg_wire_ends *clients);

/**
 * In a process that the core has forked, before it reads from the network: closes the connections of all others. Does
 * nothing in the attendant, which forks. Without this call it happens at the first request.
 */
void tlsg_client_keep_own(void);

/** @return whether the key process reads keys in files. */
bool tlsg_client_has_key_process(void);

/** @return whether the token process opens keys on tokens. */
bool tlsg_client_has_token_process(void);

/**
 * Has the key process read a key file.
 * @param set_number  of the snapshot that is being built.
 * @param r           as for tlsg_key_file_load(); a path in `file:` is absolute.
 * @param id          [out] number of the key, not 0; the key lives as long as the snapshot.
 * @param out         [out] as from tlsg_key_file_load(), but without pkcs8.
 * @return TLSG_OK; TLSG_E_CONFIG as tlsg_key_file_load(); TLSG_E_RESOURCE: no reply, a malformed reply, or out of
 *         memory.
 */
enum tlsg_ret tlsg_client_load(uint32_t set_number, const struct tlsg_key_file_request *r, uint64_t *id,
		struct tlsg_key_file_content *out, struct tlsg_err *err) TLSG_MUST_CHECK;

/** A request about an object on a token. Everything is borrowed. */
struct tlsg_client_look_request
{
	uint32_t set_number; /**< of the snapshot that is being built */
	enum tlsg_wire_look_kind what;
	const struct tlsg_p11_query *q;			  /**< its PIN is ignored, that of its URI is used */
	const struct tlsg_p11_secret *engine_pin; /**< NULL: no engine is configured */
	const str *password;					  /**< private_key_password, a path in `file:` absolute; NULL allowed */
	const gnutls_datum_t *certificate;		  /**< DER, for a key; otherwise NULL */
};

/** What was found. */
struct tlsg_client_look_reply
{
	uint64_t id; /**< number of the key; it lives as long as the snapshot */
	gnutls_pk_algorithm_t pk;
	unsigned bits;
	unsigned can;		/**< enum tlsg_p11_can */
	gnutls_datum_t pem; /**< certificates: [heap], gnutls_free() */
};

/**
 * Has the token process look up an object, with the PIN that it finds, and hold it if it is a key.
 * @param out  [out] set on TLSG_OK.
 * @return TLSG_OK; TLSG_E_CONFIG as from tlsg_p11_look_key() and tlsg_p11_certs_chain(), or the module may not be
 *         loaded; TLSG_E_RESOURCE: no reply, a malformed reply, or out of memory.
 */
enum tlsg_ret tlsg_client_look(const struct tlsg_client_look_request *r, struct tlsg_client_look_reply *out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Has data signed or decrypted. Waits at most TLSG_TIMEOUT_OP_MS.
 * @param id    number of the key.
 * @param made  [out] [heap], gnutls_free().
 * @return 0; GnuTLS's error; GNUTLS_E_TIMEDOUT: no reply. tlsg_client_why() has a sentence about the last two.
 */
int tlsg_client_op(
		uint64_t id, enum tlsg_op op, gnutls_sign_algorithm_t algo, const gnutls_datum_t *in, gnutls_datum_t *made);

/** Tells the token process that a snapshot with keys on tokens is in use. @param set_number  of the snapshot. */
void tlsg_client_in_use(uint32_t set_number);

/** Start-up is over: nobody can be asked for passwords any more. */
void tlsg_client_startup_done(void);

/** @return why a request failed since the last call, valid until the next request; NULL: none failed. */
const char *tlsg_client_why(void);

#endif
