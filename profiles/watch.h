/*
 * tls_gnutls - decides when files that have changed are worth a reload
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process of auto_reload.  Memory: its heap.  Lock: none.
 *
 * Two looks in a row must find the same changes: a program that renews a certificate writes several files one after the
 * other. What was tried and refused is not tried again until something changes further: a wrong PIN, say, must not be
 * given to a token again and again.
 *
 * Not here: what is compared (source.h), the reload itself (gnutls_mod/mod_config.h).
 */
#ifndef TLSG_PROFILES_WATCH_H
#define TLSG_PROFILES_WATCH_H

#include "profiles/source.h"

/** State from one look to the next; zeros at first. */
struct tlsg_watch
{
	uint32_t number;			/**< of the snapshot that known is of; 0: none yet */
	struct tlsg_source *known;	/**< [heap] what the configuration in use was read from */
	struct tlsg_source *failed; /**< [heap] what was read in vain since; NULL: nothing */
	uint64_t signature;			/**< of the changes at the last look; 0: none */
};

/** What is to be done. */
enum tlsg_watch_what
{
	TLSG_WATCH_NOTHING, /**< nothing has changed, or it is not settled, or was refused already */
	TLSG_WATCH_SEEN,	/**< something has changed: look again, soon */
	TLSG_WATCH_BACK,	/**< what was refused is undone: the files are those of the configuration in use */
	TLSG_WATCH_RELOAD	/**< reload; then call tlsg_watch_refused() if that fails */
};

/**
 * Looks at the files.
 * @param w        [in,out] state.
 * @param current  the configuration in use; the caller has a reference.
 * @param out      [out] what differs from the configuration in use; its path is borrowed until the next call.
 * @return what is to be done.
 */
enum tlsg_watch_what tlsg_watch_look(
		struct tlsg_watch *w, const struct tlsg_set *current, struct tlsg_source_diff *out);

/**
 * Notes that a reload was refused.
 * @param seen  [heap] what was read; owned by the state from now on. NULL: unknown, the next look tries again.
 */
void tlsg_watch_refused(struct tlsg_watch *w, struct tlsg_source *seen);

/** Frees what the state holds. */
void tlsg_watch_clear(struct tlsg_watch *w);

#endif
