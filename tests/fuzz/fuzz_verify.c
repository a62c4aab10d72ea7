/*
 * tls_gnutls - feeds arbitrary certificates to verification and checks what comes out
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a fuzzing process.  Memory: heap.  Lock: none.
 *
 * The first byte chooses role, name check and so on. Then come certificates, each with its length in two bytes. The
 * last one is the trusted CA, all others are sent by the peer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profiles/verify/constraints.h"
#include "profiles/verify/name.h"
#include "profiles/verify/trust.h"
#include "profiles/verify/verify.h"

#define CHECK(what)           \
	do {                      \
		if(!(what))           \
			__builtin_trap(); \
	} while(0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CERTS_MAX 6
#define NOW ((time_t)1750000000)

/* Splits the input; each certificate is copied, so that a sanitizer sees each read beyond its end. */
static unsigned split(const uint8_t *data, size_t size, struct tlsg_der *out)
{
	unsigned n = 0;

	while(n < CERTS_MAX && size >= 2) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		if(len > size)
			len = size;
		out[n].data = malloc(len > 0 ? len : 1);
		CHECK(out[n].data != NULL);
		memcpy(out[n].data, data, len);
		out[n++].size = (unsigned)len;
		data += len;
		size -= len;
	}
	return n;
}

static gnutls_x509_crt_t parse(const struct tlsg_der *der)
{
	gnutls_datum_t d = {der->data, der->size};
	gnutls_x509_crt_t crt = NULL;

	CHECK(gnutls_x509_crt_init(&crt) == 0);
	if(gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER) == 0)
		return crt;
	gnutls_x509_crt_deinit(crt);
	return NULL;
}

/* A name that a certificate is valid for is no longer valid with something in front of it. */
static void check_names(gnutls_x509_crt_t crt)
{
	char text[] = "sip.example.org", longer[] = "xsip.example.org";
	str name = {text, sizeof(text) - 1}, other = {longer, sizeof(longer) - 1};

	if(tlsg_name_is_of(crt, &name, false))
		CHECK(tlsg_name_is_of(crt, &name, true));
	(void)tlsg_name_is_of(crt, &other, false);
}

static void check_chain(const struct tlsg_der *certs, unsigned n, gnutls_x509_crt_t ca, uint8_t flags)
{
	gnutls_datum_t dn = {NULL, 0};
	struct tlsg_der anchor = certs[n - 1];
	struct tlsg_trust_name name = {.ca = 0};
	struct tlsg_trust set = {.cas = &anchor, .cas_len = 1, .names = &name};
	char text[] = "sip.example.org";
	struct tlsg_verify_input in = {.chain = certs, .chain_len = n - 1, .trust = &set, .depth = flags & 3, .now = NOW};
	struct tlsg_verify_result r;

	if(gnutls_x509_crt_get_raw_dn(ca, &dn) < 0)
		return;
	name.dn = (struct tlsg_der){dn.data, dn.size};
	in.role = (flags & 4) ? TLSG_CLIENT : TLSG_SERVER;
	in.keep_going = (flags & 8) != 0;
	in.check_crl = (flags & 16) != 0;
	in.verify_name = (flags >> 5) % 3;
	in.name = (str){text, sizeof(text) - 1};
	if(tlsg_verify_chain(&in, &r) != TLSG_OK)
		CHECK(r.code != TLSG_V_OK);
	CHECK(r.built_len <= TLSG_CHAIN_MAX);
	if(r.code == TLSG_V_OK) {
		CHECK(r.status == 0 && r.built_len > 0 && !in.check_crl);
		CHECK(r.built[r.built_len - 1].size == anchor.size
				&& memcmp(r.built[r.built_len - 1].data, anchor.data, anchor.size) == 0);
	}
	tlsg_verify_result_free(&r);
	gnutls_free(dn.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlsg_der certs[CERTS_MAX];
	gnutls_x509_crt_t ca, leaf;
	unsigned n, i;

	if(size < 1)
		return 0;
	n = split(data + 1, size - 1, certs);
	ca = n > 1 ? parse(&certs[n - 1]) : NULL;
	leaf = n > 1 ? parse(&certs[0]) : NULL;
	if(leaf != NULL)
		check_names(leaf);
	if(ca != NULL && leaf != NULL)
		(void)tlsg_constraints_hold(ca, leaf, (data[0] & 1) != 0);
	if(ca != NULL)
		check_chain(certs, n, ca, data[0]);
	if(ca != NULL)
		gnutls_x509_crt_deinit(ca);
	if(leaf != NULL)
		gnutls_x509_crt_deinit(leaf);
	for(i = 0; i < n; i++)
		free(certs[i].data);
	return 0;
}
