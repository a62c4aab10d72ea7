/*
 * tls_gnutls - key isolation: a child of the token process, which alone loads a module; token_process.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: children of the token process.  Memory: its heap.  Lock: the gate, around a login.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "profiles/isolate/token_child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <gnutls/crypto.h>

#include "base/host.h"
#include "pkcs11/p11_module.h"
#include "pkcs11/p11_retry.h"
#include "profiles/isolate/token_modules.h"
#include "profiles/keys/op.h"

#define RESTARTS 3
#define QUICK_MS 2000
#define PAUSE_MS 15

static struct tlsg_wire_message message;

/* The key that this process works with. */
static struct
{
	const struct tlsg_p11_object *object;
	gnutls_privkey_t key;
} mine;

void tlsg_token_child_init(void)
{
	sigset_t none;
	int sig;

	for(sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Sends the head with a payload that is in the message or fits in. @return false: the token process is gone. */
static bool tell(int fd, const void *payload, size_t size)
{
	bool gone;

	if(size > 0 && payload != message.payload)
		memcpy(message.payload, payload, size);
	message.head.size = (uint32_t)size;
	gone = send(fd, &message, sizeof(message.head) + size, MSG_NOSIGNAL) < 0;
	gnutls_memset(message.payload, 0, size);
	return !gone;
}

static enum tlsg_ret look(enum tlsg_wire_look_kind what, const struct tlsg_p11_query *q, const gnutls_datum_t *cert,
		struct tlsg_p11_facts *f, gnutls_datum_t *pem, struct tlsg_err *err)
{
	enum tlsg_ret ret = tlsg_token_modules_check(q, err);

	if(ret != TLSG_OK)
		return ret;
	switch(what) {
		case TLSG_WIRE_LOOK_KEY:
			ret = tlsg_p11_look_key(q, cert, f, err);
			return ret == TLSG_OK ? tlsg_token_modules_file_check(f->module, err) : ret;
		case TLSG_WIRE_LOOK_CHAIN:
			ret = tlsg_p11_look_chain(q, pem, err);
			break;
		default:
			ret = tlsg_p11_look_anchors(q, pem, err);
			break;
	}
	if(ret == TLSG_OK && pem->size > sizeof(message.payload))
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "key_isolation: more than %d KB of certificates need a PIN",
				TLSG_WIRE_MESSAGE_BYTES / 1024);
	return ret;
}

bool tlsg_token_child_look(int fd, enum tlsg_wire_look_kind what, const struct tlsg_p11_query *q,
		const gnutls_datum_t *cert, struct tlsg_p11_facts *out)
{
	gnutls_datum_t pem = {NULL, 0};
	struct tlsg_err err;
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	tlsg_err_clear(&err);
	ret = look(what, q, cert, out, &pem, &err);
	memset(&message.head, 0, sizeof(message.head));
	message.head.question = TLSG_WIRE_LOOK;
	message.head.code = ret;
	if(ret != TLSG_OK)
		return tell(fd, err.text, strlen(err.text)) && false;
	if(what != TLSG_WIRE_LOOK_KEY)
		return tell(fd, pem.data, pem.size) && false;
	return tell(fd, out, sizeof(*out));
}

/* ---- the key ---- */

static void key_close(void)
{
	if(mine.key != NULL)
		gnutls_privkey_deinit(mine.key);
	mine.key = NULL;
	tlsg_p11_module_stop();
}

/* Many modules look for tokens only when they start: what failed at once is tried again with a module that starts anew. */
static bool key_open(struct tlsg_err *why)
{
	int tries;

	for(tries = 0;; tries++) {
		long began = tlsg_p11_probe_clock();

		tlsg_err_clear(why);
		mine.key = tlsg_p11_key_open(mine.object, why);
		if(mine.key != NULL)
			return true;
		if(tries == RESTARTS || tlsg_p11_key_is_refused(mine.object) || tlsg_p11_probe_clock() - began > QUICK_MS)
			return false;
		key_close();
		tlsg_p11_probe_pause(PAUSE_MS * (tries + 1));
	}
}

static int once(const gnutls_datum_t *in, gnutls_datum_t *made, int *code)
{
	int rc;

	if(message.head.op == TLSG_OP_DECRYPT)
		return tlsg_op_decrypt(mine.key, in, made, code);
	rc = tlsg_op_sign(mine.key, (enum tlsg_op)message.head.op, (gnutls_sign_algorithm_t)message.head.algo, in, made);
	if(rc >= 0 && made->size > sizeof(message.payload))
		rc = GNUTLS_E_SHORT_MEMORY_BUFFER;
	*code = rc;
	return rc;
}

static void wipe(gnutls_datum_t *d)
{
	if(d->data != NULL)
		gnutls_memset(d->data, 0, d->size);
	gnutls_free(d->data);
	d->data = NULL;
	d->size = 0;
}

/* What failed is tried once more with a new session: a signature always, a decryption only when the token is the reason. */
static enum tlsg_ret work(const gnutls_datum_t *in, gnutls_datum_t *made, int *rc, struct tlsg_err *why)
{
	int code = 0, first;

	*rc = once(in, made, &code);
	if(code >= 0 || (message.head.op == TLSG_OP_DECRYPT && !tlsg_p11_retry_is_token_lost(code)))
		return TLSG_OK;
	first = code;
	wipe(made);
	key_close();
	if(!key_open(why))
		return TLSG_E_CONFIG;
	LM_WARN("private_key \"%s\": %s; the token was opened again\n", mine.object->uri, gnutls_strerror(first));
	*rc = once(in, made, &code);
	return TLSG_OK;
}

/* Answers the question in the message. @return false: the key cannot be used any more. */
static bool answer(int fd, struct tlsg_err *why)
{
	gnutls_datum_t in = {message.payload, message.head.size};
	gnutls_datum_t made = {NULL, 0};
	int rc = GNUTLS_E_TIMEDOUT;
	bool told;

	if(message.head.until_ms < tlsg_p11_probe_clock())
		in.size = 0; /* nobody waits any more: the token is not bothered */
	else if(work(&in, &made, &rc, why) != TLSG_OK)
		return false;
	message.head.code = rc < 0 ? rc : 0;
	told = rc < 0 ? tell(fd, gnutls_strerror(rc), strlen(gnutls_strerror(rc))) : tell(fd, made.data, made.size);
	wipe(&made);
	return told;
}

void tlsg_token_child_run(int fd, const struct tlsg_p11_object *o)
{
	struct tlsg_err why;
	bool good;

	mine.object = o;
	good = key_open(&why);
	while(good) {
		ssize_t n = recv(fd, &message, sizeof(message), 0);

		if(n < (ssize_t)sizeof(message.head) || (size_t)n != sizeof(message.head) + message.head.size)
			break; /* gone; it does not talk nonsense */
		good = answer(fd, &why);
	}
	if(!good && why.text[0] != '\0') {
		memset(&message.head, 0, sizeof(message.head));
		message.head.question = TLSG_WIRE_STARTED;
		(void)tell(fd, why.text, strlen(why.text));
	}
	key_close();
}
