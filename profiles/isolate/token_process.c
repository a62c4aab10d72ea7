/*
 * tls_gnutls - key isolation: the process that holds PINs and, in its children, sessions with tokens
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "profiles/isolate/token_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "base/buf.h"
#include "base/host.h"
#include "profiles/isolate/timeouts.h"
#include "profiles/isolate/token_keys.h"
#include "profiles/isolate/token_modules.h"
#include "profiles/isolate/token_pending.h"
#include "profiles/keys/password.h"
#include "profiles/keys/pin.h"

#define WAITING_MAX 8 /* requests of one client without a reply */

/* Start-up is over: an attacker who controls a worker may choose the modules that requests name from now on. */
static bool is_started;

/* ---- LOOK ---- */

static void look_refuse(struct tlsg_token_source *client, const struct tlsg_wire_head *head, int code, const char *text)
{
	tlsg_token_pending_refuse(client, head, "", code, text);
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_well_formed(const struct tlsg_wire_look_request *r)
{
	const struct tlsg_p11_query *q = &r->q;
	const struct tlsg_p11_uri *u = &q->uri;

	return r->what >= TLSG_WIRE_LOOK_KEY && r->what <= TLSG_WIRE_LOOK_ANCHORS
		   && (r->what == TLSG_WIRE_LOOK_KEY) == (r->cert_len > 0) && is_text(q->module, sizeof(q->module))
		   && is_text(u->uri, sizeof(u->uri)) && is_text(u->module_path, sizeof(u->module_path))
		   && is_text(u->module_name, sizeof(u->module_name)) && is_text(u->pin, sizeof(u->pin))
		   && is_text(u->pin_source, sizeof(u->pin_source)) && is_text(u->type, sizeof(u->type))
		   && is_text(r->engine_pin.value, sizeof(r->engine_pin.value)) && tlsg_p11_uri_is(u->uri);
}

static enum tlsg_ret pin_find(struct tlsg_token_keys_entry *e, const struct tlsg_wire_look_request *r,
		const char *password, struct tlsg_err *err)
{
	str setting = {r->has_password ? (char *)password : NULL, r->has_password ? (int)r->password_len : 0};
	struct tlsg_pin_sources from = {.password = e->what == TLSG_WIRE_LOOK_ANCHORS ? NULL : &setting,
			.engine = r->has_engine ? &r->engine_pin : NULL,
			.known = tlsg_token_keys_known};
	enum tlsg_ret ret = tlsg_pin_find(&from, &e->q, err);

	gnutls_memset(e->q.uri.pin, 0, sizeof(e->q.uri.pin));
	return ret;
}

/* Has a child look the object up. The reply is sent when the child reports. */
static void look_start(struct tlsg_token_source *client, const struct tlsg_wire_message *m,
		const struct tlsg_wire_look_request *r, const char *password, const unsigned char *cert)
{
	struct tlsg_token_keys_entry *e;
	struct tlsg_err err;
	enum tlsg_ret ret;

	tlsg_err_clear(&err);
	tlsg_token_keys_collect(client, r->set_number);
	if(!is_started)
		tlsg_token_modules_note(&r->q);
	e = tlsg_token_keys_new(client, r, cert);
	if(e == NULL) {
		look_refuse(client, &m->head, TLSG_E_RESOURCE,
				"the token process is out of memory, or holds too many keys: wait until older configurations are not "
				"in use any more");
		return;
	}
	ret = pin_find(e, r, password, &err);
	if(ret == TLSG_OK && tlsg_token_pending_add(client, e, &m->head) == NULL)
		ret = tlsg_err_set(&err, TLSG_E_RESOURCE, "the token process is out of memory");
	if(ret == TLSG_OK && !tlsg_token_keys_child_start(e))
		ret = tlsg_err_set(&err, TLSG_E_RESOURCE, "the token process cannot start a child: %s", strerror(errno));
	if(ret == TLSG_OK)
		return;
	if(tlsg_token_pending_find(e, 0) != NULL)
		tlsg_token_pending_refuse_all(e, e->q.uri.uri, err.text);
	else
		look_refuse(client, &m->head, ret, err.text);
	tlsg_token_keys_free(e);
}

/* @return false: malformed. */
static bool look_handle(struct tlsg_token_source *client, struct tlsg_wire_message *m)
{
	struct tlsg_wire_look_request r;
	struct tlsg_buf b;
	char *password = NULL;
	bool is_good = false;

	tlsg_buf_init_filled(&b, m->payload, m->head.size);
	if(tlsg_buf_take(&b, &r, sizeof(r)) == sizeof(r) && is_well_formed(&r)
			&& tlsg_buf_filled(&b) == (size_t)r.password_len + r.cert_len)
		password = gnutls_malloc((size_t)r.password_len + 1);
	if(password != NULL) {
		(void)tlsg_buf_take(&b, password, r.password_len);
		password[r.password_len] = '\0';
		is_good = strlen(password) == r.password_len;
	}
	if(is_good)
		look_start(client, m, &r, password, m->payload + b.rd);
	if(password != NULL)
		gnutls_memset(password, 0, r.password_len);
	gnutls_free(password);
	gnutls_memset(&r, 0, sizeof(r));
	return is_good;
}

/* ---- OP ---- */

static void op_refuse(struct tlsg_token_source *client, const struct tlsg_token_keys_entry *e,
		const struct tlsg_wire_head *head, int code, const char *text)
{
	tlsg_token_pending_refuse(client, head, e->q.uri.uri, code, text);
}

static void op_forward(struct tlsg_token_source *client, struct tlsg_token_keys_entry *e, struct tlsg_wire_message *m)
{
	struct tlsg_token_pending *p = tlsg_token_pending_add(client, e, &m->head);
	enum tlsg_ret ret;

	if(p == NULL) {
		op_refuse(client, e, &m->head, GNUTLS_E_MEMORY_ERROR, "the token process is out of memory");
		return;
	}
	m->head.serial = p->serial;
	ret = tlsg_wire_send(e->child->fd, m, MSG_DONTWAIT);
	if(ret != TLSG_AGAIN)
		return; /* sent; or the child is gone, and clients are told when that is noticed */
	op_refuse(client, e, &p->head, GNUTLS_E_PKCS11_ERROR, "too many operations are waiting for the token");
	tlsg_token_pending_remove(p);
}

static void op_handle(struct tlsg_token_source *client, struct tlsg_wire_message *m)
{
	struct tlsg_token_keys_entry *e = tlsg_token_keys_find(m->head.key);
	int64_t now = tlsg_p11_probe_clock();
	struct tlsg_wire_head reply = m->head;

	if(e == NULL) {
		reply.code = GNUTLS_E_NO_CERTIFICATE_FOUND;
		tlsg_token_source_send(client, &reply, NULL, 0);
	} else if(e->child != NULL) {
		op_forward(client, e, m);
	} else if(tlsg_p11_key_is_refused(&e->object)) {
		op_refuse(client, e, &m->head, GNUTLS_E_PKCS11_PIN_ERROR, tlsg_p11_pin_reason(TLSG_P11_PIN_WRONG));
	} else if(e->failed_ms != 0 && now - e->failed_ms < TLSG_TIMEOUT_REOPEN_MS) {
		op_refuse(client, e, &m->head, GNUTLS_E_PKCS11_ERROR, e->why);
	} else if(!tlsg_token_keys_child_start(e)) {
		op_refuse(client, e, &m->head, GNUTLS_E_PKCS11_ERROR, "the token process cannot start a child");
	} else {
		op_forward(client, e, m);
	}
}

/* ---- messages of clients ---- */

/* @return false: the connection is to be shut down. */
static bool client_handle(struct tlsg_token_source *s)
{
	struct tlsg_wire_message *m;
	enum tlsg_ret ret = tlsg_token_source_recv(s, &m);
	bool is_good = true;

	if(ret != TLSG_OK)
		return ret == TLSG_AGAIN;
	if(s->waiting >= WAITING_MAX)
		return false;
	switch(m->head.request) {
		case TLSG_WIRE_LOOK:
			is_good = look_handle(s, m);
			break;
		case TLSG_WIRE_OP:
			op_handle(s, m);
			break;
		case TLSG_WIRE_IN_USE:
			tlsg_token_keys_in_use((uint32_t)m->head.key);
			m->head.code = 0;
			tlsg_token_source_send(s, &m->head, NULL, 0);
			break;
		case TLSG_WIRE_STARTED:
			is_started = true;
			tlsg_password_mode_set(tlsg_password_is_asked(), NULL);
			m->head.code = 0;
			tlsg_token_source_send(s, &m->head, NULL, 0);
			break;
		default:
			is_good = false;
	}
	tlsg_wire_payload_wipe(m);
	return is_good;
}

/* ---- messages of children ---- */

/* The child has found a key: it belongs to the snapshot now, and the gate's number is sent to the child. */
static enum tlsg_ret facts_take(
		struct tlsg_token_keys_entry *e, const struct tlsg_wire_message *m, struct tlsg_p11_facts *f, const char **why)
{
	struct tlsg_wire_head gate = {.request = TLSG_WIRE_GATE};

	*why = "the child of the token process has sent a malformed report";
	if(m->head.size != sizeof(*f))
		return TLSG_E_RESOURCE;
	memcpy(f, m->payload, sizeof(*f));
	if(!is_text(f->uri, sizeof(f->uri)) || !is_text(f->module, sizeof(f->module))
			|| !is_text(f->token, sizeof(f->token)))
		return TLSG_E_RESOURCE;
	*why = "the token process has no room for another token or PIN: wait until older configurations are not in use any "
		   "more";
	gate.op = tlsg_token_keys_settle(e, f);
	if(gate.op < 0)
		return TLSG_E_RESOURCE;
	*why = "the child of the token process has ended";
	return send(e->child->fd, &gate, sizeof(gate), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(gate) ? TLSG_OK
																								: TLSG_E_RESOURCE;
}

/* The child has looked the object up. @return false: the entry is not needed any more. */
static bool look_done(struct tlsg_token_keys_entry *e, const struct tlsg_wire_message *m)
{
	struct tlsg_token_pending *p = tlsg_token_pending_find(e, 0);
	struct tlsg_wire_head reply;
	struct tlsg_p11_facts f;
	const char *why;

	if(p == NULL || e->is_ready)
		return e->is_ready;
	reply = p->head;
	reply.code = m->head.code;
	if(m->head.code != TLSG_OK || e->what != TLSG_WIRE_LOOK_KEY) {
		tlsg_token_source_send(p->client, &reply, m->payload, m->head.size);
	} else if(facts_take(e, m, &f, &why) != TLSG_OK) {
		look_refuse(p->client, &p->head, TLSG_E_RESOURCE, why);
	} else {
		struct tlsg_wire_look_reply l = {.pk = (uint32_t)f.pk, .bits = f.bits, .can = f.can};

		reply.key = e->id;
		tlsg_token_source_send(p->client, &reply, &l, sizeof(l));
	}
	tlsg_token_pending_remove(p);
	return e->is_ready;
}

/* The child has signed or decrypted, or failed to. */
static void op_done(struct tlsg_token_keys_entry *e, const struct tlsg_wire_message *m)
{
	struct tlsg_token_pending *p = m->head.serial != 0 ? tlsg_token_pending_find(e, m->head.serial) : NULL;
	char why[TLSG_ERR_TEXT];

	if(p == NULL)
		return;
	if(m->head.code >= 0) {
		struct tlsg_wire_head reply = p->head;

		reply.code = 0;
		tlsg_token_source_send(p->client, &reply, m->payload, m->head.size);
	} else {
		snprintf(why, sizeof(why), "%.*s", (int)m->head.size, (const char *)m->payload);
		op_refuse(p->client, e, &p->head, m->head.code, why);
	}
	tlsg_token_pending_remove(p);
}

/* The key cannot be opened any more; the child ends. */
static void key_closed(struct tlsg_token_keys_entry *e, const struct tlsg_wire_message *m)
{
	snprintf(e->why, sizeof(e->why), "%.*s", (int)m->head.size, (const char *)m->payload);
	e->failed_ms = tlsg_p11_probe_clock();
}

static void child_ended(struct tlsg_token_keys_entry *e)
{
	char why[TLSG_ERR_TEXT];
	int status = tlsg_token_keys_child_wait(e);

	if(e->is_hung)
		snprintf(why, sizeof(why), "the PKCS#11 module hangs");
	else if(WIFSIGNALED(status))
		snprintf(why, sizeof(why), "the PKCS#11 module crashed (signal %d)", WTERMSIG(status));
	else
		snprintf(why, sizeof(why), "%.500s", e->why[0] != '\0' ? e->why : "the PKCS#11 module ended the process");
	if(e->is_hung || WIFSIGNALED(status)) {
		LM_ERR("private_key \"%s\": %s; its process is restarted on the next request\n", e->q.uri.uri, why);
		memcpy(e->why, why, sizeof(e->why));
		if(tlsg_token_pending_find(e, 0) != NULL)
			e->failed_ms = tlsg_p11_probe_clock();
	}
	tlsg_token_pending_refuse_all(e, e->q.uri.uri, why);
	if(!e->is_ready)
		tlsg_token_keys_free(e);
}

static void child_handle(struct tlsg_token_source *s)
{
	struct tlsg_token_keys_entry *e = s->entry;
	struct tlsg_wire_message *m;
	enum tlsg_ret ret = tlsg_token_source_recv(s, &m);

	if(ret == TLSG_EOF)
		child_ended(e);
	if(ret != TLSG_OK)
		return;
	switch(m->head.request) {
		case TLSG_WIRE_LOOK:
			if(!look_done(e, m))
				tlsg_token_keys_free(e);
			break;
		case TLSG_WIRE_OP:
			op_done(e, m);
			break;
		case TLSG_WIRE_CLOSED:
			key_closed(e, m);
			break;
		default:
			break;
	}
	tlsg_wire_payload_wipe(m);
}

/* ---- the process ---- */

static void source_handle(struct tlsg_token_source *s)
{
	if(s->kind == TLSG_TOKEN_SOURCE_CHILD)
		child_handle(s);
	else if(!client_handle(s))
		tlsg_token_source_close(s);
}

/* Kills children that owe a reply for too long; their clients are told when the end of the child is noticed. */
static void hung_kill(void)
{
	int64_t now = tlsg_p11_probe_clock();
	const struct tlsg_token_pending *p;

	for(p = tlsg_token_pending_first(); p != NULL; p = p->next) {
		int64_t most = p->head.request == TLSG_WIRE_OP ? TLSG_TIMEOUT_HANG_MS : TLSG_TIMEOUT_LOOK_MS;

		if(now - p->since_ms < most || p->entry->child == NULL || p->entry->is_hung)
			continue;
		p->entry->is_hung = true;
		(void)kill(p->entry->pid, SIGKILL);
	}
}

static enum tlsg_ret loop(void)
{
	enum tlsg_ret ret;

	do {
		bool is_timed = tlsg_token_keys_child_reap() || tlsg_token_pending_first() != NULL;

		ret = tlsg_token_source_wait(is_timed ? TLSG_TIMEOUT_TICK_MS : -1, source_handle);
		hung_kill();
		tlsg_token_source_sweep();
	} while(ret == TLSG_OK && tlsg_token_source_has_clients());
	return ret;
}

enum tlsg_ret tlsg_token_process_run(const struct tlsg_wire_ends *servers, tlsg_wire_is_alive is_alive)
{
	enum tlsg_ret ret = tlsg_token_modules_init();
	unsigned i;

	(void)signal(SIGCHLD, SIG_DFL);
	is_started = false;
	if(ret != TLSG_OK || !tlsg_token_source_init() || !tlsg_token_keys_init(is_alive))
		return TLSG_E_RESOURCE;
	for(i = 0; i < servers->len; i++)
		if(tlsg_token_source_add(servers->fd[i], TLSG_TOKEN_SOURCE_CLIENT, NULL) == NULL)
			return TLSG_E_RESOURCE;
	ret = loop();
	tlsg_token_keys_free_all();
	return ret;
}
