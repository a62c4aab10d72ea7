/*
 * tls_gnutls - lines that only a build with TLS_WR_DEBUG, TLS_RD_DEBUG or TLS_BIO_DEBUG logs
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none.
 *
 * WR: clear text that the core sends; RD: clear text that it receives; BIO: TLS records from and to the socket. Numbers
 * of bytes, never the bytes.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DEBUG_H
#define TLSG_GNUTLS_MOD_MOD_DEBUG_H

#include "base/host.h"
#include "gnutls_mod/mod_group.h"

#ifdef TLS_WR_DEBUG
#define TLSG_DEBUG_WR true
#else
#define TLSG_DEBUG_WR false
#endif

#ifdef TLS_RD_DEBUG
#define TLSG_DEBUG_RD true
#else
#define TLSG_DEBUG_RD false
#endif

#ifdef TLS_BIO_DEBUG
#define TLSG_DEBUG_BIO true
#else
#define TLSG_DEBUG_BIO false
#endif

/**
 * Logs at the level tls_debug, if this was compiled with TLS_<what>_DEBUG.
 * @param what  WR, RD or BIO.
 * @param fmt   format as for printf, a literal; its arguments follow.
 */
#define TLSG_DEBUG(what, fmt, ...)                                          \
	do {                                                                    \
		if(TLSG_DEBUG_##what)                                               \
			LOG(TLSG_CFG(debug), "TLS_" #what "_DEBUG: " fmt, __VA_ARGS__); \
	} while(0)

#endif
