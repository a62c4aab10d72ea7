/*
 * tls_gnutls - the version of this project, and that of GnuTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static.  Lock: none.
 */
#include "base/version.h"

#include <gnutls/gnutls.h>

const char *tlsg_version_loaded(void)
{
	return gnutls_check_version(NULL);
}

const char *tlsg_version_built(void)
{
	return GNUTLS_VERSION;
}
