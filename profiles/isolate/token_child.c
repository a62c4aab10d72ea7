/*
 * tls_gnutls - key isolation: a child of the token process, where the PKCS#11 module of one key runs
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: children of the token process.  Memory: its heap.  Lock: the gate, around a login.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "profiles/isolate/token_child.h"

#include <gnutls/crypto.h>

#include "base/host.h"
#include "pkcs11/p11_certs.h"
#include "pkcs11/p11_module.h"
#include "pkcs11/p11_probe.h"
#include "profiles/isolate/token_modules.h"
#include "profiles/keys/token_op.h"

static struct tlsg_wire_message message;

static struct tlsg_token_op_key own; /* that this process works with */

/* Sends the head in the message with a payload, and wipes that. @return false: the token process is gone. */
static bool report(int fd, const void *payload, size_t size)
{
	enum tlsg_ret ret;

	tlsg_wire_payload_set(&message, payload, size);
	ret = tlsg_wire_send(fd, &message, 0);
	tlsg_wire_payload_wipe(&message);
	return ret == TLSG_OK;
}

static bool report_text(int fd, const char *text)
{
	return report(fd, text, strlen(text));
}

/* ---- looking an object up ---- */

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
			ret = tlsg_p11_certs_chain(q, pem, err);
			break;
		default:
			ret = tlsg_p11_certs_anchors(q, pem, err);
			break;
	}
	if(ret == TLSG_OK && pem->size > sizeof(message.payload))
		ret = tlsg_err_set(err, TLSG_E_CONFIG,
				"key_isolation: more than %d KB of certificates come from the token; store them in a file",
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
	message.head.request = TLSG_WIRE_LOOK;
	message.head.code = ret;
	if(ret != TLSG_OK)
		return report_text(fd, err.text) && false;
	if(what != TLSG_WIRE_LOOK_KEY)
		return report(fd, pem.data, pem.size) && false;
	return report(fd, out, sizeof(*out));
}

/* ---- the key ---- */

static void key_close(void)
{
	tlsg_token_op_close(&own);
}

static void wipe(gnutls_datum_t *d)
{
	if(d->data != NULL)
		gnutls_memset(d->data, 0, d->size);
	gnutls_free(d->data);
	d->data = NULL;
	d->size = 0;
}

/*
 * Handles the request in the message.
 * @return false: the child is done; why is set if the key cannot be opened any more.
 */
static bool op_handle(int fd, struct tlsg_err *why)
{
	const gnutls_datum_t in = {message.payload, message.head.size};
	struct tlsg_op_job j = {(enum tlsg_op)message.head.op, (gnutls_sign_algorithm_t)message.head.algo, &in, {NULL, 0}};
	int rc = GNUTLS_E_TIMEDOUT;
	bool is_sent;

	/* the client does not wait for a late result: the token is spared */
	if(message.head.until_ms >= tlsg_p11_probe_clock()) {
		rc = tlsg_token_op_run(&own, &j, key_close, why);
		if(own.key == NULL)
			return false;
	}
	if(rc >= 0 && j.made.size > sizeof(message.payload))
		rc = GNUTLS_E_SHORT_MEMORY_BUFFER;
	tlsg_wire_payload_wipe(&message);
	message.head.code = rc < 0 ? rc : 0;
	is_sent = rc < 0 ? report_text(fd, gnutls_strerror(rc)) : report(fd, j.made.data, j.made.size);
	wipe(&j.made);
	return is_sent;
}

void tlsg_token_child_run(int fd, const struct tlsg_p11_object *o, const char *name)
{
	enum tlsg_ret ret = TLSG_AGAIN;
	struct tlsg_err why;
	bool is_open;

	own.object = o;
	own.name = name;
	is_open = tlsg_token_op_open(&own, key_close, &why);
	while(is_open && ret != TLSG_EOF) {
		ret = tlsg_wire_recv(fd, &message, 0);
		if(ret == TLSG_OK)
			is_open = op_handle(fd, &why);
	}
	if(!is_open && why.text[0] != '\0') {
		memset(&message.head, 0, sizeof(message.head));
		message.head.request = TLSG_WIRE_CLOSED;
		(void)report_text(fd, why.text);
	}
	key_close();
	tlsg_p11_module_stop();
}
