/*
 * tls_gnutls - runs work on a token in a short-lived child, which may crash or hang
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the result on this process's heap.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2 */
#endif

#include "pkcs11/p11_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/scope.h"

#define STAGE_SIZE 256

/* What the child sends first; size bytes follow. */
struct head
{
	enum tlsg_ret ret;
	struct tlsg_err err;
	unsigned size;
};

static char *stage; /* [mapped, shared with the child] */

void tlsg_p11_probe_stage(const char *what, const char *name)
{
	if(stage == NULL)
		return;
	if(name != NULL)
		snprintf(stage, STAGE_SIZE, "%s \"%s\"", what, name);
	else
		snprintf(stage, STAGE_SIZE, "%s", what);
}

void tlsg_p11_probe_pause(int ms)
{
	(void)poll(NULL, 0, ms);
}

long tlsg_p11_probe_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the child ---- */

static bool write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while(size > 0) {
		ssize_t n = write(fd, at, size);

		if(n < 0 && errno == EINTR)
			continue;
		if(n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

static void leave_soon(int sig)
{
	(void)sig;
	(void)alarm(TLSG_P11_LEAVE_SECONDS);
}

void tlsg_p11_probe_signals(void)
{
	const struct sigaction leave = {.sa_handler = leave_soon, .sa_flags = SA_RESTART};
	sigset_t none;
	int sig;

	for(sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL); /* none of the host's runs here */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigaction(SIGTERM, &leave, NULL);
	(void)sigaction(SIGINT, &leave, NULL);
	(void)sigaction(SIGHUP, &leave, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* No core dump: it would hold the PIN. */
static void child_init(unsigned seconds)
{
	const struct rlimit none = {0, 0};

	tlsg_p11_probe_signals();
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)alarm(seconds + 5); /* in case the parent is stopped */
}

static void child_run(tlsg_p11_probe_work work, void *arg, unsigned seconds, int fd)
{
	struct head head = {.ret = TLSG_E_INTERNAL};
	gnutls_datum_t out = {NULL, 0};

	child_init(seconds);
	memset(&head, 0, sizeof(head));
	tlsg_err_clear(&head.err);
	head.ret = work(arg, &out, &head.err);
	head.size = head.ret == TLSG_OK ? out.size : 0;
	if(write_all(fd, &head, sizeof(head)) && head.size > 0)
		(void)write_all(fd, out.data, out.size);
	_exit(0); /* without the exit handlers of the host and of modules */
}

/* ---- the parent ---- */

/* Reads size bytes. @return 1: done; 0: the child closed the pipe early; -1: the deadline has passed. */
static int read_until(int fd, void *to, size_t size, long deadline)
{
	char *at = to;

	while(size > 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		long left = deadline - tlsg_p11_probe_clock();
		int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
		ssize_t n;

		if(ready < 0 && errno == EINTR)
			continue;
		if(ready <= 0)
			return -1;
		n = read(fd, at, size);
		if(n < 0 && errno == EINTR)
			continue;
		if(n <= 0)
			return 0;
		at += n;
		size -= (size_t)n;
	}
	return 1;
}

/* Waits for the end of the child. @param got  as from read_until(). */
static enum tlsg_ret child_reap(pid_t pid, int got, unsigned seconds, struct tlsg_err *err)
{
	int status = 0;

	if(got < 0)
		(void)kill(pid, SIGKILL);
	while(waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if(got > 0)
		return TLSG_OK;
	if(got < 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the PKCS#11 module hangs: no answer within %u s, %s", seconds, stage);
	if(WIFSIGNALED(status))
		return tlsg_err_set(err, TLSG_E_CONFIG, "the PKCS#11 module crashed (signal %d), %s", WTERMSIG(status), stage);
	return tlsg_err_set(err, TLSG_E_CONFIG, "the PKCS#11 module ended the process (status %d), %s",
			WIFEXITED(status) ? WEXITSTATUS(status) : -1, stage);
}

/* Receives the result. */
static enum tlsg_ret result_receive(pid_t pid, int fd, unsigned seconds, gnutls_datum_t *out, struct tlsg_err *err)
{
	long deadline = tlsg_p11_probe_clock() + (long)seconds * 1000;
	struct head head = {.ret = TLSG_E_INTERNAL};
	gnutls_datum_t data = {NULL, 0};
	enum tlsg_ret ret;
	int got = read_until(fd, &head, sizeof(head), deadline);

	if(got > 0 && head.size > 0 && head.size <= TLSG_P11_PROBE_MAX) {
		data.data = gnutls_malloc(head.size);
		data.size = head.size;
		got = data.data != NULL ? read_until(fd, data.data, head.size, deadline) : -1;
	}
	ret = child_reap(pid, got, seconds, err);
	if(ret == TLSG_OK && head.ret != TLSG_OK)
		ret = tlsg_err_set(err, head.ret, "%.*s", TLSG_ERR_TEXT - 1, head.err.text);
	if(ret != TLSG_OK) {
		gnutls_free(data.data);
		return ret;
	}
	*out = data;
	return TLSG_OK;
}

static enum tlsg_ret child_fork(
		tlsg_p11_probe_work work, void *arg, unsigned seconds, gnutls_datum_t *out, struct tlsg_err *err)
{
	enum tlsg_ret ret;
	int fds[2];
	pid_t pid;

	if(pipe2(fds, O_CLOEXEC) < 0)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "cannot create a pipe to inspect a token: %s", strerror(errno));
	pid = fork();
	if(pid < 0) {
		ret = tlsg_err_set(err, TLSG_E_RESOURCE, "cannot fork a process to inspect a token: %s", strerror(errno));
		close(fds[0]);
		close(fds[1]);
		return ret;
	}
	if(pid == 0)
		child_run(work, arg, seconds, fds[1]);
	close(fds[1]);
	ret = result_receive(pid, fds[0], seconds, out, err);
	close(fds[0]);
	return ret;
}

enum tlsg_ret tlsg_p11_probe_run(
		tlsg_p11_probe_work work, void *arg, unsigned seconds, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct tlsg_arena *previous;
	struct sigaction own = {.sa_handler = SIG_DFL};
	struct sigaction before;
	enum tlsg_ret ret;

	out->data = NULL;
	out->size = 0;
	stage = mmap(NULL, STAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if(stage == MAP_FAILED) {
		stage = NULL;
		return tlsg_err_set(err, TLSG_E_RESOURCE, "out of memory to inspect a token");
	}
	previous = tlsg_scope_enter(NULL);
	tlsg_p11_probe_stage("starting", NULL);
	/* The host's handler would mistake the exit of this child for that of a worker. */
	(void)sigaction(SIGCHLD, &own, &before);
	ret = child_fork(work, arg, seconds, out, err);
	(void)sigaction(SIGCHLD, &before, NULL);
	tlsg_scope_leave(previous);
	(void)munmap(stage, STAGE_SIZE);
	stage = NULL;
	return ret;
}
