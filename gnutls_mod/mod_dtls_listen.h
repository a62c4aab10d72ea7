/*
 * tls_gnutls - UDP sockets that speak DTLS: the parameter dtls_listen
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: set while the configuration is parsed and in mod_init (attendant, before any fork); read by all processes.
 * Memory: static.  Lock: none.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DTLS_LISTEN_H
#define TLSG_GNUTLS_MOD_MOD_DTLS_LISTEN_H

#include "core/ip_addr.h"
#include "core/sr_module.h"

#define TLSG_DTLS_SOCKETS_MAX 32

/**
 * Sets what is called when the first value of the parameter is read. In mod_register.
 * @param on_first  0; -1: start-up ends.
 */
void tlsg_dtls_listen_prepare(int (*on_first)(void));

/**
 * Adds one value of the parameter. While the configuration is parsed.
 * @param val  str: "udp:ip:port"; copied.
 * @return 0; -1: malformed, given twice, or more than TLSG_DTLS_SOCKETS_MAX; a line at ERR says which.
 */
int tlsg_dtls_listen_set(modparam_t type, void *val);

/**
 * Finds the UDP sockets of the core. In mod_init, once: the core has its sockets then.
 * @return 0; -1: the core has no such socket; a line at ERR names the parameter and the UDP sockets that exist.
 */
int tlsg_dtls_listen_resolve(void);

/** @return number of sockets that speak DTLS; 0: DTLS is off. */
unsigned tlsg_dtls_listen_count(void);

/**
 * Finds a socket of the core.
 * @param si  the core's own structure, or a copy that has its descriptor; NULL allowed.
 * @return its number, from 0; -1: it does not speak DTLS.
 */
int tlsg_dtls_listen_find(const struct socket_info *si);

/** @param number  as returned by tlsg_dtls_listen_find(). @return the core's structure. */
struct socket_info *tlsg_dtls_listen_socket(int number);

#endif
