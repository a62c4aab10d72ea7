/*
 * tls_gnutls - feeds arbitrary bytes to the reader of engine_config and checks what comes out
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a fuzzing process.  Memory: heap.  Lock: none.
 *
 * The same bytes give the same result; a refusal has an error text and leaks nothing; a PIN fits its buffer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "pkcs11/p11_engine.h"

#define CHECK(what)           \
	do {                      \
		if(!(what))           \
			__builtin_trap(); \
	} while(0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_wiped(const struct tlsg_p11_engine *e)
{
	const unsigned char *at = (const unsigned char *)e;
	size_t i;

	for(i = 0; i < sizeof(*e); i++)
		if(at[i] != 0)
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlsg_p11_engine first, second;
	struct tlsg_err err;
	char *copy = malloc(size); /* of exactly that size, so that a read beyond the end is found */
	enum tlsg_ret ret;

	CHECK(copy != NULL || size == 0);
	if(size > 0)
		memcpy(copy, data, size);
	tlsg_stub_log_level_set(L_CRIT);
	tlsg_err_clear(&err);
	ret = tlsg_p11_engine_parse(copy, size, "pkcs11", "fuzz", &first, &err);
	CHECK(ret == TLSG_OK || ret == TLSG_E_CONFIG);
	CHECK((ret == TLSG_OK) == (err.text[0] == '\0'));
	CHECK(ret == TLSG_OK || is_wiped(&first));
	CHECK(memchr(first.pin.value, '\0', sizeof(first.pin.value)) != NULL);
	CHECK(memchr(first.module, '\0', sizeof(first.module)) != NULL);
	CHECK(first.pin.is_set || first.pin.value[0] == '\0');
	CHECK(tlsg_p11_engine_parse(copy, size, "pkcs11", "fuzz", &second, NULL) == ret);
	CHECK(memcmp(&first, &second, sizeof(first)) == 0);
	free(copy);
	return 0;
}
