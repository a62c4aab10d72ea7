/*
 * tls_gnutls - a server and a client connection that talk through memory, for tests
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region; buffers on the heap.  Lock: none, one process at a time.
 *
 * A failed step of the harness itself fails the running test (cmocka). The two ends of plain GnuTLS sessions are in
 * tls_pair.h.
 */
#ifndef TLSG_TESTS_LIB_CONN_PAIR_H
#define TLSG_TESTS_LIB_CONN_PAIR_H

#include "profiles/set.h"
#include "tests/lib/certs.h"
#include "transport/conn.h"

/**
 * Deviations of a test from the defaults. Names of certificates are those given to tlsg_conn_pair_write().
 */
struct tlsg_conn_pair_setup
{
	int method;			   /**< of the server, 0: TLSv1.2+ */
	int client_method;	   /**< 0: TLSv1.2+ */
	const char *server;	   /**< the server's certificate, NULL: ec */
	const char *server2;   /**< second certificate of the server, NULL none */
	const char *client;	   /**< the client's certificate, NULL none */
	const char *client_ca; /**< what the client trusts, NULL: ca */
	const char *ciphers;   /**< of the server, NULL: default */
	const char *client_ciphers;
	int verify_depth;	 /**< of both, 0: default */
	int client_verifies; /**< verify_certificate of the client */
	int server_verifies; /**< verify_certificate of the server */
	int server_requires; /**< require_certificate of the server */
	bool with_named;	 /**< adds [server:any] named.example with TLSv1.2 and the certificate "named" */
	bool cache;			 /**< session_cache */
	bool datagram;		 /**< DTLS: over datagrams */
	unsigned mtu;		 /**< of datagrams in the handshake, 0 default */
	bool renegotiation;
};

/** Two connections and what travels between them. Index: role that receives, or that has the connection. */
struct tlsg_conn_pair
{
	struct tlsg_conn *conn[2];
	struct tlsg_buf wire[2];  /**< towards the role */
	struct tlsg_buf clear[2]; /**< received by the role */
	enum tlsg_ret last[2];	  /**< result of its last read */
	struct tlsg_err err[2];
	size_t most[2]; /**< highest tlsg_conn_bound_held() after a read */
	struct tlsg_conn_limits limits;
	size_t chunk; /**< bytes that one read of a stream gets at most, 0 all */
	bool datagram;
	struct tlsg_datagrams sizes[2]; /**< of what is on the wire towards the role */
};

/**
 * Prepares everything that connections need, makes certificates and a temporary folder.
 * @param rows  of the certificates. @param len  number of them.
 * @return 0; -1 failed. For the setup of a group of tests.
 */
int tlsg_conn_pair_start(const struct tlsg_cert_row *rows, size_t len);

/** The same, and writes each certificate under its name, with its key unless it is a CA. @return the same. */
int tlsg_conn_pair_start_all(const struct tlsg_cert_row *rows, size_t len);

/**
 * The same with "ca" and what it has issued: "ec", "rsa" and "named" (of named.example) for servers, "client", and
 * "expired"; and with "other", an authority that has issued "stranger".
 * @param state  not used.
 */
int tlsg_conn_pair_usual(void **state);

/** Makes more certificates, which are not written. @param rows  of them, kept. @param len  number of them. */
void tlsg_conn_pair_add(const struct tlsg_cert_row *rows, size_t len);

/**
 * Frees everything and removes the folder.
 * @return 0; -1: blocks of shared memory are left. For the teardown of a group of tests.
 */
int tlsg_conn_pair_stop(void);

/** The same, with the parameter that cmocka wants. @param state  not used. @return as tlsg_conn_pair_stop(). */
int tlsg_conn_pair_teardown(void **state);

/** @return the certificates of tlsg_conn_pair_start(). */
const struct tlsg_certs *tlsg_conn_pair_certs(void);

/** @return "<temporary folder>/<name><suffix>"; one of eight static buffers in turn. */
char *tlsg_conn_pair_path(const char *name, const char *suffix);

/** @return the temporary folder. */
str tlsg_conn_pair_dir(void);

/**
 * Writes <name>.crt and, with a key, <name>.key.
 * @param name   of the files.
 * @param chain  names of certificates, leaf first, with blanks between them.
 * @param key    name of the certificate whose key it is, NULL none.
 */
void tlsg_conn_pair_write(const char *name, const char *chain, const char *key);

/** @return a built snapshot, one reference; not published. */
struct tlsg_set *tlsg_conn_pair_set(const struct tlsg_conn_pair_setup *u);

/** Publishes a snapshot and makes both connections. @param sni  of the client, NULL none. */
struct tlsg_conn_pair *tlsg_conn_pair_new(const struct tlsg_conn_pair_setup *u, const char *sni);

/** Makes both connections from the snapshot that is published. */
struct tlsg_conn_pair *tlsg_conn_pair_more(const struct tlsg_conn_pair_setup *u, const char *sni);

/** Makes the server's connection anew, after a cookie was asked for. @param start  of tlsg_cookie_check(). */
void tlsg_conn_pair_restart(
		struct tlsg_conn_pair *x, const struct tlsg_conn_pair_setup *u, const gnutls_dtls_prestate_st *start);

/** Frees both connections. */
void tlsg_conn_pair_free(struct tlsg_conn_pair *x);

/** Writes clear text at a side; the records are on the wire then. @return as tlsg_conn_write(). */
enum tlsg_ret tlsg_conn_pair_send(struct tlsg_conn_pair *x, int role, const char *data, size_t size);

/** One read of a side. @return bytes that it got. */
size_t tlsg_conn_pair_deliver(struct tlsg_conn_pair *x, int role);

/** Delivers until nothing is on the wire. */
void tlsg_conn_pair_run(struct tlsg_conn_pair *x);

/** Runs the handshake, however it ends. */
void tlsg_conn_pair_handshake(struct tlsg_conn_pair *x);

/** Fails the test unless both sides are established. */
void tlsg_conn_pair_assert_established(const struct tlsg_conn_pair *x);

/** Fails the test unless a side has received that text and nothing else; it is taken. */
void tlsg_conn_pair_assert_text(struct tlsg_conn_pair *x, int role, const char *text);

#endif
