/*
 * tls_gnutls - feeds arbitrary bytes to the index of CRLs and checks what comes out
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a fuzzing process.  Memory: heap, stand-in shared memory.  Lock: none.
 *
 * What GnuTLS finds in a CRL must be found in its index.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "profiles/verify/crl.h"

#define CHECK(what)           \
	do {                      \
		if(!(what))           \
			__builtin_trap(); \
	} while(0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(const struct tlsg_crl *crl, const struct tlsg_der *part)
{
	return part->size == 0 || (part->data >= crl->der.data && part->data + part->size <= crl->der.data + crl->der.size);
}

/* Each serial number that GnuTLS lists is revoked in the index too. */
static void compare(const struct tlsg_crl *crl, gnutls_x509_crl_t list)
{
	unsigned char serial[256];
	unsigned n = 0;

	CHECK(gnutls_x509_crl_get_crt_count(list) == (int)crl->serials_len);
	for(; n < crl->serials_len && n < 64; n++) {
		size_t size = sizeof(serial);

		if(gnutls_x509_crl_get_crt_serial(list, (int)n, serial, &size, NULL) < 0 || size == 0)
			continue;
		CHECK(tlsg_crl_has(crl, serial, size));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	gnutls_datum_t der = {(unsigned char *)data, (unsigned)size};
	struct tlsg_arena *arena = tlsg_arena_new(0);
	gnutls_x509_crl_t list = NULL;
	struct tlsg_crl crl;
	struct tlsg_err err;

	CHECK(arena != NULL && gnutls_x509_crl_init(&list) == 0);
	tlsg_err_clear(&err);
	if(tlsg_crl_parse(arena, &der, &crl, &err) == TLSG_OK) {
		CHECK(is_inside(&crl, &crl.issuer) && is_inside(&crl, &crl.tbs) && is_inside(&crl, &crl.signature)
				&& is_inside(&crl, &crl.points));
		CHECK(!tlsg_crl_has(&crl, (const unsigned char *)"no serial number is as long as this text is", 43));
		CHECK(gnutls_x509_crl_import(list, &der, GNUTLS_X509_FMT_DER) == 0);
		compare(&crl, list);
	} else
		CHECK(err.text[0] != '\0');
	gnutls_x509_crl_deinit(list);
	tlsg_arena_drop(arena);
	return 0;
}
