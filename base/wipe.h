/*
 * tls_gnutls - clears secrets in memory
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's.  Lock: none.
 */
#ifndef TLSG_BASE_WIPE_H
#define TLSG_BASE_WIPE_H

#include <stddef.h>
#include <string.h>

/**
 * Sets memory to zero in a way that the compiler does not optimise away.
 * @param p      NULL only when bytes is 0.
 * @param bytes  number of bytes.
 */
static inline void tlsg_wipe(void *p, size_t bytes)
{
	if(bytes == 0)
		return;
	memset(p, 0, bytes);
	__asm__ volatile("" : : "r"(p) : "memory");
}

#endif
