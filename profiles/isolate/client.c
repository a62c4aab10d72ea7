/*
 * tls_gnutls - key isolation: requests to the processes that hold keys; wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, any process that steps a handshake.
 * Memory: one buffer of this process; no private key.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* ppoll */
#endif

#include "profiles/isolate/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "base/buf.h"
#include "base/host.h"
#include "pkcs11/p11_refused.h"
#include "profiles/isolate/timeouts.h"
#include "profiles/isolate/wire.h"
#include "profiles/keys/password.h"

/* One of the two processes that hold keys, as this process reaches it. */
struct server
{
	const char *name; /* for messages */
	bool is_used;
	struct tlsg_wire_ends ends; /* of this process and those that it may fork */
	int fd;						/* the end of this process; -1: closed */
	pid_t owner;				/* process that fd belongs to; 0: none yet */
	int number;					/* of that process */
	uint32_t serial;
	bool is_overdue; /* the reply to `serial` has not arrived in time */
};

static struct server key_process = {.name = "the key process", .fd = -1};
static struct server token_process = {.name = "the token process", .fd = -1};

static struct tlsg_wire_message message;

static struct
{
	bool is_set;
	char text[TLSG_ERR_TEXT];
} why;

static void server_set(struct server *s, const struct tlsg_wire_ends *clients)
{
	tlsg_wire_ends_close(&s->ends);
	s->is_used = clients != NULL;
	if(clients != NULL)
		s->ends = *clients;
	s->fd = -1;
	s->owner = 0;
}

void tlsg_client_set_key_process(const struct tlsg_wire_ends *clients)
{
	server_set(&key_process, clients);
}

void tlsg_client_set_token_process(const struct tlsg_wire_ends *clients)
{
	server_set(&token_process, clients);
}

bool tlsg_client_has_key_process(void)
{
	return key_process.is_used;
}

bool tlsg_client_has_token_process(void)
{
	return token_process.is_used;
}

const char *tlsg_client_why(void)
{
	if(!why.is_set)
		return NULL;
	why.is_set = false;
	return why.text;
}

static enum tlsg_ret why_set(const struct server *s, const char *what)
{
	why.is_set = true;
	snprintf(why.text, sizeof(why.text), "%s %s", s->name, what);
	return TLSG_E_RESOURCE;
}

/* ---- the connection ---- */

/* It does not come back: Kamailio ends with the process that holds keys. */
static void connection_close(struct server *s)
{
	if(s->fd >= 0) {
		close(s->fd);
		s->ends.fd[s->number] = -1;
	}
	s->fd = -1;
	s->is_overdue = false;
}

/* The connection with the number of this process becomes its own; others are kept for processes to be forked only. */
static void connection_take(struct server *s)
{
	unsigned i;

	s->owner = getpid();
	s->number = tlsg_host_process();
	s->is_overdue = false;
	s->fd = s->number >= 0 && (unsigned)s->number < s->ends.len ? s->ends.fd[s->number] : -1;
	for(i = 0; s->number != 0 && i < s->ends.len; i++)
		if(s->ends.fd[i] >= 0 && s->ends.fd[i] != s->fd) {
			close(s->ends.fd[i]);
			s->ends.fd[i] = -1;
		}
}

static enum tlsg_ret connection_check(struct server *s)
{
	bool is_foreign = s->owner != 0 && s->owner != getpid() && s->number == tlsg_host_process();

	if(is_foreign)
		return why_set(s, "cannot be used by a process that Kamailio's core has not forked");
	if(s->owner != getpid())
		connection_take(s);
	return s->fd >= 0 ? TLSG_OK : why_set(s, "has closed the connection");
}

void tlsg_client_keep_own(void)
{
	if(tlsg_host_process() == 0)
		return;
	connection_take(&key_process);
	connection_take(&token_process);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until there is something to receive. @return false: not in time. */
static bool wait_until(const struct server *s, int64_t deadline_ms)
{
	for(;;) {
		struct pollfd p = {.fd = s->fd, .events = POLLIN};
		int64_t left = deadline_ms - now_ms();
		struct timespec t = {left > 0 ? left / 1000 : 0, left > 0 ? left % 1000 * 1000000 : 0};
		int n = ppoll(&p, 1, &t, NULL);

		if(n > 0)
			return true;
		if(n == 0 || errno != EINTR)
			return false;
	}
}

/* Waits for the reply to the last request; late ones to earlier requests are dropped. */
static enum tlsg_ret reply_wait(struct server *s, int64_t deadline_ms)
{
	for(;;) {
		enum tlsg_ret ret = tlsg_wire_recv(s->fd, &message, MSG_DONTWAIT);

		if(ret == TLSG_EOF) {
			connection_close(s);
			return why_set(s, "has closed the connection");
		}
		if(ret == TLSG_OK && message.head.serial == s->serial) {
			s->is_overdue = false;
			return TLSG_OK;
		}
		if(ret == TLSG_AGAIN && !wait_until(s, deadline_ms)) {
			s->is_overdue = true;
			return why_set(s, "did not answer in time");
		}
	}
}

/* Sends the request in the buffer and receives the reply there. */
static enum tlsg_ret call(struct server *s, enum tlsg_wire_request request, int timeout_ms)
{
	enum tlsg_ret ret = connection_check(s);

	if(ret != TLSG_OK)
		return ret;
	message.head.request = request;
	message.head.serial = ++s->serial;
	ret = tlsg_wire_send(s->fd, &message, MSG_DONTWAIT);
	tlsg_wire_payload_wipe(&message);
	if(ret == TLSG_OK)
		return reply_wait(s, now_ms() + timeout_ms);
	if(ret == TLSG_AGAIN)
		return why_set(s, "is overloaded");
	connection_close(s);
	return why_set(s, "has closed the connection");
}

/* Whether an earlier reply is still missing. */
static bool is_still_overdue(struct server *s)
{
	enum tlsg_ret ret = TLSG_OK;

	if(s->fd < 0 || s->owner != getpid() || !s->is_overdue)
		return false;
	while(ret == TLSG_OK && s->is_overdue) {
		ret = tlsg_wire_recv(s->fd, &message, MSG_DONTWAIT);
		if(ret != TLSG_OK)
			break;
		if(message.head.serial == s->serial)
			s->is_overdue = false;
		tlsg_wire_payload_wipe(&message);
	}
	if(ret == TLSG_EOF)
		connection_close(s);
	return s->is_overdue;
}

/* ---- requests ---- */

int tlsg_client_op(
		uint64_t id, enum tlsg_op op, gnutls_sign_algorithm_t algo, const gnutls_datum_t *in, gnutls_datum_t *made)
{
	struct server *s = id & TLSG_WIRE_KEY_ON_TOKEN ? &token_process : &key_process;
	int rc;

	if(is_still_overdue(s)) {
		(void)why_set(s, "does not answer");
		return GNUTLS_E_TIMEDOUT;
	}
	if(in->size > sizeof(message.payload))
		return GNUTLS_E_INVALID_REQUEST;
	memset(&message.head, 0, sizeof(message.head));
	message.head.key = id;
	message.head.until_ms = now_ms() + TLSG_TIMEOUT_OP_MS;
	message.head.op = (int32_t)op;
	message.head.algo = (int32_t)algo;
	tlsg_wire_payload_set(&message, in->data, in->size);
	if(call(s, TLSG_WIRE_OP, TLSG_TIMEOUT_OP_MS) != TLSG_OK)
		return GNUTLS_E_TIMEDOUT;
	rc = message.head.code;
	if(rc >= 0) {
		made->data = gnutls_malloc(message.head.size > 0 ? message.head.size : 1);
		made->size = message.head.size;
		if(made->data == NULL)
			rc = GNUTLS_E_MEMORY_ERROR;
		else
			memcpy(made->data, message.payload, message.head.size);
	} else if(message.head.size > 0) { /* the token process says more */
		why.is_set = true;
		snprintf(why.text, sizeof(why.text), "%.*s", (int)message.head.size, (const char *)message.payload);
	}
	tlsg_wire_payload_wipe(&message);
	return rc;
}

static enum tlsg_ret take(struct tlsg_buf *b, size_t size, gnutls_datum_t *out)
{
	if(size == 0)
		return TLSG_OK;
	if(size > tlsg_buf_filled(b))
		return TLSG_E_INTERNAL;
	out->data = gnutls_malloc(size);
	if(out->data == NULL)
		return TLSG_E_RESOURCE;
	out->size = (unsigned)tlsg_buf_take(b, out->data, size);
	return TLSG_OK;
}

/* @return TLSG_OK; TLSG_E_INTERNAL: malformed; TLSG_E_RESOURCE: out of memory. */
static enum tlsg_ret load_reply_read(struct tlsg_key_file_content *out)
{
	struct tlsg_wire_load_reply l;
	struct tlsg_buf b;
	enum tlsg_ret ret;
	unsigned i;

	tlsg_buf_init_filled(&b, message.payload, message.head.size);
	if(message.head.key == 0 || tlsg_buf_take(&b, &l, sizeof(l)) != sizeof(l) || l.certs_len > TLSG_KEY_FILE_CERTS_MAX)
		return TLSG_E_INTERNAL;
	out->pk = (gnutls_pk_algorithm_t)l.pk;
	out->bits = l.bits;
	out->is_encrypted = l.is_encrypted != 0;
	memcpy(out->digest, l.digest, sizeof(out->digest));
	ret = take(&b, l.spki_len, &out->spki);
	for(i = 0; i < l.certs_len && ret == TLSG_OK; i++) {
		ret = take(&b, l.cert_len[i], &out->certs[i]);
		out->certs_len = i + 1;
	}
	return ret;
}

/* The sentence for a reply that was received but not understood or stored. */
static enum tlsg_ret reply_refuse(struct tlsg_err *err, enum tlsg_ret ret, const struct server *s, const char *about)
{
	return tlsg_err_set(err, TLSG_E_RESOURCE, "%s%s%s", about, s->name,
			ret == TLSG_E_RESOURCE ? " has answered, but this process is out of memory for it"
								   : " has sent a malformed reply");
}

/* The sentence that came instead of a result. */
static enum tlsg_ret refusal_read(struct tlsg_err *err)
{
	return tlsg_err_set(err, message.head.code == TLSG_E_RESOURCE ? TLSG_E_RESOURCE : TLSG_E_CONFIG, "%.*s",
			(int)message.head.size, (const char *)message.payload);
}

/* How long the builder waits: longer while somebody types passwords. */
static int build_timeout_ms(int otherwise_ms)
{
	return tlsg_password_is_asked() && !tlsg_password_is_out_of_reach() ? TLSG_TIMEOUT_PASSWORD_MS : otherwise_ms;
}

static bool load_request_write(uint32_t set_number, const struct tlsg_key_file_request *r)
{
	const str *p = r->password;
	struct tlsg_wire_load_request l = {.set_number = set_number,
			.setting_len = (uint32_t)strlen(r->setting),
			.file_len = (uint32_t)r->file->len,
			.password_len = p->s != NULL ? (uint32_t)p->len : 0,
			.has_password = p->s != NULL};
	struct tlsg_buf b;

	memset(&message.head, 0, sizeof(message.head));
	tlsg_buf_init(&b, message.payload, sizeof(message.payload));
	if(!tlsg_buf_put(&b, &l, sizeof(l)) || !tlsg_buf_put(&b, r->setting, l.setting_len)
			|| !tlsg_buf_put(&b, r->file->s, l.file_len) || !tlsg_buf_put(&b, p->s, l.password_len))
		return false;
	message.head.size = (uint32_t)b.wr;
	return true;
}

enum tlsg_ret tlsg_client_load(uint32_t set_number, const struct tlsg_key_file_request *r, uint64_t *id,
		struct tlsg_key_file_content *out, struct tlsg_err *err)
{
	char about[TLSG_ERR_TEXT];
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	if(!load_request_write(set_number, r))
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "%s: \"%s\": file name or password is too long", r->setting, r->file->s);
	ret = call(&key_process, TLSG_WIRE_LOAD, build_timeout_ms(TLSG_TIMEOUT_LOAD_MS));
	if(ret != TLSG_OK)
		return tlsg_err_set(err, ret, "%s: \"%s\": %s", r->setting, r->file->s, tlsg_client_why());
	if(message.head.code != TLSG_OK)
		return refusal_read(err);
	ret = load_reply_read(out);
	if(ret == TLSG_OK) {
		*id = message.head.key;
		return TLSG_OK;
	}
	tlsg_key_file_content_free(out);
	snprintf(about, sizeof(about), "%s: \"%s\": ", r->setting, r->file->s);
	return reply_refuse(err, ret, &key_process, about);
}

static bool look_request_write(const struct tlsg_client_look_request *r)
{
	const str *p = r->password;
	bool has_password = p != NULL && p->s != NULL;
	struct tlsg_wire_look_request t;
	struct tlsg_buf b;
	bool fits;

	memset(&t, 0, sizeof(t));
	t.set_number = r->set_number;
	t.what = (uint32_t)r->what;
	t.is_by_hand = !tlsg_p11_refused_is_asked();
	t.has_engine = r->engine_pin != NULL;
	t.has_password = has_password;
	t.password_len = has_password ? (uint32_t)p->len : 0;
	t.cert_len = r->certificate != NULL ? r->certificate->size : 0;
	if(r->engine_pin != NULL)
		t.engine_pin = *r->engine_pin;
	t.q = *r->q;
	memset(&message.head, 0, sizeof(message.head));
	tlsg_buf_init(&b, message.payload, sizeof(message.payload));
	fits = tlsg_buf_put(&b, &t, sizeof(t)) && (t.password_len == 0 || tlsg_buf_put(&b, p->s, t.password_len))
		   && (t.cert_len == 0 || tlsg_buf_put(&b, r->certificate->data, t.cert_len));
	gnutls_memset(&t, 0, sizeof(t));
	message.head.size = fits ? (uint32_t)b.wr : 0;
	return fits;
}

/* @return as load_reply_read(). */
static enum tlsg_ret look_reply_read(const struct tlsg_client_look_request *r, struct tlsg_client_look_reply *out)
{
	struct tlsg_wire_look_reply l;

	if(r->what != TLSG_WIRE_LOOK_KEY) {
		out->pem.data = gnutls_malloc((size_t)message.head.size + 1);
		if(out->pem.data == NULL)
			return TLSG_E_RESOURCE;
		memcpy(out->pem.data, message.payload, message.head.size);
		out->pem.data[message.head.size] = '\0';
		out->pem.size = message.head.size;
		return TLSG_OK;
	}
	if(message.head.size != sizeof(l) || !(message.head.key & TLSG_WIRE_KEY_ON_TOKEN))
		return TLSG_E_INTERNAL;
	memcpy(&l, message.payload, sizeof(l));
	out->id = message.head.key;
	out->pk = (gnutls_pk_algorithm_t)l.pk;
	out->bits = l.bits;
	out->can = l.can;
	return TLSG_OK;
}

enum tlsg_ret tlsg_client_look(
		const struct tlsg_client_look_request *r, struct tlsg_client_look_reply *out, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	if(!look_request_write(r))
		return tlsg_err_set(err, TLSG_E_CONFIG, "the certificate or the password is too long");
	ret = call(&token_process, TLSG_WIRE_LOOK, build_timeout_ms(TLSG_TIMEOUT_LOOK_MS));
	if(ret != TLSG_OK)
		return tlsg_err_set(err, ret, "%s", tlsg_client_why());
	if(message.head.code != TLSG_OK)
		return refusal_read(err);
	ret = look_reply_read(r, out);
	return ret == TLSG_OK ? ret : reply_refuse(err, ret, &token_process, "");
}

static void started_send(struct server *s)
{
	if(!s->is_used)
		return;
	memset(&message.head, 0, sizeof(message.head));
	if(call(s, TLSG_WIRE_STARTED, TLSG_TIMEOUT_OP_MS) != TLSG_OK)
		LM_WARN("key_isolation: at the end of start-up: %s\n", tlsg_client_why());
}

void tlsg_client_in_use(uint32_t set_number)
{
	if(!token_process.is_used)
		return;
	memset(&message.head, 0, sizeof(message.head));
	message.head.key = set_number;
	if(call(&token_process, TLSG_WIRE_IN_USE, TLSG_TIMEOUT_OP_MS) != TLSG_OK)
		LM_WARN("key_isolation: the records of refused PINs are not cleared: %s\n", tlsg_client_why());
}

void tlsg_client_startup_done(void)
{
	started_send(&key_process);
	started_send(&token_process);
}
