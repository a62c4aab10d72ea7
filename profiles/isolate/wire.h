/*
 * tls_gnutls - key isolation: messages between the processes that hold keys and all others
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process, the token process and its children, their clients.  Memory: the caller's.  Lock: none.
 *
 * Design of key_isolation=1
 *
 * Two processes of the module are forked before anything is loaded. The key process keeps the privileges that Kamailio
 * drops, reads the key files and holds the keys. The token process drops privileges like all others; it holds the PINs
 * and, in its children, the sessions with tokens; token_process.h describes it. No other process ever has the bytes of
 * a key or a session with a token: not on its heap, not in shared memory, not inherited. A snapshot holds the number of
 * a key instead, and its public key.
 *
 * What follows is true of both. A client is any other process that uses a key.
 *
 * Attaching. Before the fork a pair of SOCK_SEQPACKET sockets is made. The process that holds keys keeps one end, the
 * listening socket; all processes forked later inherit the other, the attach socket. A client that needs a key for the
 * first time makes another pair and sends one end of it through the attach socket (SCM_RIGHTS). Then it has a
 * connection of its own, which preserves message boundaries and order. Nothing has a name in the file system, so no
 * process outside Kamailio can attach.
 *
 * Requests. LOAD reads a file: the reply is a key number, the public key and the certificates of a PKCS#12 file, or a
 * sentence that says what is wrong. LOOK does the same for an object on a token, or fetches certificates that may need
 * a PIN. OP signs or decrypts with a key, given by its number. STARTED says that start-up is over: nobody can be asked
 * for passwords any more. A client sends one request at a time and waits for the reply.
 *
 * Time. timeouts.h has all limits. Sending never waits. If a reply to OP does not arrive in time, that handshake fails
 * with one line in the log, and further requests of that client fail at once until the late reply has arrived: a key
 * process that hangs costs each worker one timeout, not one per handshake. Late replies are recognised by their serial
 * numbers and dropped.
 *
 * Trust. Both processes check every length and number in a request, and read nothing from shared memory but whether a
 * snapshot is in use. An attacker who controls a worker can have data signed while he controls it and can name files to
 * be read as keys; he cannot take a key away.
 *
 * Life. Keys of a snapshot that is gone are dropped at the next LOAD or LOOK. If either process dies, Kamailio ends, as
 * with any of its processes. When all others are gone, the attach socket is closed everywhere, and both end.
 */
#ifndef TLSG_PROFILES_ISOLATE_WIRE_H
#define TLSG_PROFILES_ISOLATE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pkcs11/p11_look.h"
#include "profiles/keys/key_file.h"

#define TLSG_WIRE_MESSAGE_BYTES (128 * 1024) /* largest payload; a socket buffer takes more than that */
#define TLSG_WIRE_KEY_ON_TOKEN (1ULL << 63)	 /* set in key numbers of the token process */

/** Kinds of messages. */
enum tlsg_wire_request
{
	TLSG_WIRE_LOAD = 1,	   /**< read a key file; key process only */
	TLSG_WIRE_OP = 2,	   /**< sign or decrypt */
	TLSG_WIRE_STARTED = 3, /**< start-up is over */
	TLSG_WIRE_LOOK = 4,	   /**< look an object on a token up; token process only */
	/* between the token process and a child of its own */
	TLSG_WIRE_GATE = 5,	 /**< to the child: number of its gate, in op */
	TLSG_WIRE_CLOSED = 6 /**< from the child: the key cannot be opened any more; the payload says why */
};

/** What LOOK is about. */
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

/** Head of each message, in both directions. */
struct tlsg_wire_head
{
	uint32_t request; /**< enum tlsg_wire_request; repeated in the reply */
	uint32_t serial;  /**< repeated in the reply */
	uint64_t key;	  /**< OP: number of the key; reply to LOAD and LOOK: the new number */
	int64_t until_ms; /**< OP: when the client stops waiting, CLOCK_MONOTONIC */
	int32_t op;		  /**< OP: enum tlsg_op */
	int32_t algo;	  /**< OP: gnutls_sign_algorithm_t */
	int32_t code;	  /**< reply: to OP GnuTLS's code, to LOAD and LOOK enum tlsg_ret */
	uint32_t size;	  /**< bytes of payload that follow */
};

/** Payload of LOAD: this, then the texts, not zero-terminated. */
struct tlsg_wire_load_request
{
	uint32_t set_number;
	uint32_t setting_len;
	uint32_t file_len;
	uint32_t password_len;
	uint32_t has_password;
};

/** Payload of a reply to LOAD that succeeded: this, then the public key, then the certificates. */
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

/**
 * Payload of LOOK: this, then the setting private_key_password, not zero-terminated, then the certificate that a key
 * must match.
 */
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

/** Payload of a reply to LOOK about a key that succeeded. The reply about certificates is PEM. */
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

/**
 * Makes the two ends through which clients attach.
 * @param listener  [out] for tlsg_key_process_run() or tlsg_token_process_run(); all other processes close it.
 * @param attach    [out] for tlsg_client_set_key_process() or tlsg_client_set_token_process(); the process that holds
 *                  keys closes it.
 * @return TLSG_OK; TLSG_E_RESOURCE: errno says why.
 */
enum tlsg_ret tlsg_wire_socketpair(int *listener, int *attach) TLSG_MUST_CHECK;

/**
 * Client: makes a connection, without waiting.
 * @param attach  socket from tlsg_wire_socketpair().
 * @param fd      [out] owned by the caller.
 * @return TLSG_OK; TLSG_E_RESOURCE: no descriptor is free; TLSG_EOF: the other process is gone or accepts no connection
 *         now.
 * Source: unix(7), SCM_RIGHTS.
 */
enum tlsg_ret tlsg_wire_attach(int attach, int *fd) TLSG_MUST_CHECK;

/**
 * Process that holds keys: accepts a connection, without waiting.
 * @param listener  socket from tlsg_wire_socketpair().
 * @param fd        [out] owned by the caller.
 * @return TLSG_OK; TLSG_AGAIN: there was none; TLSG_EOF: no other process has the attach socket any more.
 * Source: unix(7), SCM_RIGHTS.
 */
enum tlsg_ret tlsg_wire_accept(int listener, int *fd) TLSG_MUST_CHECK;

/**
 * Sends head and payload.
 * @param flags  of send(2), added to MSG_NOSIGNAL: MSG_DONTWAIT, or 0 to wait.
 * @return TLSG_OK; TLSG_AGAIN: the socket buffer is full; TLSG_EOF: the connection cannot be used any more.
 */
enum tlsg_ret tlsg_wire_send(int fd, const struct tlsg_wire_message *m, int flags) TLSG_MUST_CHECK;

/**
 * Receives one message.
 * @param m      [out] head.size is at most TLSG_WIRE_MESSAGE_BYTES after TLSG_OK.
 * @param flags  of recv(2): MSG_DONTWAIT, or 0 to wait.
 * @return TLSG_OK; TLSG_AGAIN: nothing to receive; TLSG_EOF: the other side has closed the connection, or the message
 *         is malformed.
 */
enum tlsg_ret tlsg_wire_recv(int fd, struct tlsg_wire_message *m, int flags) TLSG_MUST_CHECK;

/** Replaces the payload. @param size  at most TLSG_WIRE_MESSAGE_BYTES. */
void tlsg_wire_payload_set(struct tlsg_wire_message *m, const void *data, size_t size);

/** Wipes the payload. */
void tlsg_wire_payload_wipe(struct tlsg_wire_message *m);

#endif
