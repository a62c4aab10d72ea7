/*
 * tls_gnutls - what one GnuTLS server handshake costs by itself: no Kamailio, no network, private memory
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: its own process, started by bench.py.   Memory: heap.   Lock: none, one thread.
 *
 * Client and server exchange records through two buffers in one thread; only the CPU time spent inside the
 * server's calls is counted: session set-up, handshake with a session ticket, session tear-down.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIPE_MAX 65536
#define STEPS_MAX 64

struct pipe
{
	char data[PIPE_MAX];
	size_t start;
	size_t end;
};

struct side
{
	gnutls_session_t session;
	struct pipe *in;
	struct pipe *out;
};

struct bare
{
	gnutls_certificate_credentials_t server_cred;
	gnutls_certificate_credentials_t client_cred;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
	struct pipe to_server;
	struct pipe to_client;
	double server_s; /* CPU time spent on the server's side so far */
	char suite[128]; /* negotiated last */
};

static void check(int ret, const char *what)
{
	if(ret < 0) {
		fprintf(stderr, "bench_bare: %s: %s\n", what, gnutls_strerror(ret));
		exit(1);
	}
}

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t room)
{
	struct side *side = ptr;
	size_t len = side->in->end - side->in->start;

	if(len == 0) {
		gnutls_transport_set_errno(side->session, EAGAIN);
		return -1;
	}
	if(len > room)
		len = room;
	memcpy(data, side->in->data + side->in->start, len);
	side->in->start += len;
	if(side->in->start == side->in->end)
		side->in->start = side->in->end = 0;
	return (ssize_t)len;
}

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	struct side *side = ptr;

	if(len > PIPE_MAX - side->out->end) {
		gnutls_transport_set_errno(side->session, EMSGSIZE);
		return -1;
	}
	memcpy(side->out->data + side->out->end, data, len);
	side->out->end += len;
	return (ssize_t)len;
}

static void side_open(struct bare *bare, struct side *side, unsigned flags)
{
	int is_server = (flags & GNUTLS_SERVER) != 0;

	check(gnutls_init(&side->session, flags | GNUTLS_NONBLOCK), "session");
	check(gnutls_priority_set(side->session, bare->priority), "priority");
	check(gnutls_credentials_set(
				  side->session, GNUTLS_CRD_CERTIFICATE, is_server ? bare->server_cred : bare->client_cred),
			"credentials");
	if(is_server)
		check(gnutls_session_ticket_enable_server(side->session, &bare->ticket_key), "tickets");
	gnutls_transport_set_ptr(side->session, side);
	gnutls_transport_set_pull_function(side->session, pull);
	gnutls_transport_set_push_function(side->session, push);
}

static int side_step(struct side *side)
{
	int ret = gnutls_handshake(side->session);

	if(ret < 0 && gnutls_error_is_fatal(ret))
		check(ret, "handshake");
	return ret;
}

static void handshake(struct bare *bare)
{
	struct side server = {.in = &bare->to_server, .out = &bare->to_client};
	struct side client = {.in = &bare->to_client, .out = &bare->to_server};
	int server_ret = GNUTLS_E_AGAIN;
	int client_ret = GNUTLS_E_AGAIN;
	double start;
	char *desc;

	bare->to_server.start = bare->to_server.end = 0;
	bare->to_client.start = bare->to_client.end = 0;
	side_open(bare, &client, GNUTLS_CLIENT);
	start = cpu_s();
	side_open(bare, &server, GNUTLS_SERVER);
	bare->server_s += cpu_s() - start;
	for(int i = 0; i < STEPS_MAX && (server_ret < 0 || client_ret < 0); i++) {
		if(client_ret < 0)
			client_ret = side_step(&client);
		start = cpu_s();
		if(server_ret < 0)
			server_ret = side_step(&server);
		bare->server_s += cpu_s() - start;
	}
	check(server_ret, "server");
	check(client_ret, "client");
	desc = gnutls_session_get_desc(server.session);
	snprintf(bare->suite, sizeof(bare->suite), "%s", desc ? desc : "-");
	gnutls_free(desc);
	start = cpu_s();
	gnutls_deinit(server.session);
	bare->server_s += cpu_s() - start;
	gnutls_deinit(client.session);
}

int main(int argc, char **argv)
{
	static struct bare bare;
	long count;

	if(argc != 5 || (count = strtol(argv[4], NULL, 10)) < 1 || count > 1000000) {
		fputs("usage: bench_bare CERT KEY PRIORITY COUNT\n", stderr);
		return 2;
	}
	check(gnutls_certificate_allocate_credentials(&bare.server_cred), "credentials");
	check(gnutls_certificate_allocate_credentials(&bare.client_cred), "credentials");
	check(gnutls_certificate_set_x509_key_file(bare.server_cred, argv[1], argv[2], GNUTLS_X509_FMT_PEM), "certificate");
	check(gnutls_priority_init(&bare.priority, argv[3], NULL), "priority string");
	check(gnutls_session_ticket_key_generate(&bare.ticket_key), "ticket key");
	for(long i = 0; i < count / 10 + 1; i++)
		handshake(&bare);
	bare.server_s = 0;
	for(long i = 0; i < count; i++)
		handshake(&bare);
	printf("{\"ops\": %ld, \"us\": %.3f, \"suite\": \"%s\"}\n", count, bare.server_s * 1e6 / (double)count, bare.suite);
	gnutls_free(bare.ticket_key.data);
	gnutls_priority_deinit(bare.priority);
	gnutls_certificate_free_credentials(bare.client_cred);
	gnutls_certificate_free_credentials(bare.server_cred);
	return 0;
}
