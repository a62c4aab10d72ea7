/*
 * tls_gnutls - key isolation: the process that holds the keys; wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process.  Memory: its heap.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MSG_CMSG_CLOEXEC */
#endif

#include "profiles/isolate/key_process.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "base/buf.h"
#include "base/host.h"
#include "profiles/keys/op.h"
#include "profiles/keys/password.h"
#include "profiles/isolate/wire.h"

#define EVENTS 16

/* A key that was read. */
struct entry
{
	struct entry *next;
	uint64_t id;
	uint32_t set_number;
	char *file;
	struct tlsg_key_file_content content;
	gnutls_privkey_t key;
};

static struct entry *entries;
static tlsg_wire_is_alive set_is_alive;
static uint64_t last_id;
static struct tlsg_wire_message message;

/* ---- the keys ---- */

static void entry_free(struct entry *e)
{
	if(e->key != NULL)
		gnutls_privkey_deinit(e->key);
	tlsg_key_file_content_free(&e->content);
	gnutls_free(e->file);
	gnutls_free(e);
}

/* Drops what belongs to no snapshot any more. Only one is built at a time: that of the question. */
static void collect(uint32_t building)
{
	struct entry **at = &entries, *e;

	while((e = *at) != NULL) {
		if(e->set_number == building || set_is_alive(e->set_number)) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		entry_free(e);
	}
}

static struct entry *entry_find(uint64_t id)
{
	struct entry *e;

	for(e = entries; e != NULL; e = e->next)
		if(e->id == id)
			return e;
	return NULL;
}

/* An encrypted file that has not changed since it was read needs no password. */
static bool known_cb(const unsigned char *digest, void *param, struct tlsg_key_file_content *out)
{
	const char *file = param;
	const struct entry *e;
	bool found = false;

	for(e = entries; e != NULL && !found; e = e->next)
		found = strcmp(e->file, file) == 0 && memcmp(e->content.digest, digest, TLSG_KEY_FILE_DIGEST_SIZE) == 0
				&& tlsg_key_file_content_copy(&e->content, out);
	if(!found)
		tlsg_key_file_content_free(out);
	return found;
}

static bool key_open(struct entry *e)
{
	const gnutls_datum_t *der = &e->content.pkcs8;

	return gnutls_privkey_init(&e->key) >= 0
		   && gnutls_privkey_import_x509_raw(e->key, der, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN) >= 0;
}

/* ---- LOAD ---- */

/* One text of a question. @return heap, zero-terminated; NULL: not there, or a zero byte in it. */
static char *text_take(struct tlsg_buf *b, size_t len)
{
	char *text = len <= tlsg_buf_filled(b) ? gnutls_malloc(len + 1) : NULL;

	if(text == NULL)
		return NULL;
	(void)tlsg_buf_take(b, text, len);
	text[len] = '\0';
	if(strlen(text) == len)
		return text;
	gnutls_free(text);
	return NULL;
}

static void loaded_write(const struct entry *e)
{
	const struct tlsg_key_file_content *c = &e->content;
	struct tlsg_wire_load_reply l = {.pk = (uint32_t)c->pk,
			.bits = c->bits,
			.is_encrypted = c->is_encrypted,
			.spki_len = c->spki.size,
			.certs_len = c->certs_len};
	struct tlsg_buf b;
	bool fits;
	unsigned i;

	for(i = 0; i < c->certs_len; i++)
		l.cert_len[i] = c->certs[i].size;
	memcpy(l.digest, c->digest, sizeof(l.digest));
	tlsg_buf_init(&b, message.payload, sizeof(message.payload));
	fits = tlsg_buf_put(&b, &l, sizeof(l)) && tlsg_buf_put(&b, c->spki.data, c->spki.size);
	for(i = 0; i < c->certs_len && fits; i++)
		fits = tlsg_buf_put(&b, c->certs[i].data, c->certs[i].size);
	message.head.code = fits ? TLSG_OK : TLSG_E_RESOURCE;
	message.head.key = e->id;
	message.head.size = fits ? (uint32_t)b.wr : 0;
}

static void refusal_write(enum tlsg_ret ret, const char *text)
{
	size_t len = strlen(text);

	memcpy(message.payload, text, len);
	message.head.code = ret;
	message.head.size = (uint32_t)len;
}

static enum tlsg_ret entry_make(uint32_t set_number, const struct tlsg_key_file_request *r, struct tlsg_err *err)
{
	struct entry *e = gnutls_calloc(1, sizeof(*e));
	enum tlsg_ret ret;

	if(e == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "%s: no memory in the key process", r->setting);
	e->set_number = set_number;
	e->file = gnutls_strdup(r->file->s);
	ret = e->file == NULL ? tlsg_err_set(err, TLSG_E_RESOURCE, "%s: no memory in the key process", r->setting)
						  : tlsg_key_file_load(r, known_cb, r->file->s, &e->content, err);
	if(ret == TLSG_OK && !key_open(e))
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: the key in \"%s\" cannot be used", r->setting, r->file->s);
	if(ret != TLSG_OK) {
		entry_free(e);
		return ret;
	}
	e->id = ++last_id;
	e->next = entries;
	entries = e;
	return TLSG_OK;
}

static void load_texts(const struct tlsg_wire_load_request *l, const char *setting, char *file, char *password)
{
	str path = {file, (int)l->file_len};
	str word = {l->has_password ? password : NULL, l->has_password ? (int)l->password_len : 0};
	struct tlsg_key_file_request r = {setting, &path, &word};
	struct tlsg_err err;
	enum tlsg_ret ret;

	tlsg_err_clear(&err);
	collect(l->set_number);
	ret = entry_make(l->set_number, &r, &err);
	if(ret == TLSG_OK)
		loaded_write(entries);
	else
		refusal_write(ret, err.text);
}

/* @return false: not a question. */
static bool load(void)
{
	struct tlsg_wire_load_request l;
	struct tlsg_buf b;
	char *setting, *file, *password;
	bool good;

	tlsg_buf_init_filled(&b, message.payload, message.head.size);
	if(tlsg_buf_take(&b, &l, sizeof(l)) != sizeof(l))
		return false;
	setting = text_take(&b, l.setting_len);
	file = text_take(&b, l.file_len);
	password = text_take(&b, l.password_len);
	good = setting != NULL && file != NULL && password != NULL && tlsg_buf_filled(&b) == 0;
	gnutls_memset(message.payload, 0, message.head.size);
	if(good)
		load_texts(&l, setting, file, password);
	if(password != NULL)
		gnutls_memset(password, 0, l.password_len);
	gnutls_free(password);
	gnutls_free(file);
	gnutls_free(setting);
	return good;
}

/* ---- DO ---- */

/* What the answer carries is in `made`. @return GnuTLS's code. */
static int sign(const struct entry *e, const gnutls_datum_t *in, gnutls_datum_t *made)
{
	int rc = tlsg_op_sign(e->key, (enum tlsg_op)message.head.op, (gnutls_sign_algorithm_t)message.head.algo, in, made);

	return rc >= 0 && made->size > sizeof(message.payload) ? GNUTLS_E_SHORT_MEMORY_BUFFER : rc;
}

static void work(void)
{
	const struct entry *e = entry_find(message.head.key);
	gnutls_datum_t in = {message.payload, message.head.size};
	gnutls_datum_t made = {NULL, 0};
	int rc = GNUTLS_E_NO_CERTIFICATE_FOUND;

	if(e != NULL)
		rc = message.head.op == TLSG_OP_DECRYPT ? tlsg_op_decrypt(e->key, &in, &made, NULL) : sign(e, &in, &made);
	gnutls_memset(message.payload, 0, message.head.size);
	message.head.code = rc < 0 ? rc : 0;
	message.head.size = rc < 0 ? 0 : made.size;
	if(rc >= 0)
		memcpy(message.payload, made.data, made.size);
	if(made.data != NULL)
		gnutls_memset(made.data, 0, made.size);
	gnutls_free(made.data);
}

/* ---- connections ---- */

/* Answers one question. @return false: the other side is gone, or does not talk as it must. */
static bool answer(int fd)
{
	ssize_t n = recv(fd, &message, sizeof(message), MSG_DONTWAIT);
	size_t size;

	if(n < 0)
		return errno == EAGAIN || errno == EINTR;
	if((size_t)n < sizeof(message.head) || (size_t)n != sizeof(message.head) + message.head.size)
		return false;
	switch(message.head.question) {
		case TLSG_WIRE_LOAD:
			if(!load())
				return false;
			break;
		case TLSG_WIRE_OP:
			work();
			break;
		case TLSG_WIRE_STARTED:
			tlsg_password_mode_set(tlsg_password_is_asked(), NULL);
			message.head.size = 0;
			break;
		default:
			return false;
	}
	size = sizeof(message.head) + message.head.size;
	n = send(fd, &message, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	gnutls_memset(message.payload, 0, message.head.size);
	return n == (ssize_t)size; /* who does not take answers gets no more */
}

static bool watch(int epoll, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data = {.fd = fd}};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

enum tlsg_ret tlsg_wire_accept(int door, int *fd)
{
	char byte;
	struct iovec part = {&byte, 1};
	union
	{
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = {
			.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(door, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c;

	if(n == 0)
		return TLSG_EOF;
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if(c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return TLSG_AGAIN;
	memcpy(fd, CMSG_DATA(c), sizeof(int));
	return TLSG_OK;
}

/* @return false: nobody is outside any more. */
static bool let_in(int epoll, int door)
{
	int fd;
	enum tlsg_ret ret = tlsg_wire_accept(door, &fd);

	if(ret == TLSG_OK && !watch(epoll, fd))
		close(fd);
	return ret != TLSG_EOF;
}

enum tlsg_ret tlsg_wire_socketpair(int *ours, int *theirs)
{
	int pair[2];

	if(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return TLSG_E_RESOURCE;
	*ours = pair[0];
	*theirs = pair[1];
	return TLSG_OK;
}

enum tlsg_ret tlsg_key_process_run(int door, tlsg_wire_is_alive is_alive)
{
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	bool open = epoll >= 0 && watch(epoll, door);
	enum tlsg_ret ret = open ? TLSG_OK : TLSG_E_RESOURCE;

	set_is_alive = is_alive;
	while(open) {
		int i, n = epoll_wait(epoll, events, EVENTS, -1);

		if(n < 0 && errno != EINTR) {
			ret = TLSG_E_RESOURCE;
			break;
		}
		for(i = 0; i < n && open; i++) {
			if(events[i].data.fd == door)
				open = let_in(epoll, door);
			else if(!answer(events[i].data.fd))
				close(events[i].data.fd);
		}
	}
	if(epoll >= 0)
		close(epoll);
	while(entries != NULL) {
		struct entry *e = entries;

		entries = e->next;
		entry_free(e);
	}
	return ret;
}
