/*
 * tls_gnutls - files that hold secrets: who can read them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none.
 */
#include "base/secret_file.h"

#include <sys/stat.h>

#include "base/host.h"

void tlsg_secret_file_warn(const char *name, const char *secret, mode_t mode)
{
	if(mode & S_IROTH)
		LM_WARN("\"%s\" holds %s and is world-readable: chmod o-r it\n", name, secret);
}
