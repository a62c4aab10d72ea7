/*
 * tls_gnutls - free fragments in private memory, which the core's allocator qm finds faster than its one large block
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant, before the forks.  Memory: a few bytes of pkg, never freed.  Lock: none.
 *
 * This is a remedy for the core, which is where it belongs: doc/upstream.md#kamailio-qm-and-its-empty-lists.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_FRAGMENTS_H
#define TLSG_GNUTLS_MOD_MOD_FRAGMENTS_H

/**
 * Leaves free fragments of several sizes in private memory, which every child inherits. They are free memory, kept
 * apart by blocks of one byte. In mod_init, once. Without memory it does less.
 */
void tlsg_fragments_leave(void);

#endif
