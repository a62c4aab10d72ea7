/*
 * tls_gnutls - two ends of a connection in memory, for tests of GnuTLS sessions
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the caller's; put it in shared memory when sessions move between processes.
 * Lock: none, one process at a time.
 */
#ifndef TLSG_TESTS_LIB_TLS_PAIR_H
#define TLSG_TESTS_LIB_TLS_PAIR_H

#include <stddef.h>

#include <gnutls/gnutls.h>

#define TLSG_TEST_PIPE_BYTES (64 * 1024)

/** Bytes in one direction. */
struct tlsg_test_pipe
{
	size_t rd;
	size_t wr;
	unsigned char data[TLSG_TEST_PIPE_BYTES];
};

/** One end: where it reads from and where it writes to, borrowed. */
struct tlsg_test_end
{
	struct tlsg_test_pipe *in;
	struct tlsg_test_pipe *out;
	size_t most; /**< bytes that one pull returns at most, 0 no limit */
};

/** Empties the pipe. */
void tlsg_test_pipe_init(struct tlsg_test_pipe *p);

/**
 * Connects a session over datagrams to an end: each is in the pipe behind two bytes with its length; nothing is lost.
 * @param end  must outlive the session; `most` is not used.
 */
void tlsg_test_end_attach_datagrams(struct tlsg_test_end *end, gnutls_session_t session);

/** Connects a session to an end: transport functions, no timeout. @param end  must outlive the session. */
void tlsg_test_end_attach(struct tlsg_test_end *end, gnutls_session_t session);

#endif
