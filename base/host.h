/*
 * tls_gnutls - access to Kamailio's core for the folders below rpc
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm (the core's shared memory), pkg (this process).  Lock: none.
 *
 * The folders below gnutls_mod and rpc use Kamailio through this header only: str, shm_malloc and shm_free, gen_lock_t,
 * LM_*, ticks, sleep_us(), process numbers. Unit tests put tests/stub first on the include path: it has a stand-in with
 * the same names, so that they run without Kamailio.
 */
#ifndef TLSG_BASE_HOST_H
#define TLSG_BASE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Log lines begin with the name that tls.so has there, whatever the file of the module is called. */
#undef MOD_NAME
#define MOD_NAME "tls"

#include "core/dprint.h"
#include "core/globals.h"
#include "core/locking.h"
#include "core/mem/mem.h"
#include "core/mem/shm_mem.h"
#include "core/pt.h"
#include "core/str.h"
#include "core/timer.h"
#include "core/timer_ticks.h"
#include "core/ut.h"

/**
 * Whether an address lies in the core's shared memory pool.
 * @param p  any address, NULL allowed (never in the pool).
 * @return true inside the pool, false elsewhere (private heap, static data, stack).
 * Process: any, after shared memory is initialised. Lock: none.
 * Source: core/mem/shm.c: one pool of shm_mem_size bytes; each memory manager puts its block structure at the start of
 * the pool. shm_core_get_pool() is not a mere getter: with shm_force_alloc it writes to each page.
 */
static inline bool tlsg_host_in_shm(const void *p)
{
	return (uintptr_t)p - (uintptr_t)_shm_root.mem_block < (uintptr_t)shm_mem_size;
}

/**
 * Number of this process in the core's process table.
 * @return 0 (attendant) to get_max_procs() - 1.
 */
static inline int tlsg_host_process(void)
{
	return process_no;
}

#endif
