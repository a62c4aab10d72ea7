/*
 * tls_gnutls - asks for the passwords of keys on the terminal where Kamailio is started
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant, from loadmodule to PROC_INIT.  Memory: none.  Lock: none.
 *
 * Keys are loaded when privileges are dropped. By then a Kamailio that runs in the background has left its terminal,
 * but the process that the shell started still waits for the end of start-up. So the terminal is opened while the
 * configuration is parsed, and stays usable until the keys are loaded.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_TERMINAL_H
#define TLSG_GNUTLS_MOD_MOD_TERMINAL_H

#include <stddef.h>

#include "base/err.h"

/** Opens the controlling terminal, if there is one. While the configuration is parsed. Idempotent. */
void tlsg_terminal_open(void);

/**
 * Asks for one password, once, without echo. A tlsg_password_ask_f.
 * @param buf  [out] wiped by the caller, also after an error.
 * @return TLSG_OK; TLSG_E_CONFIG: no terminal, nothing typed, cancelled (Ctrl-C, Ctrl-D, Ctrl-Z), nothing typed for 2
 *         minutes.
 * Source: termios(3).
 */
enum tlsg_ret tlsg_terminal_ask(const char *file, char *buf, size_t size, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Closes the terminal. When the keys are loaded. Idempotent. */
void tlsg_terminal_close(void);

#endif
