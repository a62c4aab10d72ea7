/*
 * tls_gnutls - tests of profiles/isolate/client.c, wire.c and key_process.c: keys in a process of their own
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: two processes and more; the key files are made with openssl. Memory: heap, the stand-in's region. Lock:
 * none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif

#include <stdarg.h>
#include <setjmp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/host.h"
#include "profiles/isolate/client.h"
#include "profiles/isolate/key_process.h"
#include "profiles/isolate/wire.h"
#include "profiles/load_key.h"
#include "tests/lib/descriptors.h"
#include "tests/lib/hostile_client.h"
#include "tests/lib/key_folder.h"

#define PASSWORD "seven dwarfs"

static const char *const commands[] = {
		"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem",
		"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem",
		"openssl pkcs8 -topk8 -in ec.pem -passout 'pass:" PASSWORD "' -out enc.pem",
		"openssl req -x509 -key ec.pem -subj /CN=leaf -days 3 -out ec.crt",
		"openssl pkcs12 -export -in ec.crt -inkey ec.pem -passout 'pass:" PASSWORD "' -out ec.p12",
		"openssl pkcs12 -export -in ec.crt -nokeys -passout 'pass:" PASSWORD "' -out nokey.p12",
		"openssl pkcs8 -topk8 -in ec.pem -passout 'pass:" PASSWORD "' -iter 65537 -outform DER -out slow.der",
		"mkfifo fifo && ln -s /dev/zero to-zero && ln -s ec.pem link && touch empty",
};

static struct tlsg_err err;
static pid_t process;
static str none = STR_NULL;

/* Has the key in slow.der need 4,194,303 rounds where 65,537 were made. */
static int slow_make(void)
{
	char path[128];
	unsigned char data[4096], *at;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/slow.der", key_folder());
	f = fopen(path, "r+");
	if(f == NULL)
		return -1;
	n = fread(data, 1, sizeof(data), f);
	at = memmem(data, n, "\x02\x03\x01\x00\x01", 5);
	if(at == NULL || fseek(f, at - data + 2, SEEK_SET) != 0 || fwrite("\x3f\xff\xff", 3, 1, f) != 1)
		return -1;
	return fclose(f);
}

static int group_setup(void **state)
{
	(void)state;
	return key_folder_make(commands, sizeof(commands) / sizeof(commands[0])) == 0 ? slow_make() : -1;
}

static int group_teardown(void **state)
{
	(void)state;
	return key_folder_remove();
}

static const struct hostile_target target = {tlsg_key_process_run, tlsg_client_set_key_process};

static int process_start(void **state)
{
	(void)state;
	process = hostile_target_start(&target);
	return process > 0 ? 0 : -1;
}

static int process_stop(void **state)
{
	(void)state;
	return hostile_target_stop(&target, process);
}

static enum tlsg_ret load(uint32_t set, const char *name, str *password, uint64_t *id, struct tlsg_key_file_content *c)
{
	str file = key_folder_path(name);
	struct tlsg_key_file_request r = {"private_key", &file, password};

	tlsg_err_clear(&err);
	*id = 0;
	return tlsg_client_load(set, &r, id, c, &err);
}

static const gnutls_datum_t text = {(unsigned char *)"some text", 9};

static bool verifies(
		const struct tlsg_key_file_content *c, gnutls_sign_algorithm_t algo, const gnutls_datum_t *signature)
{
	gnutls_pubkey_t pub;
	int rc;

	assert_int_equal(gnutls_pubkey_init(&pub), 0);
	assert_int_equal(gnutls_pubkey_import(pub, &c->spki, GNUTLS_X509_FMT_DER), 0);
	rc = gnutls_pubkey_verify_data2(pub, algo, 0, &text, signature);
	gnutls_pubkey_deinit(pub);
	return rc >= 0;
}

static void assert_signs(uint64_t id, const struct tlsg_key_file_content *c, gnutls_sign_algorithm_t algo)
{
	gnutls_datum_t made = {NULL, 0};

	assert_int_equal(tlsg_client_op(id, TLSG_OP_SIGN_DATA, algo, &text, &made), 0);
	assert_true(verifies(c, algo, &made));
	gnutls_free(made.data);
}

static void test_sign(void **state)
{
	static const struct
	{
		const char *name;
		gnutls_sign_algorithm_t algo;
	} rows[] = {
			{"rsa.pem", GNUTLS_SIGN_RSA_SHA256},
			{"rsa.pem", GNUTLS_SIGN_RSA_PSS_RSAE_SHA256},
			{"ec.pem", GNUTLS_SIGN_ECDSA_SHA256},
	};
	struct tlsg_key_file_content c;
	uint64_t id, last = 0;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(load(1, rows[i].name, &none, &id, &c), TLSG_OK);
		assert_true(id > last);
		assert_null(c.pkcs8.data);
		assert_false(c.is_encrypted);
		assert_signs(id, &c, rows[i].algo);
		tlsg_key_file_content_free(&c);
		last = id;
	}
}

/* Premaster secrets; any other ciphertext yields a random one of the same size, without an error. */
static void test_decrypt(void **state)
{
	static unsigned char bytes[TLSG_OP_PREMASTER_BYTES] = {3, 3, 42};
	const gnutls_datum_t secret = {bytes, sizeof(bytes)};
	const gnutls_datum_t *const plain[] = {&secret, &text};
	struct tlsg_key_file_content c;
	gnutls_pubkey_t pub;
	uint64_t id;
	int i;

	(void)state;
	assert_int_equal(load(1, "rsa.pem", &none, &id, &c), TLSG_OK);
	assert_int_equal(gnutls_pubkey_init(&pub), 0);
	assert_int_equal(gnutls_pubkey_import(pub, &c.spki, GNUTLS_X509_FMT_DER), 0);
	for(i = 0; i < 3; i++) {
		gnutls_datum_t closed = {NULL, 0}, open = {NULL, 0};

		assert_int_equal(gnutls_pubkey_encrypt_data(pub, 0, plain[i % 2], &closed), 0);
		closed.size -= i == 2; /* cut off */
		assert_int_equal(tlsg_client_op(id, TLSG_OP_DECRYPT, GNUTLS_SIGN_UNKNOWN, &closed, &open), 0);
		assert_int_equal(open.size, sizeof(bytes));
		assert_int_equal(memcmp(open.data, bytes, sizeof(bytes)) == 0, i == 0);
		gnutls_free(open.data);
		gnutls_free(closed.data);
	}
	gnutls_pubkey_deinit(pub);
	tlsg_key_file_content_free(&c);
}

static void test_passwords_and_pkcs12(void **state)
{
	str good = STR_STATIC_INIT(PASSWORD), wrong = STR_STATIC_INIT("eight dwarfs");
	struct tlsg_key_file_content c;
	uint64_t id;

	(void)state;
	assert_int_equal(load(1, "enc.pem", &good, &id, &c), TLSG_OK);
	assert_true(c.is_encrypted);
	assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
	assert_int_equal(load(1, "enc.pem", &wrong, &id, &c), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "does not open it"));
	assert_null(strstr(err.text, wrong.s));
	assert_int_equal(load(1, "enc.pem", &none, &id, &c), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "set private_key_password"));
	assert_int_equal(load(1, "ec.p12", &good, &id, &c), TLSG_OK);
	assert_int_equal(c.certs_len, 1);
	assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
	assert_int_equal(load(1, "nokey.p12", &good, &id, &c), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "holds no private key"));
	assert_int_equal(load(1, "nowhere", &none, &id, &c), TLSG_E_CONFIG);
	assert_non_null(strstr(err.text, "No such file"));
}

/* Keys of snapshots that are neither in use nor being built are dropped. */
static void test_keys_go_with_their_snapshot(void **state)
{
	struct tlsg_set_options o = {.config_dir = STR_NULL};
	struct tlsg_set *set = tlsg_set_new(&o);
	gnutls_datum_t made = {NULL, 0};
	struct tlsg_key_file_content c;
	uint64_t used, failed, id;

	(void)state;
	assert_non_null(set);
	assert_int_equal(load(set->number, "ec.pem", &none, &used, &c), TLSG_OK);
	tlsg_key_file_content_free(&c);
	assert_int_equal(load(set->number, "ec.pem", &none, &id, &c), TLSG_OK);
	assert_signs(used, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
	tlsg_set_publish(set);
	assert_int_equal(load(set->number + 1, "ec.pem", &none, &failed, &c), TLSG_OK);
	tlsg_key_file_content_free(&c);
	assert_int_equal(load(set->number + 2, "ec.pem", &none, &id, &c), TLSG_OK);
	assert_signs(used, &c, GNUTLS_SIGN_ECDSA_SHA256);
	assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	assert_true(tlsg_client_op(failed, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made) < 0);
	tlsg_key_file_content_free(&c);
}

/* Another client cannot have keys dropped that are in use, or that a snapshot is being built with. */
static void test_keys_stay_when_others_load(void **state)
{
	struct tlsg_set_options o = {.config_dir = STR_NULL};
	struct tlsg_set *set = tlsg_set_new(&o);
	static struct tlsg_key_file_content c, other; /* static: valgrind takes locals of a child of fork() for lost */
	uint64_t used, built, id;
	pid_t child;
	int i, status;

	(void)state;
	assert_non_null(set);
	assert_int_equal(load(set->number, "ec.pem", &none, &used, &c), TLSG_OK);
	tlsg_key_file_content_free(&c);
	tlsg_set_publish(set);
	assert_int_equal(load(set->number + 1, "ec.pem", &none, &built, &c), TLSG_OK);
	child = fork();
	if(child == 0) {
		const uint32_t numbers[] = {set->number + 2, UINT32_MAX, 0};

		process_no = 5;
		for(i = 0; i < 3; i++) {
			if(load(numbers[i], "rsa.pem", &none, &id, &other) != TLSG_OK)
				_exit(1);
			tlsg_key_file_content_free(&other);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_signs(used, &c, GNUTLS_SIGN_ECDSA_SHA256);
	assert_signs(built, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
}

static void test_wrong_requests(void **state)
{
	gnutls_datum_t made = {NULL, 0};
	struct tlsg_key_file_content c;
	uint64_t id;

	(void)state;
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	assert_true(tlsg_client_op(id + 1, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made) < 0);
	assert_true(tlsg_client_op(0, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made) < 0);
	assert_true(tlsg_client_op(id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_RSA_SHA256, &text, &made) < 0);
	assert_true(tlsg_client_op(id, (enum tlsg_op)9, GNUTLS_SIGN_ECDSA_SHA256, &text, &made) < 0);
	assert_true(tlsg_client_op(id, TLSG_OP_SIGN_DATA, (gnutls_sign_algorithm_t)-5, &text, &made) < 0);
	assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
}

/* Malformed requests: the connection is closed, others are not affected. */
static void test_malformed_requests(void **state)
{
	static struct tlsg_wire_message m;
	const struct
	{
		uint32_t question, size;
		size_t sent; /* of payload */
		struct tlsg_wire_load_request load;
	} rows[] = {
			{0, 0, 0, {0}},
			{9, 0, 0, {0}},
			{TLSG_WIRE_OP, 5, 4, {0}},
			{TLSG_WIRE_OP, 4, 5, {0}},
			{TLSG_WIRE_OP, UINT32_MAX, 5, {0}},
			{TLSG_WIRE_LOAD, 0, 0, {0}},
			{TLSG_WIRE_LOAD, 4, 4, {0}},
			{TLSG_WIRE_LOAD, sizeof(struct tlsg_wire_load_request), sizeof(struct tlsg_wire_load_request),
					{.file_len = 1}},
			{TLSG_WIRE_LOAD, sizeof(struct tlsg_wire_load_request) + 2, sizeof(struct tlsg_wire_load_request) + 2,
					{.setting_len = UINT32_MAX, .file_len = 3}},
			{TLSG_WIRE_LOAD, sizeof(struct tlsg_wire_load_request) + 1, sizeof(struct tlsg_wire_load_request) + 1, {0}},
			/* a zero byte in a name */
			{TLSG_WIRE_LOAD, sizeof(struct tlsg_wire_load_request) + 1, sizeof(struct tlsg_wire_load_request) + 1,
					{.file_len = 1}},
	};
	struct tlsg_key_file_content c;
	uint64_t id;
	size_t i;

	(void)state;
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = hostile_client_next();
		ssize_t n;

		memset(&m, 0, sizeof(m));
		m.head.request = rows[i].question;
		m.head.size = rows[i].size;
		memcpy(m.payload, &rows[i].load, sizeof(rows[i].load));
		assert_int_equal(send(fd, &m, sizeof(m.head) + rows[i].sent, 0), sizeof(m.head) + rows[i].sent);
		n = recv(fd, &m, sizeof(m), 0);
		if(n > 0)
			fail_msg("row %zu is answered", i);
		close(fd);
		fd = hostile_client_next();
		assert_int_equal(send(fd, "x", 1, 0), 1);
		assert_true(recv(fd, &m, sizeof(m), 0) <= 0);
		close(fd);
	}
	assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
}

/* Descriptors of any kind end the connection, and none of them gets into the process. */
static void test_descriptors(void **state)
{
	struct tlsg_key_file_content c;
	unsigned before;
	uint64_t id;
	int kind;

	(void)state;
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	before = descriptors_open(process);
	for(kind = 0; kind < 5; kind++) {
		int fd = hostile_client_next();
		int given[2];

		switch(kind) {
			case 0:
				assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, given), 0);
				break;
			case 1:
				assert_int_equal(pipe(given), 0);
				break;
			case 2:
				given[0] = open("/dev/null", O_RDWR);
				given[1] = open(key_folder(), O_RDONLY);
				break;
			case 3: /* the connection itself */
				given[0] = dup(fd);
				given[1] = dup(fd);
				break;
			default:
				given[0] = eventfd(0, 0);
				given[1] = epoll_create1(0);
		}
		hostile_client_send_fds(fd, given, 1 + kind % 2);
		close(given[0]);
		close(given[1]);
		hostile_client_wait_end(fd);
		assert_true(send(fd, "x", 1, MSG_NOSIGNAL) < 0);
		close(fd);
		assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
		assert_int_equal(descriptors_open(process), before);
	}
	assert_int_equal(descriptors_watched(process), HOSTILE_CLIENTS - 5);
	tlsg_key_file_content_free(&c);
}

/* Nobody closes for the client what blocks when it is closed: not when it comes, and not when its connection ends. */
static void test_lingering_socket(void **state)
{
	struct tlsg_key_file_content c;
	uint64_t id;
	int i;

	(void)state;
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	for(i = 0; i < 3; i++) {
		int peer, fd = hostile_client_next(), given[2];

		given[0] = hostile_client_lingering(&peer);
		given[1] = given[0];
		kill(process, SIGSTOP);
		if(i == 2)
			assert_int_equal(send(fd, "x", 1, 0), 1); /* malformed: the next one is not looked at any more */
		hostile_client_send_fds(fd, given, i == 1 ? 2 : 1);
		kill(process, SIGCONT);
		assert_int_equal(
				dup2(peer, given[0]), given[0]); /* without a close() that lingers here, where a copy is left */
		close(given[0]);
		hostile_client_wait_end(fd);
		assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
		close(fd);
		assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
		close(peer);
	}
	tlsg_key_file_content_free(&c);
}

/* Messages without end and replies that are not taken: others get theirs, and the connection ends. */
static void test_flood(void **state)
{
	static struct tlsg_wire_message m;
	struct tlsg_key_file_content c;
	int fd = hostile_client_next(), i, k;
	uint64_t id;

	(void)state;
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	for(i = 0; i < 20; i++) {
		for(k = 0; k < 5000; k++) {
			memset(&m.head, 0, sizeof(m.head));
			m.head.request = TLSG_WIRE_OP;
			m.head.key = id + 1000;
			if(send(fd, &m, sizeof(m.head), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
				break;
		}
		assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	}
	hostile_client_wait_end(fd);
	close(fd);
	assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
}

/* What is not a regular file is refused with a sentence, and blocks nobody. keys/test_file.c has all kinds. */
static void test_paths(void **state)
{
	static const struct
	{
		const char *name;
		const char *why;
	} rows[] = {
			{"fifo", "but a FIFO"},
			{"to-zero", "but a device"},
			{"../../proc/kmsg", "the kernel generates"},
			{".", "but a directory"},
			{"empty", "is empty"},
	};
	struct tlsg_key_file_content c, unused;
	uint64_t id, none_id;
	size_t i;

	(void)state;
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(load(1, rows[i].name, &none, &none_id, &unused), TLSG_E_CONFIG);
		if(strstr(err.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].name, err.text);
		assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	}
	tlsg_key_file_content_free(&c);
	assert_int_equal(load(1, "link", &none, &id, &c), TLSG_OK);
	assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
}

/* Descriptors of valgrind's own are in the way, and a key that is slow without it takes longer than the time limit. */
static void skip_under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	if(preload == NULL || strstr(preload, "vgpreload") == NULL)
		return;
	print_message("SKIPPED: descriptors and durations differ under valgrind\n");
	skip();
}

/* A process has the connection with its number only, and one that has no number has none. */
static void test_own_connection_only(void **state)
{
	static struct tlsg_key_file_content c;
	unsigned before;
	uint64_t id;
	pid_t child;
	int status;

	(void)state;
	skip_under_valgrind();
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	before = descriptors_open(getpid());
	tlsg_client_keep_own(); /* the attendant keeps all */
	assert_int_equal(descriptors_open(getpid()), before);
	child = fork();
	if(child == 0) {
		gnutls_datum_t made = {NULL, 0};

		process_no = 3;
		tlsg_client_keep_own();
		if(descriptors_open(getpid()) != before - HOSTILE_CLIENTS + 1)
			_exit(1);
		if(tlsg_client_op(id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made) != 0)
			_exit(2);
		process_no = 4;
		child = fork();
		if(child == 0) /* forked from there: the connection of number 4 is closed */
			_exit(tlsg_client_op(id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made) == GNUTLS_E_TIMEDOUT
									&& strstr(tlsg_client_why(), "has closed the connection") != NULL
							? 0
							: 3);
		_exit(waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 4);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	child = fork();
	if(child == 0) { /* not by the core: the number is that of its parent */
		gnutls_datum_t made = {NULL, 0};

		_exit(tlsg_client_op(id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made) == GNUTLS_E_TIMEDOUT
								&& strstr(tlsg_client_why(), "has not forked") != NULL
						? 0
						: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
}

/* After start-up a child reads the files: everything as before. */
static void test_loading_after_start(void **state)
{
	tlsg_client_startup_done();
	test_sign(state);
	test_passwords_and_pkcs12(state);
	test_paths(state);
	test_keys_go_with_their_snapshot(state);
	descriptors_wait(descriptors_watched, process, HOSTILE_CLIENTS);
}

/* Starts LOAD of a file that takes long to read in another process of Kamailio. @return its status: 0 as wanted. */
static pid_t load_elsewhere(const char *name, str *password, enum tlsg_ret wanted, const char *why)
{
	static struct tlsg_key_file_content c;
	pid_t child = fork();
	uint64_t id;

	if(child != 0)
		return child;
	process_no = 5;
	if(load(1, name, password, &id, &c) != wanted || strstr(err.text, why) == NULL) {
		print_error("%s\n", err.text);
		_exit(1);
	}
	_exit(0);
}

static pid_t child_of_process(void)
{
	char path[100], line[100] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)process, (int)process);
	f = fopen(path, "r");
	assert_non_null(f);
	if(fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	return (pid_t)atoi(line);
}

/* A file that takes long to read, or a child that crashes, delays only the process that asked for it. */
static void test_slow_file(void **state)
{
	str wrong = STR_STATIC_INIT("eight dwarfs");
	static struct tlsg_key_file_content c;
	pid_t other;
	uint64_t id;
	int i, status;

	(void)state;
	skip_under_valgrind();
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	tlsg_client_startup_done();
	for(i = 0; i < 2; i++) {
		other = load_elsewhere("slow.der", &wrong, i == 0 ? TLSG_E_RESOURCE : TLSG_E_CONFIG,
				i == 0 ? "has crashed" : "does not open it");
		descriptors_wait(descriptors_watched, process, HOSTILE_CLIENTS + 1);
		assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
		assert_true(child_of_process() > 0);
		if(i == 0)
			assert_int_equal(kill(child_of_process(), SIGKILL), 0);
		assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
		assert_int_equal(waitpid(other, &status, 0), other);
		assert_int_equal(status, 0);
		descriptors_wait(descriptors_watched, process, HOSTILE_CLIENTS);
		assert_int_equal(child_of_process(), 0);
	}
	tlsg_key_file_content_free(&c);
}

static void test_each_process_has_its_connection(void **state)
{
	static struct tlsg_key_file_content c;
	uint64_t id;
	pid_t children[8];
	int i, k, status;

	(void)state;
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	for(i = 0; i < 8; i++) {
		children[i] = fork();
		if(children[i] != 0)
			continue;
		process_no = i + 1;
		for(k = 0; k < 50; k++) {
			gnutls_datum_t made = {NULL, 0};

			if(tlsg_client_op(id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made) != 0
					|| !verifies(&c, GNUTLS_SIGN_ECDSA_SHA256, &made))
				_exit(1);
			gnutls_free(made.data);
		}
		_exit(0);
	}
	for(i = 0; i < 8; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
}

static void test_no_answer(void **state)
{
	gnutls_datum_t made = {NULL, 0};
	struct tlsg_key_file_content c;
	uint64_t id;
	int i;

	(void)state;
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	kill(process, SIGSTOP);
	assert_int_equal(tlsg_client_op(id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made), GNUTLS_E_TIMEDOUT);
	assert_non_null(strstr(tlsg_client_why(), "did not answer in time"));
	assert_null(tlsg_client_why());
	for(i = 0; i < 1000; i++) /* at once */
		assert_int_equal(
				tlsg_client_op(id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made), GNUTLS_E_TIMEDOUT);
	assert_non_null(strstr(tlsg_client_why(), "does not answer"));
	kill(process, SIGCONT);
	for(i = 0; i < 1000; i++) {
		if(tlsg_client_op(id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made) == 0)
			break;
		usleep(10000);
	}
	assert_true(verifies(&c, GNUTLS_SIGN_ECDSA_SHA256, &made));
	gnutls_free(made.data);
	assert_signs(id, &c, GNUTLS_SIGN_ECDSA_SHA256);
	tlsg_key_file_content_free(&c);
}

static void test_key_of_a_snapshot(void **state)
{
	struct tlsg_set_options o = {.config_dir = STR_NULL};
	struct tlsg_set *set = tlsg_set_new(&o);
	gnutls_datum_t made = {NULL, 0};
	str file = key_folder_path("ec.pem");
	struct tlsg_key_file_request r = {"private_key", &file, &none};
	struct tlsg_key *k;

	(void)state;
	assert_non_null(set);
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_load_key(set, &r, &k, &err), TLSG_OK);
	assert_int_equal(k->kind, TLSG_KEY_KIND_KEY_PROCESS);
	assert_true(k->remote != 0);
	assert_null(k->der.data); /* it is in the key process */
	assert_int_equal(gnutls_privkey_sign_data2(k->ext, GNUTLS_SIGN_ECDSA_SHA256, 0, &text, &made), 0);
	gnutls_free(made.data);
	tlsg_set_drop(set);
}

static void test_death(void **state)
{
	gnutls_datum_t made = {NULL, 0};
	struct tlsg_key_file_content c;
	uint64_t id;
	int status;

	assert_int_equal(process_start(state), 0);
	assert_int_equal(load(1, "ec.pem", &none, &id, &c), TLSG_OK);
	kill(process, SIGKILL);
	waitpid(process, &status, 0);
	assert_int_equal(tlsg_client_op(id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made), GNUTLS_E_TIMEDOUT);
	assert_non_null(tlsg_client_why());
	assert_int_equal(tlsg_client_op(id, TLSG_OP_SIGN_DATA, GNUTLS_SIGN_ECDSA_SHA256, &text, &made), GNUTLS_E_TIMEDOUT);
	assert_non_null(strstr(tlsg_client_why(), "has closed the connection"));
	tlsg_key_file_content_free(&c);
	tlsg_client_set_key_process(NULL);
}

#define WITH_PROCESS(f) cmocka_unit_test_setup_teardown(f, process_start, process_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
			WITH_PROCESS(test_sign),
			WITH_PROCESS(test_decrypt),
			WITH_PROCESS(test_passwords_and_pkcs12),
			WITH_PROCESS(test_keys_go_with_their_snapshot),
			WITH_PROCESS(test_keys_stay_when_others_load),
			WITH_PROCESS(test_wrong_requests),
			WITH_PROCESS(test_malformed_requests),
			WITH_PROCESS(test_descriptors),
			WITH_PROCESS(test_lingering_socket),
			WITH_PROCESS(test_flood),
			WITH_PROCESS(test_paths),
			WITH_PROCESS(test_own_connection_only),
			WITH_PROCESS(test_loading_after_start),
			WITH_PROCESS(test_slow_file),
			WITH_PROCESS(test_each_process_has_its_connection),
			WITH_PROCESS(test_no_answer),
			WITH_PROCESS(test_key_of_a_snapshot),
			cmocka_unit_test(test_death),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
