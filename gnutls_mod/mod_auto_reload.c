/*
 * tls_gnutls - auto_reload: reloads the configuration when the files that it was read from have changed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant and main process (start); a process of its own.  Memory: that process's heap.
 * Lock: that of mod_config, while it reloads.
 */
#include "gnutls_mod/mod_auto_reload.h"

#include <errno.h>
#include <unistd.h>

#include "core/sr_module.h"
#include "core/timer_proc.h"

#include "base/host.h"
#include "base/plural.h"
#include "gnutls_mod/mod_changes.h"
#include "gnutls_mod/mod_config.h"
#include "gnutls_mod/mod_params.h"
#include "profiles/set.h"
#include "profiles/watch.h"

#define TICK_S 1
#define SETTLE_S 5 /* at most, from the look that finds a change to the next one */
#define RETRY_S 60 /* at least, after a reload that failed for want of something else than a file */
#define CHANGES_BYTES 4096

/* [static] in the process of auto_reload only */
static struct tlsg_watch watch;
static struct tlsg_err last;	 /* why the last reload was refused: not logged again at WARNING */
static int wait_s;				 /* until the next look */
static char text[CHANGES_BYTES]; /* what a reload changes */

/* The same reason as last time is no news. */
static void refused_log(const struct tlsg_source_diff *diff, const struct tlsg_err *err)
{
	const char *more = diff->len > 1 ? " and other files" : "";

	if(strcmp(last.text, err->text) == 0)
		LM_DBG("auto_reload: still refused: %s\n", err->text);
	else
		LM_WARN("auto_reload: \"%s\"%s changed, but the TLS configuration was not reloaded, the current one stays: %s; "
				"this is tried again when a file changes, or with tls.reload\n",
				diff->first, more, err->text);
	last = *err;
}

static void reload(const struct tlsg_source_diff *diff)
{
	struct tlsg_changes changes = {.text = text, .size = sizeof(text)};
	struct tlsg_source *seen;
	struct tlsg_err err;

	LM_INFO("auto_reload: %u file%s changed, the TLS configuration is loaded again: \"%s\"%s\n", diff->len,
			tlsg_plural_s(diff->len), diff->first, diff->len > 1 ? " and others" : "");
	tlsg_err_clear(&err);
	switch(tlsg_config_reload_watched(&changes, &seen, &err)) {
		case TLSG_OK:
			tlsg_err_clear(&last);
			tlsg_watch_clear(&watch); /* the next look begins with the new configuration */
			break;
		case TLSG_AGAIN:
			break;
		default:
			refused_log(diff, &err);
			tlsg_watch_refused(&watch, seen);
			if(seen == NULL && wait_s < RETRY_S)
				wait_s = RETRY_S;
			break;
	}
}

static void look(void)
{
	struct tlsg_set *set = tlsg_set_get();
	struct tlsg_source_diff diff;
	enum tlsg_watch_what what;

	wait_s = tlsg_params_private()->auto_reload_s;
	if(set == NULL)
		return;
	what = tlsg_watch_look(&watch, set, &diff);
	tlsg_set_put(set);
	if(what == TLSG_WATCH_BACK) {
		tlsg_err_clear(&last);
		LM_NOTICE("auto_reload: the files are those of the current TLS configuration again\n");
	}
	if(what == TLSG_WATCH_SEEN && wait_s > SETTLE_S)
		wait_s = SETTLE_S;
	if(what == TLSG_WATCH_RELOAD)
		reload(&diff);
}

static void timer_cb(unsigned int ticks, void *param)
{
	(void)ticks;
	(void)param;
	wait_s -= TICK_S;
	if(wait_s <= 0)
		look();
}

/* With key_isolation keys may be readable by root alone, in a directory that this process may not search. */
static void unseen_log(void)
{
	struct tlsg_set *set = tlsg_set_get();
	const struct tlsg_source *s, *first = NULL;
	unsigned len = 0, unseen = 0;

	for(s = set != NULL ? set->sources : NULL; s != NULL; s = s->next) {
		len++;
		if(s->stamp.error == 0)
			continue;
		unseen++;
		first = s;
	}
	LM_INFO("auto_reload: looks at %u file%s every %d s\n", len - unseen, tlsg_plural_s(len - unseen),
			tlsg_params_private()->auto_reload_s);
	if(first != NULL)
		LM_NOTICE("auto_reload: changes of \"%s\"%s are not noticed, user %d may not look at it: %s; run tls.reload "
				  "after changing it alone\n",
				first->path, unseen > 1 ? " and other files" : "", (int)geteuid(), strerror((int)first->stamp.error));
	tlsg_set_put(set);
}

int tlsg_auto_reload_init(void)
{
	return tlsg_params_private()->auto_reload_s > 0 ? register_basic_timers(1) : 0;
}

int tlsg_auto_reload_start(void)
{
	if(tlsg_params_private()->auto_reload_s <= 0)
		return 0;
	unseen_log();
	wait_s = tlsg_params_private()->auto_reload_s;
	if(fork_basic_timer(PROC_TIMER, "tls auto reload", 1, timer_cb, NULL, TICK_S) < 0) {
		LM_ERR("auto_reload: the process \"tls auto reload\" cannot be started: %s\n", strerror(errno));
		return -1;
	}
	return 0;
}
