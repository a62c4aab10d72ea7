/*
 * tls_gnutls - key isolation: messages between the processes that hold keys and all others
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process, the token process and its children, their clients.  Memory: the caller's.  Lock: none.
 */
#include "profiles/isolate/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/crypto.h>

enum tlsg_ret tlsg_wire_ends_init(unsigned len, struct tlsg_wire_ends *servers, struct tlsg_wire_ends *clients)
{
	unsigned i;
	int error;

	servers->len = clients->len = 0;
	servers->fd = gnutls_calloc(len + 1, sizeof(int));
	clients->fd = gnutls_calloc(len + 1, sizeof(int));
	errno = ENOMEM;
	for(i = 0; servers->fd != NULL && clients->fd != NULL && i < len; i++) {
		int pair[2];

		if(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
			break;
		servers->fd[i] = pair[0];
		clients->fd[i] = pair[1];
		servers->len = clients->len = i + 1;
	}
	if(servers->len == len && len > 0)
		return TLSG_OK;
	error = errno;
	tlsg_wire_ends_close(servers);
	tlsg_wire_ends_close(clients);
	errno = error;
	return TLSG_E_RESOURCE;
}

void tlsg_wire_ends_close(struct tlsg_wire_ends *e)
{
	unsigned i;

	for(i = 0; i < e->len; i++)
		if(e->fd[i] >= 0)
			close(e->fd[i]);
	gnutls_free(e->fd);
	e->fd = NULL;
	e->len = 0;
}

void tlsg_wire_end_shutdown(int fd)
{
	(void)shutdown(fd, SHUT_RDWR);
}

enum tlsg_ret tlsg_wire_send(int fd, const struct tlsg_wire_message *m, int flags)
{
	size_t size = sizeof(m->head) + m->head.size;
	ssize_t n = send(fd, m, size, flags | MSG_NOSIGNAL);

	if(n == (ssize_t)size)
		return TLSG_OK;
	return n < 0 && errno == EAGAIN ? TLSG_AGAIN : TLSG_EOF;
}

/* Looks at the next message without taking it. */
static bool carries_descriptors(int fd, int flags)
{
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};

	return recvmsg(fd, &msg, flags | MSG_PEEK) >= 0 && (msg.msg_flags & MSG_CTRUNC) != 0;
}

enum tlsg_ret tlsg_wire_recv(int fd, struct tlsg_wire_message *m, int flags)
{
	ssize_t n;

	if(carries_descriptors(fd, flags))
		return TLSG_EOF;
	n = recv(fd, m, sizeof(*m), flags);
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
