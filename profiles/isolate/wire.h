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
 * Connections. Kamailio's core knows before it forks how many processes there will be at most, and gives each a number.
 * So one pair of SOCK_SEQPACKET sockets is made for each number before the processes that hold keys are forked. They
 * keep one end of all pairs; the others inherit the other ends, use the one with their own number, and close the rest
 * before they read anything from the network. Only the attendant, number 0, keeps them all, since it forks. So a client
 * has one connection, which it cannot multiply, replace or get back, and cannot use another's. Nothing has a name in
 * the file system, so no process outside Kamailio can connect. A process that was not forked by the core has no
 * number, and no connection.
 *
 * Descriptors. A process that holds keys takes none from a client: to close a descriptor that somebody else has chosen
 * can block for as long as he likes (a TCP socket with SO_LINGER, a file of his own file system), and the kernel closes
 * those of a message that is received without room for them, or dropped with its socket. So a message that carries
 * descriptors stays in the queue, its connection is shut down, and the end here stays open until the process ends: at
 * most one for each number.
 *
 * Requests. LOAD reads a file: the reply is a key number, the public key and the certificates of a PKCS#12 file, or a
 * sentence that says what is wrong. LOOK does the same for an object on a token, or fetches certificates that may need
 * a PIN. IN_USE says that a snapshot with keys on tokens has become the current one: records of PINs that it does not
 * have are removed. OP signs or decrypts with a key, given by its number. STARTED says that start-up is over: nobody
 * can be asked for passwords any more. A client sends one request at a time and waits for the reply.
 *
 * Time. timeouts.h has all limits. Sending never waits. If a reply to OP does not arrive in time, that handshake fails
 * with one line in the log, and further requests of that client fail at once until the late reply has arrived: a key
 * process that hangs costs each worker one timeout, not one per handshake. Late replies are recognised by their serial
 * numbers and dropped. Requests of all clients are handled in turn, one each. A client that does not take its replies
 * loses its connection.
 *
 * Trust. Both processes check every length and number in a request, and read nothing from shared memory but whether a
 * snapshot is in use. An attacker who controls a worker can have data signed while he controls it and can name files to
 * be read as keys, of which only regular ones are opened (keys/file.h); he cannot obtain a key. The number of keys is
 * limited (TLSG_WIRE_KEYS_MAX, TLSG_WIRE_TOKEN_KEYS_MAX), and so are their bits (TLSG_WIRE_KEY_BITS_MAX). Files are
 * read in a child (key_loader.h) once start-up is over, so that others do not wait for one that takes long.
 *
 * Life. Keys of a snapshot that was in use and is not any more are dropped at the next LOAD or LOOK. Those of one that
 * was never seen in use are dropped when the client that asked for them asks for another snapshot's: no client can have
 * the keys dropped that another one is building a snapshot with. If either process dies, Kamailio ends, as with any of
 * its processes. When all others are gone, the other ends are closed everywhere, and both end.
 */
#ifndef TLSG_PROFILES_ISOLATE_WIRE_H
#define TLSG_PROFILES_ISOLATE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pkcs11/p11_look.h"
#include "profiles/keys/key_file.h"

#define TLSG_WIRE_MESSAGE_BYTES (128 * 1024) /* largest payload; a socket buffer takes more than that */
#define TLSG_WIRE_KEYS_MAX 16384			 /* keys that the key process holds, of all snapshots in use */
#define TLSG_WIRE_KEY_BITS_MAX 8192			 /* of a key that the key process holds: a signature with more takes long */
#define TLSG_WIRE_TOKEN_KEYS_MAX 1024		 /* the same for the token process, which has a child for each */
#define TLSG_WIRE_KEY_ON_TOKEN (1ULL << 63)	 /* set in key numbers of the token process */

/** Kinds of messages. */
enum tlsg_wire_request
{
	TLSG_WIRE_LOAD = 1,	   /**< read a key file; key process only */
	TLSG_WIRE_OP = 2,	   /**< sign or decrypt */
	TLSG_WIRE_STARTED = 3, /**< start-up is over */
	TLSG_WIRE_LOOK = 4,	   /**< look an object on a token up; token process only */
	TLSG_WIRE_IN_USE = 7,  /**< a snapshot, given in key, is in use now; token process only */
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
	uint64_t key; /**< OP: number of the key; IN_USE: number of the snapshot; reply to LOAD and LOOK: the new number */
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
	uint32_t what;		 /**< enum tlsg_wire_look_kind */
	uint32_t is_by_hand; /**< an operator reloads: a PIN is tried although the token has refused it before */
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

/** One side of the connections between a process that holds keys and its clients. */
struct tlsg_wire_ends
{
	int *fd;	  /**< [heap] by the number of the client's process; -1: closed */
	unsigned len; /**< 0: none */
};

/**
 * Makes the connections, before the fork.
 * @param len      number of processes that the core may have.
 * @param servers  [out] for tlsg_key_process_run() or tlsg_token_process_run(); all other processes close them.
 * @param clients  [out] for tlsg_client_set_key_process() or tlsg_client_set_token_process(); the process that holds
 *                 keys closes them.
 * @return TLSG_OK; TLSG_E_RESOURCE: errno says why, nothing is left open.
 */
enum tlsg_ret tlsg_wire_ends_init(
		unsigned len, struct tlsg_wire_ends *servers, struct tlsg_wire_ends *clients) TLSG_MUST_CHECK;

/** Closes all and frees the list. Idempotent. */
void tlsg_wire_ends_close(struct tlsg_wire_ends *e);

/**
 * Process that holds keys: ends a connection, so that the client can neither send nor receive, but leaves the
 * descriptor open: to close it would close the descriptors in messages that were not received.
 */
void tlsg_wire_end_shutdown(int fd);

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
 *         is malformed or carries descriptors. Such a message is not taken from the queue.
 * Source: unix(7): MSG_CTRUNC in recvmsg(2) without a control buffer, with MSG_PEEK.
 */
enum tlsg_ret tlsg_wire_recv(int fd, struct tlsg_wire_message *m, int flags) TLSG_MUST_CHECK;

/** Replaces the payload. @param size  at most TLSG_WIRE_MESSAGE_BYTES. */
void tlsg_wire_payload_set(struct tlsg_wire_message *m, const void *data, size_t size);

/** Wipes the payload. */
void tlsg_wire_payload_wipe(struct tlsg_wire_message *m);

#endif
