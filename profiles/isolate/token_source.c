/*
 * tls_gnutls - key isolation: the sockets that the token process reads from
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap.  Lock: none.
 */
#include "profiles/isolate/token_source.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#define EVENTS 16

static struct tlsg_token_source *sources;
static int epoll = -1;
static struct tlsg_wire_message received, sent;

bool tlsg_token_source_init(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	return epoll >= 0;
}

struct tlsg_token_source *tlsg_token_source_add(
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

void tlsg_token_source_close(struct tlsg_token_source *s)
{
	if(s->is_closed)
		return;
	/* close() alone does not end events while a new child has a copy */
	(void)epoll_ctl(epoll, EPOLL_CTL_DEL, s->fd, NULL);
	if(s->kind == TLSG_TOKEN_SOURCE_CLIENT)
		tlsg_wire_end_shutdown(s->fd);
	else
		close(s->fd);
	s->is_closed = true;
}

void tlsg_token_source_sweep(void)
{
	struct tlsg_token_source **at = &sources, *s;

	while((s = *at) != NULL) {
		if(!s->is_closed || s->kind == TLSG_TOKEN_SOURCE_CLIENT) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		gnutls_free(s);
	}
}

enum tlsg_ret tlsg_token_source_wait(int timeout_ms, void (*handle)(struct tlsg_token_source *s))
{
	struct epoll_event events[EVENTS];
	int i, n = epoll_wait(epoll, events, EVENTS, timeout_ms);

	if(n < 0 && errno != EINTR)
		return TLSG_E_RESOURCE;
	for(i = 0; i < n; i++) {
		struct tlsg_token_source *s = events[i].data.ptr;

		if(!s->is_closed)
			handle(s);
	}
	return TLSG_OK;
}

bool tlsg_token_source_has_clients(void)
{
	const struct tlsg_token_source *s;

	for(s = sources; s != NULL; s = s->next)
		if(s->kind == TLSG_TOKEN_SOURCE_CLIENT && !s->is_closed)
			return true;
	return false;
}

enum tlsg_ret tlsg_token_source_recv(struct tlsg_token_source *s, struct tlsg_wire_message **m)
{
	*m = &received;
	return tlsg_wire_recv(s->fd, &received, MSG_DONTWAIT);
}

void tlsg_token_source_send(
		struct tlsg_token_source *s, const struct tlsg_wire_head *head, const void *payload, size_t size)
{
	if(s->is_closed)
		return;
	sent.head = *head;
	tlsg_wire_payload_set(&sent, payload, size);
	if(tlsg_wire_send(s->fd, &sent, MSG_DONTWAIT) != TLSG_OK)
		tlsg_token_source_close(s);
	tlsg_wire_payload_wipe(&sent);
}

void tlsg_token_source_detach(void)
{
	struct tlsg_token_source *s;

	for(s = sources; s != NULL; s = s->next)
		if(!s->is_closed || s->kind == TLSG_TOKEN_SOURCE_CLIENT)
			close(s->fd);
	close(epoll);
	gnutls_memset(&received, 0, sizeof(received));
}
