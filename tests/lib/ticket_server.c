/*
 * tls_gnutls - a GnuTLS client that offers session tickets, also altered ones, to a server connection of the module
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests and fuzz targets.  Memory: the stand-in's shared region; the client's on the heap.  Lock: none.
 */
#include "tests/lib/ticket_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/host.h"
#include "base/scope.h"
#include "profiles/build.h"
#include "profiles/cipher/method.h"
#include "profiles/creds.h"
#include "profiles/ticket.h"
#include "profiles/ticket_file.h"
#include "tests/lib/certs.h"
#include "tests/lib/tls_pair.h"
#include "transport/conn.h"
#include "base/arena_pool.h"

#define STEPS 12

static const struct tlsg_cert_row rows[] = {{.name = "ec", .cn = "localhost", .from_days = -10, .to_days = 3650}};

static struct tlsg_certs certs;
static char dir[] = "/tmp/tlsg-ticket-XXXXXX";
static gnutls_certificate_credentials_t cred;

static void require(bool fine, const char *what)
{
	if(fine)
		return;
	fprintf(stderr, "tests/lib/ticket.c: %s\n", what);
	abort();
}

static str path_in(struct tlsg_set *set, const char *name)
{
	char path[128];
	int len = snprintf(path, sizeof(path), "%s/%s", dir, name);
	str s = {tlsg_arena_keep_copy(set->arena, path, (size_t)len), len};

	return s;
}

const char *tlsg_ticket_server_path(const char *name, char buf[128])
{
	snprintf(buf, 128, "%s/%s", dir, name);
	return buf;
}

void tlsg_ticket_server_publish(const char *key_file, const char *name)
{
	str files = {(char *)key_file, key_file != NULL ? (int)strlen(key_file) : 0};
	struct tlsg_set_options o = {
			.session_id = {"test", 4}, .config_dir = {dir, (int)strlen(dir)}, .session_cache = true};
	struct tlsg_set *set = tlsg_set_new(&o);
	struct tlsg_err err;
	struct tlsg_prof *p;

	tlsg_err_clear(&err);
	require(set != NULL, "no snapshot");
	p = tlsg_prof_add(set, TLSG_SERVER, TLSG_PROF_DEFAULT, NULL, 0);
	p->s.method = TLSG_METHOD_TLSV1_2_PLUS;
	p->s.certificate = path_in(set, "ec.pem");
	p->s.private_key = path_in(set, "ec.key");
	if(name != NULL)
		p->s.server_name = (str){tlsg_arena_keep_copy(set->arena, name, strlen(name)), (int)strlen(name)};
	require(tlsg_ticket_file_load(set, &files, &err) == TLSG_OK, err.text);
	require(tlsg_build_set(set, &err) == TLSG_OK, err.text);
	tlsg_set_publish(set);
}

int tlsg_ticket_server_start(void **state)
{
	char path[128];

	(void)state;
	if(mkdtemp(dir) == NULL || tlsg_scope_install() != TLSG_OK || tlsg_arena_pool_global_init() != TLSG_OK
			|| tlsg_set_global_init() != TLSG_OK || tlsg_ticket_global_init() != TLSG_OK
			|| tlsg_queue_global_init() != TLSG_OK || tlsg_arena_pool_init(4) != TLSG_OK
			|| gnutls_certificate_allocate_credentials(&cred) < 0)
		return -1;
	tlsg_certs_make(&certs, rows, 1);
	snprintf(path, sizeof(path), "%s/ec.pem", dir);
	tlsg_certs_write(&certs, path, "ec");
	snprintf(path, sizeof(path), "%s/ec.key", dir);
	tlsg_certs_write_key(&certs, path, "ec");
	tlsg_ticket_server_publish(NULL, NULL);
	return 0;
}

int tlsg_ticket_server_stop(void **state)
{
	char command[160];

	(void)state;
	gnutls_certificate_free_credentials(cred);
	tlsg_certs_free(&certs);
	tlsg_set_global_deinit();
	tlsg_ticket_global_deinit();
	tlsg_queue_global_deinit();
	tlsg_arena_pool_global_deinit();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) == 0 && tlsg_stub_shm_blocks() == 0 ? 0 : -1;
}

/* ---- one connection ---- */

/** Moves the content of a pipe into the connection, and its reply into the other one. */
static enum tlsg_ret serve(struct tlsg_conn *c, struct tlsg_test_pipe *from, struct tlsg_test_pipe *to)
{
	static unsigned char clear_bytes[1024];
	struct tlsg_conn_limits limits = {.queue = {.con_max_bytes = 1024, .max_bytes = 1024, .block_bytes = 1024}};
	struct tlsg_buf in, out, clear;
	struct tlsg_io io = {.in = &in, .out = &out, .limits = &limits};
	struct tlsg_err err;
	enum tlsg_ret ret;

	tlsg_err_clear(&err);
	tlsg_buf_init_filled(&in, from->data + from->rd, from->wr - from->rd);
	/* Keeps what the client has not read yet: tickets are sent before the client's Finished. */
	tlsg_buf_init(&out, to->data + to->wr, sizeof(to->data) - to->wr);
	tlsg_buf_init(&clear, clear_bytes, sizeof(clear_bytes));
	ret = tlsg_conn_read(c, &io, &clear, &err);
	tlsg_test_pipe_init(from);
	to->wr += out.wr;
	return ret;
}

static gnutls_session_t client_new(gnutls_protocol_t version, struct tlsg_test_end *end)
{
	gnutls_session_t client;

	require(gnutls_init(&client, GNUTLS_CLIENT | GNUTLS_NONBLOCK) >= 0, "no client");
	require(gnutls_credentials_set(client, GNUTLS_CRD_CERTIFICATE, cred) >= 0, "no credentials");
	require(gnutls_priority_set_direct(client,
					version == GNUTLS_TLS1_3 ? "NORMAL:-VERS-ALL:+VERS-TLS1.3" : "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL)
					>= 0,
			"no priority");
	tlsg_test_end_attach(end, client);
	return client;
}

/** In TLS 1.3 the ticket follows the handshake. */
static void client_take_ticket(gnutls_session_t client, struct tlsg_ticket_result *r)
{
	bool there = gnutls_protocol_get_version(client) != GNUTLS_TLS1_3;
	char byte;
	int steps;

	for(steps = 0; steps < STEPS && !there; steps++) {
		(void)gnutls_record_recv(client, &byte, 1);
		there = (gnutls_session_get_flags(client) & GNUTLS_SFLAGS_SESSION_TICKET) != 0;
	}
	if(there)
		require(gnutls_session_get_data2(client, &r->session) >= 0, "no session data");
}

void tlsg_ticket_connect(gnutls_protocol_t version, const gnutls_datum_t *offered, struct tlsg_ticket_result *result)
{
	static struct tlsg_test_pipe to_server, to_client;
	struct tlsg_conn_params params = {.query = {.role = TLSG_SERVER}};
	struct tlsg_test_end end = {.in = &to_client, .out = &to_server};
	struct tlsg_ticket_result r = {.server = TLSG_AGAIN, .client = GNUTLS_E_AGAIN};
	gnutls_session_t client = client_new(version, &end);
	struct tlsg_conn *c;
	struct tlsg_err err;
	int steps;

	tlsg_err_clear(&err);
	params.set = tlsg_set_get();
	c = tlsg_conn_new(&params, &err);
	require(c != NULL, err.text);
	tlsg_test_pipe_init(&to_server);
	tlsg_test_pipe_init(&to_client);
	if(offered != NULL && gnutls_session_set_data(client, offered->data, offered->size) < 0)
		r.client = GNUTLS_E_DB_ERROR;
	for(steps = 0; steps < STEPS && r.server >= 0 && (r.client == GNUTLS_E_AGAIN || to_server.wr > to_server.rd);
			steps++) {
		if(r.client == GNUTLS_E_AGAIN)
			r.client = gnutls_handshake(client);
		if(to_server.wr > to_server.rd)
			r.server = serve(c, &to_server, &to_client);
	}
	if(r.client == 0 && r.server >= 0) {
		r.resumed = gnutls_session_is_resumed(client) != 0;
		client_take_ticket(client, &r);
	}
	gnutls_deinit(client);
	tlsg_conn_free(c);
	*result = r;
}
