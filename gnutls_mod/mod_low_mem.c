/*
 * tls_gnutls - refuses TLS work when shared memory runs low: low_mem_threshold1 and low_mem_threshold2
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static of this process.  Lock: the core's memory lock, while it counts.
 */
#include "gnutls_mod/mod_low_mem.h"

#include "base/host.h"
#include "gnutls_mod/mod_group.h"

static int processes;
static bool memory_is_counted = true;

int tlsg_low_mem_init(int count)
{
	uint64_t low1, low2;

	if(count <= 0) {
		LM_BUG("the core reports %d processes\n", count);
		return -1;
	}
	processes = count;
	memory_is_counted = shm_available() != (unsigned long)-1;
	if(!memory_is_counted)
		LM_WARN("the core does not count free shared memory: low_mem_threshold1 and 2 have no effect\n");
	low1 = tlsg_low_mem_bytes(TLSG_LOW_MEM_NEW);
	low2 = tlsg_low_mem_bytes(TLSG_LOW_MEM_EXISTING);
	LM_INFO("with less than %llu bytes of free shared memory no new TLS connection is accepted, with less than %llu "
			"bytes nothing is done on existing ones (0: never refused)\n",
			(unsigned long long)low1, (unsigned long long)low2);
	if(low1 >= shm_mem_size || low2 >= shm_mem_size)
		LM_WARN("the shared memory of %lu bytes is not larger than that: every TLS connection will be refused, raise "
				"-m\n",
				(unsigned long)shm_mem_size);
	return 0;
}

uint64_t tlsg_low_mem_bytes(enum tlsg_low_mem which)
{
	int kb = which != TLSG_LOW_MEM_EXISTING ? TLSG_CFG(low_mem_threshold1) : TLSG_CFG(low_mem_threshold2);
	uint64_t bytes = (uint64_t)processes * (which != TLSG_LOW_MEM_EXISTING ? 512 : 256) * 1024;

	if(!memory_is_counted)
		return 0;
	if(kb >= 0)
		bytes = (uint64_t)kb * 1024;
	if(which == TLSG_LOW_MEM_DTLS && bytes != 0)
		bytes += shm_mem_size / 16;
	return bytes;
}

bool tlsg_low_mem_allows(enum tlsg_low_mem which)
{
	static ticks_t asked;
	static uint64_t available = UINT64_MAX;
	uint64_t threshold = tlsg_low_mem_bytes(which);

	if(threshold == 0)
		return true;
	if(which != TLSG_LOW_MEM_EXISTING || asked != get_ticks_raw()) {
		asked = get_ticks_raw();
		available = shm_available_safe();
	}
	return available >= threshold;
}
