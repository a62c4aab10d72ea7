/*
 * tls_gnutls - what Kamailio loads: exports, registration, start-up and shutdown in order
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant (registration, mod_init, hooks init and destroy), every process (child_init).
 * Memory: shm, made before the forks.  Lock: none.
 */
#include "core/globals.h"
#include "core/kemi.h"
#include "core/sr_module.h"

#include "base/arena.h"
#include "base/arena_pool.h"
#include "base/environment.h"
#include "base/host.h"
#include "base/scope.h"
#include "base/version.h"
#include "gnutls_mod/mod_auto_reload.h"
#include "gnutls_mod/mod_config.h"
#include "gnutls_mod/mod_deadline.h"
#include "gnutls_mod/mod_dtls.h"
#include "gnutls_mod/mod_dtls_listen.h"
#include "gnutls_mod/mod_dtls_reply.h"
#include "gnutls_mod/mod_events.h"
#include "gnutls_mod/mod_expiry.h"
#include "gnutls_mod/mod_fragments.h"
#include "gnutls_mod/mod_group.h"
#include "gnutls_mod/mod_hooks.h"
#include "gnutls_mod/mod_isolate.h"
#include "gnutls_mod/mod_keylog.h"
#include "gnutls_mod/mod_outgoing.h"
#include "gnutls_mod/mod_log.h"
#include "gnutls_mod/mod_low_mem.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_rpc.h"
#include "gnutls_mod/mod_script.h"
#include "gnutls_mod/mod_selects.h"
#include "gnutls_mod/mod_terminal.h"
#include "gnutls_mod/mod_vars.h"
#include "pkcs11/p11_refused.h"
#include "profiles/keys/password.h"
#include "profiles/set.h"
#include "profiles/ticket.h"
#include "transport/assoc.h"
#include "transport/queue.h"
#include "transport/resume_store.h"
#include "transport/stats.h"

/* The part of shared memory that sessions of outgoing connections may have, which can be resumed. */
#define RESUME_SHARE 64

MODULE_VERSION

static int mod_init(void);
static int child_init(int rank);
static void unlock_all(void);

struct module_exports exports = {
		.name = "tls", /* modparam, module_loaded() and other modules look it up by this name */
		.dlflags = DEFAULT_DLFLAGS,
		.cmds = tlsg_script_commands,
		.params = tlsg_mod_params,
		.pv_items = tlsg_vars_table,
		.response_f = tlsg_dtls_reply_route,
		.init_mod_f = mod_init,
		.init_child_f = child_init,
		.destroy_mod_f = unlock_all,
};

static bool initialised; /* mod_init succeeded */

/* Everything that processes share, made before any of them exists. */
static int init_shared(void)
{
	struct tlsg_slots_limits limits;

	tlsg_params_slots(&limits);
	if(tlsg_arena_pool_global_init() != TLSG_OK || tlsg_set_global_init() != TLSG_OK
			|| tlsg_ticket_global_init() != TLSG_OK || tlsg_queue_global_init() != TLSG_OK
			|| tlsg_stats_init() != TLSG_OK || tlsg_config_init() < 0 || tlsg_deadline_init() < 0
			|| tlsg_slots_init(&limits) != TLSG_OK || tlsg_log_init() < 0
			|| (tlsg_group_get()->session_cache != 0
					&& tlsg_resume_store_init((size_t)shm_mem_size / RESUME_SHARE) != TLSG_OK)) {
		LM_ERR("out of shared memory at start: %lu bytes are not enough, raise -m\n", (unsigned long)shm_mem_size);
		return -1;
	}
	return 0;
}

/*
 * First at shutdown. The others have ended at once when SIGTERM came, and may have had these locks: what they protect
 * is consistent after each statement. The core does the same with the locks of shared memory and of its connections.
 */
static void unlock_all(void)
{
	tlsg_set_global_unlock();
	tlsg_slots_unlock();
	tlsg_assoc_table_unlock();
}

/* Hook `destroy`, and after a failed mod_init: frees all that is shared. The core has closed its connections. */
static void destroy(void)
{
	tlsg_dtls_deinit();
	tlsg_deadline_deinit();
	tlsg_log_deinit();
	tlsg_config_deinit();
	tlsg_set_global_deinit();
	tlsg_ticket_global_deinit();
	tlsg_queue_global_deinit();
	tlsg_resume_store_deinit();
	tlsg_slots_deinit();
	tlsg_stats_deinit();
	tlsg_arena_pool_global_deinit();
}

/*
 * tls.cfg is read here, as root if Kamailio starts as root. The files that it names are read, and sockets known, when
 * privileges are dropped.
 */
static int read_config(void)
{
	struct tlsg_err err;

	tlsg_err_clear(&err);
	if(tlsg_config_prepare(&err) != TLSG_OK) {
		LM_ERR("%s\n", err.text);
		return -1;
	}
	return 0;
}

/* Without redirected calls of free(), a changed ticket would crash the process: base/scope.h. */
static void warn_without_tickets(void)
{
	const char *why;

	if(tlsg_group_get()->session_cache != 0 && !tlsg_scope_frees_by_address(&why))
		LM_WARN("session tickets are not offered, session_cache=1 has no effect: libgnutls's calls of free() cannot be "
				"redirected: %s\n",
				why);
}

static void warn_about_environment(void)
{
	const struct tlsg_environment_note *note;
	unsigned at = 0;

	while((note = tlsg_environment_next(&at)) != NULL)
		LM_WARN("environment variable %s is set: %s; %s\n", note->name, note->effect, note->remedy);
}

static int mod_init(void)
{
	if(tls_disable && tlsg_dtls_listen_count() > 0) {
		LM_ERR("parameter \"dtls_listen\": tls support is disabled; put enable_tls=yes before loadmodule "
			   "\"tls_gnutls.so\"\n");
		return -1;
	}
	if(tls_disable) {
		LM_WARN("tls support is disabled (set enable_tls=1 in the config to enable it)\n");
		return 0;
	}
	if(!tlsg_hooks_are_ours()) {
		LM_CRIT("another TLS module was loaded after tls_gnutls.so; load only one of them\n");
		return -1;
	}
	if(tlsg_params_declare() < 0)
		return -1;
	if(init_shared() < 0 || tlsg_mod_keylog_init() < 0 || read_config() < 0 || tlsg_mod_rpc_start() < 0) {
		destroy();
		return -1;
	}
	tlsg_p11_refused_init(runtime_dir);
	tlsg_events_init();
	if(tlsg_isolate_init() < 0 || tlsg_auto_reload_init() < 0 || tlsg_expiry_init() < 0 || tlsg_outgoing_init() < 0
			|| tlsg_dtls_init() < 0) {
		destroy();
		return -1;
	}
	tlsg_fragments_leave();
	warn_about_environment();
	warn_without_tickets();
	LM_INFO("tls_gnutls " TLSG_VERSION ", GnuTLS %s (built against %s)\n", tlsg_version_loaded(), tlsg_version_built());
	initialised = true;
	return 0;
}

static int child_init(int rank)
{
	bool asks = tlsg_params_private()->key_password_mode != 0;
	enum tlsg_ret ret;
	struct tlsg_err err;

	if(!initialised)
		return 0;
	tlsg_scope_check();
	if(rank != PROC_INIT) {
		tlsg_isolate_process_started();
		if(rank == PROC_MAIN && tlsg_auto_reload_start() < 0)
			return -1;
		return tlsg_dtls_child_init(rank);
	}
	tlsg_err_clear(&err);
	tlsg_password_mode_set(asks, tlsg_terminal_ask);
	ret = tlsg_config_load(&err);
	tlsg_password_mode_set(asks, NULL);
	tlsg_isolate_startup_done();
	tlsg_terminal_close();
	if(ret != TLSG_OK) {
		LM_ERR("%s\n", err.text);
		return -1;
	}
	return 0;
}

/* Hook `init`: the number of processes is known. @return 0; -1 ends start-up. */
static int processes_known(void)
{
	if(tlsg_low_mem_init(get_max_procs()) < 0)
		return -1;
	if(tlsg_arena_pool_init((unsigned)get_max_procs()) != TLSG_OK) {
		LM_ERR("out of shared memory: %lu bytes are not enough for %d processes, raise -m\n",
				(unsigned long)shm_mem_size, get_max_procs());
		return -1;
	}
	return tlsg_isolate_start();
}

int mod_register(char *path, int *dlflags, void *p1, void *p2)
{
	(void)path;
	(void)dlflags;
	(void)p1;
	(void)p2;
	if(module_loaded("tls")) {
		LM_CRIT("a module named \"tls\" is loaded already (tls.so?); load tls_gnutls.so instead of it, not beside "
				"it\n");
		return -1;
	}
	if(tlsg_hooks_register(processes_known, destroy) < 0) {
		LM_WARN("tls support is disabled; put enable_tls=yes before loadmodule \"tls_gnutls.so\"\n");
		return 0;
	}
	tlsg_dtls_prepare();
	/* Before the script is parsed, which resolves a $sel(tls...) outside a string. */
	if(tlsg_selects_register() < 0)
		return -1;
	tlsg_script_register_kemi();
	/* Last: what it sets in GnuTLS, GMP and the imports of libgnutls is not undone. */
	if(tlsg_scope_install() != TLSG_OK) {
		LM_CRIT("cannot initialise GnuTLS: run gnutls-cli -l to see why\n");
		return -1;
	}
	return 0;
}
