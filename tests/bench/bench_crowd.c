/*
 * tls_gnutls - benchmark client: many clients, each with a session of its own, that connect at the same time
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: its own process, started by bench.py.   Memory: heap.   Lock: none, one thread.
 *
 *   each client connects --warm-rounds times -> "ready" -> (line; the server may have been restarted meanwhile)
 *   -> each client connects --rounds times, in a random order that is always the same -> one line of JSON
 *   -> (line or end of input) -> close, exit
 * A visit is: TCP connect, handshake with the client's newest session if it has one, one OPTIONS, its 200, close.
 * --width of them are in flight at a time; --keep-open leaves connections open until the end. A visit that fails is
 * counted and starts again without a session; too many of them, or a server that is gone, end the program.
 */
#include "bench_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 30000
#define EVENTS_MAX 64
#define SEED 20260101u
#define FAILED_MAX 50 /* and one in twenty */

struct options
{
	struct target target;
	long clients;
	long warm_rounds;
	long rounds;
	long width;
	bool keeps_open;
};

/* One connection of one client. */
struct visit
{
	int fd;
	SSL *ssl;
	SSL_SESSION **session; /* where its client keeps the newest session */
	double start_s;
	bool connected; /* the handshake is done */
	bool sent;
	size_t len;
	char reply[REPLY_MAX + 1];
	struct visit *next; /* of the open ones */
};

struct crowd
{
	struct options opt;
	SSL_CTX *ctx;
	int poll;
	char *request;
	size_t request_len;
	SSL_SESSION **sessions; /* one for each client */
	uint32_t *order;		/* client of each visit */
	double *times_s;		/* of each visit, in the order in which they ended */
	long done;
	long resumed;
	long failed;
	char failure[128];	/* the first one */
	struct visit *open; /* with --keep-open */
};

static int session_new_cb(SSL *ssl, SSL_SESSION *session)
{
	struct visit *v = SSL_get_app_data(ssl);

	SSL_SESSION_free(*v->session);
	*v->session = session;
	return 1; /* the reference now belongs to the client */
}

static void visit_watch(struct crowd *crowd, struct visit *v, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = v};

	if(epoll_ctl(crowd->poll, operation, v->fd, &event) != 0)
		die("epoll: %s", strerror(errno));
}

static int socket_start(long port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if(fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		die("no socket: %s", strerror(errno));
	if(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 && errno != EINPROGRESS)
		die("cannot connect to port %ld: %s", port, strerror(errno));
	return fd;
}

/* Opens the connection of a visit whose client and start are set. */
static void visit_connect(struct crowd *crowd, struct visit *v)
{
	SSL_SESSION *copy;

	v->fd = socket_start(crowd->opt.target.port);
	v->ssl = SSL_new(crowd->ctx);
	if(!v->ssl || !SSL_set_fd(v->ssl, v->fd) || !SSL_set_app_data(v->ssl, v))
		die("no TLS connection object");
	if(*v->session) {
		/* a copy: OpenSSL invalidates a TLS 1.3 session that has been offered once */
		copy = SSL_SESSION_dup(*v->session);
		if(!copy || !SSL_set_session(v->ssl, copy))
			die("cannot offer the kept session");
		SSL_SESSION_free(copy);
	}
	SSL_set_connect_state(v->ssl);
	visit_watch(crowd, v, EPOLL_CTL_ADD, EPOLLOUT);
}

static void visit_start(struct crowd *crowd, uint32_t client)
{
	struct visit *v = calloc(1, sizeof(*v));

	if(!v)
		die("out of memory");
	v->session = &crowd->sessions[client];
	v->start_s = now_s();
	visit_connect(crowd, v);
}

static void visit_close(struct visit *v)
{
	SSL_shutdown(v->ssl); /* our close_notify; the server's is not waited for */
	SSL_free(v->ssl);
	close(v->fd);
	free(v);
}

/* The same client tries again, as if it had no session; the time it has lost counts. */
static void visit_again(struct crowd *crowd, struct visit *v, int error)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	if(crowd->failed++ == 0)
		snprintf(crowd->failure, sizeof(crowd->failure), "%s the handshake: %s", v->connected ? "after" : "in",
				reason							 ? reason
				: error == SSL_ERROR_ZERO_RETURN ? "closed"
												 : strerror(errno));
	if(crowd->failed > FAILED_MAX + crowd->done / 20)
		die("%ld visits failed, the first %s", crowd->failed, crowd->failure);
	ERR_clear_error();
	SSL_free(v->ssl);
	close(v->fd);
	SSL_SESSION_free(*v->session);
	*v->session = NULL;
	v->connected = v->sent = false;
	v->len = 0;
	visit_connect(crowd, v);
}

/* What to wait for after a call of OpenSSL that did not finish. */
static void visit_wait(struct crowd *crowd, struct visit *v, int ret)
{
	int error = SSL_get_error(v->ssl, ret);

	if(error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
		visit_again(crowd, v, error);
		return;
	}
	visit_watch(crowd, v, EPOLL_CTL_MOD, error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
}

static void visit_end(struct crowd *crowd, struct visit *v)
{
	crowd->times_s[crowd->done++] = now_s() - v->start_s;
	crowd->resumed += SSL_session_reused(v->ssl);
	if(!crowd->opt.keeps_open) {
		visit_close(v);
		return;
	}
	visit_watch(crowd, v, EPOLL_CTL_DEL, 0);
	v->next = crowd->open;
	crowd->open = v;
}

/* Goes on with a visit as far as it can. */
static void visit_step(struct crowd *crowd, struct visit *v)
{
	int ret = v->connected ? 1 : SSL_do_handshake(v->ssl);

	if(ret != 1) {
		visit_wait(crowd, v, ret);
		return;
	}
	v->connected = true;
	if(!v->sent) {
		ret = SSL_write(v->ssl, crowd->request, (int)crowd->request_len);
		if(ret <= 0) {
			visit_wait(crowd, v, ret);
			return;
		}
		v->sent = true;
	}
	while((ret = SSL_read(v->ssl, v->reply + v->len, (int)(REPLY_MAX - v->len))) > 0) {
		v->len += (size_t)ret;
		v->reply[v->len] = '\0';
		if(reply_is_complete(v->reply, v->len)) {
			visit_end(crowd, v);
			return;
		}
	}
	visit_wait(crowd, v, ret);
}

static void open_close(struct crowd *crowd)
{
	struct visit *v;

	while((v = crowd->open) != NULL) {
		crowd->open = v->next;
		visit_close(v);
	}
}

/* Every client `rounds` times. */
static void run(struct crowd *crowd, long rounds)
{
	struct epoll_event events[EVENTS_MAX];
	long total = crowd->opt.clients * rounds;
	long started = 0;

	crowd->done = crowd->resumed = crowd->failed = 0;
	while(crowd->done < total) {
		int n;

		for(; started < total && started - crowd->done < crowd->opt.width; started++)
			visit_start(crowd, crowd->order[started]);
		n = epoll_wait(crowd->poll, events, EVENTS_MAX, WAIT_MS);
		if(n <= 0)
			die("no progress: %ld of %ld done", crowd->done, total);
		for(int i = 0; i < n; i++)
			visit_step(crowd, events[i].data.ptr);
	}
}

/* The clients in turn, each as often as is needed at most; shuffled for the rounds after the first. */
static void order_make(struct crowd *crowd, bool shuffled)
{
	long rounds = crowd->opt.rounds > crowd->opt.warm_rounds ? crowd->opt.rounds : crowd->opt.warm_rounds;
	long total = crowd->opt.clients * rounds;
	uint64_t state = SEED;

	for(long i = 0; i < total; i++)
		crowd->order[i] = (uint32_t)(i % crowd->opt.clients);
	for(long i = total - 1; shuffled && i > 0; i--) {
		uint32_t kept = crowd->order[i];
		long other;

		state = state * 6364136223846793005u + 1442695040888963407u;
		other = (long)((state >> 33) % (uint64_t)(i + 1));
		crowd->order[i] = crowd->order[other];
		crowd->order[other] = kept;
	}
}

static int time_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(struct crowd *crowd, double seconds)
{
	long last = crowd->done - 1;

	qsort(crowd->times_s, (size_t)crowd->done, sizeof(double), time_compare);
	printf("{\"ops\": %ld, \"resumed\": %ld, \"failed\": %ld, \"failure\": \"%s\", \"seconds\": %.6f, \"p50_ms\": %.3f,"
		   " \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
			crowd->done, crowd->resumed, crowd->failed, crowd->failure, seconds, crowd->times_s[last / 2] * 1e3,
			crowd->times_s[last * 99 / 100] * 1e3, crowd->times_s[last] * 1e3);
}

static void crowd_run(struct crowd *crowd)
{
	double start;

	order_make(crowd, false);
	run(crowd, crowd->opt.warm_rounds);
	puts("ready");
	line_wait(false);
	open_close(crowd); /* after a restart the server has closed them */
	order_make(crowd, true);
	start = now_s();
	run(crowd, crowd->opt.rounds);
	report(crowd, now_s() - start);
	line_wait(true);
	open_close(crowd);
}

static const struct option long_options[] = {
		TARGET_OPTIONS,
		{"clients", required_argument, NULL, 'c'},
		{"warm-rounds", required_argument, NULL, 'w'},
		{"rounds", required_argument, NULL, 'r'},
		{"width", required_argument, NULL, 'n'},
		{"keep-open", no_argument, NULL, 'k'},
		{NULL, 0, NULL, 0},
};

static void options_parse(struct options *opt, int argc, char **argv)
{
	int c;

	while((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch(c) {
			case 'c':
				opt->clients = number_parse(optarg, "clients", 1, CONNECTIONS_MAX);
				break;
			case 'w':
				opt->warm_rounds = number_parse(optarg, "warm-rounds", 0, 1000);
				break;
			case 'r':
				opt->rounds = number_parse(optarg, "rounds", 1, 1000);
				break;
			case 'n':
				opt->width = number_parse(optarg, "width", 1, CONNECTIONS_MAX);
				break;
			case 'k':
				opt->keeps_open = true;
				break;
			default:
				target_option(&opt->target, c);
		}
	}
	if(optind != argc || opt->target.port == 0 || !opt->target.ca_file)
		die("usage: --port N --ca FILE [--version 1.2|1.3] [--clients N] [--warm-rounds N] [--rounds N] [--width N]"
			" [--keep-open]");
}

int main(int argc, char **argv)
{
	struct crowd crowd = {.opt = {.target.version = TLS1_3_VERSION, .clients = 1, .rounds = 1, .width = 1}};
	long most;

	client_init();
	options_parse(&crowd.opt, argc, argv);
	most = crowd.opt.clients * (crowd.opt.rounds > crowd.opt.warm_rounds ? crowd.opt.rounds : crowd.opt.warm_rounds);
	crowd.ctx = client_context(crowd.opt.target.version, crowd.opt.target.ca_file, session_new_cb, NULL);
	crowd.request = request_new(true, 0, &crowd.request_len);
	crowd.sessions = calloc((size_t)crowd.opt.clients, sizeof(*crowd.sessions));
	crowd.order = calloc((size_t)most, sizeof(*crowd.order));
	crowd.times_s = calloc((size_t)most, sizeof(*crowd.times_s));
	crowd.poll = epoll_create1(0);
	if(!crowd.sessions || !crowd.order || !crowd.times_s || crowd.poll < 0)
		die("out of memory");
	crowd_run(&crowd);
	for(long i = 0; i < crowd.opt.clients; i++)
		SSL_SESSION_free(crowd.sessions[i]);
	free(crowd.sessions);
	free(crowd.order);
	free(crowd.times_s);
	free(crowd.request);
	SSL_CTX_free(crowd.ctx);
	return 0;
}
