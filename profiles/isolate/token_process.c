/*
 * tls_gnutls - key isolation: the process that holds PINs and sessions of keys on tokens
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
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "base/buf.h"
#include "base/host.h"
#include "profiles/isolate/token_modules.h"
#include "profiles/keys/password.h"
#include "profiles/keys/pin.h"
#include "profiles/isolate/key_process.h"
#include "profiles/isolate/token_keys.h"

#define EVENTS 16
#define WAITING_MAX 8 /* questions of one process that are not answered */
#define TICK_MS 1000
#define HANG_MS 30000
#define QUIET_MS 1000 /* a key that could not be opened is not tried again within */

/* Somebody waits for an answer. */
struct waiter
{
	struct waiter *next;
	uint32_t ticket;
	struct tlsg_token_source *who; /* NULL: gone */
	struct tlsg_token_keys_entry *entry;
	struct tlsg_wire_head head;
	int64_t since_ms;
};

static struct tlsg_token_source *sources;
static struct waiter *waiters;
static uint32_t last_ticket;
static bool started; /* Kamailio has: what configurations name from now on may come from anybody */
static int epoll = -1;
static struct tlsg_wire_message message, reply_message;

/* ---- sources ---- */

struct tlsg_token_source *tlsg_token_process_source_add(
		int fd, enum tlsg_token_source_kind kind, struct tlsg_token_keys_entry *entry)
{
	struct tlsg_token_source *s = gnutls_calloc(1, sizeof(*s));
	struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = s}};

	if(s == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
		gnutls_free(s);
		return NULL;
	}
	s->fd = fd;
	s->kind = kind;
	s->entry = entry;
	s->next = sources;
	sources = s;
	return s;
}

void tlsg_token_process_source_close(struct tlsg_token_source *s)
{
	struct waiter *w;

	if(s->gone)
		return;
	close(s->fd);
	s->gone = true;
	for(w = waiters; w != NULL; w = w->next)
		if(w->who == s)
			w->who = NULL;
}

void tlsg_token_process_detach(void)
{
	struct tlsg_token_source *s;

	for(s = sources; s != NULL; s = s->next)
		if(!s->gone)
			close(s->fd);
	close(epoll);
	gnutls_memset(&message, 0, sizeof(message));
}

static void sources_sweep(void)
{
	struct tlsg_token_source **at = &sources, *s;

	while((s = *at) != NULL) {
		if(!s->gone) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		gnutls_free(s);
	}
}

/* ---- answers ---- */

static void reply(struct tlsg_token_source *who, const struct tlsg_wire_head *question, int code, const void *payload,
		size_t size)
{
	size_t all = sizeof(reply_message.head) + size;

	if(who == NULL || who->gone)
		return;
	reply_message.head = *question;
	reply_message.head.code = code;
	reply_message.head.size = (uint32_t)size;
	if(size > 0)
		memcpy(reply_message.payload, payload, size);
	if(send(who->fd, &reply_message, all, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)all)
		tlsg_token_process_source_close(who); /* who does not take answers gets no more */
	gnutls_memset(reply_message.payload, 0, size);
}

static void refuse(struct tlsg_token_source *who, const struct tlsg_wire_head *question, int code, const char *text)
{
	reply(who, question, code, text, strlen(text));
}

/* To a question about a key: with its name. */
static void refuse_named(struct tlsg_token_source *who, const struct tlsg_token_keys_entry *e,
		const struct tlsg_wire_head *question, int code, const char *text)
{
	char named[TLSG_ERR_TEXT];

	snprintf(named, sizeof(named), "private_key \"%.200s\": %.280s", e->q.uri.uri, text);
	refuse(who, question, code, named);
}

static void fail(struct waiter *w, const char *text)
{
	if(w->head.question == TLSG_WIRE_OP)
		refuse_named(w->who, w->entry, &w->head, GNUTLS_E_PKCS11_ERROR, text);
	else
		refuse(w->who, &w->head, TLSG_E_CONFIG, text);
}

static bool waiter_add(struct tlsg_token_source *who, struct tlsg_token_keys_entry *e)
{
	struct waiter *w = gnutls_calloc(1, sizeof(*w));

	if(w == NULL)
		return false;
	w->ticket = ++last_ticket;
	w->who = who;
	w->entry = e;
	w->head = message.head;
	w->since_ms = tlsg_p11_probe_clock();
	w->next = waiters;
	waiters = w;
	who->waiting++;
	return true;
}

static void waiter_remove(struct waiter *gone)
{
	struct waiter **at;

	for(at = &waiters; *at != NULL; at = &(*at)->next)
		if(*at == gone) {
			*at = gone->next;
			if(gone->who != NULL)
				gone->who->waiting--;
			gnutls_free(gone);
			return;
		}
}

void tlsg_token_process_fail_all(const struct tlsg_token_keys_entry *e, const char *text)
{
	struct waiter *w, *next;

	for(w = waiters; w != NULL; w = next) {
		next = w->next;
		if(w->entry != e)
			continue;
		fail(w, text);
		waiter_remove(w);
	}
}

static struct waiter *waiter_find(const struct tlsg_token_keys_entry *e, uint32_t ticket)
{
	struct waiter *w;

	for(w = waiters; w != NULL; w = w->next)
		if(w->entry == e && (ticket == 0 || w->ticket == ticket))
			return w;
	return NULL;
}

/* ---- TOKEN ---- */

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_proper(const struct tlsg_wire_look_request *t)
{
	const struct tlsg_p11_query *q = &t->q;
	const struct tlsg_p11_uri *u = &q->uri;

	return t->what >= TLSG_WIRE_LOOK_KEY && t->what <= TLSG_WIRE_LOOK_ANCHORS
		   && (t->what == TLSG_WIRE_LOOK_KEY) == (t->cert_len > 0) && is_text(q->module, sizeof(q->module))
		   && is_text(u->uri, sizeof(u->uri)) && is_text(u->module_path, sizeof(u->module_path))
		   && is_text(u->module_name, sizeof(u->module_name)) && is_text(u->pin, sizeof(u->pin))
		   && is_text(u->pin_source, sizeof(u->pin_source)) && is_text(u->type, sizeof(u->type))
		   && is_text(t->engine_pin.value, sizeof(t->engine_pin.value)) && tlsg_p11_uri_is(u->uri);
}

static enum tlsg_ret pin_find(struct tlsg_token_keys_entry *e, const struct tlsg_wire_look_request *t,
		const char *password, struct tlsg_err *err)
{
	str word = {t->has_password ? (char *)password : NULL, t->has_password ? (int)t->password_len : 0};
	struct tlsg_pin_sources from = {.password = e->what == TLSG_WIRE_LOOK_ANCHORS ? NULL : &word,
			.engine = t->has_engine ? &t->engine_pin : NULL,
			.known = tlsg_token_keys_known};
	enum tlsg_ret ret = tlsg_pin_find(&from, &e->q, err);

	gnutls_memset(e->q.uri.pin, 0, sizeof(e->q.uri.pin));
	return ret;
}

static void look(struct tlsg_token_source *who, const struct tlsg_wire_look_request *t, const char *password,
		const unsigned char *cert)
{
	struct tlsg_token_keys_entry *e;
	struct tlsg_err err;
	enum tlsg_ret ret;

	tlsg_err_clear(&err);
	tlsg_token_keys_collect(t->set_number);
	if(!started)
		tlsg_token_modules_note(&t->q);
	e = tlsg_token_keys_new(t, cert);
	if(e == NULL) {
		refuse(who, &message.head, TLSG_E_RESOURCE, "no memory in the token process");
		return;
	}
	ret = pin_find(e, t, password, &err);
	if(ret == TLSG_OK && (!waiter_add(who, e) || !tlsg_token_keys_child_start(e)))
		ret = tlsg_err_set(&err, TLSG_E_RESOURCE, "the token process can start no child: %s", strerror(errno));
	if(ret == TLSG_OK)
		return;
	if(waiter_find(e, 0) != NULL)
		tlsg_token_process_fail_all(e, err.text);
	else
		refuse(who, &message.head, ret, err.text);
	tlsg_token_keys_free(e);
}

/* @return false: not a question. */
static bool token(struct tlsg_token_source *who)
{
	struct tlsg_wire_look_request t;
	struct tlsg_buf b;
	char *password = NULL;
	bool good = false;

	tlsg_buf_init_filled(&b, message.payload, message.head.size);
	if(tlsg_buf_take(&b, &t, sizeof(t)) == sizeof(t) && is_proper(&t)
			&& tlsg_buf_filled(&b) == (size_t)t.password_len + t.cert_len)
		password = gnutls_malloc((size_t)t.password_len + 1);
	if(password != NULL) {
		(void)tlsg_buf_take(&b, password, t.password_len);
		password[t.password_len] = '\0';
		good = strlen(password) == t.password_len;
	}
	if(good)
		look(who, &t, password, message.payload + b.rd);
	if(password != NULL)
		gnutls_memset(password, 0, t.password_len);
	gnutls_free(password);
	gnutls_memset(&t, 0, sizeof(t));
	return good;
}

/* ---- DO ---- */

static void forward(struct tlsg_token_source *who, struct tlsg_token_keys_entry *e)
{
	size_t size = sizeof(message.head) + message.head.size;
	uint32_t serial = message.head.serial;
	ssize_t n;

	if(!waiter_add(who, e)) {
		refuse(who, &message.head, GNUTLS_E_MEMORY_ERROR, "");
		return;
	}
	message.head.serial = last_ticket;
	n = send(e->child->fd, &message, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	message.head.serial = serial;
	if(n == (ssize_t)size)
		return;
	if(n < 0 && errno != EAGAIN)
		return; /* it is gone: whoever waits hears when that is noticed */
	fail(waiter_find(e, last_ticket), "too many signatures wait for the token");
	waiter_remove(waiter_find(e, last_ticket));
}

static void work(struct tlsg_token_source *who)
{
	struct tlsg_token_keys_entry *e = tlsg_token_keys_find(message.head.key);
	int64_t now = tlsg_p11_probe_clock();

	if(e == NULL) {
		refuse(who, &message.head, GNUTLS_E_NO_CERTIFICATE_FOUND, "");
		return;
	}
	if(e->child == NULL && tlsg_p11_key_is_refused(&e->object)) {
		refuse_named(who, e, &message.head, GNUTLS_E_PKCS11_PIN_ERROR, tlsg_p11_pin_reason(TLSG_P11_PIN_WRONG));
		return;
	}
	if(e->child == NULL && e->failed_ms != 0 && now - e->failed_ms < QUIET_MS) {
		refuse_named(who, e, &message.head, GNUTLS_E_PKCS11_ERROR, e->why);
		return;
	}
	if(e->child == NULL && !tlsg_token_keys_child_start(e)) {
		refuse_named(who, e, &message.head, GNUTLS_E_PKCS11_ERROR, "the token process can start no child");
		return;
	}
	forward(who, e);
}

/* ---- what sources say ---- */

/* @return false: the other side is gone, or does not talk as it must. */
static bool receive(int fd, bool *none)
{
	ssize_t n = recv(fd, &message, sizeof(message), MSG_DONTWAIT);

	*none = n < 0 && (errno == EAGAIN || errno == EINTR);
	if(*none)
		return true;
	return n >= (ssize_t)sizeof(message.head) && (size_t)n == sizeof(message.head) + message.head.size;
}

static bool client_heard(struct tlsg_token_source *s)
{
	bool none, good = receive(s->fd, &none);

	if(!good || none)
		return good;
	if(s->waiting >= WAITING_MAX)
		return false;
	switch(message.head.question) {
		case TLSG_WIRE_LOOK:
			return token(s);
		case TLSG_WIRE_OP:
			work(s);
			return true;
		case TLSG_WIRE_STARTED:
			started = true;
			tlsg_password_mode_set(tlsg_password_is_asked(), NULL);
			refuse(s, &message.head, 0, "");
			return true;
		default:
			return false;
	}
}

/* The child has found the key: it is one of the snapshot now. @return false: it has not, or nonsense. */
static bool facts_take(struct tlsg_token_keys_entry *e, struct tlsg_p11_facts *f)
{
	struct tlsg_wire_head go = {.question = TLSG_WIRE_STARTED};

	if(message.head.size != sizeof(*f))
		return false;
	memcpy(f, message.payload, sizeof(*f));
	if(!is_text(f->uri, sizeof(f->uri)) || !is_text(f->module, sizeof(f->module))
			|| !is_text(f->token, sizeof(f->token)))
		return false;
	go.op = tlsg_token_keys_settle(e, f);
	return go.op >= 0 && send(e->child->fd, &go, sizeof(go), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(go);
}

/* @return false: the entry is done with. */
static bool looked(struct tlsg_token_keys_entry *e)
{
	struct waiter *w = waiter_find(e, 0);
	struct tlsg_p11_facts f;

	if(w == NULL || e->ready)
		return e->ready;
	if(message.head.code != TLSG_OK || e->what != TLSG_WIRE_LOOK_KEY) {
		reply(w->who, &w->head, message.head.code, message.payload, message.head.size);
	} else if(!facts_take(e, &f)) {
		refuse(w->who, &w->head, TLSG_E_RESOURCE, "the token process has no room, or the child talks nonsense");
	} else {
		struct tlsg_wire_look_reply facts = {.pk = (uint32_t)f.pk, .bits = f.bits, .can = f.can};

		w->head.key = e->id;
		reply(w->who, &w->head, TLSG_OK, &facts, sizeof(facts));
	}
	waiter_remove(w);
	return e->ready;
}

static void done(struct tlsg_token_keys_entry *e)
{
	struct waiter *w = message.head.serial != 0 ? waiter_find(e, message.head.serial) : NULL;
	char why[TLSG_ERR_TEXT];

	if(w == NULL)
		return;
	if(message.head.code >= 0) {
		reply(w->who, &w->head, 0, message.payload, message.head.size);
	} else {
		snprintf(why, sizeof(why), "%.*s", (int)message.head.size, (const char *)message.payload);
		refuse_named(w->who, e, &w->head, message.head.code, why);
	}
	waiter_remove(w);
}

static void child_ended(struct tlsg_token_keys_entry *e)
{
	char why[TLSG_ERR_TEXT];
	int status = 0;

	tlsg_token_process_source_close(e->child);
	e->child = NULL;
	while(waitpid(e->pid, &status, 0) < 0 && errno == EINTR)
		;
	if(e->hung)
		snprintf(why, sizeof(why), "the PKCS#11 module hangs");
	else if(WIFSIGNALED(status))
		snprintf(why, sizeof(why), "the PKCS#11 module crashed (signal %d)", WTERMSIG(status));
	else
		snprintf(why, sizeof(why), "%.500s", e->why[0] != '\0' ? e->why : "the PKCS#11 module ended the process");
	if(e->hung || WIFSIGNALED(status)) {
		LM_ERR("private_key \"%s\": %s; it is started again when it is needed\n", e->q.uri.uri, why);
		memcpy(e->why, why, sizeof(e->why));
		if(waiter_find(e, 0) != NULL)
			e->failed_ms = tlsg_p11_probe_clock();
	}
	tlsg_token_process_fail_all(e, why);
	if(!e->ready)
		tlsg_token_keys_free(e);
}

static void child_heard(struct tlsg_token_source *s)
{
	struct tlsg_token_keys_entry *e = s->entry;
	bool none;

	if(!receive(s->fd, &none)) {
		child_ended(e);
		return;
	}
	if(none)
		return;
	switch(message.head.question) {
		case TLSG_WIRE_LOOK:
			if(!looked(e))
				tlsg_token_keys_free(e);
			break;
		case TLSG_WIRE_OP:
			done(e);
			break;
		case TLSG_WIRE_STARTED:
			snprintf(e->why, sizeof(e->why), "%.*s", (int)message.head.size, (const char *)message.payload);
			e->failed_ms = tlsg_p11_probe_clock();
			break; /* and it ends */
		default:
			break;
	}
}

/* @return false: nobody is outside any more. */
static bool heard(struct tlsg_token_source *s)
{
	enum tlsg_ret ret;
	int fd;

	if(s->gone)
		return true;
	switch(s->kind) {
		case TLSG_TOKEN_SOURCE_CLIENT:
			if(!client_heard(s))
				tlsg_token_process_source_close(s);
			break;
		case TLSG_TOKEN_SOURCE_CHILD:
			child_heard(s);
			break;
		default:
			ret = tlsg_wire_accept(s->fd, &fd);
			if(ret == TLSG_OK && tlsg_token_process_source_add(fd, TLSG_TOKEN_SOURCE_CLIENT, NULL) == NULL)
				close(fd);
			return ret != TLSG_EOF;
	}
	gnutls_memset(message.payload, 0, message.head.size <= sizeof(message.payload) ? message.head.size : 0);
	return true;
}

/* A child that keeps somebody waiting for long is killed; who waits hears that when its end is noticed. */
static void hung_kill(void)
{
	int64_t now = tlsg_p11_probe_clock();
	const struct waiter *w;

	for(w = waiters; w != NULL; w = w->next) {
		int64_t most = w->head.question == TLSG_WIRE_OP ? HANG_MS : TLSG_TIMEOUT_LOOK_MS;

		if(now - w->since_ms < most || w->entry->child == NULL || w->entry->hung)
			continue;
		w->entry->hung = true;
		(void)kill(w->entry->pid, SIGKILL);
	}
}

static enum tlsg_ret loop(void)
{
	struct epoll_event events[EVENTS];
	bool open = true;

	while(open) {
		int i, n = epoll_wait(epoll, events, EVENTS, waiters != NULL ? TICK_MS : -1);

		if(n < 0 && errno != EINTR)
			return TLSG_E_RESOURCE;
		for(i = 0; i < n && open; i++)
			open = heard(events[i].data.ptr);
		hung_kill();
		sources_sweep();
		tlsg_token_keys_child_reap();
	}
	return TLSG_OK;
}

enum tlsg_ret tlsg_token_process_run(int door, tlsg_wire_is_alive is_alive)
{
	enum tlsg_ret ret = tlsg_token_modules_init();

	(void)signal(SIGCHLD, SIG_DFL);
	started = false;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if(ret != TLSG_OK || epoll < 0 || !tlsg_token_keys_init(is_alive)
			|| tlsg_token_process_source_add(door, TLSG_TOKEN_SOURCE_SOCKET, NULL) == NULL)
		return TLSG_E_RESOURCE;
	ret = loop();
	tlsg_token_keys_free_all();
	return ret;
}
