/*
 * tls_gnutls - a step of a connection: entering and leaving its session
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).  Lock: write_lock, held by the caller.
 */
#include "transport/conn_step.h"

#include "base/scope.h"
#include "transport/carrier.h"
#include "transport/conn_failure.h"
#include "transport/conn_state.h"

void tlsg_conn_step_slot(struct tlsg_conn *c)
{
	if(!c->slot.taken)
		return;
	if(c->established)
		tlsg_slots_give(&c->slot);
	else
		tlsg_slots_note(&c->slot, tlsg_arena_held(c->arena));
}

enum tlsg_ret tlsg_conn_step_bind(struct tlsg_conn *c, struct tlsg_err *err)
{
	gnutls_certificate_credentials_t cred = tlsg_creds_get(c->ref.prof);
	int rc;

	if(cred == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "out of memory for the credentials of %.*s", c->ref.prof->id.len,
				c->ref.prof->id.s);
	rc = gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, cred);
	if(rc < 0)
		return tlsg_err_gnutls(err, rc, "binding credentials");
	c->cred_process = tlsg_host_process();
	return TLSG_OK;
}

enum tlsg_ret tlsg_conn_step_enter(
		struct tlsg_conn *c, struct tlsg_io *io, size_t headroom, struct tlsg_arena **previous, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	if(c->entered || c->state == TLSG_CONN_FAILED)
		return tlsg_err_set(err, TLSG_E_INTERNAL, c->entered ? "session entered twice" : "session has failed before");
	ret = tlsg_arena_reserve(c->arena, headroom);
	if(ret != TLSG_OK) {
		tlsg_conn_failure_count(c, TLSG_FAIL_MEMORY);
		return tlsg_err_no_shm(err, "TLS session", headroom);
	}
	c->entered = true;
	c->io = io;
	*previous = tlsg_scope_enter(c->arena);
	if(c->state != TLSG_CONN_HANDSHAKING || c->cred_process == tlsg_host_process())
		return TLSG_OK;
	ret = tlsg_conn_step_bind(c, err);
	return ret == TLSG_OK ? TLSG_OK : tlsg_conn_step_leave(c, *previous, ret, err);
}

enum tlsg_ret tlsg_conn_step_leave(
		struct tlsg_conn *c, struct tlsg_arena *previous, enum tlsg_ret ret, struct tlsg_err *err)
{
	if(c->datagram != NULL)
		ret = tlsg_carrier_datagram_leave(c, ret, err);
	tlsg_scope_leave(previous);
	c->io = NULL;
	c->entered = false;
	if(tlsg_arena_is_poisoned(c->arena)) {
		tlsg_arena_overflow_free(c->arena);
		tlsg_conn_failure_count(c, TLSG_FAIL_MEMORY);
		if(err != NULL)
			tlsg_err_clear(err); /* whatever failed after the lack of memory */
		ret = tlsg_err_no_shm(err, "TLS session", 0);
	}
	if(ret < 0)
		c->state = TLSG_CONN_FAILED;
	tlsg_arena_trim(c->arena);
	tlsg_conn_step_slot(c);
	return ret;
}

enum tlsg_ret tlsg_conn_step_again(struct tlsg_conn *c, size_t before, struct tlsg_err *err)
{
	bool stuck = c->stuck;

	c->stuck = false;
	if(c->stop != TLSG_STOP_NONE || !tlsg_carrier_has_record(c))
		return TLSG_AGAIN;
	if(tlsg_carrier_left(c) < before)
		return TLSG_OK;
	if(stuck)
		return tlsg_err_set(err, TLSG_E_INTERNAL, "the session makes no progress");
	c->stuck = true; /* it may have used what it had taken before */
	return TLSG_OK;
}
