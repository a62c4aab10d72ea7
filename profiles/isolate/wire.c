/*
 * tls_gnutls - key isolation: messages between the processes that hold keys and all others
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process, the token process and its children, their clients.  Memory: the caller's.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MSG_CMSG_CLOEXEC */
#endif

#include "profiles/isolate/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/crypto.h>

/* A message of one byte, with room for one descriptor. */
struct fd_message
{
	char byte;
	struct iovec part;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr msg;
};

static void fd_message_init(struct fd_message *f)
{
	memset(f, 0, sizeof(*f));
	f->part.iov_base = &f->byte;
	f->part.iov_len = 1;
	f->msg.msg_iov = &f->part;
	f->msg.msg_iovlen = 1;
	f->msg.msg_control = f->control;
	f->msg.msg_controllen = sizeof(f->control);
}

enum tlsg_ret tlsg_wire_socketpair(int *listener, int *attach)
{
	int pair[2];

	if(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return TLSG_E_RESOURCE;
	*listener = pair[0];
	*attach = pair[1];
	return TLSG_OK;
}

static bool fd_send(int attach, int fd)
{
	struct fd_message f;
	struct cmsghdr *c;

	fd_message_init(&f);
	c = CMSG_FIRSTHDR(&f.msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(attach, &f.msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

enum tlsg_ret tlsg_wire_attach(int attach, int *fd)
{
	int pair[2];
	bool is_sent;

	if(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return TLSG_E_RESOURCE;
	is_sent = fd_send(attach, pair[1]);
	close(pair[1]);
	if(!is_sent) {
		close(pair[0]);
		return TLSG_EOF;
	}
	*fd = pair[0];
	return TLSG_OK;
}

enum tlsg_ret tlsg_wire_accept(int listener, int *fd)
{
	struct fd_message f;
	const struct cmsghdr *c;
	ssize_t n;

	fd_message_init(&f);
	f.msg.msg_controllen = CMSG_LEN(sizeof(int)); /* the padding would take a second descriptor, which would leak */
	n = recvmsg(listener, &f.msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if(n == 0)
		return TLSG_EOF;
	c = n > 0 ? CMSG_FIRSTHDR(&f.msg) : NULL;
	if(c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return TLSG_AGAIN;
	memcpy(fd, CMSG_DATA(c), sizeof(int));
	return TLSG_OK;
}

enum tlsg_ret tlsg_wire_send(int fd, const struct tlsg_wire_message *m, int flags)
{
	size_t size = sizeof(m->head) + m->head.size;
	ssize_t n = send(fd, m, size, flags | MSG_NOSIGNAL);

	if(n == (ssize_t)size)
		return TLSG_OK;
	return n < 0 && errno == EAGAIN ? TLSG_AGAIN : TLSG_EOF;
}

enum tlsg_ret tlsg_wire_recv(int fd, struct tlsg_wire_message *m, int flags)
{
	ssize_t n = recv(fd, m, sizeof(*m), flags);

	if(n < 0)
		return errno == EAGAIN || errno == EINTR ? TLSG_AGAIN : TLSG_EOF;
	if((size_t)n < sizeof(m->head) || (size_t)n != sizeof(m->head) + m->head.size)
		return TLSG_EOF;
	return TLSG_OK;
}

void tlsg_wire_payload_set(struct tlsg_wire_message *m, const void *data, size_t size)
{
	if(size > 0)
		memcpy(m->payload, data, size);
	m->head.size = (uint32_t)size;
}

void tlsg_wire_payload_wipe(struct tlsg_wire_message *m)
{
	gnutls_memset(m->payload, 0, m->head.size <= sizeof(m->payload) ? m->head.size : 0);
}
