/*
 * tls_gnutls - collects the secrets of a handshake as lines of a key log, when key logging is on
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process that steps a handshake.  Memory: a static buffer of this process, wiped when it is taken.
 * Lock: none; lines are collected inside a step and taken after write_lock is released.
 */
#include "transport/keylog.h"

/* A handshake of TLS 1.3 has five secrets of at most 48 bytes. */
#define LINES_BYTES 4096
#define RANDOM_BYTES 32
#define SECRET_MAX_BYTES 64

static bool enabled;
static bool filtered;
static unsigned char lines_bytes[LINES_BYTES];
static struct tlsg_buf lines = {.data = lines_bytes, .size = LINES_BYTES};

void tlsg_keylog_enable(bool filter)
{
	enabled = true;
	filtered = filter;
}

static void put_hex(struct tlsg_buf *out, const gnutls_datum_t *bytes)
{
	static const char digits[] = "0123456789abcdef";
	unsigned i;

	for(i = 0; i < bytes->size; i++) {
		char two[2] = {digits[bytes->data[i] >> 4], digits[bytes->data[i] & 15]};

		(void)tlsg_buf_put(out, two, 2);
	}
}

/* Whether a line is needed to decrypt application data. */
static bool is_wanted(const char *label)
{
	return !filtered || strcmp(label, "CLIENT_RANDOM") == 0 || strstr(label, "TRAFFIC_SECRET") != NULL;
}

static int keylog_cb(gnutls_session_t session, const char *label, const gnutls_datum_t *secret)
{
	gnutls_datum_t client;
	gnutls_datum_t server;

	gnutls_session_get_random(session, &client, &server);
	if(!is_wanted(label) || client.size != RANDOM_BYTES || secret->size > SECRET_MAX_BYTES
			|| tlsg_buf_room(&lines) < strlen(label) + 2 * (RANDOM_BYTES + secret->size) + 3)
		return 0;
	(void)tlsg_buf_put(&lines, label, strlen(label));
	(void)tlsg_buf_put(&lines, " ", 1);
	put_hex(&lines, &client);
	(void)tlsg_buf_put(&lines, " ", 1);
	put_hex(&lines, secret);
	(void)tlsg_buf_put(&lines, "\n", 1);
	return 0;
}

/* Without a function GnuTLS writes the secrets to the file that SSLKEYLOGFILE names. */
static int no_keylog_cb(gnutls_session_t session, const char *label, const gnutls_datum_t *secret)
{
	(void)session;
	(void)label;
	(void)secret;
	return 0;
}

void tlsg_keylog_session_init(gnutls_session_t session)
{
	gnutls_session_set_keylog_function(session, enabled ? keylog_cb : no_keylog_cb);
}

bool tlsg_keylog_has_lines(void)
{
	return lines.wr > 0;
}

void tlsg_keylog_take(struct tlsg_buf *out)
{
	if(!tlsg_buf_put(out, lines.data, lines.wr))
		out->rd = out->wr = 0;
	gnutls_memset(lines.data, 0, lines.wr);
	lines.wr = 0;
}
