/*
 * tls_gnutls - operations with a key on a token: it is opened when needed, and again when the token was lost
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake, children of the token process.  Memory: this process's heap, without a
 * scope.  Lock: the gate, around a login.
 */
#include "profiles/keys/token_op.h"

#include "base/host.h"
#include "pkcs11/p11_match.h"
#include "pkcs11/p11_probe.h"
#include "pkcs11/p11_retry.h"

bool tlsg_token_op_open(struct tlsg_token_op_key *k, void (*close_all)(void), struct tlsg_err *why)
{
	tlsg_err_clear(why);
	if(k->key != NULL)
		return true;
	k->key = tlsg_p11_retry_open(k->object, close_all, why);
	if(k->key == NULL)
		return false;
	tlsg_err_clear(why);
	k->signed_ms = tlsg_p11_probe_clock();
	if(tlsg_p11_match_public(&k->object->certificate, &k->pub, why) == TLSG_OK)
		return true;
	tlsg_token_op_close(k);
	return false;
}

void tlsg_token_op_close(struct tlsg_token_op_key *k)
{
	if(k->key != NULL)
		gnutls_privkey_deinit(k->key);
	gnutls_pubkey_deinit(k->pub);
	k->key = NULL;
	k->pub = NULL;
}

/* The first attempt leaves the modules running: some do not start twice in one process. */
static bool reopen(struct tlsg_token_op_key *k, int code, void (*close_all)(void), struct tlsg_err *why)
{
	close_all();
	if(!tlsg_token_op_open(k, close_all, why))
		return false;
	LM_WARN("private_key \"%s\": %s; the token session was reopened\n", k->name, gnutls_strerror(code));
	return true;
}

/* The key cannot be opened. */
static int refuse(const struct tlsg_op_job *j)
{
	return j->op == TLSG_OP_DECRYPT ? GNUTLS_E_DECRYPTION_FAILED : GNUTLS_E_PK_SIGN_FAILED;
}

/* A random premaster secret, or a signature that does not verify. */
static void result_drop(struct tlsg_op_job *j)
{
	gnutls_free(j->made.data);
	j->made.data = NULL;
	j->made.size = 0;
}

/* @param code  [out] what the token said, also where the result is a random premaster secret. */
static int run_once(struct tlsg_token_op_key *k, struct tlsg_op_job *j, int *code)
{
	if(j->op == TLSG_OP_DECRYPT)
		return tlsg_op_decrypt(k->key, j->in, &j->made, code);
	*code = tlsg_op_sign(k->key, j->op, j->algo, j->in, &j->made);
	if(*code >= 0)
		*code = tlsg_op_verify(k->pub, j);
	if(*code >= 0)
		k->signed_ms = tlsg_p11_probe_clock();
	return *code;
}

/*
 * Before a decryption: makes sure that the token works, by a signature now and then, or else opens a new session.
 * @return false: the key cannot be opened.
 */
static bool prove(struct tlsg_token_op_key *k, void (*close_all)(void), struct tlsg_err *why)
{
	struct tlsg_err unused;
	int code = 0;

	if(tlsg_p11_probe_clock() - k->signed_ms < TLSG_TOKEN_OP_PROVE_MS)
		return true;
	tlsg_err_clear(&unused);
	k->signed_ms = tlsg_p11_probe_clock();
	if(tlsg_p11_key_prove(k->object, k->key, &code, &unused) == TLSG_OK)
		return true;
	return reopen(k, code, close_all, why);
}

int tlsg_token_op_run(struct tlsg_token_op_key *k, struct tlsg_op_job *j, void (*close_all)(void), struct tlsg_err *why)
{
	bool is_decryption = j->op == TLSG_OP_DECRYPT;
	int code = 0, rc;

	if(!tlsg_token_op_open(k, close_all, why) || (is_decryption && !prove(k, close_all, why)))
		return refuse(j);
	rc = run_once(k, j, &code);
	if(code >= 0 || (is_decryption && !tlsg_p11_retry_is_token_lost(code)))
		return rc;
	result_drop(j);
	if(!reopen(k, code, close_all, why))
		return refuse(j);
	rc = run_once(k, j, &code);
	if(rc >= 0)
		return rc;
	result_drop(j);
	(void)tlsg_err_set(why, TLSG_E_CONFIG, "%s", gnutls_strerror(rc));
	return rc;
}
