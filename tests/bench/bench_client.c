/*
 * tls_gnutls - benchmark client: SIP OPTIONS over TCP or OpenSSL's TLS, as the command line says
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: its own process, started by bench.py.   Memory: heap.   Lock: none, one thread.
 *
 * The driver reads the server's counters between the phases, so each phase waits for a line on standard input:
 *   warm up  -> "ready"  -> (line) -> work -> one line of JSON -> (line or end of input) -> close, exit
 * Every reply is checked; anything but a 200 ends the program with a message and exit code 1.
 */
#include "bench_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define IO_TIMEOUT_S 20
#define BODY_MAX 60000

enum mode
{
	MODE_FULL,
	MODE_RESUMED,
	MODE_OPEN,
	MODE_IDLE
};

struct options
{
	enum mode mode;
	struct target target;
	bool tls;		  /* --version was given */
	bool keeps_first; /* offer the first session always, not the newest */
	long count;		  /* operations in the measured phase */
	long warmup;	  /* operations before it */
	long connections;
	long body_bytes;
	const char *server_name; /* SNI; NULL: none */
};

struct link
{
	int fd;
	SSL *ssl; /* NULL over plain TCP */
};

struct bench
{
	struct options opt;
	SSL_CTX *ctx;
	SSL_SESSION *session; /* the session or ticket to offer; kept in MODE_RESUMED only */
	struct link *links;	  /* opt.connections of them, in MODE_OPEN and MODE_IDLE */
	char *request;
	size_t request_len;
	long resumed;	   /* connections that were resumed in this phase */
	char suite[64];	   /* negotiated last */
	char group[32];	   /* key exchange negotiated last */
	char version[16];  /* protocol negotiated last */
	char key_type[16]; /* type of the server certificate's key, seen last */
};

static int session_new_cb(SSL *ssl, SSL_SESSION *session)
{
	struct bench *bench = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if(bench->opt.mode != MODE_RESUMED || (bench->opt.keeps_first && bench->session))
		return 0;
	SSL_SESSION_free(bench->session);
	bench->session = session;
	return 1; /* the reference is ours now */
}

static int socket_open(long port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct timeval timeout = {.tv_sec = IO_TIMEOUT_S};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if(fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		die("cannot connect to port %ld: %s", port, strerror(errno));
	if(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0
			|| setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0
			|| setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0)
		die("cannot set socket options: %s", strerror(errno));
	return fd;
}

static void negotiated_note(struct bench *bench, SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	EVP_PKEY *exchange = NULL;

	snprintf(bench->version, sizeof(bench->version), "%s", SSL_get_version(ssl));
	snprintf(bench->suite, sizeof(bench->suite), "%s", SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl)));
	if(SSL_get_peer_tmp_key(ssl, &exchange)) {
		snprintf(bench->group, sizeof(bench->group), "%s", EVP_PKEY_get0_type_name(exchange));
		EVP_PKEY_free(exchange);
	}
	if(cert)
		snprintf(bench->key_type, sizeof(bench->key_type), "%s",
				OBJ_nid2sn(EVP_PKEY_get_base_id(X509_get0_pubkey(cert))));
	if(SSL_session_reused(ssl))
		bench->resumed++;
}

/* OpenSSL invalidates a TLS 1.3 session that has been offered once, so a copy is offered. */
static void session_offer(struct bench *bench, SSL *ssl)
{
	SSL_SESSION *copy = SSL_SESSION_dup(bench->session);

	if(!copy || !SSL_set_session(ssl, copy))
		die("cannot offer the kept session");
	SSL_SESSION_free(copy);
}

static void link_open(struct bench *bench, struct link *link)
{
	link->fd = socket_open(bench->opt.target.port);
	link->ssl = NULL;
	if(!bench->opt.tls)
		return;
	link->ssl = SSL_new(bench->ctx);
	if(!link->ssl || !SSL_set_fd(link->ssl, link->fd))
		die("no TLS connection object");
	if(bench->opt.server_name && !SSL_set_tlsext_host_name(link->ssl, bench->opt.server_name))
		die("server name refused");
	if(bench->session)
		session_offer(bench, link->ssl);
	if(SSL_connect(link->ssl) != 1)
		die("TLS handshake failed");
	negotiated_note(bench, link->ssl);
}

static void link_close(struct link *link)
{
	if(link->ssl) {
		SSL_shutdown(link->ssl); /* our close_notify; the server's is not waited for */
		SSL_free(link->ssl);
	}
	close(link->fd);
}

static void request_send(struct bench *bench, struct link *link)
{
	size_t done = 0;

	if(link->ssl) {
		if(!SSL_write_ex(link->ssl, bench->request, bench->request_len, &done) || done != bench->request_len)
			die("cannot send over TLS");
		return;
	}
	while(done < bench->request_len) {
		ssize_t sent = send(link->fd, bench->request + done, bench->request_len - done, MSG_NOSIGNAL);

		if(sent <= 0)
			die("cannot send: %s", strerror(errno));
		done += (size_t)sent;
	}
}

static size_t link_read(struct link *link, char *data, size_t room)
{
	size_t got = 0;
	ssize_t received;

	if(link->ssl) {
		if(!SSL_read_ex(link->ssl, data, room, &got))
			die("no reply over TLS (%d)", SSL_get_error(link->ssl, 0));
		return got;
	}
	received = recv(link->fd, data, room, 0);
	if(received <= 0)
		die("no reply: %s", received == 0 ? "connection closed" : strerror(errno));
	return (size_t)received;
}

/* One request is outstanding on a link at a time, so a reply ends where the data ends. */
static void reply_check(struct link *link)
{
	char reply[REPLY_MAX + 1];
	size_t len = 0;

	do {
		if(len == REPLY_MAX)
			die("reply without an end");
		len += link_read(link, reply + len, REPLY_MAX - len);
		reply[len] = '\0';
	} while(!reply_is_complete(reply, len));
}

/* Connections one after the other: connect, handshake, OPTIONS, reply, close. */
static void run_connections(struct bench *bench, long count)
{
	for(long i = 0; i < count; i++) {
		struct link link;

		link_open(bench, &link);
		request_send(bench, &link);
		reply_check(&link);
		link_close(&link);
	}
}

/* OPTIONS on the open connections, one in flight on each. */
static void run_requests(struct bench *bench, long count)
{
	long width = bench->opt.connections;
	long sent = 0;

	for(; sent < width && sent < count; sent++)
		request_send(bench, &bench->links[sent]);
	for(long i = 0; i < count; i++) {
		struct link *link = &bench->links[i % width];

		reply_check(link);
		if(sent < count) {
			request_send(bench, link);
			sent++;
		}
	}
}

/* Opens all the connections; each answers one OPTIONS and then stays open. */
static void run_open(struct bench *bench)
{
	for(long i = 0; i < bench->opt.connections; i++) {
		link_open(bench, &bench->links[i]);
		request_send(bench, &bench->links[i]);
		reply_check(&bench->links[i]);
	}
}

static void phase_warmup(struct bench *bench)
{
	switch(bench->opt.mode) {
		case MODE_RESUMED:
			/* at least one, so that there is a session to offer */
			run_connections(bench, bench->opt.warmup > 0 ? bench->opt.warmup : 1);
			break;
		case MODE_FULL:
		case MODE_IDLE:
			run_connections(bench, bench->opt.warmup);
			break;
		case MODE_OPEN:
			run_open(bench);
			run_requests(bench, bench->opt.warmup);
			break;
	}
	bench->resumed = 0;
}

static void phase_work(struct bench *bench)
{
	switch(bench->opt.mode) {
		case MODE_FULL:
		case MODE_RESUMED:
			run_connections(bench, bench->opt.count);
			break;
		case MODE_OPEN:
			run_requests(bench, bench->opt.count);
			break;
		case MODE_IDLE:
			run_open(bench);
			break;
	}
}

static void bench_run(struct bench *bench)
{
	bool keeps = bench->opt.mode == MODE_OPEN || bench->opt.mode == MODE_IDLE;
	double start;

	phase_warmup(bench);
	puts("ready");
	line_wait(false);
	start = now_s();
	phase_work(bench);
	printf("{\"ops\": %ld, \"resumed\": %ld, \"seconds\": %.6f, \"version\": \"%s\", \"suite\": \"%s\", \"group\": "
		   "\"%s\","
		   " \"key\": \"%s\"}\n",
			bench->opt.mode == MODE_IDLE ? bench->opt.connections : bench->opt.count, bench->resumed, now_s() - start,
			bench->version, bench->suite, bench->group, bench->key_type);
	line_wait(true);
	for(long i = 0; keeps && i < bench->opt.connections; i++)
		link_close(&bench->links[i]);
}

static enum mode mode_parse(const char *text)
{
	static const char *const names[] = {"full", "resumed", "open", "idle"};

	for(int i = 0; i < 4; i++)
		if(strcmp(text, names[i]) == 0)
			return (enum mode)i;
	die("--mode: '%s' is not one of full, resumed, open, idle", text);
}

static const struct option long_options[] = {
		TARGET_OPTIONS,
		{"mode", required_argument, NULL, 'm'},
		{"count", required_argument, NULL, 'n'},
		{"warmup", required_argument, NULL, 'w'},
		{"connections", required_argument, NULL, 'c'},
		{"body", required_argument, NULL, 'b'},
		{"server-name", required_argument, NULL, 's'},
		{"keep-first", no_argument, NULL, 'k'},
		{NULL, 0, NULL, 0},
};

static void options_parse(struct options *opt, int argc, char **argv)
{
	int c;

	while((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch(c) {
			case 'm':
				opt->mode = mode_parse(optarg);
				break;
			case 'n':
				opt->count = number_parse(optarg, "count", 1, OPERATIONS_MAX);
				break;
			case 'w':
				opt->warmup = number_parse(optarg, "warmup", 0, OPERATIONS_MAX);
				break;
			case 'c':
				opt->connections = number_parse(optarg, "connections", 1, CONNECTIONS_MAX);
				break;
			case 'b':
				opt->body_bytes = number_parse(optarg, "body", 0, BODY_MAX);
				break;
			case 's':
				opt->server_name = optarg;
				break;
			case 'k':
				opt->keeps_first = true;
				break;
			default:
				target_option(&opt->target, c);
		}
	}
	opt->tls = opt->target.version != 0;
	if(optind != argc || opt->target.port == 0 || (opt->tls && !opt->target.ca_file)
			|| (!opt->tls && opt->mode == MODE_RESUMED))
		die("usage: --port N [--version 1.2|1.3 --ca FILE] [--mode full|resumed|open|idle] [--count N] [--warmup N]"
			" [--connections N] [--body BYTES] [--server-name NAME] [--keep-first]; plain TCP without --version");
}

int main(int argc, char **argv)
{
	struct bench bench = {.opt = {.mode = MODE_FULL, .count = 1, .connections = 1}};

	client_init();
	options_parse(&bench.opt, argc, argv);
	if(bench.opt.tls)
		bench.ctx = client_context(bench.opt.target.version, bench.opt.target.ca_file, session_new_cb, &bench);
	bench.request = request_new(bench.opt.tls, bench.opt.body_bytes, &bench.request_len);
	bench.links = calloc((size_t)bench.opt.connections, sizeof(*bench.links));
	if(!bench.links)
		die("out of memory");
	bench_run(&bench);
	free(bench.links);
	free(bench.request);
	SSL_SESSION_free(bench.session);
	SSL_CTX_free(bench.ctx);
	return 0;
}
