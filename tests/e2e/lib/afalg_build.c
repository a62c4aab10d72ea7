/*
 * tls_gnutls - preloaded: GnuTLS says that it was built with --enable-afalg
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a Kamailio of the end-to-end tests.  Memory: static.  Lock: none.
 */
#include <gnutls/gnutls.h>

const gnutls_library_config_st *gnutls_get_library_config(void)
{
	static const gnutls_library_config_st config[] = {
			{"libgnutls-soname", "libgnutls.so.30"}, {"hardware-features", "padlock afalg"}, {0}};

	return config;
}
