/*
 * tls_gnutls - tests of profiles/load_trust.c, profiles/verify/trust.c and crl.c: CA files, CA directories, CRL files
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap, stand-in shared memory.  Lock: none.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "base/host.h"
#include "profiles/load_trust.h"
#include "tests/lib/certs.h"

#define CERTS (GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)

static const struct tlsg_cert_row rows[] = {
		{"a", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"b", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"c", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"twin-1", .cn = "twin", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"twin-2", .cn = "twin", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"leaf", .issuer = "a"},
};

static const struct tlsg_crl_row lists[] = {
		{"a", .issuer = "a", .revoked = {"leaf"}, .filler = 1000},
		{"b", .issuer = "b", .from_days = -3, .to_days = 5},
		{"c", .issuer = "c", .from_days = -3},
		{"twin-2", .issuer = "twin-2", .no_key_id = true},
		{"forged", .issuer = "a", .forged = true},
};

static struct tlsg_certs certs;
static char folder[256];

/* A path in the folder of the test; at most four at a time. */
static char *path_of(const char *name)
{
	static char path[4][512];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

static void write_text(const char *name, const char *text, size_t size)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	fclose(f);
}

static void append_file(const char *to, const char *text)
{
	FILE *f = fopen(path_of(to), "a");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Removes what a test wrote, one level of directories deep. */
static void clean(const char *path)
{
	char name[1024];
	struct dirent *e;
	DIR *d = opendir(path);

	assert_non_null(d);
	while((e = readdir(d)) != NULL) {
		if(strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if(unlink(name) != 0) {
			clean(name);
			rmdir(name);
		}
	}
	closedir(d);
}

static void set_str(str *s, const char *name)
{
	static char kept[3][512];
	static unsigned next;

	if(name == NULL)
		return;
	next = (next + 1) % 3;
	snprintf(kept[next], sizeof(kept[next]), "%s", name[0] != '\0' ? path_of(name) : "");
	s->s = kept[next];
	s->len = (int)strlen(kept[next]);
}

static int verify_certificate; /* of the profile that loads */

static enum tlsg_ret load(
		struct tlsg_set *set, const char *ca_list, const char *ca_path, const char *crl, struct tlsg_trust **t)
{
	static struct tlsg_err err;
	struct tlsg_prof_settings s;
	enum tlsg_ret ret;

	memset(&s, 0, sizeof(s));
	s.verify_certificate = verify_certificate;
	set_str(&s.ca_list, ca_list);
	set_str(&s.ca_path, ca_path);
	set_str(&s.crl, crl);
	tlsg_err_clear(&err);
	*t = NULL;
	ret = tlsg_load_trust(set, &s, t, &err);
	if(ret != TLSG_OK)
		*t = (void *)&err; /* for refused() */
	return ret;
}

static struct tlsg_set *set_of(void **state)
{
	return *state;
}

/* Loading must fail with TLSG_E_CONFIG and a text that contains these parts. */
static void refused(void **state, const char *ca_list, const char *ca_path, const char *crl, const char *parts[2])
{
	struct tlsg_trust *t;
	const struct tlsg_err *err;
	unsigned before = set_of(state)->trusts_len;

	verify_certificate = 1;
	assert_int_equal(load(set_of(state), ca_list, ca_path, crl, &t), TLSG_E_CONFIG);
	verify_certificate = 0;
	err = (void *)t;
	if(strstr(err->text, parts[0]) == NULL || strstr(err->text, parts[1]) == NULL)
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err->text, parts[0], parts[1]);
	assert_int_equal(set_of(state)->trusts_len, before);
}

static bool is_cert(const struct tlsg_der *der, const char *name)
{
	const struct tlsg_cert *c = tlsg_certs_get(&certs, name);

	return der->size == c->der.size && memcmp(der->data, c->der.data, der->size) == 0;
}

/* ---- files ---- */

static void test_nothing(void **state)
{
	struct tlsg_trust *t, *same;

	assert_int_equal(load(set_of(state), NULL, NULL, NULL, &t), TLSG_OK);
	assert_int_equal(t->cas_len + t->crls_len + t->cas_announced, 0);
	assert_false(t->has_crl);
	assert_int_equal(load(set_of(state), "", "", "", &same), TLSG_OK);
	assert_ptr_equal(t, same);
}

static void test_ca_list(void **state)
{
	struct tlsg_trust *t;

	tlsg_certs_write(&certs, path_of("ca.pem"), "b a c a");
	append_file("ca.pem", "some text\n-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n");
	assert_int_equal(load(set_of(state), "ca.pem", NULL, NULL, &t), TLSG_OK);
	assert_int_equal(t->cas_len, 3);
	assert_int_equal(t->cas_announced, 3);
	assert_true(is_cert(&t->cas[0], "b") && is_cert(&t->cas[1], "a") && is_cert(&t->cas[2], "c"));
	assert_true(tlsg_host_in_shm(t) && tlsg_host_in_shm(t->cas) && tlsg_host_in_shm(t->cas[0].data));
	assert_false(t->has_crl);
}

static void test_ca_list_der(void **state)
{
	const struct tlsg_cert *a = tlsg_certs_get(&certs, "a");
	struct tlsg_trust *t;

	write_text("ca.der", (char *)a->der.data, a->der.size);
	assert_int_equal(load(set_of(state), "ca.der", NULL, NULL, &t), TLSG_OK);
	assert_int_equal(t->cas_len, 1);
	assert_true(is_cert(&t->cas[0], "a"));
}

/* The same files are read once. */
static void test_found_again(void **state)
{
	struct tlsg_trust *first, *second, *other;

	tlsg_certs_write(&certs, path_of("ca.pem"), "a");
	tlsg_certs_write(&certs, path_of("ca2.pem"), "a");
	tlsg_certs_write(&certs, path_of("crl.pem"), "crl:a");
	assert_int_equal(load(set_of(state), "ca.pem", NULL, NULL, &first), TLSG_OK);
	unlink(path_of("ca.pem"));
	assert_int_equal(load(set_of(state), "ca.pem", "", NULL, &second), TLSG_OK);
	assert_ptr_equal(first, second);
	assert_int_equal(load(set_of(state), "ca2.pem", NULL, NULL, &other), TLSG_OK);
	assert_ptr_not_equal(first, other);
	assert_int_equal(other->index, first->index + 1);
	assert_int_equal(load(set_of(state), "ca2.pem", NULL, "crl.pem", &second), TLSG_OK);
	assert_ptr_not_equal(second, other);
	assert_int_equal(set_of(state)->trusts_len, 3);
	assert_ptr_equal(set_of(state)->trusts, second);
}

static void test_bad_files(void **state)
{
	struct stat st;

	refused(state, "missing.pem", NULL, NULL, (const char *[]){"ca_list: ", "missing.pem"});
	refused(state, NULL, NULL, "missing.pem", (const char *[]){"crl: ", "missing.pem"});
	refused(state, NULL, "missing", NULL, (const char *[]){"ca_path: ", "missing"});
	write_text("empty.pem", "", 0);
	refused(state, "empty.pem", NULL, NULL, (const char *[]){"ca_list: ", "is empty"});
	write_text("text.pem", "no PEM at all\n", 14);
	refused(state, "text.pem", NULL, NULL, (const char *[]){"ca_list: no certificate", "text.pem"});
	refused(state, NULL, NULL, "text.pem", (const char *[]){"crl: no CRL", "text.pem"});
	tlsg_certs_write(&certs, path_of("crl.pem"), "crl:a");
	refused(state, "crl.pem", NULL, NULL, (const char *[]){"ca_list: no certificate", "crl.pem"});
	tlsg_certs_write(&certs, path_of("ca.pem"), "a");
	append_file("ca.pem", "-----BEGIN CERTIFICATE-----\nMAYCAQUCAQI=\n-----END CERTIFICATE-----\n");
	refused(state, "ca.pem", NULL, NULL, (const char *[]){"a certificate in", "ca.pem"});
	write_text("cut.pem", "-----BEGIN CERTIFICATE-----\nMAYCAQUCAQI=\n", 41);
	refused(state, "cut.pem", NULL, NULL, (const char *[]){"ca_list: ", "damaged"});
	write_text("trusted.pem", "-----BEGIN TRUSTED CERTIFICATE-----\nMAYCAQUCAQI=\n-----END TRUSTED CERTIFICATE-----\n",
			83);
	refused(state, "trusted.pem", NULL, NULL, (const char *[]){"a certificate in", "trusted.pem"});
	write_text("crl2.pem", "-----BEGIN X509 CRL-----\nMAYCAQUCAQI=\n-----END X509 CRL-----\n", 61);
	refused(state, NULL, NULL, "crl2.pem", (const char *[]){"crl: a CRL in", "crl2.pem"});
	refused(state, ".", NULL, NULL, (const char *[]){"ca_list: ", "not a regular file"});
	assert_int_equal(stat(path_of("ca.pem"), &st), 0);
	refused(state, NULL, "ca.pem", NULL, (const char *[]){"ca_path: cannot read the directory", "as user"});
}

/* ---- CRLs ---- */

static void test_crl(void **state)
{
	const struct tlsg_cert *leaf = tlsg_certs_get(&certs, "leaf");
	unsigned char serial[64], made_up[] = {0x20, 0, 0, 0, 0, 0x03, 0xe7, 0}, no[] = {0x20, 0, 0, 0, 0, 0x03, 0xe8, 0};
	size_t size = sizeof(serial);
	struct tlsg_trust *t;

	tlsg_certs_write(&certs, path_of("ca.pem"), "a");
	tlsg_certs_write(&certs, path_of("crl.pem"), "crl:a b crl:b crl:c");
	assert_int_equal(load(set_of(state), "ca.pem", NULL, "crl.pem", &t), TLSG_OK);
	assert_true(t->has_crl);
	assert_int_equal(t->crls_len, 3);
	/* a certificate in the CRL file is trusted, but not announced */
	assert_int_equal(t->cas_len, 2);
	assert_int_equal(t->cas_announced, 1);
	assert_true(is_cert(&t->cas[1], "b"));
	assert_int_equal(t->crl_next_update, TLSG_CERTS_NOW + 5 * TLSG_CERTS_DAY);
	assert_int_equal(t->crls[2].next_update, 0);
	/* signatures were checked if the issuer is known */
	assert_int_equal(t->crls[0].signer, 0);
	assert_int_equal(t->crls[1].signer, 1);
	assert_int_equal(t->crls[2].signer, -1);
	assert_true(t->crls[0].usable);
	assert_int_equal(t->crls[0].serials_len, 1001);
	assert_int_equal(gnutls_x509_crt_get_serial(leaf->crt, serial, &size), 0);
	assert_true(tlsg_crl_has(&t->crls[0], serial, size));
	serial[size - 1] ^= 1;
	assert_false(tlsg_crl_has(&t->crls[0], serial, size));
	assert_true(tlsg_crl_has(&t->crls[0], made_up, 8));
	assert_false(tlsg_crl_has(&t->crls[0], no, 8));
	assert_false(tlsg_crl_has(&t->crls[0], made_up, 7));
	assert_false(tlsg_crl_has(&t->crls[1], serial, size));
}

/* Each entry of a list is found, and its neighbours are not. */
static void test_crl_entries(void **state)
{
	unsigned char serial[8] = {0x20};
	struct tlsg_trust *t;
	unsigned i;

	tlsg_certs_write(&certs, path_of("crl.pem"), "crl:a");
	assert_int_equal(load(set_of(state), NULL, NULL, "crl.pem", &t), TLSG_OK);
	for(i = 0; i < 1000; i++) {
		serial[4] = (unsigned char)(i >> 16);
		serial[5] = (unsigned char)(i >> 8);
		serial[6] = (unsigned char)i;
		serial[7] = 0;
		assert_true(tlsg_crl_has(&t->crls[0], serial, 8));
		serial[7] = 1;
		assert_false(tlsg_crl_has(&t->crls[0], serial, 8));
	}
}

/* Of two CAs with the same name, the one that signed the list is found by its signature. */
static void test_crl_signer(void **state)
{
	struct tlsg_trust *t;

	tlsg_certs_write(&certs, path_of("ca.pem"), "twin-1 twin-2 a");
	tlsg_certs_write(&certs, path_of("crl.pem"), "crl:twin-2 crl:forged");
	assert_int_equal(load(set_of(state), "ca.pem", NULL, "crl.pem", &t), TLSG_OK);
	assert_int_equal(t->crls[0].signer, 1);
	assert_int_equal(t->crls[1].signer, -1);
}

/* A list that is truncated or has one byte changed is refused, or unusable, or its signature is wrong. */
static void test_crl_damaged(void **state)
{
	const struct tlsg_cert_crl *whole = tlsg_certs_crl(&certs, "b");
	const struct tlsg_cert *b = tlsg_certs_get(&certs, "b");
	gnutls_datum_t bytes = {gnutls_malloc(whole->der.size), whole->der.size};
	struct tlsg_crl crl;
	struct tlsg_err err;
	unsigned i;

	for(i = 0; i < whole->der.size; i++) {
		memcpy(bytes.data, whole->der.data, whole->der.size);
		bytes.data[i] ^= 0x01;
		tlsg_err_clear(&err);
		if(tlsg_crl_parse(set_of(state)->arena, &bytes, &crl, &err) == TLSG_OK && tlsg_crl_is_signed_by(&crl, b->crt))
			fail_msg("byte %u changed, and the signature is right", i);
	}
	memcpy(bytes.data, whole->der.data, whole->der.size);
	for(bytes.size = 0; bytes.size < whole->der.size; bytes.size++) {
		tlsg_err_clear(&err);
		assert_int_equal(tlsg_crl_parse(set_of(state)->arena, &bytes, &crl, &err), TLSG_E_CONFIG);
	}
	assert_int_equal(tlsg_crl_parse(set_of(state)->arena, &bytes, &crl, &err), TLSG_OK);
	assert_true(tlsg_crl_is_signed_by(&crl, b->crt));
	assert_false(tlsg_crl_is_signed_by(&crl, tlsg_certs_get(&certs, "a")->crt));
	gnutls_free(bytes.data);
}

/* ---- directories ---- */

static void test_plain_directory(void **state)
{
	struct tlsg_trust *t;

	mkdir(path_of("plain"), 0700);
	mkdir(path_of("plain/sub.pem"), 0700);
	tlsg_certs_write(&certs, path_of("plain/z.pem"), "a");
	tlsg_certs_write(&certs, path_of("plain/m.crt"), "b a");
	tlsg_certs_write(&certs, path_of("plain/.hidden.pem"), "c");
	write_text("plain/README", "text\n", 5);
	write_text("plain/broken.pem", "-----BEGIN CERTIFICATE-----\nMAYC", 31);
	assert_int_equal(symlink("nowhere", path_of("plain/link.pem")), 0);
	tlsg_stub_log_clear();
	assert_int_equal(load(set_of(state), NULL, "plain", NULL, &t), TLSG_OK);
	assert_int_equal(t->cas_len, 2);
	assert_true(is_cert(&t->cas[0], "b") && is_cert(&t->cas[1], "a"));
	assert_int_equal(t->cas_announced, 0);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 2);
	assert_non_null(strstr(tlsg_stub_log_text(), "broken.pem"));
	assert_non_null(strstr(tlsg_stub_log_text(), "link.pem"));
}

static void test_hashed_directory(void **state)
{
	struct tlsg_trust *t;

	mkdir(path_of("hashed"), 0700);
	tlsg_certs_write(&certs, path_of("hashed/1a2b3c4d.0"), "a");
	tlsg_certs_write(&certs, path_of("hashed/1a2b3c4d.1"), "b");
	tlsg_certs_write(&certs, path_of("hashed/1a2b3c4d.r0"), "crl:a");
	/* names that are not hashes */
	tlsg_certs_write(&certs, path_of("hashed/c.pem"), "c");
	tlsg_certs_write(&certs, path_of("hashed/1a2b3c4d.x"), "c");
	tlsg_certs_write(&certs, path_of("hashed/1a2b3c4.0"), "c");
	tlsg_certs_write(&certs, path_of("hashed/1a2b3c4d."), "c");
	tlsg_certs_write(&certs, path_of("hashed/1a2b3c4d.0.bak"), "c");
	assert_int_equal(load(set_of(state), NULL, "hashed", NULL, &t), TLSG_OK);
	assert_int_equal(t->cas_len, 2);
	assert_true(is_cert(&t->cas[0], "a") && is_cert(&t->cas[1], "b"));
	assert_int_equal(t->crls_len, 0);
	/* CRLs of the directory count if crl is set */
	tlsg_certs_write(&certs, path_of("crl.pem"), "crl:b");
	assert_int_equal(load(set_of(state), NULL, "hashed", "crl.pem", &t), TLSG_OK);
	assert_int_equal(t->crls_len, 2);
}

static void test_bad_directory(void **state)
{
	mkdir(path_of("dir"), 0700);
	refused(state, NULL, "dir", NULL, (const char *[]){"ca_path: no certificate", "dir"});
	write_text("dir/README", "text\n", 5);
	refused(state, NULL, "dir", NULL, (const char *[]){"ca_path: no certificate", "dir"});
}

/* The same bytes in both settings are one certificate, and the directory is not empty. */
static void test_directory_repeats_list(void **state)
{
	struct tlsg_trust *t;

	mkdir(path_of("again"), 0700);
	tlsg_certs_write(&certs, path_of("ca.pem"), "a b");
	tlsg_certs_write(&certs, path_of("again/1.pem"), "a");
	tlsg_certs_write(&certs, path_of("again/2.pem"), "b");
	tlsg_certs_write(&certs, path_of("crl.pem"), "b");
	verify_certificate = 1;
	tlsg_stub_log_clear();
	assert_int_equal(load(set_of(state), "ca.pem", "again", NULL, &t), TLSG_OK);
	assert_int_equal(t->cas_len, 2);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 0);
	/* the same for a file of CRLs that has known certificates only, which leaves nothing to verify with */
	assert_int_equal(load(set_of(state), "ca.pem", NULL, "crl.pem", &t), TLSG_OK);
	verify_certificate = 0;
	assert_int_equal(t->cas_len, 2);
	assert_true(t->has_crl);
	assert_int_equal(tlsg_stub_log_count(L_WARN), 1);
	assert_non_null(strstr(tlsg_stub_log_text(), "no CRL: every certificate"));
}

/* A directory without certificates is a warning, once, unless a profile verifies with nothing else. */
static void test_directory_without_certificates(void **state)
{
	static const char *const names[] = {"vacant", "nowhere"};
	struct tlsg_trust *t, *same;
	unsigned i;

	mkdir(path_of("vacant"), 0700);
	tlsg_certs_write(&certs, path_of("ca.pem"), "a");
	for(i = 0; i < 2; i++) {
		tlsg_stub_log_clear();
		assert_int_equal(load(set_of(state), NULL, names[i], NULL, &t), TLSG_OK);
		assert_int_equal(t->cas_len, 0);
		assert_int_equal(load(set_of(state), NULL, names[i], NULL, &same), TLSG_OK);
		assert_ptr_equal(t, same);
		assert_int_equal(tlsg_stub_log_count(L_WARN), 1);
		assert_non_null(strstr(tlsg_stub_log_text(), names[i]));
		/* another profile with the same settings verifies */
		refused(state, NULL, names[i], NULL, (const char *[]){"ca_path: ", names[i]});
		verify_certificate = 1;
		assert_int_equal(load(set_of(state), "ca.pem", names[i], NULL, &t), TLSG_OK);
		verify_certificate = 0;
		assert_int_equal(t->cas_len, 1);
		assert_int_equal(tlsg_stub_log_count(L_WARN), 2);
	}
}

static void test_all_three(void **state)
{
	struct tlsg_trust *t;

	mkdir(path_of("dir3"), 0700);
	tlsg_certs_write(&certs, path_of("ca.pem"), "a");
	tlsg_certs_write(&certs, path_of("dir3/x.pem"), "a b");
	tlsg_certs_write(&certs, path_of("crl.pem"), "crl:a c");
	assert_int_equal(load(set_of(state), "ca.pem", "dir3", "crl.pem", &t), TLSG_OK);
	assert_int_equal(t->cas_len, 3);
	assert_int_equal(t->cas_announced, 1);
	assert_true(is_cert(&t->cas[0], "a") && is_cert(&t->cas[1], "b") && is_cert(&t->cas[2], "c"));
}

/* ---- lookups and lists of a process ---- */

static void test_find(void **state)
{
	struct tlsg_trust *t;
	gnutls_datum_t dn = {NULL, 0};
	unsigned first, n;

	tlsg_certs_write(&certs, path_of("ca.pem"), "twin-1 a b twin-2 c");
	assert_int_equal(load(set_of(state), "ca.pem", NULL, NULL, &t), TLSG_OK);
	gnutls_x509_crt_get_raw_dn(tlsg_certs_get(&certs, "twin-2")->crt, &dn);
	n = tlsg_trust_find(t, &dn, &first);
	assert_int_equal(n, 2);
	assert_int_equal(t->names[first].ca, 0);
	assert_int_equal(t->names[first + 1].ca, 3);
	gnutls_free(dn.data);
	gnutls_x509_crt_get_raw_dn(tlsg_certs_get(&certs, "c")->crt, &dn);
	assert_int_equal(tlsg_trust_find(t, &dn, &first), 1);
	assert_int_equal(t->names[first].ca, 4);
	gnutls_free(dn.data);
	gnutls_x509_crt_get_raw_dn(tlsg_certs_get(&certs, "leaf")->crt, &dn);
	assert_int_equal(tlsg_trust_find(t, &dn, &first), 0);
	gnutls_free(dn.data);
}

/* What is in a CertificateRequest: the names of ca_list and no others. */
static void test_parse(void **state)
{
	gnutls_certificate_credentials_t cred = NULL;
	gnutls_x509_trust_list_iter_t iter = NULL;
	gnutls_x509_trust_list_t list;
	gnutls_x509_crt_t crt;
	struct tlsg_trust *t;
	unsigned n = 0;

	mkdir(path_of("dir4"), 0700);
	tlsg_certs_write(&certs, path_of("ca.pem"), "a b");
	tlsg_certs_write(&certs, path_of("dir4/x.pem"), "c");
	assert_int_equal(load(set_of(state), "ca.pem", "dir4", NULL, &t), TLSG_OK);
	list = tlsg_trust_parse(t);
	assert_non_null(list);
	while(gnutls_x509_trust_list_iter_get_ca(list, &iter, &crt) == 0) {
		n++;
		gnutls_x509_crt_deinit(crt);
	}
	assert_int_equal(n, 3);
	assert_int_equal(gnutls_certificate_allocate_credentials(&cred), 0);
	gnutls_certificate_set_trust_list(cred, list, 0);
	gnutls_certificate_free_credentials(cred);
	/* without any CA the list is empty */
	assert_int_equal(load(set_of(state), NULL, NULL, NULL, &t), TLSG_OK);
	list = tlsg_trust_parse(t);
	assert_non_null(list);
	gnutls_x509_trust_list_deinit(list, 1);
}

/* Whichever allocation in shared memory fails, loading fails with TLSG_E_RESOURCE and adds nothing to the snapshot's
 * list. */
static void test_no_memory(void **state)
{
	struct tlsg_trust *t;
	enum tlsg_ret ret = TLSG_E_RESOURCE;
	long n;

	(void)state;
	tlsg_certs_write(&certs, path_of("ca.pem"), "a b c");
	tlsg_certs_write(&certs, path_of("crl.pem"), "crl:a");
	for(n = 0; ret != TLSG_OK && n < 200; n++) {
		struct tlsg_set set = {.arena = tlsg_arena_new(0)};

		assert_non_null(set.arena);
		tlsg_stub_shm_fail_after(n);
		ret = load(&set, "ca.pem", NULL, "crl.pem", &t);
		tlsg_stub_shm_fail_after(-1);
		assert_int_equal(set.trusts_len, ret == TLSG_OK ? 1 : 0);
		if(ret != TLSG_OK)
			assert_int_equal(ret, TLSG_E_RESOURCE);
		tlsg_arena_drop(set.arena);
	}
	assert_int_equal(ret, TLSG_OK);
	assert_true(n > 1);
}

static int before(void **state)
{
	struct tlsg_set *set = test_calloc(1, sizeof(*set));

	set->arena = tlsg_arena_new(0);
	*state = set;
	return set->arena != NULL ? 0 : -1;
}

static int after(void **state)
{
	struct tlsg_set *set = *state;

	tlsg_arena_drop(set->arena);
	test_free(set);
	clean(folder);
	return 0;
}

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/trust-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if(mkdtemp(folder) == NULL || tlsg_arena_pool_global_init() != TLSG_OK)
		return -1;
	tlsg_certs_make(&certs, rows, sizeof(rows) / sizeof(rows[0]));
	tlsg_certs_make_crls(&certs, lists, sizeof(lists) / sizeof(lists[0]));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rmdir(folder);
	tlsg_certs_free(&certs);
	tlsg_arena_pool_global_deinit();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(test_nothing),
			TEST(test_ca_list),
			TEST(test_ca_list_der),
			TEST(test_found_again),
			TEST(test_bad_files),
			TEST(test_crl),
			TEST(test_crl_entries),
			TEST(test_crl_signer),
			TEST(test_crl_damaged),
			TEST(test_plain_directory),
			TEST(test_hashed_directory),
			TEST(test_bad_directory),
			TEST(test_directory_repeats_list),
			TEST(test_directory_without_certificates),
			TEST(test_all_three),
			TEST(test_find),
			TEST(test_parse),
			TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
