/*
 * tls_gnutls - verifies chains with gnutls_x509_trust_list_verify_crt2() and nothing else, to compare with verify_tool
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a program of the tests.  Memory: heap.  Lock: none.
 *
 * What a module would do that left verification to GnuTLS: CAs and CRLs go into a trust list, purpose, name and
 * strength are given with the chain. Input as for verify_tool (sent=, ca=, crl=, role=, now=, name=; other keys have
 * no counterpart in GnuTLS and are ignored). Output, one line for each: 0 or 1 (refused), GnuTLS's status bits, and
 * what they mean; or "error" and a text.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#define LINE_BYTES 65536
#define FLAGS (GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM) | GNUTLS_VERIFY_DO_NOT_ALLOW_IP_MATCHES)

struct request
{
	const char *sent;
	const char *ca;
	const char *crl;
	const char *name;
	const char *purpose;
};

static time_t now;

static time_t get_now(time_t *t)
{
	if(t != NULL)
		*t = now;
	return now;
}

static void take_word(struct request *q, const char *key, char *value)
{
	if(strcmp(key, "sent") == 0)
		q->sent = value;
	else if(strcmp(key, "ca") == 0)
		q->ca = value;
	else if(strcmp(key, "crl") == 0)
		q->crl = value;
	else if(strcmp(key, "name") == 0)
		q->name = value;
	else if(strcmp(key, "role") == 0)
		q->purpose = strcmp(value, "server") == 0 ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER;
	else if(strcmp(key, "now") == 0)
		now = (time_t)strtoll(value, NULL, 10);
}

/* Reads a line of words key=value. @return false: no chain is named. */
static bool take_line(struct request *q, char *line)
{
	char *next, *value;

	memset(q, 0, sizeof(*q));
	q->purpose = GNUTLS_KP_TLS_WWW_CLIENT;
	line[strcspn(line, "\n")] = '\0';
	for(; line != NULL; line = next) {
		next = strchr(line, '\t');
		if(next != NULL)
			*next++ = '\0';
		value = strchr(line, '=');
		if(value != NULL) {
			*value++ = '\0';
			take_word(q, line, value);
		}
	}
	return q->sent != NULL;
}

/* CAs and CRLs as gnutls_certificate_set_x509_trust_file() and its relatives add them. @return NULL: not readable. */
static gnutls_x509_trust_list_t load_trust(const struct request *q)
{
	gnutls_x509_trust_list_t trust = NULL;

	if(gnutls_x509_trust_list_init(&trust, 0) < 0)
		return NULL;
	if(q->ca != NULL && gnutls_x509_trust_list_add_trust_file(trust, q->ca, NULL, GNUTLS_X509_FMT_PEM, 0, 0) < 0)
		goto error;
	if(q->crl != NULL && gnutls_x509_trust_list_add_trust_file(trust, NULL, q->crl, GNUTLS_X509_FMT_PEM, 0, 0) < 0)
		goto error;
	return trust;
error:
	gnutls_x509_trust_list_deinit(trust, 1);
	return NULL;
}

/* @return 0, or an error code of GnuTLS when the chain cannot be parsed. */
static int load_chain(const struct request *q, gnutls_x509_crt_t **chain, unsigned *len)
{
	gnutls_datum_t data = {NULL, 0};
	int rc = gnutls_load_file(q->sent, &data);

	if(rc < 0)
		return rc;
	rc = gnutls_x509_crt_list_import2(chain, len, &data, GNUTLS_X509_FMT_PEM, 0);
	gnutls_free(data.data);
	return rc;
}

/* @return 0 status says the verdict; an error code of GnuTLS, which refuses the chain too. */
static int verify(const struct request *q, gnutls_x509_trust_list_t trust, unsigned *status)
{
	gnutls_typed_vdata_st data[2] = {{.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)q->purpose},
			{.type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)q->name}};
	gnutls_x509_crt_t *chain = NULL;
	unsigned len = 0, i;
	int rc = load_chain(q, &chain, &len);

	if(rc < 0)
		return rc;
	rc = gnutls_x509_trust_list_verify_crt2(trust, chain, len, data, q->name != NULL ? 2 : 1, FLAGS, status, NULL);
	for(i = 0; i < len; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	return rc;
}

static void reply(const struct request *q)
{
	gnutls_x509_trust_list_t trust = load_trust(q);
	gnutls_datum_t text = {NULL, 0};
	unsigned status = 0;
	int rc;

	if(trust == NULL) {
		printf("error\tthe CAs or CRLs cannot be loaded\n");
		return;
	}
	rc = verify(q, trust, &status);
	if(rc < 0)
		printf("1\t0\t%s\n", gnutls_strerror(rc));
	else if(gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0)
		printf("%d\t%#x\t-\n", status != 0, status);
	else
		printf("%d\t%#x\t%s\n", status != 0, status, (char *)text.data);
	gnutls_free(text.data);
	gnutls_x509_trust_list_deinit(trust, 1);
}

int main(void)
{
	static char line[LINE_BYTES];
	struct request q;

	gnutls_global_set_time_function(get_now);
	while(fgets(line, sizeof(line), stdin) != NULL) {
		if(take_line(&q, line))
			reply(&q);
		else
			printf("error\tno chain is named\n");
		fflush(stdout);
	}
	return 0;
}
