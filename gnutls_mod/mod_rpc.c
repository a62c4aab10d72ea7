/*
 * tls_gnutls - connects the RPC commands and the core's statistics with the module
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: registered in mod_init; called in any RPC process.  Memory: static.  Lock: none.
 */
#include "gnutls_mod/mod_rpc.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include "gnutls_mod/mod_changes.h"
#include "gnutls_mod/mod_config.h"
#include "gnutls_mod/mod_dtls_listen.h"
#include "gnutls_mod/mod_dtls_step.h"
#include "gnutls_mod/mod_dtls_timer.h"
#include "gnutls_mod/mod_group.h"
#include "gnutls_mod/mod_low_mem.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_stats.h"
#include "gnutls_mod/mod_tcp.h"
#include "profiles/set.h"
#include "rpc/rpc.h"
#include "rpc/rpc_source.h"

static int low_mem_bytes(enum tlsg_low_mem which)
{
	uint64_t bytes = tlsg_low_mem_bytes(which);

	return bytes > INT_MAX ? INT_MAX : (int)bytes;
}

/* What tls.options shows, in this order, under names and in units that clients know from tls.so. */
#define NUMBER(member)                                        \
	{                                                         \
#member, true, offsetof(struct cfg_group_tls, member) \
	}
#define TEXT(member)                                           \
	{                                                          \
#member, false, offsetof(struct cfg_group_tls, member) \
	}
static const struct
{
	const char *name;
	bool is_number;
	size_t offset;
} options[] = {
		NUMBER(force_run),
		TEXT(method),
		NUMBER(verify_certificate),
		NUMBER(verify_depth),
		NUMBER(require_certificate),
		TEXT(verify_client),
		TEXT(private_key),
		TEXT(ca_list),
		TEXT(certificate),
		TEXT(cipher_list),
		NUMBER(session_cache),
		TEXT(session_id),
		TEXT(config),
		NUMBER(log),
		NUMBER(debug),
		NUMBER(connection_timeout),
		NUMBER(disable_compression),
		NUMBER(ssl_release_buffers),
		{"ssl_freelist_max", true, offsetof(struct cfg_group_tls, ssl_free_list_max)},
		NUMBER(ssl_max_send_fragment),
		NUMBER(ssl_read_ahead),
		NUMBER(send_close_notify),
		NUMBER(low_mem_threshold1),
		NUMBER(low_mem_threshold2),
		NUMBER(ct_wq_max),
		NUMBER(con_ct_wq_max),
		NUMBER(ct_wq_blk_size),
};

static bool option(unsigned i, struct tlsg_rpc_option *o)
{
	const char *cfg = (const char *)tlsg_group_get();

	if(i >= sizeof(options) / sizeof(options[0]))
		return false;
	*o = (struct tlsg_rpc_option){.name = options[i].name, .is_number = options[i].is_number};
	if(!o->is_number)
		memcpy(&o->text, cfg + options[i].offset, sizeof(o->text));
	else if(options[i].offset == offsetof(struct cfg_group_tls, connection_timeout))
		o->number = (int)TICKS_TO_S((ticks_t)TLSG_CFG(connection_timeout));
	else if(options[i].offset == offsetof(struct cfg_group_tls, low_mem_threshold1))
		o->number = low_mem_bytes(TLSG_LOW_MEM_NEW);
	else if(options[i].offset == offsetof(struct cfg_group_tls, low_mem_threshold2))
		o->number = low_mem_bytes(TLSG_LOW_MEM_EXISTING);
	else
		memcpy(&o->number, cfg + options[i].offset, sizeof(o->number));
	return true;
}

/** Whether the configuration can be parsed. Files that it names are not read. */
static bool is_parsable(void)
{
	struct tlsg_set *set = NULL;
	struct tlsg_err err;

	tlsg_err_clear(&err);
	if(tlsg_config_parse(&set, &err) != TLSG_OK)
		return false;
	tlsg_set_drop(set);
	return true;
}

static enum tlsg_ret reload(struct tlsg_rpc_reload *r, struct tlsg_err *err)
{
	struct tlsg_changes changes = {.text = r->changes, .size = sizeof(r->changes)};
	enum tlsg_ret ret = tlsg_config_reload(r->check, &changes, err);

	if(ret == TLSG_AGAIN)
		r->stage = TLSG_RPC_RELOAD_BUSY;
	else if(ret != TLSG_OK && err->sys_errno == EADDRNOTAVAIL)
		r->stage = TLSG_RPC_RELOAD_SOCKETS; /* set by tlsg_config_reload() */
	else if(ret != TLSG_OK)
		r->stage = is_parsable() ? TLSG_RPC_RELOAD_BUILD : TLSG_RPC_RELOAD_PARSE;
	return ret;
}

/* Closes an association. If another process keeps its lock, that one closes it at the end of its step. */
static enum tlsg_rpc_killed kill_assoc(int id)
{
	struct tlsg_assoc *a = tlsg_assoc_find_id(id);
	struct tlsg_dtls_step s;

	if(a == NULL)
		return TLSG_RPC_KILLED_NOT;
	__atomic_store_n(&a->ending, 1, __ATOMIC_RELEASE);
	switch(tlsg_dtls_step_begin(&s, a)) {
		case TLSG_STEP_BEGUN:
			tlsg_dtls_step_close(&s);
			tlsg_dtls_step_end(&s);
			return TLSG_RPC_KILLED;
		case TLSG_STEP_BUSY:
			return TLSG_RPC_KILLED_LATER;
		default:
			return TLSG_RPC_KILLED_NOT;
	}
}

static enum tlsg_rpc_killed kill_any(int id)
{
	return id >= TLSG_ASSOC_ID_FIRST ? kill_assoc(id) : tlsg_tcp_kill_id(id);
}

static int assoc_ends(const struct tlsg_assoc *a, struct receive_info *ends)
{
	tlsg_dtls_step_ends(a, ends);
	return tlsg_dtls_timer_left_s(a);
}

static unsigned assoc_max(void)
{
	return tlsg_dtls_listen_count() > 0 ? tlsg_params_associations() : 0;
}

static const struct tlsg_rpc_source source = {
		.option = option,
		.reload = reload,
		.kill = kill_any,
		.assoc_ends = assoc_ends,
		.assoc_max = assoc_max,
		.walk = tlsg_tcp_walk,
};

int tlsg_mod_rpc_start(void)
{
	if(tlsg_rpc_register(&source) < 0)
		return -1;
	return tlsg_mod_stats_register();
}
