/*
 * tls_gnutls - whether the running GnuTLS has known faults in how it puts fragments of DTLS together
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the attendant, at start.  Memory: private, freed before the call returns.  Lock: none.
 */
#include "transport/dgram_probe.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <gnutls/dtls.h>

#include "transport/dgram_record.h"

#define FRAGMENT_BYTES 40
#define RECORD_BYTES (TLSG_DGRAM_HEAD + TLSG_DGRAM_MESSAGE_HEAD + FRAGMENT_BYTES)
#define LENGTH 160
#define OTHER_LENGTH 120 /* shorter: what is kept for the message has room for it */

/* The datagrams that the session gets. */
struct probe
{
	gnutls_session_t session;
	unsigned next;
};

/* A fragment of a ClientHello. @param i  number of the fragment and of its record. */
static void fragment(unsigned char *p, unsigned i, unsigned length)
{
	memset(p, 0, RECORD_BYTES);
	p[0] = TLSG_DGRAM_HANDSHAKE;
	p[1] = p[2] = 0xfe;
	p[10] = (unsigned char)i;
	p[12] = RECORD_BYTES - TLSG_DGRAM_HEAD;
	p += TLSG_DGRAM_HEAD;
	p[0] = GNUTLS_HANDSHAKE_CLIENT_HELLO;
	p[3] = (unsigned char)length;
	p[8] = (unsigned char)(i * FRAGMENT_BYTES);
	p[11] = FRAGMENT_BYTES;
}

static ssize_t pull_cb(gnutls_transport_ptr_t ptr, void *to, size_t size)
{
	struct probe *p = ptr;

	if(p->next == 2 || size < RECORD_BYTES) {
		gnutls_transport_set_errno(p->session, EAGAIN);
		return -1;
	}
	fragment(to, p->next, p->next == 0 ? LENGTH : OTHER_LENGTH);
	p->next++;
	return RECORD_BYTES;
}

static int pull_timeout_cb(gnutls_transport_ptr_t ptr, unsigned ms)
{
	const struct probe *p = ptr;

	(void)ms;
	return p->next < 2 ? 1 : 0;
}

static ssize_t push_cb(gnutls_transport_ptr_t ptr, const void *from, size_t size)
{
	(void)ptr;
	(void)from;
	return (ssize_t)size;
}

/* @return what the handshake says to the second fragment. */
static int run(struct probe *p)
{
	int rc = gnutls_priority_set_direct(p->session, "NORMAL", NULL);

	gnutls_transport_set_ptr(p->session, p);
	gnutls_transport_set_pull_function(p->session, pull_cb);
	gnutls_transport_set_pull_timeout_function(p->session, pull_timeout_cb);
	gnutls_transport_set_push_function(p->session, push_cb);
	gnutls_dtls_set_timeouts(p->session, INT_MAX, INT_MAX);
	while(rc >= 0 && p->next < 2)
		rc = gnutls_handshake(p->session) == GNUTLS_E_AGAIN ? 0 : GNUTLS_E_UNEXPECTED_PACKET_LENGTH;
	return rc;
}

const char *tlsg_dgram_probe_faults(void)
{
	struct probe p = {NULL, 0};
	int rc = gnutls_init(&p.session, GNUTLS_SERVER | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK);

	if(rc < 0)
		return NULL; /* nothing works then, and other calls say so */
	rc = run(&p);
	gnutls_deinit(p.session);
	if(rc < 0)
		return NULL;
	return "the faults of DTLS that CVE-2026-33845, CVE-2026-33846 and CVE-2026-42009 name; upgrade to 3.8.13, or to a "
		   "package with these corrections";
}
