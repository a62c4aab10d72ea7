/*
 * tls_gnutls - free fragments in private memory, which the core's allocator qm finds faster than its one large block
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant, before the forks.  Memory: a few bytes of pkg, never freed.  Lock: none.
 */
#include "gnutls_mod/mod_fragments.h"

#include "base/host.h"

#define FRAGMENTS 4

static void *fences[FRAGMENTS]; /* [pkg] keep the fragments apart */

void tlsg_fragments_leave(void)
{
	static const size_t sizes[FRAGMENTS] = {256, 1024, 4096, 4096};
	void *fragment[FRAGMENTS];
	size_t i;

	for(i = 0; i < FRAGMENTS; i++) {
		fragment[i] = pkg_malloc(sizes[i]);
		fences[i] = pkg_malloc(1);
	}
	for(i = 0; i < FRAGMENTS; i++)
		if(fragment[i] != NULL)
			pkg_free(fragment[i]);
}
