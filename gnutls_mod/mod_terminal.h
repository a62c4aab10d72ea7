/*
 * tls_gnutls - asks the person who starts Kamailio for the passwords of keys
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant, from loadmodule to PROC_INIT.  Memory: none.  Lock: none.
 *
 * Keys are read when privileges are dropped, and by then a Kamailio that goes into the background has left its terminal. But the process
 * that was started from the shell is still there: it waits until start-up is over. So the terminal is opened while the configuration is
 * read, and stays usable until the keys are loaded.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_TERMINAL_H
#define TLSG_GNUTLS_MOD_MOD_TERMINAL_H

#include <stddef.h>

#include "base/err.h"

/** Takes hold of the controlling terminal, if there is one. While the configuration is read. Idempotent. */
void tlsg_terminal_open(void);

/**
 * Asks for one password, once, without echo. A tlsg_password_ask_f.
 * @param buf  [out] to be wiped by the caller in any case.
 * @return TLSG_OK; TLSG_E_CONFIG: no terminal, nothing typed, given up (Ctrl-C, Ctrl-D), no answer within 2 minutes.
 * Source: termios(3).
 */
enum tlsg_ret tlsg_terminal_ask(const char *file, char *buf, size_t size, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Lets go of the terminal. When the keys are loaded. Idempotent. */
void tlsg_terminal_close(void);

#endif
