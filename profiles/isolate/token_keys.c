/*
 * tls_gnutls - key isolation: the keys that the token process holds, and their children; token_process.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap; gates in memory shared with its children.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "profiles/isolate/token_keys.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "base/host.h"
#include "pkcs11/p11_probe.h"
#include "pkcs11/p11_refused.h"
#include "profiles/isolate/timeouts.h"
#include "profiles/isolate/token_child.h"
#include "profiles/isolate/token_pending.h"

#define GATES 256
#define LEAVING_MAX TLSG_WIRE_TOKEN_KEYS_MAX

/* Memory that children see too. */
struct gates
{
	struct tlsg_p11_gate gate[GATES];
};

/* A child that is to end. */
struct leaving
{
	pid_t pid;
	int64_t until_ms;				  /* then it is killed */
	const struct tlsg_p11_gate *gate; /* that it may use; NULL: none */
};

static struct gates *gates; /* [mapped, shared with children] */
static const struct tlsg_token_keys_entry *gate_users[GATES];
static struct tlsg_token_keys_entry *entries;
static unsigned entries_len;
static tlsg_wire_is_alive set_is_alive;
static struct leaving leaving[LEAVING_MAX];
static unsigned leaving_len;
static uint64_t last_id;

bool tlsg_token_keys_init(tlsg_wire_is_alive is_alive)
{
	set_is_alive = is_alive;
	gates = mmap(NULL, sizeof(*gates), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return gates != MAP_FAILED;
}

/* ---- children ---- */

static int status_wait(pid_t pid)
{
	int status = 0;

	while(waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

int tlsg_token_keys_child_wait(struct tlsg_token_keys_entry *e)
{
	tlsg_token_source_close(e->child);
	e->child = NULL;
	return status_wait(e->pid);
}

bool tlsg_token_keys_child_reap(void)
{
	int64_t now = tlsg_p11_probe_clock();
	unsigned i = 0;

	while(i < leaving_len) {
		if(now >= leaving[i].until_ms)
			(void)kill(leaving[i].pid, SIGKILL);
		if(waitpid(leaving[i].pid, NULL, WNOHANG) != 0)
			leaving[i] = leaving[--leaving_len];
		else
			i++;
	}
	return leaving_len > 0;
}

/* Waits until not more than that many have not ended. */
static void leaving_wait(unsigned most)
{
	while(leaving_len > most) {
		tlsg_p11_probe_pause(10);
		(void)tlsg_token_keys_child_reap();
	}
}

/* Of the child of an entry: its connection is closed. If too many have not ended, one is killed: nobody waits long. */
static void leave(const struct tlsg_token_keys_entry *e)
{
	if(leaving_len == LEAVING_MAX)
		leaving[0].until_ms = 0;
	leaving_wait(LEAVING_MAX - 1);
	leaving[leaving_len].pid = e->pid;
	leaving[leaving_len].until_ms = tlsg_p11_probe_clock() + TLSG_TIMEOUT_LEAVE_MS;
	leaving[leaving_len].gate = e->object.gate;
	leaving_len++;
}

static void child_end(struct tlsg_token_keys_entry *e)
{
	if(e->child == NULL)
		return;
	tlsg_token_source_close(e->child);
	e->child = NULL;
	leave(e);
}

/* In a new child: no sockets and PINs of other keys are left. */
static void others_forget(const struct tlsg_token_keys_entry *own)
{
	struct tlsg_token_keys_entry *e;

	tlsg_token_source_detach();
	for(e = entries; e != NULL; e = e->next)
		if(e != own) {
			gnutls_memset(&e->q, 0, sizeof(e->q));
			gnutls_memset(&e->object, 0, sizeof(e->object));
		}
}

/* In a new child: waits for the number of its gate. */
static bool gate_recv(int fd, struct tlsg_p11_object *o)
{
	struct tlsg_wire_head head;

	if(recv(fd, &head, sizeof(head), 0) != sizeof(head) || head.request != TLSG_WIRE_GATE || head.op < 0
			|| head.op >= GATES)
		return false;
	o->gate = &gates->gate[head.op];
	return true;
}

static void child_run(struct tlsg_token_keys_entry *e, int fd)
{
	struct tlsg_p11_facts facts;

	tlsg_p11_probe_signals();
	others_forget(e);
	if(!e->is_ready) {
		tlsg_p11_refused_set_asked(!e->is_by_hand);
		if(!tlsg_token_child_look(fd, e->what, &e->q, &e->cert, &facts))
			return;
		tlsg_p11_refused_set_asked(true);
		memcpy(e->object.uri, facts.uri, sizeof(e->object.uri));
		memcpy(e->object.module, facts.module, sizeof(e->object.module));
		e->object.pin = e->q.pin;
		e->object.certificate = e->cert;
		e->object.can = facts.can;
		if(!gate_recv(fd, &e->object))
			return;
	}
	tlsg_token_child_run(fd, &e->object, e->q.uri.uri);
}

bool tlsg_token_keys_child_start(struct tlsg_token_keys_entry *e)
{
	int pair[2];

	if(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	e->pid = fork();
	if(e->pid == 0) {
		close(pair[0]);
		child_run(e, pair[1]);
		_exit(0);
	}
	close(pair[1]);
	e->is_hung = false;
	e->failed_ms = 0;
	e->why[0] = '\0';
	if(e->pid > 0)
		e->child = tlsg_token_source_add(pair[0], TLSG_TOKEN_SOURCE_CHILD, e);
	if(e->child != NULL)
		return true;
	close(pair[0]);
	if(e->pid > 0)
		leave(e);
	return false;
}

/* ---- entries ---- */

void tlsg_token_keys_free(struct tlsg_token_keys_entry *e)
{
	struct tlsg_token_keys_entry **at;
	size_t i;

	tlsg_token_pending_refuse_all(e, e->q.uri.uri, "the configuration it belongs to is not in use any more");
	child_end(e);
	for(i = 0; i < GATES; i++)
		if(gate_users[i] == e)
			gate_users[i] = NULL;
	for(at = &entries; *at != NULL; at = &(*at)->next)
		if(*at == e) {
			*at = e->next;
			entries_len--;
			break;
		}
	gnutls_free(e->cert.data);
	gnutls_memset(e, 0, sizeof(*e));
	gnutls_free(e);
}

/* A client builds one snapshot at a time: that of the request. */
void tlsg_token_keys_collect(const struct tlsg_token_source *client, uint32_t building)
{
	struct tlsg_token_keys_entry *e, *next;

	for(e = entries; e != NULL; e = next) {
		bool is_alive = set_is_alive(e->set_number);

		next = e->next;
		e->was_alive = e->was_alive || is_alive;
		if(!is_alive && (e->was_alive || (e->client == client && e->set_number != building)))
			tlsg_token_keys_free(e);
	}
}

struct tlsg_token_keys_entry *tlsg_token_keys_find(uint64_t id)
{
	struct tlsg_token_keys_entry *e;

	for(e = entries; e != NULL; e = e->next)
		if(e->is_ready && e->id == id)
			return e;
	return NULL;
}

bool tlsg_token_keys_known(const char *uri, struct tlsg_p11_secret *pin)
{
	const struct tlsg_token_keys_entry *e;

	for(e = entries; e != NULL; e = e->next)
		if(e->is_ready && e->q.pin.is_set && strcmp(e->q.uri.uri, uri) == 0) {
			*pin = e->q.pin;
			return true;
		}
	return false;
}

static bool shares_gate(const struct tlsg_token_keys_entry *a, const struct tlsg_token_keys_entry *b)
{
	return a->set_number == b->set_number && tlsg_p11_gate_is_shared(a->token, &a->q.pin, b->token, &b->q.pin);
}

/* A child of a dropped key may still hold a gate, and write that the PIN of that key is wrong. */
static bool gate_is_free(int number)
{
	unsigned i;

	for(i = 0; i < leaving_len; i++)
		if(leaving[i].gate == &gates->gate[number])
			return false;
	return gate_users[number] == NULL;
}

static int gate_get(struct tlsg_token_keys_entry *e)
{
	const struct tlsg_token_keys_entry *other;
	int i;

	for(other = entries; other != NULL; other = other->next)
		if(other != e && other->is_ready && other->object.gate != NULL && shares_gate(e, other)) {
			e->object.gate = other->object.gate;
			return (int)(e->object.gate - gates->gate);
		}
	for(i = 0; i < GATES; i++)
		if(gate_is_free(i) && tlsg_p11_gate_init(&gates->gate[i]) == TLSG_OK) {
			gate_users[i] = e; /* all keys of a snapshot are dropped together */
			e->object.gate = &gates->gate[i];
			return i;
		}
	return -1;
}

struct tlsg_token_keys_entry *tlsg_token_keys_new(
		const struct tlsg_token_source *client, const struct tlsg_wire_look_request *r, const unsigned char *cert)
{
	struct tlsg_token_keys_entry *e = entries_len < TLSG_WIRE_TOKEN_KEYS_MAX ? gnutls_calloc(1, sizeof(*e)) : NULL;

	if(e == NULL)
		return NULL;
	e->cert.data = gnutls_malloc((size_t)r->cert_len + 1);
	if(e->cert.data == NULL) {
		gnutls_free(e);
		return NULL;
	}
	if(r->cert_len > 0)
		memcpy(e->cert.data, cert, r->cert_len);
	e->cert.size = r->cert_len;
	e->set_number = r->set_number;
	e->client = client;
	e->what = (enum tlsg_wire_look_kind)r->what;
	e->is_by_hand = r->is_by_hand != 0;
	e->q = r->q;
	memset(&e->q.pin, 0, sizeof(e->q.pin));
	e->next = entries;
	entries = e;
	entries_len++;
	return e;
}

int tlsg_token_keys_settle(struct tlsg_token_keys_entry *e, const struct tlsg_p11_facts *f)
{
	int gate;

	memcpy(e->object.uri, f->uri, sizeof(f->uri));
	memcpy(e->object.module, f->module, sizeof(f->module));
	memcpy(e->token, f->token, sizeof(f->token));
	e->object.pin = e->q.pin;
	e->object.certificate = e->cert;
	e->object.can = f->can;
	gate = gate_get(e);
	if(gate < 0)
		return -1;
	e->id = ++last_id | TLSG_WIRE_KEY_ON_TOKEN;
	e->is_ready = true;
	return gate;
}

void tlsg_token_keys_in_use(uint32_t set_number)
{
	size_t i;

	for(i = 0; i < GATES && set_is_alive(set_number); i++) {
		const struct tlsg_token_keys_entry *e = gate_users[i];

		if(e != NULL && e->set_number == set_number && e->q.pin.is_set)
			tlsg_p11_refused_remove_other(e->token, e->q.pin.value);
	}
}

void tlsg_token_keys_free_all(void)
{
	while(entries != NULL)
		tlsg_token_keys_free(entries);
	leaving_wait(0);
}
