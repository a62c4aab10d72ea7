/*
 * tls_gnutls - collects the secrets of a handshake as lines of a key log, when key logging is on
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process that steps a handshake.  Memory: a static buffer of this process, wiped when it is taken.
 * Lock: none; lines are collected inside a step and taken after write_lock is released.
 */
#ifndef TLSG_TRANSPORT_KEYLOG_H
#define TLSG_TRANSPORT_KEYLOG_H

#include <stdbool.h>

#include "base/buf.h"

#include <gnutls/gnutls.h>

/**
 * Enables collecting for sessions created from now on. Before the forks.
 * @param filter  only lines that decrypt application data.
 */
void tlsg_keylog_enable(bool filter);

/**
 * Installs the callback in a new session: in every one, since without a callback GnuTLS writes the secrets to the file
 * that SSLKEYLOGFILE names. It does nothing while collecting is not enabled.
 */
void tlsg_keylog_session_init(gnutls_session_t session);

/** @return whether lines were collected. */
bool tlsg_keylog_has_lines(void);

/**
 * Moves the collected lines to a buffer and wipes them here. Whole lines only.
 * @param out [out] "<label> <client random in hex> <secret in hex>\n" per secret.
 * Source: NSS Key Log Format; draft-ietf-tls-keylogfile.
 */
void tlsg_keylog_take(struct tlsg_buf *out);

#endif
