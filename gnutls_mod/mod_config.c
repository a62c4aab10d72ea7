/*
 * tls_gnutls - loads the configuration as a whole: at start-up, and again on tls.reload or by auto_reload
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant (mod_init, PROC_INIT), the RPC process that reloads, the process of auto_reload.
 * Memory: snapshots in shm.
 * Lock: its own, so that only one process reloads at a time.
 */
#include "gnutls_mod/mod_config.h"

#include <errno.h>
#include <unistd.h>

#include "core/globals.h"
#include "core/ip_addr.h"
#include "core/socket_info.h"

#include "base/arena.h"
#include "base/environment.h"
#include "base/host.h"
#include "gnutls_mod/mod_changes.h"
#include "gnutls_mod/mod_engine.h"
#include "gnutls_mod/mod_dtls_listen.h"
#include "gnutls_mod/mod_group.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_tcp.h"
#include "pkcs11/p11_refused.h"
#include "profiles/build.h"
#include "profiles/load_token.h"
#include "profiles/match.h"
#include "profiles/priority.h"
#include "profiles/source.h"
#include "profiles/ticket_file.h"
#include "profiles/tlscfg_file.h"
#include "profiles/value.h"

static gen_lock_t *lock;		  /* [shm] held during a whole reload; taken with lock_try() only */
static struct tlsg_set *prepared; /* what tlsg_config_prepare() has parsed, until the first load */

int tlsg_config_init(void)
{
	lock = lock_alloc();
	if(lock == NULL || lock_init(lock) == NULL)
		return -1;
	return 0;
}

void tlsg_config_deinit(void)
{
	tlsg_set_drop(prepared);
	prepared = NULL;
	if(lock == NULL)
		return;
	lock_destroy(lock);
	lock_dealloc(lock);
	lock = NULL;
}

/* Without tls.cfg: a default profile for each role, from the module parameters. */
static enum tlsg_ret from_params(struct tlsg_set *set, struct tlsg_err *err)
{
	struct tlsg_prof_settings s;
	enum tlsg_ret ret = TLSG_OK;
	int role;

	if(tlsg_params_fill_settings(&s) < 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the module parameters are not valid");
	for(role = 0; role < TLSG_ROLES && ret == TLSG_OK; role++) {
		struct tlsg_prof *p = tlsg_prof_add(set, (enum tlsg_role)role, TLSG_PROF_DEFAULT, NULL, 0);

		if(p == NULL)
			return tlsg_err_no_shm(err, "profiles", sizeof(*p));
		ret = tlsg_build_prof(p, &s, err); /* copies the strings into the arena */
	}
	return ret;
}

/* @param out  [out] owned by the caller, also on failure: what was read until then. NULL: nothing. */
static enum tlsg_ret parse(struct tlsg_set **out, struct tlsg_err *err)
{
	const struct cfg_group_tls *cfg = tlsg_group_get();
	struct tlsg_environment_library library;
	struct tlsg_set_options options = {0};
	struct tlsg_p11_engine engine;
	bool has_engine;
	struct tlsg_set *set;
	enum tlsg_ret ret;

	*out = NULL;
	tlsg_environment_library(&library);
	ret = tlsg_environment_check(&library, err);
	if(ret != TLSG_OK)
		return ret;
	tlsg_params_set_options(&options);
	ret = tlsg_engine_load(&engine, &has_engine, err);
	if(ret != TLSG_OK)
		return ret;
	options.engine = has_engine ? &engine : NULL;
	set = tlsg_set_new(&options);
	tlsg_p11_engine_wipe(&engine);
	if(set == NULL)
		return tlsg_err_no_shm(err, "profiles", sizeof(*set));
	*out = set;
	tlsg_engine_note(set);
	if(cfg->config.s != NULL && cfg->config.len > 0)
		return tlsg_tlscfg_file_parse(set, cfg->config.s, err);
	return from_params(set, err);
}

enum tlsg_ret tlsg_config_parse(struct tlsg_set **out, struct tlsg_err *err)
{
	enum tlsg_ret ret = parse(out, err);

	if(ret == TLSG_OK)
		return TLSG_OK;
	tlsg_set_drop(*out);
	*out = NULL;
	return ret;
}

/* A server profile for an address that no socket listens on is a mistake. */
static enum tlsg_ret check_sockets(const struct tlsg_set *set, struct tlsg_err *err)
{
	const struct tlsg_prof *p;

	for(p = set->list[TLSG_SERVER]; p != NULL; p = p->next) {
		struct ip_addr ip = {0};

		if(p->kind != TLSG_PROF_ADDR)
			continue;
		ip.af = p->addr.len == 4 ? AF_INET : AF_INET6;
		ip.len = p->addr.len;
		memcpy(ip.u.addr, p->addr.bytes, p->addr.len);
		if(find_si(&ip, p->port, PROTO_TLS) != NULL || tlsg_dtls_listen_find(find_si(&ip, p->port, PROTO_UDP)) >= 0)
			continue;
		tlsg_err_set(err, TLSG_E_CONFIG,
				"%.*s:%d: no TLS socket listens on %s:%d; add listen=tls:... or change the profile", p->file.len,
				p->file.s, p->line, ip_addr2a(&ip), p->port);
		if(err != NULL)
			err->sys_errno = EADDRNOTAVAIL; /* tls.reload recognises this case by it */
		return TLSG_E_CONFIG;
	}
	return TLSG_OK;
}

/* The profile that a socket of dtls_listen begins with must have a version that DTLS has. */
static enum tlsg_ret check_datagram(const struct tlsg_set *set, struct tlsg_err *err)
{
	enum tlsg_ret ret = TLSG_OK;
	unsigned i;

	for(i = 0; i < tlsg_dtls_listen_count() && ret == TLSG_OK; i++) {
		const struct socket_info *si = tlsg_dtls_listen_socket((int)i);
		struct tlsg_match_query q = {.role = TLSG_SERVER, .port = si->port_no};

		tlsg_tcp_addr_copy(&q.addr, &si->address);
		ret = tlsg_priority_check_datagram(tlsg_match_find(set, &q), err);
	}
	return ret;
}

enum tlsg_ret tlsg_config_prepare(struct tlsg_err *err)
{
	const str *files = &tlsg_params_private()->ticket_key_file;
	enum tlsg_ret ret = tlsg_config_parse(&prepared, err);

	if(ret != TLSG_OK)
		return ret;
	if(tlsg_value_is_set(files) && tlsg_group_get()->session_cache == 0)
		LM_WARN("parameter \"ticket_key_file\" has no effect without session_cache=1\n");
	return tlsg_ticket_file_load(prepared, files, err);
}

/* Tells that what root could read at start is out of reach for tls.reload. */
static void warn_unreadable(void)
{
	const str *config = &tlsg_group_get()->config;

	if(config->s != NULL && config->len > 0 && access(config->s, R_OK) != 0 && errno == EACCES)
		LM_WARN("\"%s\" was read as root, and user %d cannot read it: tls.reload%s will fail; give that user's group "
				"the right to read it\n",
				config->s, (int)getuid(), tlsg_params_private()->auto_reload_s > 0 ? " and auto_reload" : "");
	tlsg_ticket_file_warn(prepared, &tlsg_params_private()->ticket_key_file);
}

/* Builds a snapshot that can be published. @param out [out] as for parse(). */
static enum tlsg_ret build_unsafe(struct tlsg_set **out, struct tlsg_err *err)
{
	struct tlsg_set *set = prepared;
	enum tlsg_ret ret = TLSG_OK;

	if(set != NULL) {
		warn_unreadable();
		prepared = NULL;
	} else {
		ret = parse(&set, err);
		if(ret == TLSG_OK)
			ret = tlsg_ticket_file_load(set, &tlsg_params_private()->ticket_key_file, err);
	}
	*out = set;
	if(ret != TLSG_OK)
		return ret;
	ret = check_sockets(set, err);
	if(ret == TLSG_OK)
		ret = tlsg_build_set(set, err);
	if(ret == TLSG_OK)
		ret = check_datagram(set, err);
	if(ret == TLSG_OK && tlsg_arena_is_poisoned(set->arena)) {
		tlsg_arena_overflow_free(set->arena);
		ret = tlsg_err_no_shm(err, "configuration", 0);
	}
	if(ret == TLSG_OK)
		tlsg_load_token_sessions_warn(set, (unsigned)tcp_children_no);
	return ret;
}

static void changes_find(const struct tlsg_set *set, struct tlsg_changes *changes)
{
	struct tlsg_set *current = tlsg_set_get();

	tlsg_changes_find(current, set, changes);
	tlsg_set_put(current);
}

/* What a caller of load() wants. */
struct order
{
	bool is_by_hand;			  /* an operator reloads: PINs that a token has refused are tried again */
	bool check;					  /* nothing is published */
	struct tlsg_changes *changes; /* NULL: nobody asks */
	struct tlsg_source **seen;	  /* [out] copy of what was read in vain; NULL: nobody asks */
};

static enum tlsg_ret load(const struct order *o, struct tlsg_err *err)
{
	struct tlsg_set *set;
	enum tlsg_ret ret;

	if(lock_try(lock) != 0) {
		tlsg_err_set(err, TLSG_E_RESOURCE, "another reload is running");
		return TLSG_AGAIN;
	}
	tlsg_p11_refused_set_asked(!o->is_by_hand);
	ret = build_unsafe(&set, err);
	tlsg_p11_refused_set_asked(true);
	if(ret == TLSG_OK && o->changes != NULL)
		changes_find(set, o->changes);
	if(ret == TLSG_E_CONFIG && o->seen != NULL && set != NULL)
		*o->seen = tlsg_source_copy(set->sources);
	if(ret == TLSG_OK && !o->check) {
		tlsg_set_publish(set);
		tlsg_load_token_in_use(set); /* stays current while the lock is held */
	} else
		tlsg_set_drop(set);
	lock_release(lock);
	return ret;
}

enum tlsg_ret tlsg_config_load(struct tlsg_err *err)
{
	const struct order order = {.check = false};

	return load(&order, err);
}

/* Logs each of the lines that begin with '\n'. */
static void changes_log(const char *text)
{
	while(*text == '\n') {
		int len = (int)strcspn(++text, "\n");

		LM_NOTICE("TLS configuration: %.*s\n", len, text);
		text += len;
	}
}

static enum tlsg_ret reload(const struct order *o, struct tlsg_err *err)
{
	enum tlsg_ret ret = load(o, err);

	if(ret != TLSG_OK || o->check)
		return ret;
	LM_NOTICE("TLS configuration reloaded\n");
	changes_log(o->changes->text);
	return TLSG_OK;
}

enum tlsg_ret tlsg_config_reload(bool check, struct tlsg_changes *changes, struct tlsg_err *err)
{
	const struct order order = {.is_by_hand = true, .check = check, .changes = changes};

	return reload(&order, err);
}

enum tlsg_ret tlsg_config_reload_watched(struct tlsg_changes *changes, struct tlsg_source **seen, struct tlsg_err *err)
{
	const struct order order = {.changes = changes, .seen = seen};

	*seen = NULL;
	return reload(&order, err);
}
