/*
 * tls_gnutls - verifies chains named on standard input, for the scripts that compare results
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a program of the tests.  Memory: heap, stand-in shared memory.  Lock: none.
 *
 * Each line is one verification: words key=value separated by tabs.
 *   sent=FILE   PEM certificates, leaf first          ca=FILE ca_path=DIR crl=FILE   settings
 *   role=server|client  of the verifying host         depth=N  verify_depth
 *   now=SECONDS  since 1970                           keep=1  make all checks
 *   name=NAME wild=1  expected name                   profile=NAME  of GnuTLS
 * Each answer is one line: code, depth, alert, length of the built chain, GnuTLS's status bits, reason; or "error" and
 * a text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "profiles/keys/file.h"
#include "profiles/load_trust.h"
#include "profiles/verify/verify.h"

#define LINE_BYTES 65536

struct request
{
	const char *sent;
	struct tlsg_prof_settings settings;
	struct tlsg_verify_input in;
};

static void set_str(str *s, char *value)
{
	s->s = value;
	s->len = (int)strlen(value);
}

/* Takes one word. @return false: unknown. */
static bool take_word(struct request *q, const char *key, char *value)
{
	if(strcmp(key, "sent") == 0)
		q->sent = value;
	else if(strcmp(key, "ca") == 0)
		set_str(&q->settings.ca_list, value);
	else if(strcmp(key, "ca_path") == 0)
		set_str(&q->settings.ca_path, value);
	else if(strcmp(key, "crl") == 0)
		set_str(&q->settings.crl, value);
	else if(strcmp(key, "role") == 0)
		q->in.role = strcmp(value, "server") == 0 ? TLSG_SERVER : TLSG_CLIENT;
	else if(strcmp(key, "depth") == 0)
		q->in.depth = (int)strtol(value, NULL, 10);
	else if(strcmp(key, "now") == 0)
		q->in.now = (time_t)strtoll(value, NULL, 10);
	else if(strcmp(key, "keep") == 0)
		q->in.keep_going = value[0] == '1';
	else if(strcmp(key, "wild") == 0)
		q->in.verify_name = 2;
	else if(strcmp(key, "profile") == 0)
		q->in.profile = gnutls_certificate_verification_profile_get_id(value);
	else if(strcmp(key, "name") == 0) {
		set_str(&q->in.name, value);
		q->in.verify_name = q->in.verify_name == 2 ? 2 : 1;
	} else
		return false;
	return true;
}

static bool take_line(struct request *q, char *line)
{
	char *next, *value;

	memset(q, 0, sizeof(*q));
	q->in.depth = 9;
	line[strcspn(line, "\n")] = '\0';
	for(; line != NULL; line = next) {
		next = strchr(line, '\t');
		if(next != NULL)
			*next++ = '\0';
		value = strchr(line, '=');
		if(value == NULL)
			return false;
		*value++ = '\0';
		if(!take_word(q, line, value))
			return false;
	}
	return q->sent != NULL;
}

/* The certificates of a file as a peer would send them, malformed ones included. */
static unsigned read_sent(const char *file, struct tlsg_der *out, unsigned max)
{
	gnutls_datum_t data = {NULL, 0}, der;
	struct tlsg_err err;
	const char *at;
	unsigned n = 0;

	tlsg_err_clear(&err);
	if(tlsg_file_read("sent", file, &data, &err) != TLSG_OK)
		return 0;
	for(at = (char *)data.data; n < max && (at = strstr(at, "-----BEGIN CERTIFICATE")) != NULL; at++) {
		gnutls_datum_t pem = {(unsigned char *)at, (unsigned)strlen(at)};

		if(gnutls_pem_base64_decode2("CERTIFICATE", &pem, &der) < 0)
			break;
		out[n++] = (struct tlsg_der){der.data, der.size};
	}
	gnutls_free(data.data);
	return n;
}

static void answer(struct request *q)
{
	struct tlsg_der sent[TLSG_CHAIN_MAX + 1];
	struct tlsg_set set = {.arena = tlsg_arena_new(0)};
	struct tlsg_verify_result r;
	struct tlsg_trust *trust = NULL;
	struct tlsg_err err;
	unsigned i;

	tlsg_err_clear(&err);
	q->in.chain = sent;
	q->in.chain_len = read_sent(q->sent, sent, TLSG_CHAIN_MAX + 1);
	if(tlsg_load_trust(&set, &q->settings, &trust, &err) != TLSG_OK)
		printf("error\t%s\n", err.text);
	else {
		q->in.trust = trust;
		q->in.list = tlsg_trust_parse(trust);
		q->in.check_crl = trust->has_crl;
		if(tlsg_verify_chain(&q->in, &r) < 0 && r.code == TLSG_V_OK)
			printf("error\tthe verdict of a failure is ok\n");
		else
			printf("%d\t%u\t%d\t%u\t%#x\t%s\n", r.code, r.depth, r.alert, r.built_len, r.status,
					tlsg_verify_code_reason(r.code));
		tlsg_verify_result_free(&r);
		gnutls_x509_trust_list_deinit(q->in.list, 1);
	}
	for(i = 0; i < q->in.chain_len; i++)
		gnutls_free(sent[i].data);
	tlsg_arena_drop(set.arena);
}

int main(void)
{
	static char line[LINE_BYTES];
	struct request q;

	if(tlsg_arena_pool_global_init() != TLSG_OK)
		return 2;
	while(fgets(line, sizeof(line), stdin) != NULL) {
		if(take_line(&q, line))
			answer(&q);
		else
			printf("error\tnot a request\n");
		fflush(stdout);
	}
	tlsg_arena_pool_global_deinit();
	return 0;
}
