/*
 * tls_gnutls - a server and a client connection that talk through memory, for tests
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region; buffers on the heap.  Lock: none, one process at a time.
 */
#include "tests/lib/conn_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "base/scope.h"
#include "profiles/build.h"
#include "profiles/cipher/method.h"
#include "profiles/ticket.h"
#include "transport/conn_bound.h"
#include "transport/stats.h"

#define PIPE_BYTES (1024 * 1024)
#define SPARE_CHUNKS 4
#define DAYS_LONG 3650

static struct tlsg_certs certs;
static char dir[] = "/tmp/tlsg-conn-XXXXXX";

char *tlsg_conn_pair_path(const char *name, const char *suffix)
{
	static char buf[8][128];
	static unsigned turn;
	char *p = buf[turn++ % 8];

	snprintf(p, sizeof(buf[0]), "%s/%s%s", dir, name, suffix);
	return p;
}

str tlsg_conn_pair_dir(void)
{
	return (str){dir, (int)strlen(dir)};
}

const struct tlsg_certs *tlsg_conn_pair_certs(void)
{
	return &certs;
}

int tlsg_conn_pair_start(const struct tlsg_cert_row *rows, size_t len)
{
	if(mkdtemp(dir) == NULL || tlsg_scope_install() != TLSG_OK || tlsg_arena_pool_global_init() != TLSG_OK
			|| tlsg_set_global_init() != TLSG_OK || tlsg_ticket_global_init() != TLSG_OK
			|| tlsg_queue_global_init() != TLSG_OK || tlsg_stats_init() != TLSG_OK
			|| tlsg_arena_pool_init(SPARE_CHUNKS) != TLSG_OK)
		return -1;
	tlsg_conn_pair_add(rows, len);
	return 0;
}

void tlsg_conn_pair_add(const struct tlsg_cert_row *rows, size_t len)
{
	tlsg_certs_make(&certs, rows, len);
}

int tlsg_conn_pair_start_all(const struct tlsg_cert_row *rows, size_t len)
{
	size_t i;

	if(tlsg_conn_pair_start(rows, len) != 0)
		return -1;
	for(i = 0; i < len; i++)
		tlsg_conn_pair_write(rows[i].name, rows[i].name, rows[i].flags & TLSG_CERT_CA ? NULL : rows[i].name);
	return 0;
}

int tlsg_conn_pair_usual(void **state)
{
	static const struct tlsg_cert_row rows[] = {
			{.name = "ca",
					.flags = TLSG_CERT_CA,
					.usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN,
					.from_days = -10,
					.to_days = DAYS_LONG},
			{.name = "other",
					.flags = TLSG_CERT_CA,
					.usage = GNUTLS_KEY_KEY_CERT_SIGN,
					.from_days = -10,
					.to_days = DAYS_LONG},
			{.name = "ec", .issuer = "ca", .cn = "localhost", .from_days = -10, .to_days = DAYS_LONG},
			{.name = "rsa",
					.issuer = "ca",
					.cn = "localhost",
					.key = TLSG_KEY_RSA2048,
					.from_days = -10,
					.to_days = DAYS_LONG},
			{.name = "named", .issuer = "ca", .cn = "named.example", .from_days = -10, .to_days = DAYS_LONG},
			{.name = "client", .issuer = "ca", .cn = "alice", .from_days = -10, .to_days = DAYS_LONG},
			{.name = "stranger", .issuer = "other", .cn = "mallory", .from_days = -10, .to_days = DAYS_LONG},
			{.name = "expired", .issuer = "ca", .cn = "old", .from_days = -10, .to_days = -5},
	};

	(void)state;
	return tlsg_conn_pair_start_all(rows, sizeof(rows) / sizeof(rows[0]));
}

int tlsg_conn_pair_stop(void)
{
	char command[160];

	tlsg_certs_free(&certs);
	tlsg_stats_deinit();
	tlsg_set_global_deinit();
	tlsg_ticket_global_deinit();
	tlsg_queue_global_deinit();
	tlsg_arena_pool_global_deinit();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	if(system(command) != 0)
		return -1;
	if(tlsg_stub_shm_blocks() != 0) {
		print_error("%zu blocks of shared memory are left\n", tlsg_stub_shm_blocks());
		return -1;
	}
	return 0;
}

int tlsg_conn_pair_teardown(void **state)
{
	(void)state;
	return tlsg_conn_pair_stop();
}

void tlsg_conn_pair_write(const char *name, const char *chain, const char *key)
{
	tlsg_certs_write(&certs, tlsg_conn_pair_path(name, ".crt"), chain);
	if(key != NULL)
		tlsg_certs_write_key(&certs, tlsg_conn_pair_path(name, ".key"), key);
}

static str str_of(struct tlsg_set *set, const char *text)
{
	str s = {tlsg_arena_keep_copy(set->arena, text, strlen(text)), (int)strlen(text)};

	return s;
}

static void use_cert(struct tlsg_prof *p, const char *name)
{
	p->s.certificate = str_of(p->set, tlsg_conn_pair_path(name, ".crt"));
	p->s.private_key = str_of(p->set, tlsg_conn_pair_path(name, ".key"));
}

static struct tlsg_prof *prof_add(struct tlsg_set *set, enum tlsg_role role, int method, const char *ca)
{
	struct tlsg_prof *p = tlsg_prof_add(set, role, TLSG_PROF_DEFAULT, NULL, 0);

	p->s.method = method != 0 ? method : TLSG_METHOD_TLSV1_2_PLUS;
	p->s.ca_list = str_of(set, tlsg_conn_pair_path(ca, ".crt"));
	return p;
}

static void server_add(struct tlsg_set *set, const struct tlsg_conn_pair_setup *u)
{
	struct tlsg_prof *p = prof_add(set, TLSG_SERVER, u->method, "ca");

	use_cert(p, u->server != NULL ? u->server : "ec");
	if(u->server2 != NULL) {
		p->s.certificate2 = str_of(set, tlsg_conn_pair_path(u->server2, ".crt"));
		p->s.private_key2 = str_of(set, tlsg_conn_pair_path(u->server2, ".key"));
	}
	p->s.verify_certificate = u->server_verifies;
	p->s.require_certificate = u->server_requires;
	if(u->verify_depth != 0)
		p->s.verify_depth = u->verify_depth;
	if(u->ciphers != NULL)
		p->s.cipher_list = str_of(set, u->ciphers);
}

static void client_add(struct tlsg_set *set, const struct tlsg_conn_pair_setup *u)
{
	struct tlsg_prof *p = prof_add(set, TLSG_CLIENT, u->client_method, u->client_ca != NULL ? u->client_ca : "ca");

	p->s.verify_certificate = u->client_verifies;
	if(u->verify_depth != 0)
		p->s.verify_depth = u->verify_depth;
	if(u->client_ciphers != NULL)
		p->s.cipher_list = str_of(set, u->client_ciphers);
	if(u->client != NULL)
		use_cert(p, u->client);
}

static void named_add(struct tlsg_set *set)
{
	struct tlsg_prof *p = tlsg_prof_add(set, TLSG_SERVER, TLSG_PROF_ANY, NULL, 0);

	p->s.method = TLSG_METHOD_TLSV1_2;
	use_cert(p, "named");
	p->s.server_name = str_of(set, "named.example");
}

struct tlsg_set *tlsg_conn_pair_set(const struct tlsg_conn_pair_setup *u)
{
	struct tlsg_set_options o = {.session_id = {"test", 4},
			.config_dir = tlsg_conn_pair_dir(),
			.session_cache = u->cache,
			.datagram = u->datagram};
	struct tlsg_set *set = tlsg_set_new(&o);
	struct tlsg_err err;

	tlsg_err_clear(&err);
	assert_non_null(set);
	server_add(set, u);
	client_add(set, u);
	if(u->with_named)
		named_add(set);
	if(tlsg_build_set(set, &err) != TLSG_OK)
		fail_msg("%s", err.text);
	return set;
}

static void side_new(
		struct tlsg_conn_pair *x, const struct tlsg_conn_pair_setup *u, enum tlsg_role role, const char *sni)
{
	struct tlsg_conn_params p = {
			.set = tlsg_set_get(), .query = {.role = role}, .deadline_s = 30, .datagram = u->datagram, .mtu = u->mtu};

	tlsg_err_clear(&x->err[role]);
	if(role == TLSG_CLIENT) {
		p.remote = (struct tlsg_addr){.len = 4, .bytes = {127, 0, 0, 1}};
		p.remote_port = 5061;
	}
	if(role == TLSG_CLIENT && sni != NULL) {
		p.sni.s = (char *)sni;
		p.sni.len = (int)strlen(sni);
		p.query.server_name = p.sni;
	}
	x->conn[role] = tlsg_conn_new(&p, &x->err[role]);
	if(x->conn[role] == NULL)
		fail_msg("%s", x->err[role].text);
	tlsg_buf_init(&x->wire[role], malloc(PIPE_BYTES), PIPE_BYTES);
	tlsg_buf_init(&x->clear[role], malloc(PIPE_BYTES), PIPE_BYTES);
}

struct tlsg_conn_pair *tlsg_conn_pair_new(const struct tlsg_conn_pair_setup *u, const char *sni)
{
	tlsg_set_publish(tlsg_conn_pair_set(u));
	return tlsg_conn_pair_more(u, sni);
}

struct tlsg_conn_pair *tlsg_conn_pair_more(const struct tlsg_conn_pair_setup *u, const char *sni)
{
	struct tlsg_conn_pair *x = calloc(1, sizeof(*x));

	x->limits = (struct tlsg_conn_limits){.queue = {.con_max_bytes = 65536, .max_bytes = 1 << 20, .block_bytes = 4096},
			.renegotiation = u->renegotiation};
	x->datagram = u->datagram;
	side_new(x, u, TLSG_SERVER, sni);
	side_new(x, u, TLSG_CLIENT, sni);
	return x;
}

void tlsg_conn_pair_restart(
		struct tlsg_conn_pair *x, const struct tlsg_conn_pair_setup *u, const gnutls_dtls_prestate_st *start)
{
	struct tlsg_conn_params p = {.set = tlsg_set_get(),
			.query = {.role = TLSG_SERVER},
			.deadline_s = 30,
			.datagram = true,
			.mtu = u->mtu,
			.start = start};

	tlsg_conn_free(x->conn[TLSG_SERVER]);
	x->conn[TLSG_SERVER] = tlsg_conn_new(&p, &x->err[TLSG_SERVER]);
	if(x->conn[TLSG_SERVER] == NULL)
		fail_msg("%s", x->err[TLSG_SERVER].text);
}

void tlsg_conn_pair_free(struct tlsg_conn_pair *x)
{
	int role;

	for(role = 0; role < 2; role++) {
		tlsg_conn_free(x->conn[role]);
		free(x->wire[role].data);
		free(x->clear[role].data);
	}
	free(x);
}

enum tlsg_ret tlsg_conn_pair_send(struct tlsg_conn_pair *x, int role, const char *data, size_t size)
{
	struct tlsg_io io = {.out = &x->wire[!role], .sent = &x->sizes[!role], .limits = &x->limits};
	size_t used = 0;
	enum tlsg_ret ret = tlsg_conn_write(x->conn[role], &io, data, size, &used, &x->err[role]);

	if(ret == TLSG_OK || ret == TLSG_AGAIN)
		assert_int_equal(used, size);
	return ret;
}

/* Takes the first datagram out of the list. @return its size; 0: none. */
static size_t first_size(struct tlsg_datagrams *d)
{
	size_t size = d->count > 0 ? d->size[0] : 0;

	if(d->count > 0)
		memmove(d->size, d->size + 1, --d->count * sizeof(d->size[0]));
	return size;
}

size_t tlsg_conn_pair_deliver(struct tlsg_conn_pair *x, int role)
{
	struct tlsg_buf *wire = &x->wire[role];
	size_t n = tlsg_buf_filled(wire), held;
	struct tlsg_buf in;
	struct tlsg_io io = {.in = &in, .out = &x->wire[!role], .sent = &x->sizes[!role], .limits = &x->limits};

	if(x->datagram)
		n = first_size(&x->sizes[role]);
	else if(x->chunk != 0 && n > x->chunk)
		n = x->chunk;
	if(n == 0)
		return 0;
	tlsg_buf_init_filled(&in, wire->data + wire->rd, n);
	do
		x->last[role] = tlsg_conn_read(x->conn[role], &io, &x->clear[role], &x->err[role]);
	while(x->last[role] == TLSG_OK);
	wire->rd += x->last[role] < 0 || x->datagram ? n : in.rd;
	if(wire->rd == wire->wr)
		wire->rd = wire->wr = 0;
	held = tlsg_conn_bound_held(x->conn[role]);
	if(held > x->most[role])
		x->most[role] = held;
	return n;
}

void tlsg_conn_pair_run(struct tlsg_conn_pair *x)
{
	while(tlsg_conn_pair_deliver(x, TLSG_SERVER) + tlsg_conn_pair_deliver(x, TLSG_CLIENT) > 0)
		;
}

void tlsg_conn_pair_handshake(struct tlsg_conn_pair *x)
{
	(void)tlsg_conn_pair_send(x, TLSG_CLIENT, "", 0);
	tlsg_conn_pair_run(x);
}

void tlsg_conn_pair_assert_established(const struct tlsg_conn_pair *x)
{
	int role;

	for(role = 0; role < 2; role++) {
		if(!tlsg_conn_is_established(x->conn[role]))
			fail_msg("%s: %s", role == TLSG_SERVER ? "server" : "client", x->err[role].text);
		assert_int_equal(tlsg_conn_state(x->conn[role]), TLSG_CONN_ESTABLISHED);
	}
}

void tlsg_conn_pair_assert_text(struct tlsg_conn_pair *x, int role, const char *text)
{
	assert_int_equal(tlsg_buf_filled(&x->clear[role]), strlen(text));
	assert_memory_equal(x->clear[role].data + x->clear[role].rd, text, strlen(text));
	x->clear[role].rd = x->clear[role].wr;
}
