/*
 * tls_gnutls - statistics of group tls, for the core's RPC, exporters and scripts
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: registered in mod_init; read in any process.  Memory: the core's.  Lock: none.
 */
#include "gnutls_mod/mod_stats.h"

#include "core/counters.h"
#include "core/tcp_info.h"

#include "base/arena.h"
#include "base/arena_pool.h"
#include "base/host.h"
#include "gnutls_mod/mod_expiry.h"
#include "profiles/set.h"
#include "transport/queue.h"
#include "transport/resume_store.h"
#include "transport/slots.h"
#include "transport/stats.h"

#define GROUP "tls"

static counter_val_t opened_connections(counter_handle_t h, void *param)
{
	struct tcp_gen_info info;

	(void)h;
	(void)param;
	tcp_get_info(&info);
	return info.tls_connections_no;
}

static counter_val_t max_connections(counter_handle_t h, void *param)
{
	struct tcp_gen_info info;

	(void)h;
	(void)param;
	tcp_get_info(&info);
	return info.tls_max_connections;
}

static counter_val_t queued_bytes(counter_handle_t h, void *param)
{
	(void)h;
	(void)param;
	return (counter_val_t)tlsg_queue_total_bytes();
}

static counter_val_t arena_bytes(counter_handle_t h, void *param)
{
	(void)h;
	(void)param;
	return (counter_val_t)tlsg_arena_pool_held(NULL);
}

static counter_val_t unfinished(counter_handle_t h, void *param)
{
	(void)h;
	(void)param;
	return (counter_val_t)tlsg_slots_used(NULL);
}

static counter_val_t configurations(counter_handle_t h, void *param)
{
	(void)h;
	(void)param;
	return (counter_val_t)tlsg_set_alive();
}

static counter_val_t resumable(counter_handle_t h, void *param)
{
	size_t bytes;

	(void)h;
	(void)param;
	return (counter_val_t)tlsg_resume_store_len(&bytes);
}

static counter_val_t resumable_bytes(counter_handle_t h, void *param)
{
	size_t bytes;

	(void)h;
	(void)param;
	(void)tlsg_resume_store_len(&bytes);
	return (counter_val_t)bytes;
}

/** Days left. @param param  enum tlsg_expiry_kind. */
static counter_val_t days_left(counter_handle_t h, void *param)
{
	(void)h;
	return tlsg_expiry_days_left((enum tlsg_expiry_kind)(uintptr_t)param);
}

/** A figure of transport/stats.h. @param param  its index. */
static counter_val_t figure(counter_handle_t h, void *param)
{
	(void)h;
	return (counter_val_t)tlsg_stats_value((unsigned)(uintptr_t)param);
}

static counter_def_t own[] = {
		{NULL, "opened_connections", CNT_F_NO_RESET, opened_connections, NULL, "TLS connections open now"},
		{NULL, "max_connections", CNT_F_NO_RESET, max_connections, NULL, "TLS connections allowed at once"},
		{NULL, "clear_text_write_queued_bytes", CNT_F_NO_RESET, queued_bytes, NULL,
				"bytes that wait for the end of a handshake"},
		{NULL, "arena_bytes", CNT_F_NO_RESET, arena_bytes, NULL,
				"shared memory held by connections and configurations"},
		{NULL, "handshakes_unfinished", CNT_F_NO_RESET, unfinished, NULL,
				"accepted connections whose handshake is not finished"},
		{NULL, "configurations", CNT_F_NO_RESET, configurations, NULL,
				"configurations in memory: the current one and older ones in use"},
		{NULL, "sessions_resumable", CNT_F_NO_RESET, resumable, NULL,
				"sessions of outgoing connections that can be resumed"},
		{NULL, "sessions_resumable_bytes", CNT_F_NO_RESET, resumable_bytes, NULL, "shared memory that they take"},
		{NULL, "certificate_days_left", CNT_F_NO_RESET, days_left, (void *)(uintptr_t)TLSG_EXPIRY_CERTIFICATE,
				"days until the first of the certificates expires"},
		{NULL, "crl_days_left", CNT_F_NO_RESET, days_left, (void *)(uintptr_t)TLSG_EXPIRY_CRL,
				"days until the first of the CRLs expires"},
		{NULL, NULL, 0, NULL, NULL, NULL},
};

int tlsg_mod_stats_register(void)
{
	unsigned i;

	if(counter_register_array(GROUP, own) < 0)
		goto err;
	for(i = 0; i < tlsg_stats_len(); i++) {
		if(counter_register(
				   NULL, GROUP, tlsg_stats_name(i), CNT_F_NO_RESET, figure, (void *)(uintptr_t)i, tlsg_stats_doc(i), 0)
				< 0)
			goto err;
	}
	return 0;
err:
	LM_ERR("cannot register the statistics of group " GROUP
		   ": does another module have them? Load only one TLS module\n");
	return -1;
}
