/*
 * tls_gnutls - benchmark: the least that a server with GnuTLS costs: one process, epoll, private memory, no Kamailio
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: its own process, started by bench.py.   Memory: heap.   Lock: none, one thread.
 *
 * Answers every SIP request with a 200, over TLS, or over plain TCP when it is given no certificate; prints its port,
 * and runs until its standard input ends. One recv() for each event and one send() for each step; sessions resume by
 * tickets. A connection that breaks any rule is closed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_MAX 20000
#define OUT_MAX 20000
#define REQUEST_MAX 8000
#define EVENTS_MAX 64
#define BACKLOG 1024

static const char reply[] = "SIP/2.0 200 OK\r\n"
							"Via: SIP/2.0/TLS 127.0.0.1:5060;branch=z9hG4bK-bench-1;rport=40000;received=127.0.0.1\r\n"
							"From: <sip:bench@127.0.0.1>;tag=bench\r\n"
							"To: <sip:127.0.0.1>;tag=b27e1a1d33761e85846fc98f5f3a7e58.2a3b\r\n"
							"Call-ID: bench@127.0.0.1\r\n"
							"CSeq: 1 OPTIONS\r\n"
							"Server: kamailio (5.6.3 (x86_64/linux))\r\n"
							"Content-Length: 0\r\n\r\n";

struct conn
{
	int fd;
	gnutls_session_t session; /* NULL over plain TCP */
	bool established;
	char request[REQUEST_MAX + 1];
	size_t len;
};

struct server
{
	gnutls_certificate_credentials_t cred; /* NULL: plain TCP */
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
	int poll;
	int listener;
	/* of the step that runs: what was received and is not read yet, what is to be sent */
	char in[IN_MAX];
	size_t in_start;
	size_t in_end;
	char out[OUT_MAX];
	size_t out_len;
};

static struct server server;

static void check(int ret, const char *what)
{
	if(ret < 0) {
		fprintf(stderr, "bench_floor: %s: %s\n", what, gnutls_strerror(ret));
		exit(1);
	}
}

static void check_system(int ret, const char *what)
{
	if(ret < 0) {
		fprintf(stderr, "bench_floor: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t room)
{
	struct conn *c = ptr;
	size_t len = server.in_end - server.in_start;

	if(len == 0) {
		gnutls_transport_set_errno(c->session, EAGAIN);
		return -1;
	}
	if(len > room)
		len = room;
	memcpy(data, server.in + server.in_start, len);
	server.in_start += len;
	return (ssize_t)len;
}

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	struct conn *c = ptr;

	if(len > OUT_MAX - server.out_len) {
		gnutls_transport_set_errno(c->session, EMSGSIZE);
		return -1;
	}
	memcpy(server.out + server.out_len, data, len);
	server.out_len += len;
	return (ssize_t)len;
}

/* There is always data when GnuTLS asks; without it, pull() says so. */
static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	(void)ptr;
	(void)ms;
	return server.in_end > server.in_start;
}

static void session_open(struct conn *c)
{
	check(gnutls_init(&c->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), "session");
	check(gnutls_priority_set(c->session, server.priority), "priority");
	check(gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, server.cred), "credentials");
	check(gnutls_session_ticket_enable_server(c->session, &server.ticket_key), "tickets");
	gnutls_transport_set_ptr(c->session, c);
	gnutls_transport_set_pull_function(c->session, pull);
	gnutls_transport_set_push_function(c->session, push);
	gnutls_transport_set_pull_timeout_function(c->session, pull_timeout);
}

static void conn_open(int fd)
{
	struct conn *c = malloc(sizeof(*c));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	int on = 1;

	if(!c) {
		close(fd);
		return;
	}
	c->fd = fd;
	c->session = NULL;
	c->established = server.cred == NULL;
	c->len = 0;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if(server.cred)
		session_open(c);
	check_system(epoll_ctl(server.poll, EPOLL_CTL_ADD, fd, &event), "epoll");
}

static void conn_close(struct conn *c)
{
	if(c->session)
		gnutls_deinit(c->session);
	close(c->fd);
	free(c);
}

/* Reads clear text. @return bytes, 0 when there is no more for now, -1 at the end or after an error. */
static ssize_t conn_read(struct conn *c)
{
	size_t room = REQUEST_MAX - c->len;
	ssize_t got = (ssize_t)(server.in_end - server.in_start);

	if(room == 0)
		return -1;
	if(c->session) {
		got = gnutls_record_recv(c->session, c->request + c->len, room);
		if(got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
			return 0;
		return got <= 0 ? -1 : got;
	}
	if((size_t)got > room)
		got = (ssize_t)room;
	memcpy(c->request + c->len, server.in + server.in_start, (size_t)got);
	server.in_start += (size_t)got;
	return got;
}

/* Length of the request at the start of what was read; 0: not complete. */
static size_t request_len(struct conn *c)
{
	const char *end, *field;
	size_t len;

	c->request[c->len] = '\0';
	end = strstr(c->request, "\r\n\r\n");
	field = strstr(c->request, "\r\nContent-Length: ");
	if(!end || !field || field > end)
		return 0;
	len = (size_t)(end + 4 - c->request) + strtoul(field + 18, NULL, 10);
	return len <= c->len ? len : 0;
}

static bool reply_send(struct conn *c)
{
	if(c->session)
		return gnutls_record_send(c->session, reply, sizeof(reply) - 1) == (ssize_t)sizeof(reply) - 1;
	return push(c, reply, sizeof(reply) - 1) > 0;
}

/* Works on what was received. @return whether the connection stays open. */
static bool conn_step(struct conn *c)
{
	ssize_t got;
	size_t len;
	int ret;

	if(!c->established) {
		ret = gnutls_handshake(c->session);
		if(ret < 0)
			return !gnutls_error_is_fatal(ret);
		c->established = true;
	}
	while((got = conn_read(c)) > 0) {
		c->len += (size_t)got;
		while((len = request_len(c)) > 0) {
			if(!reply_send(c))
				return false;
			c->len -= len;
			memmove(c->request, c->request + len, c->len);
		}
	}
	return got == 0;
}

static void conn_event(struct conn *c)
{
	ssize_t got = recv(c->fd, server.in, IN_MAX, 0);
	bool stays = got > 0;

	server.in_start = server.out_len = 0;
	server.in_end = got > 0 ? (size_t)got : 0;
	if(stays)
		stays = conn_step(c);
	if(server.out_len > 0 && send(c->fd, server.out, server.out_len, MSG_NOSIGNAL) != (ssize_t)server.out_len)
		stays = false; /* a client that does not read its few replies */
	if(!stays)
		conn_close(c);
}

static void listen_open(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &server};
	struct epoll_event end = {.events = EPOLLIN | EPOLLHUP, .data.ptr = NULL};
	socklen_t size = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	check_system(server.listener, "socket");
	check_system(bind(server.listener, (struct sockaddr *)&addr, sizeof(addr)), "bind");
	check_system(listen(server.listener, BACKLOG), "listen");
	check_system(getsockname(server.listener, (struct sockaddr *)&addr, &size), "getsockname");
	server.poll = epoll_create1(0);
	check_system(server.poll, "epoll");
	check_system(epoll_ctl(server.poll, EPOLL_CTL_ADD, server.listener, &event), "epoll");
	check_system(epoll_ctl(server.poll, EPOLL_CTL_ADD, STDIN_FILENO, &end), "epoll of standard input");
	printf("%u\n", (unsigned)ntohs(addr.sin_port));
	fflush(stdout);
}

static void serve(void)
{
	struct epoll_event events[EVENTS_MAX];
	int fd, n;

	for(;;) {
		n = epoll_wait(server.poll, events, EVENTS_MAX, -1);
		for(int i = 0; i < n; i++) {
			if(events[i].data.ptr == NULL)
				return;
			if(events[i].data.ptr != &server) {
				conn_event(events[i].data.ptr);
				continue;
			}
			while((fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
				conn_open(fd);
		}
	}
}

int main(int argc, char **argv)
{
	if(argc != 1 && argc != 4) {
		fputs("usage: bench_floor [CERT KEY PRIORITY]; without them plain TCP\n", stderr);
		return 2;
	}
	if(argc == 4) {
		check(gnutls_certificate_allocate_credentials(&server.cred), "credentials");
		check(gnutls_certificate_set_x509_key_file(server.cred, argv[1], argv[2], GNUTLS_X509_FMT_PEM), "certificate");
		check(gnutls_priority_init(&server.priority, argv[3], NULL), "priority string");
		check(gnutls_session_ticket_key_generate(&server.ticket_key), "ticket key");
	}
	listen_open();
	serve();
	if(server.cred) {
		gnutls_free(server.ticket_key.data);
		gnutls_priority_deinit(server.priority);
		gnutls_certificate_free_credentials(server.cred);
	}
	return 0;
}
