/*
 * tls_gnutls - event routes: script code for outgoing connections and for certificates that expire
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the TCP reader that finishes the handshake; the core's timer process.  Memory: pkg.  Lock: none may be held.
 */
#include "gnutls_mod/mod_events.h"

#include "base/host.h"

#include "core/action.h"
#include "core/fmsg.h"
#include "core/forward.h"
#include "core/kemi.h"
#include "core/onsend.h"
#include "core/route.h"
#include "core/script_cb.h"

#include "gnutls_mod/mod_params.h"

static int route_out = -1;
static int route_expiring = -1;
static bool has_callback; /* event_callback is set, and a script engine runs the configuration */
static struct tcp_connection *current;

/* @return index of an event route that has a body; -1: there is none. */
static int find_route(const char *name)
{
	int i = route_lookup(&event_rt, (char *)name);

	return i >= 0 && event_rt.rlist[i] != NULL ? i : -1;
}

void tlsg_events_init(void)
{
	str callback = tlsg_params_private()->event_callback;

	route_expiring = find_route("tls:certificate-expiring");
	if(callback.len > 0) /* cfgengine has been parsed */
		has_callback = sr_kemi_eng_get() != NULL;
	else
		route_out = find_route("tls:connection-out");
	if(callback.len > 0 && !has_callback)
		LM_WARN("event_callback: \"%.*s\" is never called and the event route is not run: cfgengine names no script "
				"engine; remove event_callback\n",
				callback.len, callback.s);
	if(tlsg_events_has_out())
		forward_set_send_info(1);
}

bool tlsg_events_has_out(void)
{
	return route_out >= 0 || has_callback;
}

struct tcp_connection *tlsg_events_connection(void)
{
	return current;
}

/* @return TLSG_OK; TLSG_E_CONFIG: the callback failed; it might have dropped the connection, so that is closed. */
static enum tlsg_ret run(sip_msg_t *msg, struct run_act_ctx *ctx, struct tlsg_err *err)
{
	str callback = tlsg_params_private()->event_callback;
	str event = str_init("tls:connection-out");

	if(route_out >= 0) {
		run_top_route(event_rt.rlist[route_out], msg, ctx);
		return TLSG_OK;
	}
	if(sr_kemi_ctx_route(sr_kemi_eng_get(), ctx, msg, EVENT_ROUTE, &callback, &event) < 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "event_callback: \"%.*s\" failed, the connection is closed",
				callback.len, callback.s);
	return TLSG_OK;
}

/* What $sndfrom(...) and $sndto(...) show. */
struct destination
{
	onsend_info_t info;
	dest_info_t dst;
	struct socket_info local; /* stands for the listen socket if the connection has none */
	char local_ip[IP_ADDR_MAX_STR_SIZE + 1];
};

/* Describes a connection as the core describes a message that it sends. Nothing is sent yet: the buffer is empty. */
static void destination_init(struct destination *d, struct tcp_connection *c, sip_msg_t *msg)
{
	memset(d, 0, sizeof(*d));
	init_dst_from_rcv(&d->dst, &c->rcv);
	if(d->dst.send_sock == NULL) { /* no socket listens for TLS */
		d->local.proto = PROTO_TLS;
		d->local.address = c->rcv.dst_ip;
		d->local.port_no = c->rcv.dst_port;
		d->local.address_str.s = d->local_ip;
		d->local.address_str.len = ip_addr2sbuf(&c->rcv.dst_ip, d->local_ip, IP_ADDR_MAX_STR_SIZE);
		d->dst.send_sock = &d->local;
	}
	d->info.dst = &d->dst;
	d->info.to = &d->dst.to;
	d->info.send_sock = d->dst.send_sock;
	d->info.buf = "";
	d->info.msg = msg;
}

enum tlsg_ret tlsg_events_run_out(struct tcp_connection *c, struct tlsg_err *err)
{
	struct run_act_ctx ctx;
	struct destination d;
	onsend_info_t *outer = p_onsend;
	int backup = get_route_type();
	sip_msg_t *msg;
	enum tlsg_ret ret;

	if(faked_msg_init() < 0)
		return tlsg_err_set(err, TLSG_E_RESOURCE,
				"event_route[tls:connection-out]: cannot create a message for it, the connection is closed");
	msg = faked_msg_next();
	init_run_actions_ctx(&ctx);
	set_route_type(LOCAL_ROUTE);
	destination_init(&d, c, msg);
	p_onsend = &d.info;
	current = c;
	ret = run(msg, &ctx, err);
	current = NULL;
	p_onsend = outer;
	set_route_type(backup);
	return ret == TLSG_OK && (ctx.run_flags & DROP_R_F) != 0 ? TLSG_EOF : ret;
}

const char *tlsg_events_out_name(void)
{
	return route_out >= 0 ? "event_route[tls:connection-out]" : "the function that event_callback names";
}

bool tlsg_events_has_expiring(void)
{
	return route_expiring >= 0;
}

void tlsg_events_run_expiring(void)
{
	struct run_act_ctx ctx;
	int backup = get_route_type();

	if(faked_msg_init() < 0) {
		LM_ERR("event_route[tls:certificate-expiring]: cannot create a message for it, it is not run\n");
		return;
	}
	init_run_actions_ctx(&ctx);
	set_route_type(LOCAL_ROUTE);
	run_top_route(event_rt.rlist[route_expiring], faked_msg_next(), &ctx);
	set_route_type(backup);
}
