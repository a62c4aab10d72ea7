/*
 * tls_gnutls - what the benchmark's programs share: messages, numbers, the request, OpenSSL's context
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a process of its own, started by bench.py.   Memory: heap.   Lock: none, one thread.
 */
#include "bench_parts.h"

#include <errno.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *format, ...)
{
	va_list args;
	unsigned long code;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	while((code = ERR_get_error()) != 0)
		fprintf(stderr, "%s: OpenSSL: %s\n", program_invocation_short_name, ERR_error_string(code, NULL));
	exit(1);
}

double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

long number_parse(const char *text, const char *name, long min, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if(errno != 0 || end == text || *end != '\0' || value < min || value > max)
		die("--%s: '%s' is not a number from %ld to %ld", name, text, min, max);
	return value;
}

static int version_parse(const char *text)
{
	if(strcmp(text, "1.2") == 0)
		return TLS1_2_VERSION;
	if(strcmp(text, "1.3") == 0)
		return TLS1_3_VERSION;
	die("--version: '%s' is neither 1.2 nor 1.3", text);
}

void target_option(struct target *target, int c)
{
	switch(c) {
		case 'p':
			target->port = number_parse(optarg, "port", 1, 65535);
			break;
		case 'v':
			target->version = version_parse(optarg);
			break;
		case 'a':
			target->ca_file = optarg;
			break;
		default:
			exit(2);
	}
}

void client_init(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

SSL_CTX *client_context(int version, const char *ca_file, int (*new_cb)(SSL *, SSL_SESSION *), void *app)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if(!ctx)
		die("no TLS context");
	if(!SSL_CTX_set_min_proto_version(ctx, version) || !SSL_CTX_set_max_proto_version(ctx, version))
		die("protocol version refused");
	/* one suite and OpenSSL's usual first group, so that every server does the same cryptography */
	if(!SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384")
			|| !SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384")
			|| !SSL_CTX_set1_groups_list(ctx, "X25519:P-256"))
		die("cipher suites or groups refused");
	if(!SSL_CTX_load_verify_file(ctx, ca_file))
		die("cannot load the CA file");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, new_cb);
	SSL_CTX_set_app_data(ctx, app);
	return ctx;
}

char *request_new(bool tls, long body_bytes, size_t *len)
{
	size_t room = (size_t)body_bytes + 1024;
	char *request = malloc(room);
	int head;

	if(!request)
		die("out of memory");
	head = snprintf(request, room,
			"OPTIONS sip:127.0.0.1 SIP/2.0\r\n"
			"Via: SIP/2.0/%s 127.0.0.1:5060;branch=z9hG4bK-bench-1;rport\r\n"
			"Max-Forwards: 70\r\n"
			"From: <sip:bench@127.0.0.1>;tag=bench\r\n"
			"To: <sip:127.0.0.1>\r\n"
			"Call-ID: bench@127.0.0.1\r\n"
			"CSeq: 1 OPTIONS\r\n"
			"Contact: <sip:bench@127.0.0.1;transport=%s>\r\n"
			"%s"
			"Content-Length: %ld\r\n\r\n",
			tls ? "TLS" : "TCP", tls ? "tls" : "tcp",
			body_bytes > 0 ? "Content-Type: application/octet-stream\r\n" : "", body_bytes);
	memset(request + head, 'x', (size_t)body_bytes);
	*len = (size_t)head + (size_t)body_bytes;
	return request;
}

bool reply_is_complete(const char *reply, size_t len)
{
	if(!strstr(reply, "\r\n\r\n"))
		return false;
	if(strncmp(reply, "SIP/2.0 200 ", 12) != 0)
		die("unexpected reply: %.60s", reply);
	if(!strstr(reply, "\r\nContent-Length: 0\r\n") || strcmp(reply + len - 4, "\r\n\r\n") != 0)
		die("reply with a body or trailing data");
	return true;
}

void line_wait(bool end_allowed)
{
	char line[64];

	if(!fgets(line, sizeof(line), stdin) && !end_allowed)
		exit(0); /* the driver has gone */
}
