/*
 * tls_gnutls - refuses TLS work when shared memory runs low: low_mem_threshold1 and low_mem_threshold2
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static of this process.  Lock: the core's memory lock, while it counts.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_LOW_MEM_H
#define TLSG_GNUTLS_MOD_MOD_LOW_MEM_H

#include <stdbool.h>
#include <stdint.h>

/** Which threshold. */
enum tlsg_low_mem
{
	TLSG_LOW_MEM_NEW = 0,	   /**< low_mem_threshold1: below it no new TLS connection is begun */
	TLSG_LOW_MEM_EXISTING = 1, /**< low_mem_threshold2: below it nothing is done on existing ones */
	TLSG_LOW_MEM_DTLS /**< low_mem_threshold1 and 1/16 of shared memory: no new DTLS association, as they stay */
};

/**
 * Bytes of free shared memory below which TLS work is refused, as configured at this moment.
 * @return bytes; 0: off, or the core does not count free memory.
 * Process: any, after tlsg_low_mem_init(). Lock: none.
 */
uint64_t tlsg_low_mem_bytes(enum tlsg_low_mem which);

/**
 * Takes the number of processes, from which the default thresholds follow, and logs both thresholds at WARN.
 * @param processes  get_max_procs(), at least 1.
 * @return 0; -1: processes is not positive.
 * Process: attendant, in the hook `init`, before the forks. Lock: none.
 */
int tlsg_low_mem_init(int processes);

/**
 * Whether enough shared memory is free. For existing connections the core is asked once a tick, since its answer takes
 * the lock of all shared memory.
 * Process: any, after tlsg_low_mem_init().
 */
bool tlsg_low_mem_allows(enum tlsg_low_mem which);

#endif
