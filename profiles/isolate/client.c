/*
 * tls_gnutls - key isolation: asks the processes that hold keys; wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, any process that steps a handshake.
 * Memory: one buffer of this process; nothing of a key.  Lock: none.
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
#include "profiles/keys/password.h"
#include "profiles/isolate/wire.h"

/* How this process reaches one of the two that hold keys. */
struct line
{
	const char *whom; /* for messages */
	int door;
	int fd;		 /* the connection */
	pid_t owner; /* a forked process has one of its own */
	uint32_t serial;
	bool overdue; /* the answer to `serial` has not come in time */
};

static struct line files = {"the process that holds the keys", -1, -1, 0, 0, false};
static struct line tokens = {"the process that holds the keys on tokens", -1, -1, 0, 0, false};

static struct tlsg_wire_message message;

static struct
{
	bool is_set;
	char text[TLSG_ERR_TEXT];
} why;

void tlsg_client_set_key_process(int fd)
{
	files.door = fd;
}

void tlsg_client_set_token_process(int fd)
{
	tokens.door = fd;
}

bool tlsg_client_has_key_process(void)
{
	return files.door >= 0;
}

bool tlsg_client_has_token_process(void)
{
	return tokens.door >= 0;
}

const char *tlsg_client_why(void)
{
	if(!why.is_set)
		return NULL;
	why.is_set = false;
	return why.text;
}

static enum tlsg_ret trouble(const struct line *l, const char *what)
{
	why.is_set = true;
	snprintf(why.text, sizeof(why.text), "%s %s", l->whom, what);
	return TLSG_E_RESOURCE;
}

/* ---- the connection ---- */

static void line_close(struct line *l)
{
	if(l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->overdue = false;
}

/* Sends one end of a new pair through the door. */
static bool knock(const struct line *l, int fd)
{
	char byte = 0;
	struct iovec part = {&byte, 1};
	union
	{
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = {
			.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c;

	memset(&control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(l->door, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

static enum tlsg_ret line_open(struct line *l)
{
	int pair[2];
	bool sent;

	if(l->fd >= 0 && l->owner == getpid())
		return TLSG_OK;
	line_close(l);
	if(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return trouble(l, "cannot be reached: too many open files");
	sent = knock(l, pair[1]);
	close(pair[1]);
	if(!sent) {
		close(pair[0]);
		return trouble(l, "takes no connections");
	}
	l->fd = pair[0];
	l->owner = getpid();
	return TLSG_OK;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until there is something to receive. @return false: not in time. */
static bool wait_until(const struct line *l, int64_t deadline_ms)
{
	for(;;) {
		struct pollfd p = {.fd = l->fd, .events = POLLIN};
		int64_t left = deadline_ms - now_ms();
		struct timespec t = {left > 0 ? left / 1000 : 0, left > 0 ? left % 1000 * 1000000 : 0};
		int n = ppoll(&p, 1, &t, NULL);

		if(n > 0)
			return true;
		if(n == 0 || errno != EINTR)
			return false;
	}
}

/* Takes one message if there is one. @return 1; 0 none; -1 the connection is gone or talks nonsense. */
static int receive(const struct line *l)
{
	ssize_t n = recv(l->fd, &message, sizeof(message), MSG_DONTWAIT);

	if(n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if((size_t)n < sizeof(message.head) || (size_t)n != sizeof(message.head) + message.head.size)
		return -1;
	return 1;
}

/* Waits for the answer to the last question, and throws away late ones. */
static enum tlsg_ret answer(struct line *l, int64_t deadline_ms)
{
	for(;;) {
		int n = receive(l);

		if(n < 0) {
			line_close(l);
			return trouble(l, "has closed the connection");
		}
		if(n > 0 && message.head.serial == l->serial) {
			l->overdue = false;
			return TLSG_OK;
		}
		if(n == 0 && !wait_until(l, deadline_ms)) {
			l->overdue = true;
			return trouble(l, "did not answer in time");
		}
	}
}

/* Sends what is in the buffer and gets the answer there. */
static enum tlsg_ret ask(struct line *l, enum tlsg_wire_request question, int timeout_ms)
{
	size_t size = sizeof(message.head) + message.head.size;
	enum tlsg_ret ret = line_open(l);
	ssize_t n;

	if(ret != TLSG_OK)
		return ret;
	message.head.question = question;
	message.head.serial = ++l->serial;
	n = send(l->fd, &message, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	gnutls_memset(message.payload, 0, message.head.size);
	if(n == (ssize_t)size)
		return answer(l, now_ms() + timeout_ms);
	if(n < 0 && errno == EAGAIN)
		return trouble(l, "does not keep up");
	line_close(l);
	return trouble(l, "has closed the connection");
}

/* Whether an earlier answer is still missing. */
static bool is_overdue(struct line *l)
{
	int n = 1;

	if(l->fd < 0 || l->owner != getpid() || !l->overdue)
		return false;
	while(n > 0 && l->overdue) {
		n = receive(l);
		if(n > 0 && message.head.serial == l->serial)
			l->overdue = false;
		if(n > 0)
			gnutls_memset(message.payload, 0, message.head.size);
	}
	if(n < 0)
		line_close(l);
	return l->overdue;
}

/* ---- questions ---- */

int tlsg_client_op(
		uint64_t id, enum tlsg_op op, gnutls_sign_algorithm_t algo, const gnutls_datum_t *in, gnutls_datum_t *made)
{
	struct line *l = id & TLSG_WIRE_KEY_ON_TOKEN ? &tokens : &files;
	int rc;

	if(is_overdue(l)) {
		(void)trouble(l, "does not answer");
		return GNUTLS_E_TIMEDOUT;
	}
	if(in->size > sizeof(message.payload))
		return GNUTLS_E_INVALID_REQUEST;
	memset(&message.head, 0, sizeof(message.head));
	message.head.key = id;
	message.head.until_ms = now_ms() + TLSG_TIMEOUT_OP_MS;
	message.head.op = (int32_t)op;
	message.head.algo = (int32_t)algo;
	message.head.size = in->size;
	if(in->size > 0)
		memcpy(message.payload, in->data, in->size);
	if(ask(l, TLSG_WIRE_OP, TLSG_TIMEOUT_OP_MS) != TLSG_OK)
		return GNUTLS_E_TIMEDOUT;
	rc = message.head.code;
	if(rc >= 0) {
		made->data = gnutls_malloc(message.head.size > 0 ? message.head.size : 1);
		made->size = message.head.size;
		if(made->data == NULL)
			rc = GNUTLS_E_MEMORY_ERROR;
		else
			memcpy(made->data, message.payload, message.head.size);
	} else if(message.head.size > 0) { /* about a token there may be something to say */
		why.is_set = true;
		snprintf(why.text, sizeof(why.text), "%.*s", (int)message.head.size, (const char *)message.payload);
	}
	gnutls_memset(message.payload, 0, message.head.size);
	return rc;
}

static bool take(struct tlsg_buf *b, size_t size, gnutls_datum_t *out)
{
	if(size == 0)
		return true;
	if(size > tlsg_buf_filled(b))
		return false;
	out->data = gnutls_malloc(size);
	if(out->data == NULL)
		return false;
	out->size = (unsigned)tlsg_buf_take(b, out->data, size);
	return true;
}

static bool loaded_read(struct tlsg_key_file_content *out)
{
	struct tlsg_wire_load_reply l;
	struct tlsg_buf b;
	unsigned i;

	tlsg_buf_init_filled(&b, message.payload, message.head.size);
	if(tlsg_buf_take(&b, &l, sizeof(l)) != sizeof(l) || l.certs_len > TLSG_KEY_FILE_CERTS_MAX)
		return false;
	out->pk = (gnutls_pk_algorithm_t)l.pk;
	out->bits = l.bits;
	out->is_encrypted = l.is_encrypted != 0;
	memcpy(out->digest, l.digest, sizeof(out->digest));
	if(!take(&b, l.spki_len, &out->spki))
		return false;
	for(i = 0; i < l.certs_len; i++) {
		if(!take(&b, l.cert_len[i], &out->certs[i]))
			return false;
		out->certs_len = i + 1;
	}
	return true;
}

static bool load_write(uint32_t set_number, const struct tlsg_key_file_request *r)
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
	int timeout_ms = tlsg_password_is_asked() && !tlsg_password_is_out_of_reach() ? TLSG_TIMEOUT_PASSWORD_MS
																				  : TLSG_TIMEOUT_LOAD_MS;
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	if(!load_write(set_number, r))
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\": the names are too long", r->setting, r->file->s);
	ret = ask(&files, TLSG_WIRE_LOAD, timeout_ms);
	if(ret != TLSG_OK)
		return tlsg_err_set(err, ret, "%s: \"%s\": %s", r->setting, r->file->s, tlsg_client_why());
	if(message.head.code != TLSG_OK)
		return tlsg_err_set(err, message.head.code == TLSG_E_RESOURCE ? TLSG_E_RESOURCE : TLSG_E_CONFIG, "%.*s",
				(int)message.head.size, (const char *)message.payload);
	*id = message.head.key;
	if(*id != 0 && loaded_read(out))
		return TLSG_OK;
	tlsg_key_file_content_free(out);
	return tlsg_err_set(
			err, TLSG_E_RESOURCE, "%s: \"%s\": no memory, or an answer that is none", r->setting, r->file->s);
}

static bool token_write(const struct tlsg_client_look_request *r)
{
	const str *p = r->password;
	bool has_password = p != NULL && p->s != NULL;
	struct tlsg_wire_look_request t;
	struct tlsg_buf b;
	bool fits;

	memset(&t, 0, sizeof(t));
	t.set_number = r->set_number;
	t.what = (uint32_t)r->what;
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

static bool token_read(const struct tlsg_client_look_request *r, struct tlsg_client_look_reply *out)
{
	struct tlsg_wire_look_reply f;

	if(r->what != TLSG_WIRE_LOOK_KEY) {
		out->pem.data = gnutls_malloc((size_t)message.head.size + 1);
		if(out->pem.data == NULL)
			return false;
		memcpy(out->pem.data, message.payload, message.head.size);
		out->pem.data[message.head.size] = '\0';
		out->pem.size = message.head.size;
		return true;
	}
	if(message.head.size != sizeof(f) || !(message.head.key & TLSG_WIRE_KEY_ON_TOKEN))
		return false;
	memcpy(&f, message.payload, sizeof(f));
	out->id = message.head.key;
	out->pk = (gnutls_pk_algorithm_t)f.pk;
	out->bits = f.bits;
	out->can = f.can;
	return true;
}

enum tlsg_ret tlsg_client_look(
		const struct tlsg_client_look_request *r, struct tlsg_client_look_reply *out, struct tlsg_err *err)
{
	int timeout_ms = tlsg_password_is_asked() && !tlsg_password_is_out_of_reach() ? TLSG_TIMEOUT_PASSWORD_MS
																				  : TLSG_TIMEOUT_LOOK_MS;
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	if(!token_write(r))
		return tlsg_err_set(err, TLSG_E_CONFIG, "the certificate or the password is too long");
	ret = ask(&tokens, TLSG_WIRE_LOOK, timeout_ms);
	if(ret != TLSG_OK)
		return tlsg_err_set(err, ret, "%s", tlsg_client_why());
	if(message.head.code != TLSG_OK)
		return tlsg_err_set(err, message.head.code == TLSG_E_RESOURCE ? TLSG_E_RESOURCE : TLSG_E_CONFIG, "%.*s",
				(int)message.head.size, (const char *)message.payload);
	if(token_read(r, out))
		return TLSG_OK;
	return tlsg_err_set(err, TLSG_E_RESOURCE, "no memory, or an answer that is none");
}

static void over(struct line *l)
{
	memset(&message.head, 0, sizeof(message.head));
	if(ask(l, TLSG_WIRE_STARTED, TLSG_TIMEOUT_OP_MS) != TLSG_OK)
		LM_WARN("%s\n", tlsg_client_why());
	line_close(l);
}

void tlsg_client_startup_done(void)
{
	if(files.door >= 0)
		over(&files);
	if(tokens.door >= 0)
		over(&tokens);
}
