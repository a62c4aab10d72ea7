/*
 * tls_gnutls - what the benchmark's programs share: messages, numbers, the request, OpenSSL's context
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a process of its own, started by bench.py.   Memory: heap.   Lock: none, one thread.
 *
 * A program that fails prints one line and exits with 1.
 */
#ifndef TLSG_TESTS_BENCH_PARTS_H
#define TLSG_TESTS_BENCH_PARTS_H

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

/** @return TLS1_2_VERSION or TLS1_3_VERSION for "1.2" or "1.3"; exits for anything else. */
int version_parse(const char *text);

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
