/*
 * tls_gnutls - feeds arbitrary text to the parser of PKCS#11 URIs and checks what comes out
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a fuzzing process.  Memory: heap.  Lock: none.
 *
 * The canonical form parses to itself and contains no PIN, and a refusal shows no PIN: what follows "pin-value=" does
 * not appear in the error text.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/host.h"
#include "pkcs11/p11_uri.h"

#define CHECK(what)           \
	do {                      \
		if(!(what))           \
			__builtin_trap(); \
	} while(0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether a text contains an attribute that holds a PIN or says where it is. */
static bool shows_pin(const char *text)
{
	for(; *text != '\0'; text++)
		if(strchr(";?&:", *text) != NULL && strncasecmp(text + 1, "pin-", 4) == 0)
			return true;
	return false;
}

static void check_good(const struct tlsg_p11_uri *u)
{
	struct tlsg_p11_uri again;

	CHECK(strchr(u->uri, '?') == NULL);
	CHECK(tlsg_p11_uri_is(u->uri));
	CHECK(tlsg_p11_uri_parse(u->uri, &again, NULL) == TLSG_OK);
	CHECK(strcmp(u->uri, again.uri) == 0 && !again.has_pin && again.pin_source[0] == '\0');
	CHECK(again.has_object == u->has_object && again.has_token == u->has_token && strcmp(again.type, u->type) == 0);
	CHECK(u->has_pin || u->pin[0] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlsg_p11_uri u;
	struct tlsg_err err;
	char *text = malloc(size + 1);
	char shown[4096];

	CHECK(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	tlsg_p11_uri_redact(text, shown, sizeof(shown));
	CHECK(!shows_pin(shown));
	tlsg_err_clear(&err);
	if(tlsg_p11_uri_parse(text, &u, &err) == TLSG_OK)
		check_good(&u);
	else
		CHECK(err.text[0] == '"' && !shows_pin(err.text) && u.pin[0] == '\0');
	free(text);
	return 0;
}
