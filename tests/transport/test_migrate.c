/*
 * tls_gnutls - tests that sessions in arenas move between processes at any step
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process and its workers.  Memory: the stand-in's region; credentials and keys on each worker's heap.
 * Lock: none; the parent lets one worker at a time do one step of one side.
 *
 * Environment: TLSG_TEST_ROUNDS  connections per scenario, default 6; TLSG_TEST_SEED  start of the sequence of workers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "base/host.h"
#include "base/scope.h"
#include "profiles/cipher/kx_group.h"
#include "tests/lib/arena_stats.h"
#include "tests/lib/certs.h"
#include "tests/lib/tls_pair.h"

#define WORKERS 4
#define STREAM_BYTES 20000U /* each way */
#define MESSAGE_BYTES 4000U /* at most */
#define HOME_BYTES 13000
#define SMALL_BYTES 5000
#define HEADROOM_BYTES ((size_t)112 * 1024)
#define STEPS_MAX 20000

enum side
{
	SERVER,
	CLIENT
};

/** One kind of connection. */
struct scenario
{
	const char *name;
	const char *priority;		 /* of both sides */
	const char *server_priority; /* NULL: the same */
	size_t most;				 /* bytes that a pull gives, 0 no limit */
	const char *needs;			 /* group that the library may not have; NULL: none */
	bool rsa;					 /* the server has an RSA key only */
	bool client_cert;
	bool resumed;
	bool key_update;
	bool datagram;
};

#define TLS12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define DTLS12 "NORMAL:-VERS-ALL:+VERS-DTLS1.2"
#define HANDSHAKE_MTU 500 /* several fragments of a certificate */
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define HYBRID(groups) TLS13 ":-GROUP-ALL:+GROUP-" groups

static const struct scenario scenarios[] = {
		{.name = "1.3 full", .priority = TLS13},
		{.name = "1.3 RSA", .priority = TLS13, .rsa = true},
		{.name = "1.3 client certificate", .priority = TLS13, .client_cert = true},
		{.name = "1.3 resumed", .priority = TLS13, .resumed = true},
		{.name = "1.3 resumed, client certificate", .priority = TLS13, .resumed = true, .client_cert = true},
		{.name = "1.3 key update", .priority = TLS13, .key_update = true},
		{.name = "1.3 hello retry", .priority = TLS13, .server_priority = TLS13 ":-GROUP-ALL:+GROUP-SECP521R1"},
		{.name = "1.3 chacha, 7 bytes at a time", .priority = TLS13 ":-CIPHER-ALL:+CHACHA20-POLY1305", .most = 7},
		{.name = "1.3 X25519MLKEM768", .priority = HYBRID("X25519-MLKEM768"), .needs = "X25519-MLKEM768"},
		{.name = "1.3 X25519MLKEM768, client certificate",
				.priority = HYBRID("X25519-MLKEM768"),
				.needs = "X25519-MLKEM768",
				.client_cert = true,
				.rsa = true},
		{.name = "1.3 X25519MLKEM768, resumed",
				.priority = HYBRID("X25519-MLKEM768"),
				.needs = "X25519-MLKEM768",
				.resumed = true},
		{.name = "1.3 X25519MLKEM768, 7 bytes at a time",
				.priority = HYBRID("X25519-MLKEM768"),
				.needs = "X25519-MLKEM768",
				.most = 7},
		{.name = "1.3 SecP256r1MLKEM768", .priority = HYBRID("SECP256R1-MLKEM768"), .needs = "SECP256R1-MLKEM768"},
		{.name = "1.3 SecP384r1MLKEM1024", .priority = HYBRID("SECP384R1-MLKEM1024"), .needs = "SECP384R1-MLKEM1024"},
		{.name = "1.3 hello retry to a hybrid",
				.priority = HYBRID("X25519") ":+GROUP-SECP384R1-MLKEM1024",
				.server_priority = HYBRID("SECP384R1-MLKEM1024"),
				.needs = "SECP384R1-MLKEM1024"},
		{.name = "1.2 full", .priority = TLS12},
		{.name = "1.2 RSA", .priority = TLS12, .rsa = true},
		{.name = "1.2 DHE", .priority = TLS12 ":-KX-ALL:+DHE-RSA", .rsa = true},
		{.name = "1.2 static RSA", .priority = TLS12 ":-KX-ALL:+RSA", .rsa = true},
		{.name = "1.2 static RSA, client certificate",
				.priority = TLS12 ":-KX-ALL:+RSA",
				.rsa = true,
				.client_cert = true},
		{.name = "1.2 client certificate", .priority = TLS12, .client_cert = true},
		{.name = "1.2 resumed", .priority = TLS12, .resumed = true},
		{.name = "1.2 resumed, client certificate", .priority = TLS12, .resumed = true, .client_cert = true},
		{.name = "1.2 CBC, 7 bytes at a time", .priority = TLS12 ":-CIPHER-ALL:+AES-128-CBC", .most = 7},
		{.name = "DTLS 1.2 full", .priority = DTLS12, .datagram = true},
		{.name = "DTLS 1.2 RSA", .priority = DTLS12, .rsa = true, .datagram = true},
		{.name = "DTLS 1.2 static RSA, client certificate",
				.priority = DTLS12 ":-KX-ALL:+RSA",
				.rsa = true,
				.client_cert = true,
				.datagram = true},
		{.name = "DTLS 1.2 client certificate", .priority = DTLS12, .client_cert = true, .datagram = true},
		{.name = "DTLS 1.2 resumed, client certificate",
				.priority = DTLS12,
				.resumed = true,
				.client_cert = true,
				.datagram = true},
		{.name = "DTLS 1.2 CBC", .priority = DTLS12 ":-CIPHER-ALL:+AES-128-CBC", .datagram = true},
};

/** A certificate with its chain for selection, and the bytes of its key. All in the snapshot's arena. */
struct identity
{
	gnutls_pcert_st *chain;
	gnutls_privkey_t key; /**< external: its callbacks find this process's real key */
	gnutls_datum_t der;
	gnutls_pk_algorithm_t pk;
	unsigned bits;
	unsigned number;
};

enum
{
	ID_EC,
	ID_RSA,
	ID_CLIENT,
	IDS
};

/** One end of a connection. */
struct end
{
	struct tlsg_arena *arena;
	gnutls_session_t session;
	struct tlsg_test_end wire;
	int worker; /**< the last worker that handled it, -1 none */
	bool done;	/**< handshake */
	bool resumed;
	bool updated;
	bool close_sent;
	bool closed;
	unsigned sent;
	unsigned received;
	unsigned moves;
	size_t held; /**< between steps, at the end */
};

struct conn
{
	unsigned number;
	struct end end[2];
	struct tlsg_test_pipe pipe[2];
	unsigned char ticket[8192];
	size_t ticket_bytes;
	const struct conn *resumes;
	char failure[160];
};

/** What all processes share. */
struct world
{
	struct tlsg_arena *snapshot;
	struct identity id[IDS];
	gnutls_datum_t ca;
	gnutls_datum_t ticket_key;
	gnutls_priority_t priority[2];
	const struct scenario *scenario;
	const void *credentials[WORKERS]; /**< address of each worker's */
	struct conn *conn;
};

static struct world *world; /**< [shm] */

/* ---- private to a worker ---- */

static struct
{
	int number;
	gnutls_privkey_t key[IDS];
	gnutls_certificate_credentials_t cred[2];
	gnutls_certificate_credentials_t spacer[WORKERS];
} mine = {.number = -1};

static gnutls_privkey_t worker_key(const struct identity *id)
{
	gnutls_x509_privkey_t x509;
	gnutls_privkey_t key;

	if(mine.key[id->number] != NULL)
		return mine.key[id->number];
	if(gnutls_x509_privkey_init(&x509) < 0 || gnutls_privkey_init(&key) < 0
			|| gnutls_x509_privkey_import(x509, &id->der, GNUTLS_X509_FMT_DER) < 0
			|| gnutls_privkey_import_x509(key, x509, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE) < 0)
		return NULL;
	mine.key[id->number] = key;
	return key;
}

static int ext_sign_data(gnutls_privkey_t ext, gnutls_sign_algorithm_t algorithm, void *userdata, unsigned flags,
		const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	int err = gnutls_privkey_sign_data2(worker_key(userdata), algorithm, 0, data, signature);

	(void)ext;
	(void)flags;
	tlsg_scope_leave(previous);
	return err;
}

static int ext_sign_hash(gnutls_privkey_t ext, gnutls_sign_algorithm_t algorithm, void *userdata, unsigned flags,
		const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	gnutls_privkey_t key = worker_key(userdata);
	int err;

	(void)ext;
	(void)flags;
	if(algorithm == GNUTLS_SIGN_RSA_RAW)
		err = gnutls_privkey_sign_hash(key, GNUTLS_DIG_UNKNOWN, GNUTLS_PRIVKEY_SIGN_FLAG_TLS1_RSA, hash, signature);
	else
		err = gnutls_privkey_sign_hash2(key, algorithm, 0, hash, signature);
	tlsg_scope_leave(previous);
	return err;
}

static int ext_decrypt(gnutls_privkey_t ext, void *userdata, const gnutls_datum_t *text, gnutls_datum_t *plain)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	int err = gnutls_privkey_decrypt_data(worker_key(userdata), 0, text, plain);

	(void)ext;
	tlsg_scope_leave(previous);
	return err;
}

static int ext_info(gnutls_privkey_t ext, unsigned flags, void *userdata)
{
	const struct identity *id = userdata;

	(void)ext;
	if((flags & GNUTLS_PRIVKEY_INFO_PK_ALGO) != 0)
		return (int)id->pk;
	if((flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS) != 0)
		return (int)id->bits;
	if((flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) != 0)
		return (int)gnutls_sign_supports_pk_algorithm(GNUTLS_FLAGS_TO_SIGN_ALGO(flags), id->pk);
	return -1;
}

static int choose(struct identity *id, gnutls_pcert_st **chain, unsigned *chain_len, gnutls_privkey_t *key)
{
	*chain = id->chain;
	*chain_len = 1;
	*key = id->key;
	return 0;
}

static int choose_server(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **chain,
		unsigned *chain_len, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_len, gnutls_privkey_t *key, unsigned *flags)
{
	(void)session;
	(void)info;
	*ocsp = NULL;
	*ocsp_len = 0;
	*flags = 0;
	return choose(&world->id[world->scenario->rsa ? ID_RSA : ID_EC], chain, chain_len, key);
}

static int choose_client(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **chain,
		unsigned *chain_len, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_len, gnutls_privkey_t *key, unsigned *flags)
{
	(void)session;
	(void)info;
	*ocsp = NULL;
	*ocsp_len = 0;
	*flags = 0;
	return choose(&world->id[ID_CLIENT], chain, chain_len, key);
}

static int verify(gnutls_session_t session)
{
	struct tlsg_arena *previous = tlsg_scope_enter(NULL);
	unsigned status = 1;
	int err = gnutls_certificate_verify_peers3(session, "localhost", &status);

	tlsg_scope_leave(previous);
	return err < 0 || status != 0 ? GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR : 0;
}

/** Credentials of this worker, at a different address in each worker. They are not shared. */
static int worker_credentials(int worker)
{
	int side, i, err = 0;

	mine.number = worker;
	for(i = 0; i < worker && err >= 0; i++) /* the places of the workers before this one */
		err = gnutls_certificate_allocate_credentials(&mine.spacer[i]);
	for(side = 0; side < 2 && err >= 0; side++) {
		err = gnutls_certificate_allocate_credentials(&mine.cred[side]);
		if(err >= 0)
			err = gnutls_certificate_set_x509_trust_mem(mine.cred[side], &world->ca, GNUTLS_X509_FMT_DER);
		gnutls_certificate_set_retrieve_function3(mine.cred[side], side == SERVER ? choose_server : choose_client);
	}
	world->credentials[worker] = mine.cred[SERVER];
	return err < 0 ? err : 0;
}

static void worker_free(void)
{
	int i;

	for(i = 0; i < 2; i++)
		gnutls_certificate_free_credentials(mine.cred[i]);
	for(i = 0; i < IDS; i++)
		gnutls_privkey_deinit(mine.key[i]);
	for(i = 0; i < mine.number; i++)
		gnutls_certificate_free_credentials(mine.spacer[i]);
}

/* ---- one step of one side ---- */

static int conn_fail(struct conn *c, enum side side, const char *what, int err)
{
	(void)snprintf(c->failure, sizeof(c->failure), "connection %u, %s, worker %d: %s: %s", c->number,
			side == SERVER ? "server" : "client", mine.number, what, err < 0 ? gnutls_strerror(err) : "wrong");
	return -1;
}

static unsigned char stream_byte(const struct conn *c, enum side from, unsigned at)
{
	return (unsigned char)(at * 7 + at / 251 + c->number + (from == SERVER ? 100 : 0));
}

static int session_options(struct conn *c, enum side side, gnutls_session_t s)
{
	int err = gnutls_priority_set(s, world->priority[side]);

	if(err >= 0 && side == SERVER)
		err = gnutls_session_ticket_enable_server(s, &world->ticket_key);
	if(err >= 0 && side == CLIENT)
		err = gnutls_server_name_set(s, GNUTLS_NAME_DNS, "localhost", 9);
	if(err >= 0 && side == CLIENT && c->resumes != NULL)
		err = gnutls_session_set_data(s, c->resumes->ticket, c->resumes->ticket_bytes);
	if(side == CLIENT || world->scenario->client_cert)
		gnutls_session_set_verify_function(s, verify);
	if(side == SERVER && world->scenario->client_cert)
		gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUIRE);
	return err;
}

static int session_make(struct conn *c, enum side side)
{
	struct end *e = &c->end[side];
	int err = gnutls_init(&e->session, (side == SERVER ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK
											   | GNUTLS_NO_SIGNAL | (world->scenario->datagram ? GNUTLS_DATAGRAM : 0));

	if(err < 0)
		return conn_fail(c, side, "init", err);
	err = session_options(c, side, e->session);
	if(err < 0)
		return conn_fail(c, side, "options", err);
	e->wire = (struct tlsg_test_end){.in = &c->pipe[side], .out = &c->pipe[1 - side], .most = world->scenario->most};
	if(!world->scenario->datagram) {
		tlsg_test_end_attach(&e->wire, e->session);
		return 0;
	}
	tlsg_test_end_attach_datagrams(&e->wire, e->session);
	gnutls_dtls_set_mtu(e->session, HANDSHAKE_MTU);
	return 0;
}

static int step_handshake(struct conn *c, enum side side)
{
	struct end *e = &c->end[side];
	int err = gnutls_handshake(e->session);

	if(err < 0)
		return gnutls_error_is_fatal(err) != 0 ? conn_fail(c, side, "handshake", err) : 0;
	if(world->scenario->datagram)
		gnutls_dtls_set_mtu(e->session, 2 * MESSAGE_BYTES);
	e->done = true;
	e->resumed = gnutls_session_is_resumed(e->session) != 0;
	return 0;
}

/** Copies the data for resumption as soon as it is there. */
static int step_ticket(struct conn *c)
{
	gnutls_session_t s = c->end[CLIENT].session;
	gnutls_datum_t data;
	int err;

	if(c->ticket_bytes > 0)
		return 0;
	if(gnutls_protocol_get_version(s) == GNUTLS_TLS1_3
			&& (gnutls_session_get_flags(s) & GNUTLS_SFLAGS_SESSION_TICKET) == 0)
		return 0;
	err = gnutls_session_get_data2(s, &data);
	if(err < 0)
		return conn_fail(c, CLIENT, "session data", err);
	if(data.size > sizeof(c->ticket))
		return conn_fail(c, CLIENT, "size of session data", 0);
	memcpy(c->ticket, data.data, data.size);
	c->ticket_bytes = data.size;
	gnutls_free(data.data);
	return 0;
}

static int step_send(struct conn *c, enum side side)
{
	struct end *e = &c->end[side];
	unsigned char text[MESSAGE_BYTES];
	unsigned i, size = 1 + (e->sent * 13 + c->number * 7) % MESSAGE_BYTES;
	int err;

	if(e->sent == STREAM_BYTES || sizeof(e->wire.out->data) - (e->wire.out->wr - e->wire.out->rd) < 3 * MESSAGE_BYTES)
		return 0;
	if(size > STREAM_BYTES - e->sent)
		size = STREAM_BYTES - e->sent;
	for(i = 0; i < size; i++)
		text[i] = stream_byte(c, side, e->sent + i);
	err = (int)gnutls_record_send(e->session, text, size);
	if(err != (int)size)
		return conn_fail(c, side, "send", err);
	e->sent += size;
	if(!world->scenario->key_update || e->updated || e->sent < STREAM_BYTES / 2)
		return 0;
	e->updated = true;
	err = gnutls_session_key_update(e->session, GNUTLS_KU_PEER);
	return err < 0 ? conn_fail(c, side, "key update", err) : 0;
}

static int step_receive(struct conn *c, enum side side)
{
	struct end *e = &c->end[side];
	unsigned char text[MESSAGE_BYTES / 3];
	int i, n;

	while((n = (int)gnutls_record_recv(e->session, text, sizeof(text))) > 0) {
		for(i = 0; i < n; i++)
			if(text[i] != stream_byte(c, 1 - side, e->received + (unsigned)i))
				return conn_fail(c, side, "content", 0);
		e->received += (unsigned)n;
	}
	if(n == 0) {
		e->closed = true;
		return e->received == STREAM_BYTES ? 0 : conn_fail(c, side, "early end", 0);
	}
	return gnutls_error_is_fatal(n) != 0 ? conn_fail(c, side, "receive", n) : 0;
}

static int step_close(struct conn *c, enum side side)
{
	struct end *e = &c->end[side];
	int err;

	if(e->close_sent || e->sent < STREAM_BYTES || e->received < STREAM_BYTES)
		return 0;
	err = gnutls_bye(e->session, GNUTLS_SHUT_WR);
	e->close_sent = err == 0;
	return err < 0 && gnutls_error_is_fatal(err) != 0 ? conn_fail(c, side, "bye", err) : 0;
}

static int step_inside(struct conn *c, enum side side)
{
	struct end *e = &c->end[side];

	if(e->session == NULL && session_make(c, side) != 0)
		return -1;
	if(e->worker != mine.number) {
		if(gnutls_credentials_set(e->session, GNUTLS_CRD_CERTIFICATE, mine.cred[side]) < 0)
			return conn_fail(c, side, "credentials", 0);
		e->moves++;
		e->worker = mine.number;
	}
	if(!e->done && step_handshake(c, side) != 0)
		return -1;
	if(!e->done)
		return 0;
	if(step_receive(c, side) != 0 || (side == CLIENT && step_ticket(c) != 0) || step_send(c, side) != 0)
		return -1;
	return 0;
}

static int step(struct conn *c, enum side side)
{
	struct end *e = &c->end[side];
	bool done = e->done;
	struct tlsg_arena *previous;
	struct tlsg_arena_stats stats;
	int failed;

	if(e->closed && e->close_sent)
		return 0;
	if(tlsg_arena_reserve(e->arena, HEADROOM_BYTES) != TLSG_OK)
		return conn_fail(c, side, "headroom", 0);
	previous = tlsg_scope_enter(e->arena);
	failed = step_inside(c, side);
	if(failed == 0 && e->done)
		failed = step_close(c, side);
	tlsg_scope_leave(previous);
	if(tlsg_arena_is_poisoned(e->arena))
		return conn_fail(c, side, "poisoned", 0);
	if(e->done && !done)
		tlsg_arena_settle(e->arena);
	else
		tlsg_arena_trim(e->arena);
	tlsg_arena_stats_get(e->arena, &stats);
	if(e->close_sent)
		e->held = stats.held;
	return failed;
}

/** Ends a session in whichever worker it is: every other time without a call of GnuTLS. */
static int finish(struct conn *c, enum side side)
{
	struct end *e = &c->end[side];
	struct tlsg_arena_stats stats;
	struct tlsg_arena *previous;

	if(c->number % 2 == 0) {
		previous = tlsg_scope_enter(e->arena);
		gnutls_deinit(e->session);
		tlsg_scope_leave(previous);
		tlsg_arena_stats_get(e->arena, &stats);
		if(stats.in_use != 0)
			return conn_fail(c, side, "blocks left", 0);
	}
	tlsg_arena_drop(e->arena);
	return 0;
}

/* ---- workers ---- */

enum order
{
	ORDER_STEP,
	ORDER_FINISH,
	ORDER_QUIT
};

struct command
{
	enum order order;
	enum side side;
	unsigned conn;
};

struct worker
{
	pid_t pid;
	int orders;
	int answers;
};

static struct worker workers[WORKERS];
static uint64_t seed = 88172645463325252U;
static unsigned rounds = 6;

static int command_run(const struct command *o)
{
	struct conn *c = &world->conn[o->conn];

	return o->order == ORDER_STEP ? step(c, o->side) : finish(c, o->side);
}

static void worker_run(int number, int orders, int answers)
{
	struct command o;
	int answer = 0;

	tlsg_stub_process_set(number + 1, WORKERS + 1);
	if(worker_credentials(number) != 0)
		_exit(1);
	while(read(orders, &o, sizeof(o)) == (ssize_t)sizeof(o) && o.order != ORDER_QUIT) {
		answer = command_run(&o);
		if(write(answers, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
			_exit(1);
	}
	worker_free();
	_exit(0);
}

static void workers_start(void)
{
	int i, orders[2], answers[2];

	for(i = 0; i < WORKERS; i++) {
		assert_int_equal(pipe(orders), 0);
		assert_int_equal(pipe(answers), 0);
		workers[i].pid = fork();
		assert_true(workers[i].pid >= 0);
		if(workers[i].pid == 0) {
			close(orders[1]);
			close(answers[0]);
			worker_run(i, orders[0], answers[1]);
		}
		close(orders[0]);
		close(answers[1]);
		workers[i].orders = orders[1];
		workers[i].answers = answers[0];
	}
}

static void workers_stop(void)
{
	struct command quit = {.order = ORDER_QUIT};
	int i, status;

	for(i = 0; i < WORKERS; i++) {
		assert_int_equal(write(workers[i].orders, &quit, sizeof(quit)), sizeof(quit));
		assert_int_equal(waitpid(workers[i].pid, &status, 0), workers[i].pid);
		assert_int_equal(status, 0);
		close(workers[i].orders);
		close(workers[i].answers);
	}
}

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/** Sends a command to a worker picked at random. A worker that dies fails the test. */
static void command_any(enum order order, struct conn *c, enum side side)
{
	struct worker *w = &workers[next_random() % WORKERS];
	struct command o = {.order = order, .side = side, .conn = c->number};
	int answer = -2;

	assert_int_equal(write(w->orders, &o, sizeof(o)), sizeof(o));
	if(read(w->answers, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
		fail_msg("%s: connection %u: a worker died", world->scenario->name, c->number);
	if(answer != 0)
		fail_msg("%s: %s", world->scenario->name, c->failure);
}

/* ---- connections ---- */

static void conn_init(struct conn *c, unsigned number)
{
	int i;

	*c = (struct conn){.number = number};
	for(i = 0; i < 2; i++) {
		c->end[i].arena = tlsg_arena_new(HOME_BYTES);
		c->end[i].worker = -1;
		assert_non_null(c->end[i].arena);
	}
}

static bool conn_is_over(const struct conn *c)
{
	return c->end[SERVER].closed && c->end[CLIENT].closed && c->end[SERVER].close_sent && c->end[CLIENT].close_sent;
}

/** Connections first to last take turns until all are over. */
static void conns_run(unsigned first, unsigned last)
{
	unsigned i, steps = 0;
	bool over = false;

	while(!over && steps++ < STEPS_MAX) {
		over = true;
		for(i = first; i < last; i++) {
			command_any(ORDER_STEP, &world->conn[i], CLIENT);
			command_any(ORDER_STEP, &world->conn[i], SERVER);
			over = over && conn_is_over(&world->conn[i]);
		}
	}
	if(!over)
		fail_msg("%s: not over after %u turns", world->scenario->name, steps);
}

static void conns_check(unsigned first, unsigned last)
{
	const struct scenario *s = world->scenario;
	unsigned i, moves = 0;
	int side;

	for(i = first; i < last; i++) {
		const struct conn *c = &world->conn[i];

		for(side = 0; side < 2; side++) {
			assert_int_equal(c->end[side].received, STREAM_BYTES);
			assert_int_equal(c->end[side].resumed, c->resumes != NULL);
			assert_int_equal(c->end[side].updated, s->key_update);
			moves += c->end[side].moves;
		}
	}
	/* Two sides, some steps each: a session that stayed in one worker was not tested. */
	assert_true(moves > (last - first) * 4);
}

static void scenario_priorities(const struct scenario *s)
{
	struct tlsg_arena *previous;
	int i;

	tlsg_scope_refresh();
	previous = tlsg_scope_enter(world->snapshot);
	for(i = 0; i < 2; i++) {
		const char *text = i == SERVER && s->server_priority != NULL ? s->server_priority : s->priority;

		assert_int_equal(gnutls_priority_init(&world->priority[i], text, NULL), 0);
	}
	tlsg_scope_leave(previous);
}

/** Runs connections first to last, each resumed from the one `back` before it. The later half has already seen the
 * earlier one. */
static void part_run(unsigned first, unsigned last, unsigned back)
{
	unsigned i, large = 0, half = first + (last - first) / 2;

	for(i = first; back > 0 && i < last; i++) {
		assert_true(world->conn[i - back].ticket_bytes > 0);
		world->conn[i].resumes = &world->conn[i - back];
	}
	conns_run(first, half);
	conns_run(half, last);
	conns_check(first, last);
	/* The first connections have allocated what stays: later ones hold their home and at most a small chunk or two. Not
	 * each of them: a number of Diffie-Hellman takes 256 or 257 bytes, and a size can still be new. */
	for(i = half; i < last; i++)
		large += world->conn[i].end[SERVER].held >= HOME_BYTES + SMALL_BYTES;
	assert_true(large < last - half);
	print_message("%s%s: server %zu, client %zu bytes held between steps\n", world->scenario->name,
			back > 0 ? " again" : "", world->conn[last - 1].end[SERVER].held, world->conn[last - 1].end[CLIENT].held);
}

static void scenario_run(const struct scenario *s)
{
	unsigned i, k, count = s->resumed ? 2 * rounds : rounds;
	struct conn *conns = shm_malloc(sizeof(*conns) * count);

	assert_non_null(conns);
	world->conn = conns;
	world->scenario = s;
	scenario_priorities(s);
	for(i = 0; i < count; i++)
		conn_init(&conns[i], i);
	workers_start();
	part_run(0, rounds, 0);
	if(s->resumed)
		part_run(rounds, count, rounds);
	for(i = 0; i < count; i++) {
		command_any(ORDER_FINISH, &conns[i], CLIENT);
		command_any(ORDER_FINISH, &conns[i], SERVER);
	}
	for(i = 0; i < WORKERS; i++)
		for(k = 0; k < i; k++)
			assert_ptr_not_equal(world->credentials[i], world->credentials[k]);
	workers_stop();
	shm_free(conns);
}

/* ---- the snapshot ---- */

static const struct tlsg_cert_row rows[] = {
		{.name = "ca", .flags = TLSG_CERT_CA, .usage = GNUTLS_KEY_KEY_CERT_SIGN},
		{.name = "ec", .issuer = "ca", .cn = "localhost", .sans = {{GNUTLS_SAN_DNSNAME, "localhost", 0}}},
		{.name = "rsa",
				.issuer = "ca",
				.cn = "localhost",
				.sans = {{GNUTLS_SAN_DNSNAME, "localhost", 0}},
				.key = TLSG_KEY_RSA2048},
		{.name = "client", .issuer = "ca", .cn = "localhost", .sans = {{GNUTLS_SAN_DNSNAME, "localhost", 0}}},
};

static time_t fixed_time(time_t *t)
{
	if(t != NULL)
		*t = TLSG_CERTS_NOW;
	return TLSG_CERTS_NOW;
}

static gnutls_datum_t datum_keep(const gnutls_datum_t *d)
{
	gnutls_datum_t copy = {.data = tlsg_arena_keep_copy(world->snapshot, d->data, d->size), .size = d->size};

	assert_non_null(copy.data);
	return copy;
}

static void identity_make(const struct tlsg_cert *cert, unsigned number)
{
	struct identity *id = &world->id[number];
	struct tlsg_arena *previous;
	gnutls_datum_t der;

	assert_int_equal(
			gnutls_x509_privkey_export2_pkcs8(cert->key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &der), 0);
	id->der = datum_keep(&der);
	gnutls_free(der.data);
	id->number = number;
	id->pk = (gnutls_pk_algorithm_t)gnutls_x509_privkey_get_pk_algorithm2(cert->key, &id->bits);
	previous = tlsg_scope_enter(world->snapshot);
	id->chain = gnutls_calloc(1, sizeof(*id->chain));
	assert_int_equal(gnutls_pcert_import_x509_raw(id->chain, &cert->der, GNUTLS_X509_FMT_DER, 0), 0);
	assert_int_equal(gnutls_privkey_init(&id->key), 0);
	assert_int_equal(
			gnutls_privkey_import_ext4(id->key, id, ext_sign_data, ext_sign_hash, ext_decrypt, NULL, ext_info, 0), 0);
	tlsg_scope_leave(previous);
}

static int group_setup(void **state)
{
	static struct tlsg_certs certs;
	struct tlsg_arena *previous;

	(void)state;
	tlsg_stub_process_set(0, WORKERS + 1);
	assert_int_equal(tlsg_arena_pool_global_init(), TLSG_OK);
	assert_int_equal(tlsg_arena_pool_init(WORKERS + 1), TLSG_OK);
	assert_int_equal(tlsg_scope_install(), TLSG_OK);
	gnutls_global_set_time_function(fixed_time);
	tlsg_certs_make(&certs, rows, sizeof(rows) / sizeof(rows[0]));
	world = shm_mallocxz(sizeof(*world));
	world->snapshot = tlsg_arena_new(64 * 1024);
	world->ca = datum_keep(&tlsg_certs_get(&certs, "ca")->der);
	identity_make(tlsg_certs_get(&certs, "ec"), ID_EC);
	identity_make(tlsg_certs_get(&certs, "rsa"), ID_RSA);
	identity_make(tlsg_certs_get(&certs, "client"), ID_CLIENT);
	tlsg_certs_free(&certs);
	previous = tlsg_scope_enter(world->snapshot);
	assert_int_equal(gnutls_session_ticket_key_generate(&world->ticket_key), 0);
	tlsg_scope_leave(previous);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	tlsg_arena_drop(world->snapshot);
	shm_free(world);
	assert_int_equal(tlsg_arena_pool_held(NULL), 0);
	tlsg_arena_pool_global_deinit();
	assert_int_equal(tlsg_stub_shm_blocks(), 0);
	return 0;
}

static void test_scenario(void **state)
{
	const struct scenario *s = *state;

	if(s->needs != NULL && !tlsg_kx_group_is_known(s->needs)) {
		print_message("SKIPPED %s: GnuTLS %s does not have it\n", s->name, gnutls_check_version(NULL));
		skip();
	}
	scenario_run(s);
}

int main(void)
{
	enum
	{
		LEN = sizeof(scenarios) / sizeof(scenarios[0])
	};
	const char *rounds_text = getenv("TLSG_TEST_ROUNDS"), *seed_text = getenv("TLSG_TEST_SEED");
	struct CMUnitTest tests[LEN];
	size_t i;

	if(rounds_text != NULL && strtoul(rounds_text, NULL, 10) > 0)
		rounds = (unsigned)strtoul(rounds_text, NULL, 10);
	if(seed_text != NULL && strtoul(seed_text, NULL, 10) > 0)
		seed = strtoul(seed_text, NULL, 10);
	for(i = 0; i < LEN; i++)
		tests[i] = (struct CMUnitTest){.name = scenarios[i].name,
				.test_func = test_scenario,
				.initial_state = (void *)(uintptr_t)&scenarios[i]};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
