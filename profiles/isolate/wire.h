/*
 * tls_gnutls - key isolation: what the key process and the others say to each other
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: client.c and key_process.c, both sides of one host.  Memory: the caller's.  Lock: none.
 *
 * Design of key_isolation=1
 *
 * Two processes of the module, forked before anything is loaded. The key process keeps the privileges that Kamailio gives up, reads the
 * key files and holds the keys. The token process gives up privileges like all others, and holds the PINs and the sessions of keys on
 * tokens; token_process.h has the rest about it. No other process ever has the bytes of a key or a session with a token: not on its heap,
 * not in shared memory, not by inheritance. A snapshot holds the number of a key instead, with its public key.
 *
 * What follows is about both.
 *
 * The door. Before the fork a pair of SOCK_SEQPACKET sockets is made; the process that holds keys keeps one end, all later processes
 * inherit the other. A process that needs a key for the first time makes a pair of its own and sends one end of it through the door
 * (SCM_RIGHTS). From then on it has a connection of its own, whose messages keep their bounds and their order. Nothing has a name
 * in the file system, so nobody outside can knock.
 *
 * Questions. LOAD reads a file: the key process answers with a number, the public key, the certificates of a PKCS#12 file, or the
 * sentence that says what is wrong. TOKEN does the same with an object on a token, or fetches certificates for which a PIN may be needed.
 * DO signs or decrypts with a number. OVER says that start-up is over, so that nobody can be asked
 * for passwords any more. A process asks one thing at a time and waits for the answer, with a deadline.
 *
 * Time. Sending never waits. An answer to DO is waited for TLSG_TIMEOUT_OP_MS at most; then that handshake fails, with one line, and as
 * long as the answer is overdue further questions of the process fail at once, so that a key process that hangs costs each worker
 * one deadline, not one for each handshake. When overdue answers arrive, they are thrown away by their numbers, and all is as before.
 *
 * Trust. Both check every length and number in a question, and read nothing from shared memory but whether a snapshot is still
 * in use. Whoever took over a worker can have things signed while he is there, and can name files to be read as keys; he cannot
 * take a key away.
 *
 * Life. Keys of a snapshot that is gone are dropped at the next LOAD or TOKEN. If one of the two dies, Kamailio ends as with any of its
 * processes. If all others are gone, the door has no other end any more, and the key process ends.
 */
#ifndef TLSG_PROFILES_ISOLATE_WIRE_H
#define TLSG_PROFILES_ISOLATE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "pkcs11/p11_look.h"
#include "pkcs11/p11_probe.h"
#include "profiles/keys/key_file.h"

#define TLSG_WIRE_MESSAGE_BYTES (128 * 1024) /* largest payload; a socket buffer takes more than that */
#define TLSG_TIMEOUT_OP_MS 2000
#define TLSG_TIMEOUT_LOAD_MS 20000
#define TLSG_TIMEOUT_LOOK_MS ((TLSG_P11_PROBE_SECONDS + 10) * 1000)
#define TLSG_TIMEOUT_PASSWORD_MS 600000		/* somebody types passwords */
#define TLSG_WIRE_KEY_ON_TOKEN (1ULL << 63) /* bit of numbers that the token process gives */

enum tlsg_wire_request
{
	TLSG_WIRE_LOAD = 1,
	TLSG_WIRE_OP = 2,
	TLSG_WIRE_STARTED = 3,
	TLSG_WIRE_LOOK = 4
};

/** What TOKEN is about. */
enum tlsg_wire_look_kind
{
	TLSG_WIRE_LOOK_KEY = 1,
	TLSG_WIRE_LOOK_CHAIN = 2,
	TLSG_WIRE_LOOK_ANCHORS = 3
};

/**
 * Asks whether a snapshot is published and still referenced: keys of one that is not are dropped.
 * @param number  of the snapshot, as in the requests.
 */
typedef bool (*tlsg_wire_is_alive)(uint32_t number);

/** In front of each message, either way. */
struct tlsg_wire_head
{
	uint32_t question; /**< enum tlsg_wire_request; the answer repeats it */
	uint32_t serial;   /**< the answer repeats it */
	uint64_t key;	   /**< DO: number of the key; answer to LOAD and TOKEN: the new number */
	int64_t until_ms;  /**< DO: when nobody waits for the answer any more, CLOCK_MONOTONIC */
	int32_t op;		   /**< DO: enum tlsg_op */
	int32_t algo;	   /**< DO: gnutls_sign_algorithm_t */
	int32_t code;	   /**< answer: to DO GnuTLS's code, to LOAD and TOKEN enum tlsg_ret */
	uint32_t size;	   /**< bytes of payload that follow */
};

/** Payload of LOAD: this, then the texts, without zero bytes at their ends. */
struct tlsg_wire_load_request
{
	uint32_t set_number;
	uint32_t setting_len;
	uint32_t file_len;
	uint32_t password_len;
	uint32_t has_password;
};

/** Payload of a good answer to LOAD: this, then the public key, then the certificates. */
struct tlsg_wire_load_reply
{
	uint32_t pk;
	uint32_t bits;
	uint32_t is_encrypted;
	uint32_t spki_len;
	uint32_t certs_len;
	uint32_t cert_len[TLSG_KEY_FILE_CERTS_MAX];
	unsigned char digest[TLSG_KEY_FILE_DIGEST_SIZE];
};

/** Payload of TOKEN: this, then the password's setting without a zero byte at its end, then the certificate that a key must fit. */
struct tlsg_wire_look_request
{
	uint32_t set_number;
	uint32_t what; /**< enum tlsg_wire_look_kind */
	uint32_t has_engine;
	uint32_t has_password;
	uint32_t password_len;
	uint32_t cert_len;
	struct tlsg_p11_secret engine_pin;
	struct tlsg_p11_query q; /**< its PIN is not set: the token process finds it */
};

/** Payload of a good answer to TOKEN about a key. That about certificates is PEM. */
struct tlsg_wire_look_reply
{
	uint32_t pk;
	uint32_t bits;
	uint32_t can; /**< enum tlsg_p11_can */
};

/** A whole message. */
struct tlsg_wire_message
{
	struct tlsg_wire_head head;
	unsigned char payload[TLSG_WIRE_MESSAGE_BYTES];
};

#endif
