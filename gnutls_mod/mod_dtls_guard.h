/*
 * tls_gnutls - keeps other modules from sending clear text from a socket that speaks DTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: installed in mod_init (attendant); called in any process.  Memory: none.  Lock: none.
 *
 * The core raises SREV_NET_DATA_OUT for what it sends itself. Modules that call udp_send(), or msg_send_buffer() with
 * events off, bypass the event: nathelper, nat_traversal, usrloc, corex, siptrace, sl, log_custom, sipcapture, stun
 * and more. So the calls of udp_send() in every loaded module are redirected (base/import.h), and what they send from
 * a socket that speaks DTLS goes through the same function as the event.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DTLS_GUARD_H
#define TLSG_GNUTLS_MOD_MOD_DTLS_GUARD_H

/**
 * Redirects the calls, and refuses modules and settings that DTLS cannot work with. In mod_init, when all modules are
 * loaded.
 * @return 0; -1: a module's calls cannot be redirected, or a setting is refused; a line at ERR names the module, the
 *         reason and what to do.
 * Source: core/forward.h, core/udp_server.c and modules/ of Kamailio 5.6.3 to 6.1.4.
 */
int tlsg_dtls_guard_init(void);

#endif
