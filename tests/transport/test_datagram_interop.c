/*
 * tls_gnutls - tests of associations over UDP on loopback, with the tools of OpenSSL and of GnuTLS at the other end
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests; the tools are child processes.  Memory: the stand-in's shared region.  Lock: none.
 *
 * A tool that is not installed skips its tests. A server of this module asks for a cookie, as the listener does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "profiles/cipher/method.h"
#include "tests/lib/conn_pair.h"
#include "transport/conn_datagram.h"
#include "transport/conn_state.h"
#include "transport/cookie.h"

#define DAYS_LONG 3650
#define LIMIT_MS 30000
#define AFTER_MS 3000 /* the tool has ended */
#define ARGS_MAX 40
#define PING "OPTIONS sip:localhost SIP/2.0"
#define TOOL_SAYS "text of the tool"

static const struct tlsg_cert_row rows[] = {
		{.name = "ca",
				.flags = TLSG_CERT_CA,
				.usage = GNUTLS_KEY_KEY_CERT_SIGN,
				.from_days = -10,
				.to_days = DAYS_LONG},
		{.name = "ec",
				.issuer = "ca",
				.cn = "localhost",
				.sans = {{GNUTLS_SAN_DNSNAME, "localhost", 0}},
				.from_days = -10,
				.to_days = DAYS_LONG},
		{.name = "rsa",
				.issuer = "ca",
				.cn = "localhost",
				.sans = {{GNUTLS_SAN_DNSNAME, "localhost", 0}},
				.key = TLSG_KEY_RSA2048,
				.from_days = -10,
				.to_days = DAYS_LONG},
		{.name = "named",
				.issuer = "ca",
				.cn = "named.example",
				.sans = {{GNUTLS_SAN_DNSNAME, "named.example", 0}},
				.from_days = -10,
				.to_days = DAYS_LONG},
		{.name = "client", .issuer = "ca", .cn = "alice", .from_days = -10, .to_days = DAYS_LONG},
};

/* ---- the tool ---- */

/** A child process: what it has printed, and a pipe to its input. */
struct tool
{
	pid_t pid;
	int in;
	int out;
	char text[65536];
	size_t len;
	bool is_over; /* it has ended */
};

static bool is_installed(const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", name);
	return system(command) == 0;
}

/* @param line  arguments with blanks between them; stays as it is. */
static void tool_start(struct tool *t, const char *line)
{
	static char copy[2048];
	char *args[ARGS_MAX];
	int to[2], from[2], n = 0;

	memset(t, 0, sizeof(*t));
	snprintf(copy, sizeof(copy), "%s", line);
	for(args[n] = strtok(copy, " "); args[n] != NULL && n < ARGS_MAX - 1;)
		args[++n] = strtok(NULL, " ");
	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	t->pid = fork();
	assert_true(t->pid >= 0);
	if(t->pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		dup2(from[1], 2);
		close(to[1]);
		close(from[0]);
		alarm(LIMIT_MS / 1000 * 2);
		execvp(args[0], args);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	t->in = to[1];
	t->out = from[0];
	assert_int_equal(fcntl(t->out, F_SETFL, O_NONBLOCK), 0);
}

static void tool_read(struct tool *t)
{
	ssize_t n = read(t->out, t->text + t->len, sizeof(t->text) - 1 - t->len);

	if(n > 0)
		t->len += (size_t)n;
	t->is_over = n == 0;
}

static bool tool_has(const struct tool *t, const char *text)
{
	return strstr(t->text, text) != NULL;
}

/* The same for what it is to show. OpenSSL 3.2 and later print a common name without blanks. */
static bool tool_shows(const struct tool *t, const char *text)
{
	char other[64];

	if(tool_has(t, text) || strncmp(text, "CN = ", 5) != 0)
		return tool_has(t, text);
	snprintf(other, sizeof(other), "CN=%s", text + 5);
	return tool_has(t, other);
}

static void tool_stop(struct tool *t)
{
	kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
	close(t->in);
	close(t->out);
}

/* ---- an end of this module ---- */

/** One association and its socket. */
struct end
{
	enum tlsg_role role;
	const struct tlsg_conn_pair_setup *setup;
	struct tlsg_conn_limits limits;
	struct tlsg_conn *conn;
	int fd;
	struct sockaddr_in peer;
	unsigned asked; /* for cookies */
	unsigned fresh; /* associations so far */
	bool resumed;	/* the last one */
	bool replied;
	char got[65536]; /* text of the peer */
	size_t got_len;
	enum tlsg_ret last;
	struct tlsg_err err;
};

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void clock_set(void)
{
	tlsg_stub_ticks_set((ticks_t)(clock_ms() * TIMER_TICKS_HZ / 1000));
}

static int udp_socket(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static unsigned char out_bytes[TLSG_DATAGRAM_OUT_BYTES];
static unsigned char clear_bytes[TLSG_DATAGRAM_TEXT_MAX];
static struct tlsg_buf out;
static struct tlsg_datagrams sent;

static struct tlsg_io io_of(struct end *e, struct tlsg_buf *in)
{
	tlsg_buf_init(&out, out_bytes, sizeof(out_bytes));
	sent.count = 0;
	return (struct tlsg_io){.in = in, .out = &out, .sent = &sent, .limits = &e->limits};
}

static void send_out(struct end *e)
{
	unsigned i;

	for(i = 0; i < sent.count; i++) {
		(void)sendto(e->fd, out.data + out.rd, sent.size[i], 0, (struct sockaddr *)&e->peer, sizeof(e->peer));
		out.rd += sent.size[i];
	}
}

static void conn_make(struct end *e, const char *sni, const gnutls_dtls_prestate_st *start)
{
	struct tlsg_conn_params p = {.set = tlsg_set_get(),
			.query = {.role = e->role},
			.deadline_s = 20,
			.datagram = true,
			.mtu = e->setup->mtu,
			.start = start};

	if(sni != NULL)
		p.sni = p.query.server_name = (str){(char *)sni, (int)strlen(sni)};
	tlsg_conn_free(e->conn);
	e->conn = tlsg_conn_new(&p, &e->err);
	if(e->conn == NULL)
		fail_msg("%s", e->err.text);
	e->fresh++;
	e->replied = false;
}

static void say(struct end *e, const char *text)
{
	struct tlsg_io io = io_of(e, NULL);
	size_t used;

	e->last = tlsg_conn_write(e->conn, &io, text, strlen(text), &used, &e->err);
	send_out(e);
}

/* A first datagram: a cookie, then an association. @return false: nothing else is to be done with it. */
static bool accept_first(struct end *e, struct tlsg_buf *in, const struct sockaddr_in *from)
{
	struct tlsg_cookie_ends ends = {.peer.len = 4, .local.len = 4, .peer_port = ntohs(from->sin_port)};
	unsigned char reply[TLSG_COOKIE_REPLY_BYTES];
	gnutls_dtls_prestate_st start;

	memcpy(ends.peer.bytes, &from->sin_addr, 4);
	switch(tlsg_cookie_check(in, &ends, time(NULL), reply, &start)) {
		case TLSG_COOKIE_ASK:
			e->asked++;
			(void)sendto(e->fd, reply, sizeof(reply), 0, (const struct sockaddr *)from, sizeof(*from));
			return false;
		case TLSG_COOKIE_GOOD:
			conn_make(e, NULL, &start);
			e->peer = *from;
			return true;
		default:
			return false;
	}
}

static void receive(struct end *e)
{
	static unsigned char bytes[65536];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(e->fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
	struct tlsg_buf in, clear;
	struct tlsg_io io;

	if(n <= 0)
		return;
	tlsg_buf_init_filled(&in, bytes, (size_t)n);
	if(e->role == TLSG_SERVER && (e->conn == NULL || from.sin_port != e->peer.sin_port) && !accept_first(e, &in, &from))
		return;
	do {
		tlsg_buf_init(&clear, clear_bytes, sizeof(clear_bytes));
		io = io_of(e, &in);
		e->last = tlsg_conn_read(e->conn, &io, &clear, &e->err);
		send_out(e);
		if(e->last == TLSG_OK) {
			memcpy(e->got + e->got_len, clear_bytes, clear.wr);
			e->got_len += clear.wr;
		}
	} while(e->last == TLSG_OK);
	if(e->last == TLSG_EOF) { /* clients wait for the answer */
		io = io_of(e, NULL);
		tlsg_conn_close_notify(e->conn, &io);
		send_out(e);
	}
}

/* @return false: the time is over; when the tool has ended, soon. */
static bool has_time(const struct tool *t, int64_t *until)
{
	if(t->is_over && *until > clock_ms() + AFTER_MS)
		*until = clock_ms() + AFTER_MS;
	return clock_ms() < *until;
}

/* One turn: what arrives, the timer, the tool's text. */
static void turn(struct end *e, struct tool *t)
{
	struct pollfd fds[] = {{e->fd, POLLIN, 0}, {t->is_over ? -1 : t->out, POLLIN, 0}};

	(void)poll(fds, 2, 50);
	clock_set();
	tool_read(t);
	receive(e);
	if(e->conn != NULL && tlsg_conn_state(e->conn) != TLSG_CONN_FAILED && tlsg_conn_datagram_timeout_ms(e->conn) == 0) {
		struct tlsg_io io = io_of(e, NULL);

		e->last = tlsg_conn_datagram_timer(e->conn, &io, &e->err);
		send_out(e);
	}
	if(e->conn != NULL && tlsg_conn_is_established(e->conn))
		e->resumed = tlsg_peer_get(e->conn)->resumed;
}

static void end_start(struct end *e, enum tlsg_role role, const struct tlsg_conn_pair_setup *u, uint16_t *port)
{
	memset(e, 0, sizeof(*e));
	e->role = role;
	e->setup = u;
	e->limits = (struct tlsg_conn_limits){.queue = {.con_max_bytes = 65536, .max_bytes = 1 << 20, .block_bytes = 4096}};
	tlsg_err_clear(&e->err);
	clock_set();
	tlsg_set_publish(tlsg_conn_pair_set(u));
	e->fd = udp_socket(port);
}

static void end_stop(struct end *e)
{
	tlsg_conn_free(e->conn);
	close(e->fd);
}

/* ---- a client of a tool ---- */

/** One row of the tests of our server. */
struct client_row
{
	const char *name;
	const char *tool; /* to skip it */
	const char *line; /* %u: port; $D: folder of certificates */
	struct tlsg_conn_pair_setup setup;
	bool is_refused;
	unsigned associations; /* until it is over */
	bool resumed;
	const char *shows; /* printed by the tool, NULL nothing */
};

#define S_CLIENT "openssl s_client -dtls1_2 -connect 127.0.0.1:%u -CAfile $D/ca.crt"
#define CLI_REST \
	" --udp --port %u --x509cafile $D/ca.crt --verify-hostname localhost --sni-hostname localhost 127.0.0.1"
#define OWN_CERT " -cert $D/client.crt -key $D/client.key"
#define CLI_CERT "--x509certfile $D/client.crt --x509keyfile $D/client.key"

static const struct client_row clients[] = {
		{"s_client", "openssl", S_CLIENT, {.datagram = true}, .shows = "Verify return code: 0"},
		{"s_client, RSA", "openssl", S_CLIENT, {.datagram = true, .server = "rsa"}, .shows = "Verify return code: 0"},
		{"s_client, static RSA", "openssl", S_CLIENT " -cipher AES128-SHA:@SECLEVEL=0",
				{.datagram = true, .server = "rsa", .ciphers = "AES128-SHA:@SECLEVEL=0"},
				.shows = "Cipher is AES128-SHA"},
		{"s_client, small MTU", "openssl", S_CLIENT " -mtu 300", {.datagram = true, .mtu = 256, .server = "rsa"},
				.shows = "Verify return code: 0"},
		{"s_client, client certificate", "openssl", S_CLIENT OWN_CERT, {.datagram = true, .server_requires = 1},
				.shows = "Verify return code: 0"},
		{"s_client, client certificate, small MTU", "openssl", S_CLIENT OWN_CERT " -mtu 300",
				{.datagram = true, .server_requires = 1, .mtu = 300}, .shows = "Verify return code: 0"},
		{"s_client without its certificate", "openssl", S_CLIENT, {.datagram = true, .server_requires = 1},
				.is_refused = true},
		{"s_client, server name", "openssl", S_CLIENT " -servername named.example -verify_hostname named.example",
				{.datagram = true, .with_named = true}, .shows = "CN = named.example"},
		{"s_client, DTLS 1.0", "openssl",
				"openssl s_client -dtls1 -cipher DEFAULT:@SECLEVEL=0 -connect 127.0.0.1:%u -CAfile $D/ca.crt",
				{.datagram = true, .method = TLSG_METHOD_TLSV1_PLUS, .ciphers = "DEFAULT:@SECLEVEL=0"},
				.shows = "Protocol  : DTLSv1\n"},
		{"s_client, DTLS 1.0 refused", "openssl",
				"openssl s_client -dtls1 -cipher DEFAULT:@SECLEVEL=0 -connect 127.0.0.1:%u -CAfile $D/ca.crt",
				{.datagram = true, .ciphers = "DEFAULT:@SECLEVEL=0"}, .is_refused = true},
		{"s_client, first session", "openssl", S_CLIENT " -sess_out $D/session", {.datagram = true, .cache = true},
				.shows = "Verify return code: 0"},
		{"s_client, resumed", "openssl", S_CLIENT " -sess_in $D/session", {.datagram = true, .cache = true},
				.resumed = true, .shows = "Reused"},
		{"gnutls-cli", "gnutls-cli", "gnutls-cli" CLI_REST, {.datagram = true}, .shows = "The certificate is trusted"},
		{"gnutls-cli, small MTU", "gnutls-cli", "gnutls-cli --mtu 300" CLI_REST,
				{.datagram = true, .mtu = 256, .server = "rsa"}, .shows = "The certificate is trusted"},
		{"gnutls-cli, client certificate", "gnutls-cli", "gnutls-cli " CLI_CERT CLI_REST,
				{.datagram = true, .server_requires = 1}, .shows = "The certificate is trusted"},
		{"gnutls-cli, resumed", "gnutls-cli", "gnutls-cli --resume" CLI_REST, {.datagram = true, .cache = true},
				.associations = 2, .resumed = true, .shows = "This is a resumed session"},
};

/* Puts the port and the folder into a command line. */
static const char *line_of(const char *line, uint16_t port)
{
	static char text[2048];
	str dir = tlsg_conn_pair_dir();
	size_t n = 0;

	for(; *line != '\0'; line++) {
		assert_true(n + 128 < sizeof(text));
		if(line[0] == '%' && line[1] == 'u')
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%u", port), line++;
		else if(line[0] == '$' && line[1] == 'D')
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s", dir.len, dir.s), line++;
		else
			text[n++] = *line;
	}
	text[n] = '\0';
	return text;
}

static void test_client(void **state)
{
	static struct end e;
	static struct tool t;
	const struct client_row *row = *state;
	unsigned associations = row->associations != 0 ? row->associations : 1;
	int64_t until = clock_ms() + LIMIT_MS;
	bool wrote = false, done = false;
	uint16_t port;

	if(!is_installed(row->tool)) {
		print_message("SKIPPED: %s: %s is not installed\n", row->name, row->tool);
		skip();
	}
	end_start(&e, TLSG_SERVER, &row->setup, &port);
	tool_start(&t, line_of(row->line, port));
	while(!done && has_time(&t, &until)) {
		turn(&e, &t);
		if(row->is_refused) {
			done = e.last < 0;
			continue;
		}
		if(e.last < 0)
			break;
		if(e.conn == NULL || !tlsg_conn_is_established(e.conn) || e.fresh < associations)
			continue;
		if(!wrote) {
			assert_int_equal(write(t.in, PING "\n", strlen(PING "\n")), strlen(PING "\n"));
			wrote = true;
		}
		if(strstr(e.got, PING) != NULL && !e.replied) {
			e.replied = true;
			say(&e, "SIP/2.0 200 OK\r\n");
		}
		done = e.replied && tool_has(&t, "SIP/2.0 200 OK") && (row->shows == NULL || tool_shows(&t, row->shows));
	}
	tool_stop(&t);
	if(!done) { /* fail_msg() cuts it */
		print_message("%s\n", t.text);
		fail_msg("%s: last %d \"%s\", text \"%s\"", row->name, e.last, e.err.text, e.got);
	}
	assert_true(e.asked >= associations);
	assert_int_equal(e.resumed, row->resumed);
	end_stop(&e);
}

/* ---- a server of a tool ---- */

/** One row of the tests of our client. */
struct server_row
{
	const char *name;
	const char *tool;
	const char *line;
	struct tlsg_conn_pair_setup setup;
	const char *sni;
	bool is_refused;
	const char *shows;
};

#define S_SERVER "openssl s_server -dtls1_2 -accept %u -cert $D/ec.crt -key $D/ec.key"
#define SERV "gnutls-serv --udp --echo -p %u --x509certfile $D/ec.crt --x509keyfile $D/ec.key"

static const struct server_row servers[] = {
		{"s_server", "openssl", S_SERVER " -quiet", {.datagram = true, .client_verifies = 1}, .sni = "localhost"},
		{"s_server -listen", "openssl", S_SERVER " -listen", {.datagram = true, .client_verifies = 1},
				.sni = "localhost"},
		{"s_server -listen, small MTU", "openssl",
				"openssl s_server -dtls1_2 -accept %u -cert $D/rsa.crt -key $D/rsa.key -listen -mtu 300",
				{.datagram = true, .client_verifies = 1, .mtu = 256}, .sni = "localhost"},
		{"s_server, client certificate", "openssl",
				S_SERVER " -listen -Verify 2 -verify_return_error -CAfile $D/ca.crt",
				{.datagram = true, .client_verifies = 1, .client = "client"}, .sni = "localhost",
				.shows = "CN = alice"},
		{"s_server, client without its certificate", "openssl",
				S_SERVER " -listen -Verify 2 -verify_return_error -CAfile $D/ca.crt", {.datagram = true},
				.sni = "localhost", .is_refused = true},
		{"s_server, unknown issuer", "openssl", S_SERVER " -listen",
				{.datagram = true, .client_verifies = 1, .client_ca = "named"}, .sni = "localhost", .is_refused = true},
		{"gnutls-serv", "gnutls-serv", SERV, {.datagram = true, .client_verifies = 1}, .sni = "localhost"},
		{"gnutls-serv, small MTU", "gnutls-serv", SERV " --mtu 300",
				{.datagram = true, .client_verifies = 1, .mtu = 256}, .sni = "localhost"},
		{"gnutls-serv, client certificate", "gnutls-serv",
				SERV " --require-client-cert --verify-client-cert --x509cafile $D/ca.crt",
				{.datagram = true, .client_verifies = 1, .client = "client"}, .sni = "localhost"},
};

static void test_server(void **state)
{
	static struct end e;
	static struct tool t;
	const struct server_row *row = *state;
	bool echoes = strcmp(row->tool, "gnutls-serv") == 0;
	int64_t until = clock_ms() + LIMIT_MS;
	bool wrote = false, done = false;
	uint16_t port;

	if(!is_installed(row->tool)) {
		print_message("SKIPPED: %s: %s is not installed\n", row->name, row->tool);
		skip();
	}
	close(udp_socket(&port)); /* a free port for the tool */
	tool_start(&t, line_of(row->line, port));
	end_start(&e, TLSG_CLIENT, &row->setup, &(uint16_t){0});
	e.peer = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(port)};
	conn_make(&e, row->sni, NULL);
	say(&e, PING "\n"); /* queued; the first hello may come too early and is sent again */
	while(!done && has_time(&t, &until)) {
		turn(&e, &t);
		if(e.last < 0) {
			done = row->is_refused;
			break;
		}
		if(!tlsg_conn_is_established(e.conn) || row->is_refused)
			continue;
		if(!wrote && !echoes)
			assert_int_equal(write(t.in, TOOL_SAYS "\n", strlen(TOOL_SAYS "\n")), strlen(TOOL_SAYS "\n"));
		wrote = true;
		done = strstr(e.got, echoes ? PING : TOOL_SAYS) != NULL && (echoes || tool_has(&t, PING))
			   && (row->shows == NULL || tool_shows(&t, row->shows));
	}
	tool_stop(&t);
	if(!done) { /* fail_msg() cuts it */
		print_message("%s\n", t.text);
		fail_msg("%s: last %d \"%s\", text \"%s\"", row->name, e.last, e.err.text, e.got);
	}
	end_stop(&e);
}

static int group_setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if(tlsg_conn_pair_start_all(rows, sizeof(rows) / sizeof(rows[0])) != 0)
		return -1;
	return tlsg_cookie_global_init() == TLSG_OK ? 0 : -1;
}

static int group_teardown(void **state)
{
	(void)state;
	tlsg_cookie_global_deinit();
	return tlsg_conn_pair_stop();
}

int main(void)
{
	enum
	{
		CLIENTS = sizeof(clients) / sizeof(clients[0]),
		SERVERS = sizeof(servers) / sizeof(servers[0])
	};
	struct CMUnitTest tests[CLIENTS + SERVERS];
	size_t i;

	for(i = 0; i < CLIENTS; i++)
		tests[i] = (struct CMUnitTest){
				.name = clients[i].name, .test_func = test_client, .initial_state = (void *)(uintptr_t)&clients[i]};
	for(i = 0; i < SERVERS; i++)
		tests[CLIENTS + i] = (struct CMUnitTest){
				.name = servers[i].name, .test_func = test_server, .initial_state = (void *)(uintptr_t)&servers[i]};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
