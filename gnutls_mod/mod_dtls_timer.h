/*
 * tls_gnutls - the timer of DTLS: retransmissions, handshakes that end late, idle associations
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a process of its own.  Memory: none.
 * Lock: that of an association; an association that another process has is left for the next round.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DTLS_TIMER_H
#define TLSG_GNUTLS_MOD_MOD_DTLS_TIMER_H

struct tlsg_assoc;

/** Declares the process to the core. In mod_init. */
void tlsg_dtls_timer_init(void);

/** Starts the process. In child_init of the main process. @return 0; -1: it cannot be started. */
int tlsg_dtls_timer_start(void);

/**
 * @param a  no lock is needed.
 * @return seconds until the association ends if it is not used.
 */
int tlsg_dtls_timer_left_s(const struct tlsg_assoc *a);

#endif
