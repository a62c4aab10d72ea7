/*
 * tls_gnutls - key isolation: keys on tokens and the children that work with them; token_process.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap; gates in memory shared with its children.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "base/host.h"
#include "profiles/isolate/token_child.h"
#include "profiles/isolate/token_keys.h"

#define GATES 256
#define DYING 16

/* Memory that children see too. */
struct gates
{
	struct tlsg_p11_gate gate[GATES];
};

static struct gates *gates; /* [mapped, shared with children] */
static const struct tlsg_token_keys_entry *gate_users[GATES];
static struct tlsg_token_keys_entry *entries;
static tlsg_wire_is_alive set_is_alive;
static pid_t dying[DYING];
static uint64_t last_id;

bool tlsg_token_keys_init(tlsg_wire_is_alive is_alive)
{
	set_is_alive = is_alive;
	gates = mmap(NULL, sizeof(*gates), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return gates != MAP_FAILED;
}

/* ---- children ---- */

static void bury(pid_t pid)
{
	size_t i;

	for(i = 0; i < DYING; i++)
		if(dying[i] == 0) {
			dying[i] = pid;
			return;
		}
	while(waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void tlsg_token_keys_child_reap(void)
{
	size_t i;

	for(i = 0; i < DYING; i++)
		if(dying[i] != 0 && waitpid(dying[i], NULL, WNOHANG) != 0)
			dying[i] = 0;
}

static void child_kill(struct tlsg_token_keys_entry *e)
{
	if(e->child == NULL)
		return;
	tlsg_token_process_source_close(e->child);
	e->child = NULL;
	(void)kill(e->pid, SIGKILL);
	bury(e->pid);
}

/* Nothing of others goes along. */
static void leave_the_rest(const struct tlsg_token_keys_entry *mine)
{
	struct tlsg_token_keys_entry *e;

	tlsg_token_process_detach();
	for(e = entries; e != NULL; e = e->next)
		if(e != mine) {
			gnutls_memset(&e->q, 0, sizeof(e->q));
			gnutls_memset(&e->object, 0, sizeof(e->object));
		}
}

/* Waits to be told which gate is the key's. */
static bool gate_wait(int fd, struct tlsg_p11_object *o)
{
	struct tlsg_wire_head head;

	if(recv(fd, &head, sizeof(head), 0) != sizeof(head) || head.op < 0 || head.op >= GATES)
		return false;
	o->gate = &gates->gate[head.op];
	return true;
}

static void child_run(struct tlsg_token_keys_entry *e, int fd)
{
	struct tlsg_p11_facts facts;

	tlsg_token_child_init();
	leave_the_rest(e);
	if(!e->ready) {
		if(!tlsg_token_child_look(fd, e->what, &e->q, &e->cert, &facts))
			return;
		memcpy(e->object.uri, facts.uri, sizeof(e->object.uri));
		memcpy(e->object.module, facts.module, sizeof(e->object.module));
		e->object.pin = e->q.pin;
		if(!gate_wait(fd, &e->object))
			return;
	}
	tlsg_token_child_run(fd, &e->object);
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
	e->hung = false;
	e->failed_ms = 0;
	e->why[0] = '\0';
	if(e->pid > 0)
		e->child = tlsg_token_process_source_add(pair[0], TLSG_TOKEN_SOURCE_CHILD, e);
	if(e->child != NULL)
		return true;
	close(pair[0]);
	if(e->pid > 0) {
		(void)kill(e->pid, SIGKILL);
		bury(e->pid);
	}
	return false;
}

/* ---- entries ---- */

void tlsg_token_keys_free(struct tlsg_token_keys_entry *e)
{
	struct tlsg_token_keys_entry **at;
	size_t i;

	tlsg_token_process_fail_all(e, "the configuration that the key belongs to is gone");
	child_kill(e);
	for(i = 0; i < GATES; i++)
		if(gate_users[i] == e)
			gate_users[i] = NULL;
	for(at = &entries; *at != NULL; at = &(*at)->next)
		if(*at == e) {
			*at = e->next;
			break;
		}
	gnutls_free(e->cert.data);
	gnutls_memset(e, 0, sizeof(*e));
	gnutls_free(e);
}

/* Drops what belongs to no snapshot any more. Only one is built at a time: that of the question. */
void tlsg_token_keys_collect(uint32_t building)
{
	struct tlsg_token_keys_entry *e, *next;

	for(e = entries; e != NULL; e = next) {
		next = e->next;
		if(e->set_number != building && !set_is_alive(e->set_number))
			tlsg_token_keys_free(e);
	}
}

struct tlsg_token_keys_entry *tlsg_token_keys_find(uint64_t id)
{
	struct tlsg_token_keys_entry *e;

	for(e = entries; e != NULL; e = e->next)
		if(e->ready && e->id == id)
			return e;
	return NULL;
}

bool tlsg_token_keys_known(const char *uri, struct tlsg_p11_secret *pin)
{
	const struct tlsg_token_keys_entry *e;

	for(e = entries; e != NULL; e = e->next)
		if(e->ready && e->q.pin.is_set && strcmp(e->q.uri.uri, uri) == 0) {
			*pin = e->q.pin;
			return true;
		}
	return false;
}

static bool shares_gate(const struct tlsg_token_keys_entry *a, const struct tlsg_token_keys_entry *b)
{
	return a->set_number == b->set_number && strcmp(a->token, b->token) == 0 && a->q.pin.is_set == b->q.pin.is_set
		   && strcmp(a->q.pin.value, b->q.pin.value) == 0;
}

/* Keys with the same PIN on the same token in one snapshot share a gate. */
static int gate_get(struct tlsg_token_keys_entry *e)
{
	const struct tlsg_token_keys_entry *other;
	int i;

	for(other = entries; other != NULL; other = other->next)
		if(other != e && other->ready && other->object.gate != NULL && shares_gate(e, other)) {
			e->object.gate = other->object.gate;
			return (int)(e->object.gate - gates->gate);
		}
	for(i = 0; i < GATES; i++)
		if(gate_users[i] == NULL && tlsg_p11_gate_init(&gates->gate[i]) == TLSG_OK) {
			gate_users[i] = e; /* all of a snapshot go together */
			e->object.gate = &gates->gate[i];
			return i;
		}
	return -1;
}

struct tlsg_token_keys_entry *tlsg_token_keys_new(const struct tlsg_wire_look_request *t, const unsigned char *cert)
{
	struct tlsg_token_keys_entry *e = gnutls_calloc(1, sizeof(*e));

	if(e == NULL)
		return NULL;
	e->cert.data = gnutls_malloc((size_t)t->cert_len + 1);
	if(e->cert.data == NULL) {
		gnutls_free(e);
		return NULL;
	}
	if(t->cert_len > 0)
		memcpy(e->cert.data, cert, t->cert_len);
	e->cert.size = t->cert_len;
	e->set_number = t->set_number;
	e->what = (enum tlsg_wire_look_kind)t->what;
	e->q = t->q;
	memset(&e->q.pin, 0, sizeof(e->q.pin));
	e->next = entries;
	entries = e;
	return e;
}

int tlsg_token_keys_settle(struct tlsg_token_keys_entry *e, const struct tlsg_p11_facts *f)
{
	int gate;

	memcpy(e->object.uri, f->uri, sizeof(f->uri));
	memcpy(e->object.module, f->module, sizeof(f->module));
	memcpy(e->token, f->token, sizeof(f->token));
	e->object.pin = e->q.pin;
	gate = gate_get(e);
	if(gate < 0)
		return -1;
	e->id = ++last_id | TLSG_WIRE_KEY_ON_TOKEN;
	e->ready = true;
	return gate;
}

void tlsg_token_keys_free_all(void)
{
	while(entries != NULL)
		tlsg_token_keys_free(entries);
}
