/*
 * tls_gnutls - limits that TLS connections and DTLS associations share: of a step, of memory
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: see mod_low_mem.h.
 */
#include "gnutls_mod/mod_limits.h"

#include "base/host.h"
#include "gnutls_mod/mod_group.h"
#include "gnutls_mod/mod_low_mem.h"
#include "gnutls_mod/mod_params.h"
#include "transport/conn.h"

void tlsg_limits_step(struct tlsg_conn_limits *l)
{
	const struct cfg_group_tls *cfg = tlsg_group_get();

	l->queue.con_max_bytes = (unsigned)cfg->con_ct_wq_max;
	l->queue.max_bytes = (unsigned)cfg->ct_wq_max;
	l->queue.block_bytes = (unsigned)cfg->ct_wq_blk_size;
	l->record_max_bytes = cfg->ssl_max_send_fragment;
	l->renegotiation = tlsg_params_private()->renegotiation != 0;
}

enum tlsg_ret tlsg_limits_allow_new(bool is_datagram, struct tlsg_err *err)
{
	enum tlsg_low_mem which = is_datagram ? TLSG_LOW_MEM_DTLS : TLSG_LOW_MEM_NEW;

	if(tlsg_low_mem_allows(which))
		return TLSG_OK;
	tlsg_stats_handshake_failed(TLSG_FAIL_MEMORY);
	return tlsg_err_set(err, TLSG_E_RESOURCE,
			"not enough free shared memory for a new %s: %lu bytes, low_mem_threshold1%s is %lu; raise -m",
			is_datagram ? "association" : "connection", shm_available_safe(), is_datagram ? " and 1/16 of all" : "",
			(unsigned long)tlsg_low_mem_bytes(which));
}

enum tlsg_ret tlsg_limits_allow(struct tlsg_conn *conn, struct tlsg_err *err)
{
	if(tlsg_low_mem_allows(TLSG_LOW_MEM_EXISTING))
		return TLSG_OK;
	tlsg_conn_failure_count(conn, TLSG_FAIL_MEMORY);
	return tlsg_err_set(err, TLSG_E_RESOURCE,
			"not enough free shared memory: low_mem_threshold2 is %lu bytes; raise -m",
			(unsigned long)tlsg_low_mem_bytes(TLSG_LOW_MEM_EXISTING));
}
