/*
 * tls_gnutls - key isolation: the process that holds keys in files; wire.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process.  Memory: its heap.  Lock: none.
 */
#include "profiles/isolate/key_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "base/buf.h"
#include "base/host.h"
#include "profiles/isolate/key_loader.h"
#include "profiles/isolate/timeouts.h"
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
	int client;		/* connection that it was loaded for */
	bool was_alive; /* its snapshot was in use */
	char *file;
	struct tlsg_key_file_content content;
	gnutls_privkey_t key;
};

static struct entry *entries;
static unsigned entries_len;
static tlsg_wire_is_alive set_is_alive;
static uint64_t last_id;
static struct tlsg_wire_message message;
static int epoll = -1;
/* Start-up is over: an attacker who controls a worker may choose the files that requests name from now on. */
static bool is_started;

/* ---- the keys ---- */

static void entry_free(struct entry *e)
{
	if(e->key != NULL)
		gnutls_privkey_deinit(e->key);
	tlsg_key_file_content_free(&e->content);
	gnutls_free(e->file);
	gnutls_free(e);
}

/* Drops keys of snapshots that are gone. A client builds one snapshot at a time: that of the request. */
static void collect(int client, uint32_t building)
{
	struct entry **at = &entries, *e;

	while((e = *at) != NULL) {
		bool is_alive = set_is_alive(e->set_number);

		e->was_alive = e->was_alive || is_alive;
		if(is_alive || (!e->was_alive && (e->client != client || e->set_number == building))) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		entries_len--;
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

/* What became of a request. */
enum outcome
{
	HANDLED, /* the reply is in the message */
	LATER,	 /* the reply is sent when a child has finished */
	MALFORMED
};

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

static struct entry *entry_new(int client, const struct tlsg_wire_load_request *l, const char *file)
{
	struct entry *e = gnutls_calloc(1, sizeof(*e));

	if(e == NULL)
		return NULL;
	e->set_number = l->set_number;
	e->client = client;
	e->file = gnutls_strdup(file);
	if(e->file != NULL)
		return e;
	gnutls_free(e);
	return NULL;
}

/* Makes a key of what was read, or frees the entry. Writes the reply. */
static void entry_settle(struct entry *e, const char *setting, enum tlsg_ret ret, struct tlsg_err *err)
{
	if(ret == TLSG_OK && e->content.bits > TLSG_WIRE_KEY_BITS_MAX)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: the key in \"%s\" has %u bits, key_isolation allows %d", setting,
				e->file, e->content.bits, TLSG_WIRE_KEY_BITS_MAX);
	if(ret == TLSG_OK && !key_open(e))
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "%s: the key in \"%s\" cannot be used", setting, e->file);
	if(ret != TLSG_OK) {
		entry_free(e);
		refusal_write(ret, err->text);
		return;
	}
	e->id = ++last_id;
	e->next = entries;
	entries = e;
	entries_len++;
	load_reply_write(e);
}

/* ---- files that children read ---- */

/* A client waits for a file that a child reads. */
struct load
{
	struct load *next;
	struct tlsg_key_loader loader;
	struct entry *entry;
	struct tlsg_wire_head head; /* of the request */
	char setting[64];
	int64_t until_ms;
};

static struct load *loads;

static bool is_loading(int client)
{
	const struct load *l;

	for(l = loads; l != NULL; l = l->next)
		if(l->entry->client == client)
			return true;
	return false;
}

static bool load_start(struct entry *e, const struct tlsg_key_file_request *r)
{
	struct load *l = gnutls_calloc(1, sizeof(*l));
	struct epoll_event event = {.events = EPOLLIN};

	if(l == NULL || tlsg_key_loader_start(r, known_cb, e->file, &l->loader) != TLSG_OK) {
		gnutls_free(l);
		return false;
	}
	l->entry = e;
	l->head = message.head;
	l->until_ms = tlsg_p11_probe_clock() + TLSG_TIMEOUT_READ_MS;
	snprintf(l->setting, sizeof(l->setting), "%s", r->setting);
	l->next = loads;
	loads = l;
	event.data.fd = l->loader.fd;
	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, l->loader.fd, &event); /* if it fails, it ends by its time limit */
	return true;
}

/* The child has a result, or its time is up: replies to the client. */
static void load_finish(struct load *l)
{
	struct load **at;
	struct tlsg_err err;
	enum tlsg_ret ret;
	int client = l->entry->client;

	tlsg_err_clear(&err);
	for(at = &loads; *at != l; at = &(*at)->next)
		;
	*at = l->next;
	(void)epoll_ctl(epoll, EPOLL_CTL_DEL, l->loader.fd, NULL);
	ret = tlsg_key_loader_finish(&l->loader, l->setting, l->entry->file, &l->entry->content, &err);
	message.head = l->head;
	entry_settle(l->entry, l->setting, ret, &err);
	if(tlsg_wire_send(client, &message, MSG_DONTWAIT) != TLSG_OK)
		LM_DBG("a client does not take the reply to LOAD\n");
	tlsg_wire_payload_wipe(&message);
	gnutls_free(l);
}

static void loads_expire(void)
{
	int64_t now = tlsg_p11_probe_clock();
	struct load *l, *next;

	for(l = loads; l != NULL; l = next) {
		next = l->next;
		if(now >= l->until_ms)
			load_finish(l);
	}
}

static struct load *load_find(int fd)
{
	struct load *l;

	for(l = loads; l != NULL && l->loader.fd != fd; l = l->next)
		;
	return l;
}

/* @return false: a child reads the file, the reply is sent later. */
static bool file_load(
		int client, const struct tlsg_wire_load_request *l, const char *setting, char *file, char *password)
{
	str path = {file, (int)l->file_len};
	str word = {l->has_password ? password : NULL, l->has_password ? (int)l->password_len : 0};
	struct tlsg_key_file_request r = {setting, &path, &word};
	struct tlsg_err err;
	struct entry *e;

	tlsg_err_clear(&err);
	collect(client, l->set_number);
	if(entries_len >= TLSG_WIRE_KEYS_MAX || is_loading(client)) {
		(void)tlsg_err_set(&err, TLSG_E_RESOURCE, "%s: the key process %s", setting,
				is_loading(client) ? "is still reading a file for this process"
								   : "holds too many keys: wait until older configurations are not in use any more");
		refusal_write(TLSG_E_RESOURCE, err.text);
		return true;
	}
	e = entry_new(client, l, file);
	if(e != NULL && is_started && load_start(e, &r))
		return false;
	if(e != NULL && !is_started) {
		entry_settle(e, setting, tlsg_key_file_load(&r, known_cb, file, &e->content, &err), &err);
		return true;
	}
	(void)tlsg_err_set(&err, TLSG_E_RESOURCE, "%s: the key process is out of memory or cannot start a child", setting);
	refusal_write(TLSG_E_RESOURCE, err.text);
	if(e != NULL)
		entry_free(e);
	return true;
}

/* @return HANDLED, LATER, MALFORMED. */
static enum outcome load_handle(int client)
{
	struct tlsg_wire_load_request l;
	struct tlsg_buf b;
	char *setting, *file, *password;
	bool is_good;
	enum outcome outcome = MALFORMED;

	tlsg_buf_init_filled(&b, message.payload, message.head.size);
	if(tlsg_buf_take(&b, &l, sizeof(l)) != sizeof(l))
		return MALFORMED;
	setting = text_read(&b, l.setting_len);
	file = text_read(&b, l.file_len);
	password = text_read(&b, l.password_len);
	is_good = setting != NULL && file != NULL && password != NULL && tlsg_buf_filled(&b) == 0;
	tlsg_wire_payload_wipe(&message);
	if(is_good)
		outcome = file_load(client, &l, setting, file, password) ? HANDLED : LATER;
	if(password != NULL)
		gnutls_memset(password, 0, l.password_len);
	gnutls_free(password);
	gnutls_free(file);
	gnutls_free(setting);
	return outcome;
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

static enum outcome request_handle(int client)
{
	switch(message.head.request) {
		case TLSG_WIRE_LOAD:
			return load_handle(client);
		case TLSG_WIRE_OP:
			op_handle();
			return HANDLED;
		case TLSG_WIRE_STARTED:
			is_started = true;
			tlsg_password_mode_set(tlsg_password_is_asked(), NULL);
			message.head.size = 0;
			return HANDLED;
		default:
			return MALFORMED;
	}
}

/*
 * Receives one request and replies.
 * @return false: the connection is to be shut down. A client that does not take its replies loses it.
 */
static bool client_handle(int fd)
{
	enum tlsg_ret ret = tlsg_wire_recv(fd, &message, MSG_DONTWAIT);

	if(ret != TLSG_OK)
		return ret == TLSG_AGAIN;
	switch(request_handle(fd)) {
		case LATER:
			return true;
		case MALFORMED:
			return false;
		default:
			break;
	}
	ret = tlsg_wire_send(fd, &message, MSG_DONTWAIT);
	tlsg_wire_payload_wipe(&message);
	return ret == TLSG_OK;
}

static bool watch(int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data = {.fd = fd}};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* @param open  number of connections. */
static enum tlsg_ret loop(unsigned open)
{
	struct epoll_event events[EVENTS];

	while(open > 0) {
		int i, n = epoll_wait(epoll, events, EVENTS, loads != NULL ? TLSG_TIMEOUT_TICK_MS : -1);

		if(n < 0 && errno != EINTR)
			return TLSG_E_RESOURCE;
		for(i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			struct load *l = load_find(fd);

			if(l != NULL)
				load_finish(l);
			if(l != NULL || client_handle(fd))
				continue;
			(void)epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
			tlsg_wire_end_shutdown(fd);
			open--;
		}
		loads_expire();
	}
	return TLSG_OK;
}

enum tlsg_ret tlsg_key_process_run(const struct tlsg_wire_ends *servers, tlsg_wire_is_alive is_alive)
{
	enum tlsg_ret ret = TLSG_E_RESOURCE;
	unsigned i = 0;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	(void)signal(SIGCHLD, SIG_DFL);
	is_started = false;
	set_is_alive = is_alive;
	while(epoll >= 0 && i < servers->len && watch(servers->fd[i]))
		i++;
	if(i == servers->len)
		ret = loop(i);
	if(epoll >= 0)
		close(epoll);
	while(entries != NULL) {
		struct entry *e = entries;

		entries = e->next;
		entry_free(e);
	}
	return ret;
}
