/*
 * tls_gnutls - key isolation: the process that holds keys in files; wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process.  Memory: its heap.  Lock: none.
 */
#include "profiles/isolate/key_process.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "base/buf.h"
#include "base/host.h"
#include "profiles/isolate/wire.h"
#include "profiles/keys/op.h"
#include "profiles/keys/password.h"

#define EVENTS 16

/* A key that was loaded. */
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

/* Drops keys of snapshots that are gone. Only one snapshot is built at a time: that of the request. */
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

/* An encrypted file that has not changed since it was loaded needs no password. */
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

/*
 * Reads one text of a request.
 * @return [heap], zero-terminated; NULL: too short, a zero byte in it, or out of memory.
 */
static char *text_read(struct tlsg_buf *b, size_t len)
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

static void load_reply_write(const struct entry *e)
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
	tlsg_wire_payload_set(&message, text, strlen(text));
	message.head.code = ret;
}

static enum tlsg_ret entry_load(uint32_t set_number, const struct tlsg_key_file_request *r, struct tlsg_err *err)
{
	struct entry *e = gnutls_calloc(1, sizeof(*e));
	enum tlsg_ret ret;

	if(e == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "%s: the key process is out of memory", r->setting);
	e->set_number = set_number;
	e->file = gnutls_strdup(r->file->s);
	ret = e->file == NULL ? tlsg_err_set(err, TLSG_E_RESOURCE, "%s: the key process is out of memory", r->setting)
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

static void file_load(const struct tlsg_wire_load_request *l, const char *setting, char *file, char *password)
{
	str path = {file, (int)l->file_len};
	str word = {l->has_password ? password : NULL, l->has_password ? (int)l->password_len : 0};
	struct tlsg_key_file_request r = {setting, &path, &word};
	struct tlsg_err err;
	enum tlsg_ret ret;

	tlsg_err_clear(&err);
	collect(l->set_number);
	ret = entry_load(l->set_number, &r, &err);
	if(ret == TLSG_OK)
		load_reply_write(entries);
	else
		refusal_write(ret, err.text);
}

/* @return false: malformed. */
static bool load_handle(void)
{
	struct tlsg_wire_load_request l;
	struct tlsg_buf b;
	char *setting, *file, *password;
	bool is_good;

	tlsg_buf_init_filled(&b, message.payload, message.head.size);
	if(tlsg_buf_take(&b, &l, sizeof(l)) != sizeof(l))
		return false;
	setting = text_read(&b, l.setting_len);
	file = text_read(&b, l.file_len);
	password = text_read(&b, l.password_len);
	is_good = setting != NULL && file != NULL && password != NULL && tlsg_buf_filled(&b) == 0;
	tlsg_wire_payload_wipe(&message);
	if(is_good)
		file_load(&l, setting, file, password);
	if(password != NULL)
		gnutls_memset(password, 0, l.password_len);
	gnutls_free(password);
	gnutls_free(file);
	gnutls_free(setting);
	return is_good;
}

/* ---- OP ---- */

/* @return GnuTLS's code; a signature that does not fit is an error. */
static int sign(const struct entry *e, const gnutls_datum_t *in, gnutls_datum_t *made)
{
	int rc = tlsg_op_sign(e->key, (enum tlsg_op)message.head.op, (gnutls_sign_algorithm_t)message.head.algo, in, made);

	return rc >= 0 && made->size > sizeof(message.payload) ? GNUTLS_E_SHORT_MEMORY_BUFFER : rc;
}

static void op_handle(void)
{
	const struct entry *e = entry_find(message.head.key);
	gnutls_datum_t in = {message.payload, message.head.size};
	gnutls_datum_t made = {NULL, 0};
	int rc = GNUTLS_E_NO_CERTIFICATE_FOUND;

	if(e != NULL)
		rc = message.head.op == TLSG_OP_DECRYPT ? tlsg_op_decrypt(e->key, &in, &made, NULL) : sign(e, &in, &made);
	tlsg_wire_payload_wipe(&message);
	message.head.code = rc < 0 ? rc : 0;
	tlsg_wire_payload_set(&message, made.data, rc < 0 ? 0 : made.size);
	if(made.data != NULL)
		gnutls_memset(made.data, 0, made.size);
	gnutls_free(made.data);
}

/* ---- connections ---- */

/* @return false: the request is malformed or unknown. */
static bool request_handle(void)
{
	switch(message.head.request) {
		case TLSG_WIRE_LOAD:
			return load_handle();
		case TLSG_WIRE_OP:
			op_handle();
			return true;
		case TLSG_WIRE_STARTED:
			tlsg_password_mode_set(tlsg_password_is_asked(), NULL);
			message.head.size = 0;
			return true;
		default:
			return false;
	}
}

/*
 * Receives one request and replies.
 * @return false: the connection is to be closed. A client that does not read its replies loses it.
 */
static bool client_handle(int fd)
{
	enum tlsg_ret ret = tlsg_wire_recv(fd, &message, MSG_DONTWAIT);

	if(ret != TLSG_OK)
		return ret == TLSG_AGAIN;
	if(!request_handle())
		return false;
	ret = tlsg_wire_send(fd, &message, MSG_DONTWAIT);
	tlsg_wire_payload_wipe(&message);
	return ret == TLSG_OK;
}

static bool watch(int epoll, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data = {.fd = fd}};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* close() alone does not end events while a client has a copy. */
static void unwatch_and_close(int epoll, int fd)
{
	(void)epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
	close(fd);
}

/* @return false: no other process is left. */
static bool listener_handle(int epoll, int listener)
{
	int fd;
	enum tlsg_ret ret = tlsg_wire_accept(listener, &fd);

	if(ret == TLSG_OK && !watch(epoll, fd))
		close(fd);
	return ret != TLSG_EOF;
}

static enum tlsg_ret loop(int epoll, int listener)
{
	struct epoll_event events[EVENTS];
	bool is_open = true;

	while(is_open) {
		int i, n = epoll_wait(epoll, events, EVENTS, -1);

		if(n < 0 && errno != EINTR)
			return TLSG_E_RESOURCE;
		for(i = 0; i < n && is_open; i++) {
			if(events[i].data.fd == listener)
				is_open = listener_handle(epoll, listener);
			else if(!client_handle(events[i].data.fd))
				unwatch_and_close(epoll, events[i].data.fd);
		}
	}
	return TLSG_OK;
}

enum tlsg_ret tlsg_key_process_run(int listener, tlsg_wire_is_alive is_alive)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	enum tlsg_ret ret = TLSG_E_RESOURCE;

	set_is_alive = is_alive;
	if(epoll >= 0 && watch(epoll, listener))
		ret = loop(epoll, listener);
	if(epoll >= 0)
		close(epoll);
	while(entries != NULL) {
		struct entry *e = entries;

		entries = e->next;
		entry_free(e);
	}
	return ret;
}
