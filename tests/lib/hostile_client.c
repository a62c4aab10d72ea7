/*
 * tls_gnutls - stands for processes of Kamailio that an attacker controls, for tests of the processes that hold keys
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tests.  Memory: static.  Lock: none.
 */
#include "tests/lib/hostile_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "profiles/isolate/client.h"
#include "profiles/set.h"

static int ends[HOSTILE_CLIENTS];
static unsigned used;

void hostile_client_init(const struct tlsg_wire_ends *clients)
{
	unsigned i;

	assert_int_equal(clients->len, HOSTILE_CLIENTS);
	for(i = 0; i < HOSTILE_CLIENTS; i++)
		ends[i] = clients->fd[i];
	used = 0;
}

int hostile_client_next(void)
{
	int fd;

	assert_true(used + 1 < HOSTILE_CLIENTS);
	fd = dup(ends[HOSTILE_CLIENTS - ++used]); /* from the end: the first ones are for processes of the test */
	assert_true(fd >= 0);
	return fd;
}

void hostile_client_send_fds(int fd, const int *fds, unsigned count)
{
	char byte = 0;
	struct iovec part = {&byte, 1};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {0};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};

	if(count > 0) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &msg, MSG_NOSIGNAL), 1);
}

int hostile_client_lingering(int *peer)
{
	const struct linger l = {1, 60};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	static char data[65536];
	int fd = socket(AF_INET, SOCK_STREAM, 0), listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	*peer = accept(listener, NULL, NULL);
	assert_true(*peer >= 0);
	close(listener);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	while(send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	return fd;
}

void hostile_client_wait_end(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;
	int i;

	for(i = 0; i < 1000; i++) {
		ssize_t n = poll(&p, 1, 10) > 0 ? recv(fd, &byte, 1, MSG_DONTWAIT) : 1;

		if(n == 0 || (n < 0 && errno != EAGAIN))
			return;
	}
	fail_msg("the connection was not ended");
}

pid_t hostile_target_start(const struct hostile_target *t)
{
	struct tlsg_wire_ends servers, clients;
	pid_t process;

	if(tlsg_wire_ends_init(HOSTILE_CLIENTS, &servers, &clients) != TLSG_OK)
		return -1;
	process = fork();
	if(process == 0) {
		tlsg_wire_ends_close(&clients);
		_exit(t->run(&servers, tlsg_set_is_alive) == TLSG_OK ? 7 : 8);
	}
	tlsg_wire_ends_close(&servers);
	hostile_client_init(&clients);
	t->clients_set(&clients);
	return process;
}

int hostile_target_stop(const struct hostile_target *t, pid_t process)
{
	int status;

	tlsg_client_startup_done();
	t->clients_set(NULL);
	if(waitpid(process, &status, 0) != process || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
		return -1;
	return 0;
}
