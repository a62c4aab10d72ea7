/*
 * tls_gnutls - tests that a peer's made-up keys cannot keep a process computing
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: the stand-in's shared region; the client's on the heap.  Lock: none.
 *
 * A GnuTLS client presents a certificate whose key takes hours to use, and signs with arbitrary bytes. If the key is
 * used, these tests do not end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "base/arena_pool.h"
#include "base/scope.h"
#include "profiles/build.h"
#include "profiles/cipher/method.h"
#include "profiles/creds.h"
#include "profiles/ticket.h"
#include "tests/lib/certs.h"
#include "tests/lib/costly.h"
#include "tests/lib/tls_pair.h"
#include "transport/conn.h"

#define KEY_BYTES 12000
#define OK(call) assert_true((call) >= 0)

static const struct tlsg_cert_row rows[] = {
		{.name = "rsa", .key = TLSG_KEY_RSA2048, .from_days = -10, .to_days = 3650}};

static struct tlsg_certs certs;
static char dir[] = "/tmp/tlsg-cost-XXXXXX";
static gnutls_pcert_st shown;
static gnutls_privkey_t pretended;

static int sign_cb(gnutls_privkey_t key, gnutls_sign_algorithm_t algo, void *data, unsigned flags,
		const gnutls_datum_t *text, gnutls_datum_t *signature)
{
	(void)key, (void)algo, (void)data, (void)flags, (void)text;
	signature->data = gnutls_malloc(KEY_BYTES);
	signature->size = KEY_BYTES;
	memset(signature->data, 0x11, KEY_BYTES);
	return 0;
}

static int info_cb(gnutls_privkey_t key, unsigned flags, void *data)
{
	(void)key, (void)data;
	if(flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_RSA;
	if(flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return KEY_BYTES * 8;
	return flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO ? 1 : -1;
}

static int present_cb(gnutls_session_t session, const gnutls_datum_t *cas, int cas_len,
		const gnutls_pk_algorithm_t *algos, int algos_len, gnutls_pcert_st **chain, unsigned *chain_len,
		gnutls_privkey_t *key)
{
	(void)session, (void)cas, (void)cas_len, (void)algos, (void)algos_len;
	*chain = &shown;
	*chain_len = 1;
	*key = pretended;
	return 0;
}

static struct tlsg_set *set_make(int method)
{
	struct tlsg_set_options o = {.session_id = {"test", 4}, .config_dir = {dir, (int)strlen(dir)}};
	struct tlsg_set *set = tlsg_set_new(&o);
	char path[128];
	struct tlsg_err err;
	struct tlsg_prof *p;

	tlsg_err_clear(&err);
	p = tlsg_prof_add(set, TLSG_SERVER, TLSG_PROF_DEFAULT, NULL, 0);
	p->s.method = method;
	p->s.verify_client = TLSG_VERIFY_CLIENT_OPTIONAL_NO_CA;
	p->s.certificate.len = snprintf(path, sizeof(path), "%s/rsa.pem", dir);
	p->s.certificate.s = tlsg_arena_keep_copy(set->arena, path, strlen(path));
	p->s.private_key.len = snprintf(path, sizeof(path), "%s/rsa.key", dir);
	p->s.private_key.s = tlsg_arena_keep_copy(set->arena, path, strlen(path));
	if(tlsg_build_set(set, &err) != TLSG_OK)
		fail_msg("%s", err.text);
	return set;
}

/* Moves the content of a pipe into the connection, and its output into the other pipe. */
static enum tlsg_ret serve(
		struct tlsg_conn *c, struct tlsg_test_pipe *from, struct tlsg_test_pipe *to, struct tlsg_err *err)
{
	static unsigned char clear_bytes[1024];
	struct tlsg_conn_limits limits = {.queue = {.con_max_bytes = 1024, .max_bytes = 1024, .block_bytes = 1024}};
	struct tlsg_buf in, out, clear;
	struct tlsg_io io = {.in = &in, .out = &out, .limits = &limits};
	enum tlsg_ret ret;

	tlsg_buf_init_filled(&in, from->data + from->rd, from->wr - from->rd);
	tlsg_test_pipe_init(to);
	tlsg_buf_init(&out, to->data, sizeof(to->data));
	tlsg_buf_init(&clear, clear_bytes, sizeof(clear_bytes));
	ret = tlsg_conn_read(c, &io, &clear, err);
	tlsg_test_pipe_init(from);
	to->wr = out.wr;
	return ret;
}

static void test_key_of_a_client(void **state)
{
	static const struct
	{
		int method;
		const char *priority;
	} all[] = {{TLSG_METHOD_TLSV1_2, "NORMAL:-VERS-ALL:+VERS-TLS1.2"},
			{TLSG_METHOD_TLSV1_3, "NORMAL:-VERS-ALL:+VERS-TLS1.3"}};
	static struct tlsg_test_pipe to_server, to_client;
	size_t i;

	(void)state;
	for(i = 0; i < 2; i++) {
		struct tlsg_conn_params params = {.query = {.role = TLSG_SERVER}};
		struct tlsg_test_end end = {.in = &to_client, .out = &to_server};
		gnutls_certificate_credentials_t cred;
		gnutls_session_t client;
		struct tlsg_conn *c;
		struct tlsg_err err;
		enum tlsg_ret ret = TLSG_AGAIN;
		int steps;

		tlsg_err_clear(&err);
		tlsg_set_publish(set_make(all[i].method));
		params.set = tlsg_set_get();
		c = tlsg_conn_new(&params, &err);
		assert_non_null(c);
		tlsg_test_pipe_init(&to_server);
		tlsg_test_pipe_init(&to_client);
		OK(gnutls_init(&client, GNUTLS_CLIENT | GNUTLS_NONBLOCK));
		OK(gnutls_certificate_allocate_credentials(&cred));
		gnutls_certificate_set_retrieve_function2(cred, present_cb);
		OK(gnutls_credentials_set(client, GNUTLS_CRD_CERTIFICATE, cred));
		OK(gnutls_priority_set_direct(client, all[i].priority, NULL));
		tlsg_test_end_attach(&end, client);
		for(steps = 0; steps < 8 && ret == TLSG_AGAIN; steps++) {
			(void)gnutls_handshake(client);
			if(to_server.wr > to_server.rd)
				ret = serve(c, &to_server, &to_client, &err);
		}
		assert_int_equal(ret, TLSG_E_PEER);
		assert_non_null(strstr(err.text, "certificate verify failed"));
		assert_false(tlsg_conn_is_established(c));
		gnutls_deinit(client);
		gnutls_certificate_free_credentials(cred);
		tlsg_conn_free(c);
	}
}

static int setup(void **state)
{
	struct tlsg_der der;
	gnutls_datum_t data;
	char path[128];

	(void)state;
	if(mkdtemp(dir) == NULL || tlsg_scope_install() != TLSG_OK || tlsg_arena_pool_global_init() != TLSG_OK
			|| tlsg_set_global_init() != TLSG_OK || tlsg_ticket_global_init() != TLSG_OK
			|| tlsg_queue_global_init() != TLSG_OK || tlsg_arena_pool_init(4) != TLSG_OK)
		return -1;
	tlsg_certs_make(&certs, rows, 1);
	snprintf(path, sizeof(path), "%s/rsa.pem", dir);
	tlsg_certs_write(&certs, path, "rsa");
	snprintf(path, sizeof(path), "%s/rsa.key", dir);
	tlsg_certs_write_key(&certs, path, "rsa");
	der = tlsg_costly_cert("mallory", "mallory", KEY_BYTES, KEY_BYTES, false, 256);
	data.data = der.data;
	data.size = der.size;
	if(gnutls_pcert_import_x509_raw(&shown, &data, GNUTLS_X509_FMT_DER, 0) < 0 || gnutls_privkey_init(&pretended) < 0
			|| gnutls_privkey_import_ext4(pretended, NULL, sign_cb, sign_cb, NULL, NULL, info_cb, 0) < 0)
		return -1;
	gnutls_free(der.data);
	return 0;
}

static int teardown(void **state)
{
	char command[160];

	(void)state;
	gnutls_pcert_deinit(&shown);
	gnutls_privkey_deinit(pretended);
	tlsg_certs_free(&certs);
	tlsg_set_global_deinit();
	tlsg_ticket_global_deinit();
	tlsg_queue_global_deinit();
	tlsg_arena_pool_global_deinit();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_key_of_a_client)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
