/*
 * tls_gnutls - key isolation: asks the key process; key_wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, any process that steps a handshake.
 * Memory: one buffer of this process; nothing of a key.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* ppoll */
#endif

#include "profiles/key_client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "base/buf.h"
#include "base/host.h"
#include "profiles/key_password.h"
#include "profiles/key_wire.h"

static int door = -1;

/* The connection of this process. */
static struct
{
	int fd;
	pid_t owner; /* a forked process has one of its own */
	uint32_t serial;
	bool overdue; /* the answer to `serial` has not come in time */
} line = {.fd = -1};

static struct tlsg_key_message message;
static const char *why;

void tlsg_key_client_set(int fd)
{
	door = fd;
}

bool tlsg_key_client_is_on(void)
{
	return door >= 0;
}

const char *tlsg_key_client_why(void)
{
	const char *w = why;

	why = NULL;
	return w;
}

static enum tlsg_ret trouble(const char *what)
{
	why = what;
	return TLSG_E_RESOURCE;
}

/* ---- the connection ---- */

static void line_close(void)
{
	if(line.fd >= 0)
		close(line.fd);
	line.fd = -1;
	line.overdue = false;
}

/* Sends one end of a new pair through the door. */
static bool knock(int fd)
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
	return sendmsg(door, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

static enum tlsg_ret line_open(void)
{
	int pair[2];
	bool sent;

	if(line.fd >= 0 && line.owner == getpid())
		return TLSG_OK;
	line_close();
	if(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return trouble("no connection to the process that holds the keys can be made: too many open files");
	sent = knock(pair[1]);
	close(pair[1]);
	if(!sent) {
		close(pair[0]);
		return trouble("the process that holds the keys takes no connections");
	}
	line.fd = pair[0];
	line.owner = getpid();
	return TLSG_OK;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until there is something to receive. @return false: not in time. */
static bool wait_until(int64_t deadline_ms)
{
	for(;;) {
		struct pollfd p = {.fd = line.fd, .events = POLLIN};
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
static int receive(void)
{
	ssize_t n = recv(line.fd, &message, sizeof(message), MSG_DONTWAIT);

	if(n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if((size_t)n < sizeof(message.head) || (size_t)n != sizeof(message.head) + message.head.size)
		return -1;
	return 1;
}

/* Waits for the answer to the last question, and throws away late ones. */
static enum tlsg_ret answer(int64_t deadline_ms)
{
	for(;;) {
		int n = receive();

		if(n < 0) {
			line_close();
			return trouble("the process that holds the keys has closed the connection");
		}
		if(n > 0 && message.head.serial == line.serial) {
			line.overdue = false;
			return TLSG_OK;
		}
		if(n == 0 && !wait_until(deadline_ms)) {
			line.overdue = true;
			return trouble("the process that holds the keys did not answer in time");
		}
	}
}

/* Sends what is in the buffer and gets the answer there. */
static enum tlsg_ret ask(enum tlsg_key_question question, int timeout_ms)
{
	size_t size = sizeof(message.head) + message.head.size;
	enum tlsg_ret ret = line_open();
	ssize_t n;

	if(ret != TLSG_OK)
		return ret;
	message.head.question = question;
	message.head.serial = ++line.serial;
	n = send(line.fd, &message, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	gnutls_memset(message.payload, 0, message.head.size);
	if(n == (ssize_t)size)
		return answer(now_ms() + timeout_ms);
	if(n < 0 && errno == EAGAIN)
		return trouble("the process that holds the keys does not keep up");
	line_close();
	return trouble("the process that holds the keys has closed the connection");
}

/* Whether an earlier answer is still missing. */
static bool is_overdue(void)
{
	int n = 1;

	if(line.fd < 0 || line.owner != getpid() || !line.overdue)
		return false;
	while(n > 0 && line.overdue) {
		n = receive();
		if(n > 0 && message.head.serial == line.serial)
			line.overdue = false;
		if(n > 0)
			gnutls_memset(message.payload, 0, message.head.size);
	}
	if(n < 0)
		line_close();
	return line.overdue;
}

/* ---- questions ---- */

int tlsg_key_client_do(
		uint64_t id, enum tlsg_key_op op, gnutls_sign_algorithm_t algo, const gnutls_datum_t *in, gnutls_datum_t *made)
{
	int rc;

	if(is_overdue()) {
		trouble("the process that holds the keys does not answer");
		return GNUTLS_E_TIMEDOUT;
	}
	if(in->size > sizeof(message.payload))
		return GNUTLS_E_INVALID_REQUEST;
	memset(&message.head, 0, sizeof(message.head));
	message.head.key = id;
	message.head.op = (int32_t)op;
	message.head.algo = (int32_t)algo;
	message.head.size = in->size;
	if(in->size > 0)
		memcpy(message.payload, in->data, in->size);
	if(ask(TLSG_KEY_Q_DO, TLSG_KEY_DO_MS) != TLSG_OK)
		return GNUTLS_E_TIMEDOUT;
	rc = message.head.code;
	if(rc >= 0) {
		made->data = gnutls_malloc(message.head.size > 0 ? message.head.size : 1);
		made->size = message.head.size;
		if(made->data == NULL)
			rc = GNUTLS_E_MEMORY_ERROR;
		else
			memcpy(made->data, message.payload, message.head.size);
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

static bool loaded_read(struct tlsg_key_content *out)
{
	struct tlsg_key_loaded l;
	struct tlsg_buf b;
	unsigned i;

	tlsg_buf_init_filled(&b, message.payload, message.head.size);
	if(tlsg_buf_take(&b, &l, sizeof(l)) != sizeof(l) || l.certs_len > TLSG_KEY_CERTS_MAX)
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

static bool load_write(uint32_t set_number, const struct tlsg_key_request *r)
{
	const str *p = r->password;
	struct tlsg_key_load l = {.set_number = set_number,
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

enum tlsg_ret tlsg_key_client_load(uint32_t set_number, const struct tlsg_key_request *r, uint64_t *id,
		struct tlsg_key_content *out, struct tlsg_err *err)
{
	int timeout_ms = tlsg_password_is_asked() && !tlsg_password_is_out_of_reach() ? TLSG_KEY_ASK_MS : TLSG_KEY_LOAD_MS;
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	if(!load_write(set_number, r))
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s: \"%s\": the names are too long", r->setting, r->file->s);
	ret = ask(TLSG_KEY_Q_LOAD, timeout_ms);
	if(ret != TLSG_OK)
		return tlsg_err_set(err, ret, "%s: \"%s\": %s", r->setting, r->file->s, tlsg_key_client_why());
	if(message.head.code != TLSG_OK)
		return tlsg_err_set(err, message.head.code == TLSG_E_RESOURCE ? TLSG_E_RESOURCE : TLSG_E_CONFIG, "%.*s",
				(int)message.head.size, (const char *)message.payload);
	*id = message.head.key;
	if(*id != 0 && loaded_read(out))
		return TLSG_OK;
	tlsg_key_content_free(out);
	return tlsg_err_set(
			err, TLSG_E_RESOURCE, "%s: \"%s\": no memory, or an answer that is none", r->setting, r->file->s);
}

void tlsg_key_client_over(void)
{
	memset(&message.head, 0, sizeof(message.head));
	if(ask(TLSG_KEY_Q_OVER, TLSG_KEY_DO_MS) != TLSG_OK)
		LM_WARN("%s\n", tlsg_key_client_why());
	line_close();
}
