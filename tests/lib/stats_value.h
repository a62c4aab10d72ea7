/*
 * tls_gnutls - value of a counter by its name, for tests
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: none.  Lock: none.
 */
#ifndef TLSG_TESTS_LIB_STATS_VALUE_H
#define TLSG_TESTS_LIB_STATS_VALUE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/stats.h"

/** @return the value now. Aborts when no counter has that name. */
static inline uint64_t tlsg_stats_value_of(const char *name)
{
	unsigned i;

	for(i = 0; i < tlsg_stats_len(); i++)
		if(strcmp(tlsg_stats_name(i), name) == 0)
			return tlsg_stats_value(i);
	fprintf(stderr, "no counter is called %s\n", name);
	abort();
}

#endif
