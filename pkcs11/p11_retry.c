/*
 * tls_gnutls - when an operation on a token is tried again
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that uses a token.  Memory: the caller's.  Lock: none.
 */
#include "pkcs11/p11_retry.h"

#include "pkcs11/p11_module.h"
#include "pkcs11/p11_probe.h"

#define FAILED_MAX 4
#define QUICK_MS 2000

void tlsg_p11_retry_begin(struct tlsg_p11_retry *r)
{
	r->failed = 0;
	r->began_ms = tlsg_p11_probe_clock();
}

bool tlsg_p11_retry_is_worth_it(const struct tlsg_p11_retry *r)
{
	return r->failed + 1 < FAILED_MAX && tlsg_p11_probe_clock() - r->began_ms <= QUICK_MS;
}

void tlsg_p11_retry_restart(struct tlsg_p11_retry *r, int pause_ms)
{
	r->failed++;
	tlsg_p11_module_stop();
	tlsg_p11_probe_pause(pause_ms * r->failed);
	r->began_ms = tlsg_p11_probe_clock();
}

static enum tlsg_ret open_once(
		const struct tlsg_p11_object *o, void (*close_all)(void), gnutls_privkey_t *out, struct tlsg_err *err)
{
	enum tlsg_ret ret = tlsg_p11_key_open(o, out, err);

	if(ret != TLSG_AGAIN)
		return ret;
	close_all(); /* the module of another key is in the way */
	tlsg_p11_module_stop();
	ret = tlsg_p11_key_open(o, out, err);
	return ret != TLSG_AGAIN ? ret
							 : tlsg_err_set(err, TLSG_E_CONFIG,
									 "GnuTLS does not tell the PKCS#11 module from another one of the same name that "
									 "is registered with p11-kit: name its path, or unregister one");
}

gnutls_privkey_t tlsg_p11_retry_open(const struct tlsg_p11_object *o, void (*close_all)(void), struct tlsg_err *err)
{
	struct tlsg_p11_retry r;
	gnutls_privkey_t key;

	tlsg_p11_retry_begin(&r);
	for(;;) {
		tlsg_err_clear(err);
		if(open_once(o, close_all, &key, err) == TLSG_OK)
			return key;
		if(tlsg_p11_key_is_refused(o) || !tlsg_p11_retry_is_worth_it(&r))
			return NULL;
		close_all();
		tlsg_p11_retry_restart(&r, TLSG_P11_RETRY_WORKER_MS);
	}
}

bool tlsg_p11_retry_is_token_lost(int code)
{
	switch(code) {
		case GNUTLS_E_PKCS11_SESSION_ERROR:
		case GNUTLS_E_PKCS11_TOKEN_ERROR:
		case GNUTLS_E_PKCS11_SLOT_ERROR:
		case GNUTLS_E_PKCS11_USER_ERROR:
		case GNUTLS_E_PKCS11_KEY_ERROR:
		case GNUTLS_E_PKCS11_PIN_ERROR:
		case GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE:
		case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
			return true;
		default:
			return false;
	}
}
