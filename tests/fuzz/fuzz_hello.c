/*
 * tls_gnutls - fuzz target: the ClientHello reader
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: libFuzzer.  Memory: heap.  Lock: none.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transport/hello.h"

/* Every result points into the message. */
static void check_inside(const unsigned char *p, size_t n, const uint8_t *data, size_t size)
{
	if(p != NULL && (p < data || n > size || (size_t)(p - data) > size - n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlsg_hello h;

	if(tlsg_hello_read(data, size, false, &h) != TLSG_OK)
		return 0;
	check_inside(h.suites, h.suites_len * 2, data, size);
	check_inside(h.name, h.name_len, data, size);
	check_inside(h.versions, h.versions_len * 2, data, size);
	check_inside(h.groups, h.groups_len * 2, data, size);
	if(h.name != NULL
			&& (h.name_len == 0 || h.name_len > 255 || (h.name_is_visible && memchr(h.name, 0, h.name_len) != NULL)))
		abort();
	return 0;
}
