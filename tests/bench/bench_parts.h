/*
 * tls_gnutls - what the benchmark's programs share: messages, numbers, the request, OpenSSL's context
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a process of its own, started by bench.py.   Memory: heap.   Lock: none, one thread.
 *
 * A program that fails prints one line and exits with 1.
 */
#ifndef TLSG_TESTS_BENCH_PARTS_H
#define TLSG_TESTS_BENCH_PARTS_H

#include <getopt.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#define REPLY_MAX 4096
#define OPERATIONS_MAX 10000000
#define CONNECTIONS_MAX 20000

/** Prints "<program>: <message>" and OpenSSL's errors, then exits with 1. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/** @return seconds of the monotonic clock. */
double now_s(void);

/** @return the number that an option was given; exits when it is not one from min to max. */
long number_parse(const char *text, const char *name, long min, long max);

/** The server that a client connects to. */
struct target
{
	long port;
	int version;		 /* TLS1_2_VERSION or TLS1_3_VERSION; 0: --version was not given */
	const char *ca_file; /* NULL: --ca was not given */
};

/** Entries of an array of long options, for target_option(). */
#define TARGET_OPTIONS                                                                 \
	{"port", required_argument, NULL, 'p'}, {"version", required_argument, NULL, 'v'}, \
	{                                                                                  \
		"ca", required_argument, NULL, 'a'                                             \
	}

/** Takes one of TARGET_OPTIONS. @param c  as getopt_long() returned it; exits with 2 when it is none of them. */
void target_option(struct target *target, int c);

/** At the start of a client: it survives a server that closes, and each line that it prints is read at once. */
void client_init(void);

/**
 * OpenSSL's context of a client, with one suite and one group for each version, so that every server does the same
 * cryptography; it verifies the server's chain.
 * @param version  TLS1_2_VERSION or TLS1_3_VERSION, the only one that is offered.
 * @param ca_file  PEM.
 * @param new_cb   called with each session or ticket that arrives; may be NULL.
 * @param app      for SSL_CTX_get_app_data(); borrowed.
 * @return owned by the caller.
 */
SSL_CTX *client_context(int version, const char *ca_file, int (*new_cb)(SSL *, SSL_SESSION *), void *app);

/**
 * A SIP OPTIONS request.
 * @param tls         over TLS, not plain TCP.
 * @param body_bytes  length of its body.
 * @param len         [out] bytes of it all.
 * @return owned by the caller (free).
 */
char *request_new(bool tls, long body_bytes, size_t *len);

/**
 * Checks a reply: a 200 without a body, and nothing after it.
 * @param reply  of len bytes, terminated by a zero.
 * @return whether it is complete; exits when it is anything else than a 200.
 */
bool reply_is_complete(const char *reply, size_t len);

/** Waits for a line on standard input. At its end: exits with 0, unless end_allowed. */
void line_wait(bool end_allowed);

#endif
