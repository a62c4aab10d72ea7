/*
 * tls_gnutls - counts the descriptors of another process, for tests
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tests.  Memory: none.  Lock: none.
 */
#ifndef TLSG_TESTS_LIB_DESCRIPTORS_H
#define TLSG_TESTS_LIB_DESCRIPTORS_H

#include <sys/types.h>

/** @return how many descriptors a process has open. Source: proc(5), /proc/PID/fd. */
unsigned descriptors_open(pid_t pid);

/** @return how many descriptors the epoll instances of a process watch. Source: proc(5), /proc/PID/fdinfo. */
unsigned descriptors_watched(pid_t pid);

/** Waits until another process has read all messages from a socket. @param fd  copy of that socket. */
void descriptors_wait_read(int fd);

/** Waits until a count is what it should be, and fails the test if it never is. */
void descriptors_wait(unsigned (*count)(pid_t pid), pid_t pid, unsigned wanted);

#endif
