/*
 * tls_gnutls - tests of profiles/prof.c: settings, defaults, ids
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: the stand-in's region.  Lock: none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "profiles/cipher/method.h"
#include "profiles/prof.h"
#include "profiles/build.h"
#include "profiles/keys/path.h"

#define STR(literal) ((str)STR_STATIC_INIT(literal))

static char dir[] = "/tmp/tlsg_prof_XXXXXX";
static char config_dir[64];

static int group_setup(void **state)
{
	(void)state;
	if(mkdtemp(dir) == NULL || tlsg_arena_pool_global_init() != TLSG_OK || tlsg_set_global_init() != TLSG_OK)
		return -1;
	snprintf(config_dir, sizeof(config_dir), "%s/", dir);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	tlsg_set_global_deinit();
	tlsg_arena_pool_global_deinit();
	return rmdir(dir);
}

static int set_setup(void **state)
{
	struct tlsg_set_options o = {.config_dir = {config_dir, (int)strlen(config_dir)}};

	tlsg_stub_log_clear();
	*state = tlsg_set_new(&o);
	return *state != NULL ? 0 : -1;
}

static int set_teardown(void **state)
{
	tlsg_set_drop(*state);
	return 0;
}

static void assert_str(const str *s, const char *expected)
{
	if(expected == NULL) {
		assert_null(s->s);
		assert_int_equal(s->len, 0);
		return;
	}
	assert_non_null(s->s);
	assert_string_equal(s->s, expected);
	assert_int_equal(s->len, (int)strlen(expected));
}

static struct tlsg_addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	struct tlsg_addr addr = {.len = 4, .bytes = {a, b, c, d}};

	return addr;
}

/* A profile that was written in a file, so that nothing about it is implied. */
static struct tlsg_prof *add_written(struct tlsg_set *set, enum tlsg_role role, enum tlsg_prof_kind kind)
{
	struct tlsg_addr addr = addr_v4(192, 0, 2, 1);
	struct tlsg_prof *p = tlsg_prof_add(set, role, kind, &addr, 5061);

	assert_non_null(p);
	p->line = 7;
	return p;
}

static void complete(struct tlsg_prof *p)
{
	struct tlsg_err err;

	tlsg_err_clear(&err);
	if(tlsg_prof_complete(p, tlsg_prof_defaults(p->role), &err) != TLSG_OK)
		fail_msg("%s", err.text);
}

static void test_clear_sets_nothing(void **state)
{
	struct tlsg_prof_settings s;

	(void)state;
	memset(&s, 0x55, sizeof(s));
	tlsg_prof_settings_clear(&s);
	assert_int_equal(s.method, 0);
	assert_str(&s.certificate, NULL);
	assert_str(&s.private_key_password2, NULL);
	assert_str(&s.server_id, NULL);
	assert_int_equal(s.server_name_mode, -1);
	assert_int_equal(s.verify_certificate, -1);
	assert_int_equal(s.require_certificate, -1);
	assert_int_equal(s.verify_client, TLSG_VERIFY_CLIENT_UNSET);
	assert_int_equal(s.verify_depth, -1);
	assert_int_equal(s.verify_name, -1);
}

static void test_last_section_is_first_in_the_list(void **state)
{
	struct tlsg_set *set = *state;
	struct tlsg_prof *a = add_written(set, TLSG_SERVER, TLSG_PROF_ADDR);
	struct tlsg_prof *b = add_written(set, TLSG_SERVER, TLSG_PROF_ANY);
	struct tlsg_prof *c = add_written(set, TLSG_CLIENT, TLSG_PROF_ADDR);

	assert_ptr_equal(set->list[TLSG_SERVER], b);
	assert_ptr_equal(b->next, a);
	assert_null(a->next);
	assert_ptr_equal(set->list[TLSG_CLIENT], c);
	assert_null(c->next);
	assert_int_equal(set->profs_len, 3);
	assert_int_equal(a->index, 0);
	assert_int_equal(c->index, 2);
	assert_int_equal(a->addr.len, 4);
	assert_int_equal(a->port, 5061);
	assert_int_equal(b->addr.len, 0); /* `any` has no address, whatever was given */
	assert_int_equal(b->port, 0);
	assert_ptr_equal(a->set, set);
}

static void test_later_default_replaces(void **state)
{
	struct tlsg_set *set = *state;
	struct tlsg_prof *first = tlsg_prof_add(set, TLSG_SERVER, TLSG_PROF_DEFAULT, NULL, 0);
	struct tlsg_prof *second = tlsg_prof_add(set, TLSG_SERVER, TLSG_PROF_DEFAULT, NULL, 0);

	assert_ptr_not_equal(first, second);
	assert_ptr_equal(set->defaults[TLSG_SERVER], second);
	assert_null(set->defaults[TLSG_CLIENT]);
	assert_null(set->list[TLSG_SERVER]);
}

static void test_add_without_memory(void **state)
{
	struct tlsg_set *set = *state;
	unsigned before = set->profs_len;
	struct tlsg_prof *p;
	int i;

	tlsg_stub_shm_fail_after(0);
	for(i = 0; i < 10000; i++)
		if((p = tlsg_prof_add(set, TLSG_CLIENT, TLSG_PROF_ANY, NULL, 0)) == NULL)
			break;
	tlsg_stub_shm_fail_after(-1);
	assert_true(i < 10000);
	assert_int_equal(set->profs_len, before + (unsigned)i);
}

static void test_defaults_of_roles(void **state)
{
	char cert[80];
	struct tlsg_prof *server = add_written(*state, TLSG_SERVER, TLSG_PROF_ADDR);
	struct tlsg_prof *client = add_written(*state, TLSG_CLIENT, TLSG_PROF_ADDR);

	snprintf(cert, sizeof(cert), "%scert.pem", config_dir);
	complete(server);
	complete(client);
	assert_int_equal(server->s.method, TLSG_METHOD_TLSV1_PLUS);
	assert_str(&server->s.certificate, cert);
	assert_str(&server->s.private_key, cert);
	assert_str(&server->s.ca_list, NULL);
	assert_str(&server->s.ca_path, NULL);
	assert_str(&server->s.crl, NULL);
	assert_str(&server->s.cipher_list, NULL);
	assert_str(&server->s.server_name, NULL);
	assert_int_equal(server->s.server_name_mode, 0);
	assert_int_equal(server->s.verify_certificate, 0);
	assert_int_equal(server->s.require_certificate, 0);
	assert_int_equal(server->s.verify_client, TLSG_VERIFY_CLIENT_OFF);
	assert_int_equal(server->s.verify_depth, 9);
	assert_int_equal(server->s.verify_name, 0);
	assert_int_equal(client->s.method, TLSG_METHOD_TLSV1_PLUS);
	assert_str(&client->s.certificate, NULL);
	assert_str(&client->s.private_key, NULL);
	assert_int_equal(client->s.verify_depth, 9);
	assert_true(tlsg_host_in_shm(server->s.certificate.s));
}

static void test_what_is_set_stays(void **state)
{
	struct tlsg_prof *p = add_written(*state, TLSG_SERVER, TLSG_PROF_ADDR);

	p->s.method = TLSG_METHOD_TLSV1_2;
	p->s.certificate = STR("");
	p->s.private_key = STR("/k.pem");
	p->s.verify_depth = 0;
	p->s.verify_client = TLSG_VERIFY_CLIENT_ON;
	p->s.require_certificate = 1;
	complete(p);
	assert_int_equal(p->s.method, TLSG_METHOD_TLSV1_2);
	assert_str(&p->s.certificate, "");
	assert_str(&p->s.private_key, "/k.pem");
	assert_int_equal(p->s.verify_depth, 0);
	assert_int_equal(p->s.verify_client, TLSG_VERIFY_CLIENT_ON);
	assert_int_equal(p->s.require_certificate, 1);
	assert_int_equal(p->s.verify_certificate, 0);
}

/* The profile of the module parameters, by tlsg_build_prof(): filled from settings in private memory. */
static void test_other_defaults_are_copied(void **state)
{
	char chain[] = "chain.pem";
	char name[] = "sip.example";
	char uri[] = "pkcs11:object=k?pin-value=1234";
	struct tlsg_prof *p = tlsg_prof_add(*state, TLSG_CLIENT, TLSG_PROF_DEFAULT, NULL, 0);
	struct tlsg_prof_settings from;
	struct tlsg_err err;
	char expected[80];

	tlsg_prof_settings_clear(&from);
	from.method = TLSG_METHOD_TLSV1_3;
	from.certificate = STR(chain);
	from.private_key = STR(uri);
	from.private_key_password = STR("secret-word");
	from.server_name = STR(name);
	from.verify_depth = 3;
	from.verify_name = 2;
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_build_prof(p, &from, &err), TLSG_OK);
	memset(chain, 'X', sizeof(chain) - 1);
	memset(name, 'X', sizeof(name) - 1);
	snprintf(expected, sizeof(expected), "%schain.pem", config_dir);
	assert_str(&p->s.certificate, expected);
	assert_str(&p->s.private_key, "pkcs11:object=k");
	assert_str(&p->s.private_key_password, "secret-word");
	assert_str(&p->s.server_name, "sip.example");
	assert_int_equal(p->s.method, TLSG_METHOD_TLSV1_3);
	assert_int_equal(p->s.verify_depth, 3);
	assert_int_equal(p->s.verify_name, 2);
	assert_int_equal(p->s.verify_certificate, -1); /* not set there either */
	assert_str(&p->id, "TLSc<default>");

	assert_null(strstr(tlsg_stub_log_text(), "secret-word"));
	assert_null(strstr(tlsg_stub_log_text(), "1234"));
	assert_non_null(strstr(tlsg_stub_log_text(), "TLSc<default>: private_key='pkcs11:object=k'\n"));

	/* The compiled-in ones fill the rest later; the settings are not logged again. */
	tlsg_stub_log_clear();
	assert_int_equal(tlsg_build_prof(p, tlsg_prof_defaults(p->role), &err), TLSG_OK);
	assert_int_equal(p->s.verify_certificate, 0);
	assert_int_equal(p->s.verify_depth, 3);
	assert_int_equal(tlsg_stub_log_count(L_INFO), 0);
}

static void test_ids(void **state)
{
	struct tlsg_set *set = *state;
	struct tlsg_addr v6 = {.len = 16, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x1f}};
	struct tlsg_addr v4 = addr_v4(10, 1, 0, 255);
	struct tlsg_prof *p;

	p = tlsg_prof_add(set, TLSG_SERVER, TLSG_PROF_ADDR, &v4, 0);
	complete(p);
	assert_str(&p->id, "TLSs<10.1.0.255:0>");
	p = tlsg_prof_add(set, TLSG_CLIENT, TLSG_PROF_ADDR, &v6, 65535);
	complete(p);
	assert_str(&p->id, "TLSc<2001:db8::1f:65535>");
	p = tlsg_prof_add(set, TLSG_SERVER, TLSG_PROF_ANY, NULL, 0);
	p->s.server_name = STR("a.example");
	complete(p);
	assert_str(&p->id, "TLSs<any:a.example>");
	p = tlsg_prof_add(set, TLSG_CLIENT, TLSG_PROF_ANY, NULL, 0);
	complete(p);
	assert_str(&p->id, "TLSc<any:>");
	p = tlsg_prof_add(set, TLSG_CLIENT, TLSG_PROF_DEFAULT, NULL, 0);
	complete(p);
	assert_str(&p->id, "TLSc<default>");
}

static void test_long_name_is_cut_in_the_id(void **state)
{
	char name[2000];
	struct tlsg_prof *p = add_written(*state, TLSG_SERVER, TLSG_PROF_ANY);

	memset(name, 'n', sizeof(name));
	p->s.server_name.s = name;
	p->s.server_name.len = sizeof(name);
	complete(p);
	assert_true(p->id.len < 1000);
	assert_int_equal(strlen(p->id.s), p->id.len);
}

static void test_lines_at_info(void **state)
{
	struct tlsg_prof *p = add_written(*state, TLSG_SERVER, TLSG_PROF_ADDR);
	const char *log;

	p->s.certificate = STR("/c.pem");
	p->s.cipher_list = STR("HIGH");
	complete(p);
	assert_int_equal(tlsg_stub_log_count(L_INFO), 0);
	tlsg_prof_log(p);
	log = tlsg_stub_log_text();
	assert_non_null(strstr(log, "2:tlsg_prof_log: TLSs<192.0.2.1:5061>: tls_method=20\n"));
	assert_non_null(strstr(log, "TLSs<192.0.2.1:5061>: certificate='/c.pem'\n"));
	assert_non_null(strstr(log, ": ca_list='(null)'\n"));
	assert_non_null(strstr(log, ": crl='(null)'\n"));
	assert_non_null(strstr(log, ": require_certificate=0\n"));
	assert_non_null(strstr(log, ": cipher_list='HIGH'\n"));
	assert_non_null(strstr(log, ": verify_certificate=0\n"));
	assert_non_null(strstr(log, ": verify_depth=9\n"));
	assert_non_null(strstr(log, ": verify_client=0\n"));
	assert_int_equal(tlsg_stub_log_count(L_INFO), 11);
}

/* No [server:default] and no cert.pem: `tls` does not start, this module does. */
static void test_implied_certificate_is_missing(void **state)
{
	struct tlsg_prof *p = tlsg_prof_add(*state, TLSG_SERVER, TLSG_PROF_DEFAULT, NULL, 0);

	complete(p);
	assert_str(&p->s.certificate, NULL);
	assert_str(&p->s.private_key, NULL);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 1);
	assert_non_null(strstr(tlsg_stub_log_text(), "cert.pem"));
}

static void test_implied_certificate_is_there(void **state)
{
	struct tlsg_prof *p = tlsg_prof_add(*state, TLSG_SERVER, TLSG_PROF_DEFAULT, NULL, 0);
	char cert[80];
	FILE *f;

	snprintf(cert, sizeof(cert), "%scert.pem", config_dir);
	f = fopen(cert, "w");
	assert_non_null(f);
	fclose(f);
	complete(p);
	unlink(cert);
	assert_str(&p->s.certificate, cert);
	assert_str(&p->s.private_key, cert);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 0);
}

/* A section in the file keeps its implied certificate: loading it reports what is wrong. */
static void test_written_default_keeps_its_certificate(void **state)
{
	struct tlsg_prof *p = add_written(*state, TLSG_SERVER, TLSG_PROF_DEFAULT);

	complete(p);
	assert_non_null(p->s.certificate.s);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 0);
}

/* Completes profiles until the arena is full. */
static void test_complete_without_memory(void **state)
{
	enum
	{
		MANY = 2000
	};
	char name[] = "0123456789012345678901234567890123456789";
	struct tlsg_set *set = *state;
	struct tlsg_prof_settings from;
	enum tlsg_ret ret = TLSG_OK;
	struct tlsg_err err;
	struct tlsg_prof *p;
	int i;

	tlsg_prof_settings_clear(&from);
	from.certificate = STR(name);
	from.cipher_list = STR(name);
	for(i = 0; i < MANY; i++)
		assert_non_null(tlsg_prof_add(set, TLSG_CLIENT, TLSG_PROF_ANY, NULL, 0));
	tlsg_stub_shm_fail_after(0);
	tlsg_err_clear(&err);
	for(p = set->list[TLSG_CLIENT]; p != NULL && ret == TLSG_OK; p = p->next)
		ret = tlsg_prof_complete(p, &from, &err);
	tlsg_stub_shm_fail_after(-1);
	assert_int_equal(ret, TLSG_E_RESOURCE);
	assert_int_equal(err.class, TLSG_CLASS_RESOURCE);
	assert_non_null(strstr(err.text, "shared memory"));
}

static void test_path_too_long(void **state)
{
	static char path[TLSG_PATH_SIZE + 10];
	struct tlsg_prof_settings from;
	struct tlsg_prof *p = tlsg_prof_add(*state, TLSG_CLIENT, TLSG_PROF_DEFAULT, NULL, 0);
	struct tlsg_err err;

	memset(path, 'p', sizeof(path) - 1);
	tlsg_prof_settings_clear(&from);
	from.crl.s = path;
	from.crl.len = (int)strlen(path);
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_prof_complete(p, &from, &err), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "TLSc<default>"));
}

/* A process that ends with the lock of the snapshots keeps nobody waiting at shutdown. */
static void test_lock_of_a_dead_process(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if(pid == 0) {
		tlsg_stub_lock_is_last = true;
		(void)tlsg_set_get();
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	alarm(20);
	tlsg_set_global_unlock();
	assert_int_equal(tlsg_set_alive(), 0);
	alarm(0);
}

#define WITH_SET(f) cmocka_unit_test_setup_teardown(f, set_setup, set_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_clear_sets_nothing),
			cmocka_unit_test(test_lock_of_a_dead_process),
			WITH_SET(test_last_section_is_first_in_the_list),
			WITH_SET(test_later_default_replaces),
			WITH_SET(test_add_without_memory),
			WITH_SET(test_defaults_of_roles),
			WITH_SET(test_what_is_set_stays),
			WITH_SET(test_other_defaults_are_copied),
			WITH_SET(test_ids),
			WITH_SET(test_long_name_is_cut_in_the_id),
			WITH_SET(test_lines_at_info),
			WITH_SET(test_implied_certificate_is_missing),
			WITH_SET(test_implied_certificate_is_there),
			WITH_SET(test_written_default_keeps_its_certificate),
			WITH_SET(test_complete_without_memory),
			WITH_SET(test_path_too_long),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
