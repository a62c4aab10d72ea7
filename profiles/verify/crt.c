/*
 * tls_gnutls - parses certificates
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: what GnuTLS allocates.  Lock: none.
 */
#include "profiles/verify/crt.h"

int tlsg_crt_parse(const struct tlsg_der *der, gnutls_x509_crt_t *out)
{
	gnutls_datum_t data = {der->data, der->size};
	gnutls_x509_crt_t crt = NULL;
	int rc = gnutls_x509_crt_init(&crt);

	*out = NULL;
	if(rc < 0)
		return rc;
	rc = gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER);
	if(rc < 0) {
		gnutls_x509_crt_deinit(crt);
		return rc;
	}
	*out = crt;
	return 0;
}
