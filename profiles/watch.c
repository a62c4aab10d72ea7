/*
 * tls_gnutls - decides when files that have changed are worth a reload
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process of auto_reload.  Memory: its heap.  Lock: none.
 */
#include "profiles/watch.h"

#include <string.h>

#include "profiles/set.h"

static void failed_forget(struct tlsg_watch *w)
{
	tlsg_source_free(w->failed);
	w->failed = NULL;
	w->signature = 0;
}

/* Follows the configuration in use, which others may replace too. @return false: out of memory. */
static bool follow(struct tlsg_watch *w, const struct tlsg_set *current)
{
	struct tlsg_source *known;

	if(current->number == w->number)
		return true;
	known = tlsg_source_copy(current->sources);
	if(known == NULL && current->sources != NULL)
		return false;
	tlsg_source_complete(known);
	tlsg_watch_clear(w);
	w->known = known;
	w->number = current->number;
	return true;
}

/* Whether these changes were refused before. Adds what else has changed since to the signature. */
static bool is_refused(struct tlsg_watch *w, uint64_t *signature)
{
	struct tlsg_source_diff since;

	if(w->failed == NULL)
		return false;
	tlsg_source_compare(w->failed, &since);
	*signature ^= since.signature;
	return since.len == 0;
}

enum tlsg_watch_what tlsg_watch_look(struct tlsg_watch *w, const struct tlsg_set *current, struct tlsg_source_diff *out)
{
	uint64_t signature;
	bool was_refused;

	memset(out, 0, sizeof(*out));
	if(!follow(w, current))
		return TLSG_WATCH_NOTHING;
	tlsg_source_compare(w->known, out);
	if(out->len == 0) {
		was_refused = w->failed != NULL;
		failed_forget(w);
		return was_refused ? TLSG_WATCH_BACK : TLSG_WATCH_NOTHING;
	}
	signature = out->signature;
	if(is_refused(w, &signature)) {
		w->signature = 0;
		return TLSG_WATCH_NOTHING;
	}
	if(signature == w->signature)
		return TLSG_WATCH_RELOAD;
	w->signature = signature;
	return TLSG_WATCH_SEEN;
}

void tlsg_watch_refused(struct tlsg_watch *w, struct tlsg_source *seen)
{
	if(seen == NULL)
		return;
	tlsg_source_free(w->failed);
	w->failed = seen;
	w->signature = 0;
}

void tlsg_watch_clear(struct tlsg_watch *w)
{
	tlsg_source_free(w->known);
	tlsg_source_free(w->failed);
	memset(w, 0, sizeof(*w));
}
