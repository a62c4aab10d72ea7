/*
 * tls_gnutls - messages that are sent from a socket of dtls_listen
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that sends SIP.  Memory: pkg; static buffers of this process.
 * Lock: that of the association, taken here.
 *
 * Whatever happens, the text itself never goes on: it becomes a record, or nothing.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DTLS_OUT_H
#define TLSG_GNUTLS_MOD_MOD_DTLS_OUT_H

#include <stdbool.h>

#include "core/ip_addr.h"
#include "core/str.h"

/**
 * Replaces a message by what the core is to send in its place: its record; or, while it waits for the end of a
 * handshake, a datagram of that handshake, or one that the peer drops.
 * @param text  [in,out] in pkg memory; what replaces it is too. s NULL: the message cannot be sent, and a line was
 *              logged, at most once a second; the core reports a failure to the sender.
 * @param dst   where it goes; send_sock is a socket of dtls_listen.
 */
void tlsg_dtls_out_encrypt(str *text, const struct dest_info *dst);

/** Whether a buffer is the datagram that tlsg_dtls_out_encrypt() made last in this process. */
bool tlsg_dtls_out_is_record(const char *buf, unsigned len);

#endif
