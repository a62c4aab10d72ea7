/*
 * tls_gnutls - loads the configuration as a whole: at start-up, and again on tls.reload
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant (mod_init, PROC_INIT), the RPC process that reloads.  Memory: snapshots in shm.
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
#include "gnutls_mod/mod_group.h"
#include "gnutls_mod/mod_params.h"
#include "profiles/build.h"
#include "profiles/load_token.h"
#include "profiles/tlscfg_file.h"

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

enum tlsg_ret tlsg_config_parse(struct tlsg_set **out, struct tlsg_err *err)
{
	const struct cfg_group_tls *cfg = tlsg_group_get();
	struct tlsg_environment_library library;
	struct tlsg_set_options options = {0};
	struct tlsg_p11_engine engine;
	bool has_engine;
	struct tlsg_set *set;
	enum tlsg_ret ret;

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
	if(cfg->config.s != NULL && cfg->config.len > 0)
		ret = tlsg_tlscfg_file_parse(set, cfg->config.s, err);
	else
		ret = from_params(set, err);
	if(ret != TLSG_OK) {
		tlsg_set_drop(set);
		return ret;
	}
	*out = set;
	return TLSG_OK;
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
		if(find_si(&ip, p->port, PROTO_TLS) != NULL)
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

enum tlsg_ret tlsg_config_prepare(struct tlsg_err *err)
{
	return tlsg_config_parse(&prepared, err);
}

/* Tells that what root could read at start is out of reach for tls.reload. */
static void warn_unreadable(void)
{
	const str *config = &tlsg_group_get()->config;

	if(config->s != NULL && config->len > 0 && access(config->s, R_OK) != 0 && errno == EACCES)
		LM_WARN("\"%s\" was read as root, and user %d cannot read it: tls.reload will fail; give that user's group the "
				"right to read it\n",
				config->s, (int)getuid());
}

/* Builds a snapshot that can be published. @param out [out] owned by the caller, on TLSG_OK. */
static enum tlsg_ret build_unsafe(struct tlsg_set **out, struct tlsg_err *err)
{
	struct tlsg_set *set = prepared;
	enum tlsg_ret ret = TLSG_OK;

	prepared = NULL;
	if(set == NULL)
		ret = tlsg_config_parse(&set, err);
	else
		warn_unreadable();
	if(ret != TLSG_OK)
		return ret;
	ret = check_sockets(set, err);
	if(ret == TLSG_OK)
		ret = tlsg_build_set(set, err);
	if(ret == TLSG_OK && tlsg_arena_is_poisoned(set->arena)) {
		tlsg_arena_overflow_free(set->arena);
		ret = tlsg_err_no_shm(err, "configuration", 0);
	}
	if(ret != TLSG_OK) {
		tlsg_set_drop(set);
		return ret;
	}
	tlsg_load_token_sessions_warn(set, (unsigned)tcp_children_no);
	*out = set;
	return TLSG_OK;
}

static void changes_find(const struct tlsg_set *set, struct tlsg_changes *changes)
{
	struct tlsg_set *current = tlsg_set_get();

	tlsg_changes_find(current, set, changes);
	tlsg_set_put(current);
}

/* @param check  true: nothing is published. @param changes  NULL: nobody asks. */
static enum tlsg_ret load(bool check, struct tlsg_changes *changes, struct tlsg_err *err)
{
	struct tlsg_set *set;
	enum tlsg_ret ret;

	if(lock_try(lock) != 0) {
		tlsg_err_set(err, TLSG_E_RESOURCE, "another reload is running");
		return TLSG_AGAIN;
	}
	ret = build_unsafe(&set, err);
	if(ret == TLSG_OK && changes != NULL)
		changes_find(set, changes);
	if(ret == TLSG_OK && check)
		tlsg_set_drop(set);
	else if(ret == TLSG_OK)
		tlsg_set_publish(set);
	lock_release(lock);
	return ret;
}

enum tlsg_ret tlsg_config_load(struct tlsg_err *err)
{
	return load(false, NULL, err);
}

enum tlsg_ret tlsg_config_reload(bool check, struct tlsg_changes *changes, struct tlsg_err *err)
{
	return load(check, changes, err);
}
