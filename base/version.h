/*
 * tls_gnutls - the version of this project, and that of GnuTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static.  Lock: none.
 */
#ifndef TLSG_BASE_VERSION_H
#define TLSG_BASE_VERSION_H

/** The version of this project. Stated here only: Makefile, packages and documents take it from this line. */
#define TLSG_VERSION "0.9.0"

/** @return the version of the GnuTLS library that is loaded, e.g. "3.7.9"; static. Source: gnutls_check_version(). */
const char *tlsg_version_loaded(void);

/** @return the version of the GnuTLS whose headers this was compiled with, e.g. "3.7.9"; static. */
const char *tlsg_version_built(void);

#endif
