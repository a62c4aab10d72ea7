/*
 * tls_gnutls - the PIN of a token: the order of the places that it may come from
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, the token process.  Memory: the caller's.  Lock: none.
 */
#include "profiles/keys/pin.h"

#include <string.h>

static enum tlsg_ret pin_set(struct tlsg_p11_secret *pin, const char *text, struct tlsg_err *err)
{
	size_t len = strlen(text);

	if(len >= sizeof(pin->value))
		return tlsg_err_set(err, TLSG_E_CONFIG, "the PIN is longer than %d bytes", (int)sizeof(pin->value) - 1);
	memcpy(pin->value, text, len + 1);
	pin->is_set = true;
	return TLSG_OK;
}

/* private_key_password is the PIN of a key on a token. One that was typed at start serves reloads too. */
static enum tlsg_ret pin_of_profile(const struct tlsg_pin_sources *from, struct tlsg_p11_query *q, struct tlsg_err *err)
{
	struct tlsg_password password;
	enum tlsg_ret ret;

	if(tlsg_password_is_out_of_reach()) {
		(void)from->known(q->uri.uri, &q->pin);
		return TLSG_OK;
	}
	ret = tlsg_password_get(from->password, q->uri.uri, &password, err);
	if(ret == TLSG_OK && password.is_set)
		ret = pin_set(&q->pin, password.text, err);
	tlsg_password_wipe(&password);
	return ret;
}

enum tlsg_ret tlsg_pin_find(const struct tlsg_pin_sources *from, struct tlsg_p11_query *q, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	if(q->uri.has_pin)
		return pin_set(&q->pin, q->uri.pin, err);
	if(q->uri.pin_source[0] != '\0') {
		ret = tlsg_p11_pin_read(q->uri.pin_source, q->pin.value, err);
		q->pin.is_set = ret == TLSG_OK;
		return ret;
	}
	if(from->password != NULL && (from->password->s != NULL || (tlsg_password_is_asked() && from->engine == NULL))) {
		ret = pin_of_profile(from, q, err);
		if(ret != TLSG_OK || q->pin.is_set)
			return ret;
	}
	if(from->engine != NULL && from->engine->is_set)
		q->pin = *from->engine;
	return TLSG_OK;
}
