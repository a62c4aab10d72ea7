/*
 * tls_gnutls - a client that offers changed session tickets, one connection after the other, for the end-to-end tests
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a process of its own.  Memory: heap.  Lock: none.
 *
 * Usage: ticket_storm PORT VERSION COUNT SEED       VERSION: TLSv1.2, TLSv1.3
 * Takes a ticket from 127.0.0.1, then connects COUNT times with a copy in which something is changed: one bit of the
 * key's name, IV, length, state or MAC, or another length. Every hundredth time the good ticket is offered. Prints
 * "full N resumed N wrong N": connections with a changed ticket that made a full handshake, with the good one that
 * resumed, and all others. Ends with 0 when none was wrong; otherwise what GnuTLS says about the last handshake is on
 * stderr.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "tests/lib/ticket.h"

#define TIMEOUT_MS 20000
#define MORE_BYTES 4000
#define LOG_LEVEL 5

static gnutls_certificate_credentials_t cred;
static gnutls_priority_t priority;
static unsigned short port;
static char history[32768];
static size_t history_bytes;

/** Keeps what GnuTLS says about records and messages of this connection. */
static void history_cb(int level, const char *line)
{
	(void)level;
	if(history_bytes < sizeof(history))
		history_bytes += (size_t)snprintf(history + history_bytes, sizeof(history) - history_bytes, "%s", line);
}

static int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if(fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/** Ends a connection so that nobody gets a reset: the server may have sent tickets that were not read. */
static void hang_up(gnutls_session_t s, int fd)
{
	struct timeval most = {.tv_sec = 5};
	char bytes[4096];

	(void)gnutls_bye(s, GNUTLS_SHUT_WR);
	gnutls_deinit(s);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	(void)shutdown(fd, SHUT_WR);
	while(read(fd, bytes, sizeof(bytes)) > 0)
		;
	(void)close(fd);
}

/** Waits for the ticket where the caller wants one. In TLS 1.3 it comes after the handshake, behind no data. */
static int session_take(gnutls_session_t s, gnutls_datum_t *session)
{
	char byte;

	if(gnutls_protocol_get_version(s) == GNUTLS_TLS1_3) {
		gnutls_record_set_timeout(s, 300);
		while((gnutls_session_get_flags(s) & GNUTLS_SFLAGS_SESSION_TICKET) == 0)
			if(gnutls_record_recv(s, &byte, 1) != GNUTLS_E_AGAIN)
				break;
	}
	return gnutls_session_get_data2(s, session);
}

/** @param taken  [out] session data, NULL not wanted. @return 0 a full handshake, 1 resumed, -1 no handshake. */
static int visit(const gnutls_datum_t *offered, gnutls_datum_t *taken)
{
	gnutls_session_t s;
	int fd = dial(), result = -1, rc;

	history_bytes = 0;
	history[0] = '\0';
	if(fd < 0) {
		perror("connect");
		return -1;
	}
	if(gnutls_init(&s, GNUTLS_CLIENT) < 0)
		abort();
	gnutls_priority_set(s, priority);
	gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, cred);
	gnutls_transport_set_int(s, fd);
	gnutls_handshake_set_timeout(s, TIMEOUT_MS);
	if(offered == NULL || gnutls_session_set_data(s, offered->data, offered->size) >= 0) {
		do
			rc = gnutls_handshake(s);
		while(rc < 0 && gnutls_error_is_fatal(rc) == 0);
		if(rc == 0)
			result = gnutls_session_is_resumed(s) != 0 ? 1 : 0;
		else
			fprintf(stderr, "%shandshake: %s\n", history, gnutls_strerror(rc));
		if(rc == 0 && taken != NULL && session_take(s, taken) < 0)
			result = -1;
	}
	hang_up(s, fd);
	return result;
}

static gnutls_datum_t changed(const gnutls_datum_t *session, size_t at, size_t bytes)
{
	const size_t starts[] = {
			0, TLSG_TICKET_IV_AT, TLSG_TICKET_LENGTH_AT, TLSG_TICKET_STATE_AT, bytes - TLSG_TICKET_MAC_BYTES, bytes};
	unsigned part = (unsigned)rand() % 6;
	unsigned char *ticket = calloc(1, bytes + MORE_BYTES);
	size_t size = bytes, state, place;
	gnutls_datum_t out;

	if(ticket == NULL)
		abort();
	memcpy(ticket, session->data + at, bytes);
	if(part < 5) {
		place = starts[part] + (size_t)rand() % (starts[part + 1] - starts[part]);
		ticket[place] ^= (unsigned char)(1 << rand() % 8);
	} else {
		do
			size = TLSG_TICKET_STATE_AT + TLSG_TICKET_MAC_BYTES + (size_t)rand() % (bytes + MORE_BYTES - 60);
		while(size == bytes);
		state = size - TLSG_TICKET_STATE_AT - TLSG_TICKET_MAC_BYTES;
		ticket[TLSG_TICKET_LENGTH_AT] = (unsigned char)(state >> 8);
		ticket[TLSG_TICKET_LENGTH_AT + 1] = (unsigned char)(state & 0xff);
	}
	out = tlsg_ticket_replace(session, ticket, size);
	free(ticket);
	return out;
}

/** @param first  port of the server that issues the ticket: another one that must accept it. */
static int storm(int count, unsigned short first)
{
	unsigned short second = port;
	gnutls_datum_t session = {NULL, 0}, other;
	unsigned full = 0, resumed = 0, wrong = 0;
	size_t at, bytes;
	int i, result;

	port = first;
	result = visit(NULL, &session);
	port = second;
	if(result != 0 || !tlsg_ticket_find(&session, &at, &bytes)) {
		fprintf(stderr, "no ticket\n");
		return 1;
	}
	for(i = 0; i < count && wrong == 0; i++) {
		if(i % 100 == 0 || i == count - 1) {
			result = visit(&session, NULL);
			resumed += result == 1;
			wrong += result != 1;
			continue;
		}
		other = changed(&session, at, bytes);
		result = visit(&other, NULL);
		full += result == 0;
		wrong += result != 0;
		gnutls_free(other.data);
	}
	gnutls_free(session.data);
	if(wrong != 0)
		fprintf(stderr, "connection %d: %d\n", i - 1, result);
	printf("full %u resumed %u wrong %u\n", full, resumed, wrong);
	return wrong != 0;
}

int main(int argc, char **argv)
{
	char text[64];
	int status;

	if(argc != 5 && argc != 6) {
		fprintf(stderr, "usage: ticket_storm PORT VERSION COUNT SEED [PORT-OF-THE-TICKET]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	port = (unsigned short)atoi(argv[1]);
	srand((unsigned)atoi(argv[4]));
	gnutls_global_set_log_function(history_cb);
	gnutls_global_set_log_level(LOG_LEVEL);
	snprintf(text, sizeof(text), "NORMAL:-VERS-ALL:+VERS-TLS%s", argv[2] + strlen("TLSv"));
	if(gnutls_priority_init(&priority, text, NULL) < 0 || gnutls_certificate_allocate_credentials(&cred) < 0)
		return 2;
	status = storm(atoi(argv[3]), argc == 6 ? (unsigned short)atoi(argv[5]) : port);
	gnutls_certificate_free_credentials(cred);
	gnutls_priority_deinit(priority);
	return status;
}
