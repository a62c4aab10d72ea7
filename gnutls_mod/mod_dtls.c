/*
 * tls_gnutls - DTLS: the parameter that turns it on, the core's events, start-up and shutdown
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant; events in any process that receives or sends SIP.  Memory: shm, made before the forks.
 * Lock: none here.
 */
#include "gnutls_mod/mod_dtls.h"

#include "core/events.h"
#include "core/forward.h"
#include "core/globals.h"

#include "base/host.h"
#include "base/plural.h"
#include "base/version.h"
#include "gnutls_mod/mod_dtls_guard.h"
#include "gnutls_mod/mod_dtls_in.h"
#include "gnutls_mod/mod_dtls_listen.h"
#include "gnutls_mod/mod_dtls_out.h"
#include "gnutls_mod/mod_dtls_step.h"
#include "gnutls_mod/mod_dtls_timer.h"
#include "gnutls_mod/mod_params.h"
#include "transport/assoc.h"
#include "transport/dgram_probe.h"
#include "transport/cookie.h"

static bool is_ready; /* tlsg_dtls_init() succeeded */

/* SREV_NET_DGRAM_IN. @return 0: the core goes on with the datagram; -1: it is done with. */
static int received_cb(sr_event_param_t *evp)
{
	void **data = evp->data; /* buffer, unsigned length, receive info: core/udp_server.c */
	struct receive_info *rcv = data[2];
	int socket = tlsg_dtls_listen_find(rcv->bind_address);

	if(socket < 0)
		return 0;
	if(!is_ready)
		return -1;
	return tlsg_dtls_in_datagram(socket, data[0], data[1], rcv) ? 0 : -1;
}

/* SREV_NET_DATA_OUT. The socket is the one that msg_send_buffer() chooses after the event. */
static int sending_cb(sr_event_param_t *evp)
{
	str *text = evp->data;
	struct dest_info dst;

	if(evp->dst == NULL || evp->dst->proto != PROTO_UDP || text->s == NULL)
		return 0;
	dst = *evp->dst;
	if(dst.send_sock == NULL || (dst.send_sock->flags & SI_IS_MCAST))
		dst.send_sock = get_send_socket(NULL, &dst.to, PROTO_UDP);
	if(tlsg_dtls_listen_find(dst.send_sock) >= 0)
		tlsg_dtls_out_encrypt(text, &dst);
	return 0;
}

/* The core has one place for SREV_NET_DGRAM_IN, and calls the first one of SREV_NET_DATA_OUT last. */
static int register_events(void)
{
	if(sr_event_enabled(SREV_NET_DATA_OUT)) {
		LM_ERR("parameter \"dtls_listen\": another module takes outgoing messages already, it could send clear text: "
			   "put "
			   "this parameter before those of other modules\n");
		return -1;
	}
	if(sr_event_enabled(SREV_NET_DGRAM_IN) || sr_event_register_cb(SREV_NET_DGRAM_IN, received_cb) < 0) {
		LM_ERR("parameter \"dtls_listen\": another module takes datagrams already (sipcapture?); the core has room for "
			   "one\n");
		return -1;
	}
	if(sr_event_register_cb(SREV_NET_DATA_OUT, sending_cb) == 0 && sr_event_enabled(SREV_NET_DATA_OUT))
		return 0;
	LM_ERR("parameter \"dtls_listen\": the core does not call this module for outgoing messages\n");
	return -1;
}

void tlsg_dtls_prepare(void)
{
	tlsg_dtls_listen_prepare(register_events);
}

int tlsg_dtls_init(void)
{
	const char *faults;

	if(tlsg_dtls_listen_count() == 0)
		return 0;
	if(tlsg_dtls_listen_resolve() < 0 || tlsg_dtls_guard_init() < 0)
		return -1;
	if(tlsg_assoc_init(tlsg_params_associations(), tlsg_params_associations_per_address()) != TLSG_OK
			|| tlsg_cookie_global_init() != TLSG_OK) {
		LM_ERR("DTLS: out of shared memory at start: %lu bytes are not enough, raise -m\n",
				(unsigned long)shm_mem_size);
		return -1;
	}
	faults = tlsg_dgram_probe_faults();
	if(faults != NULL)
		LM_WARN("DTLS: GnuTLS %s has %s\n", tlsg_version_loaded(), faults);
	tlsg_dtls_timer_init();
	LM_NOTICE("DTLS is on for %u socket%s; it is experimental\n", tlsg_dtls_listen_count(),
			tlsg_plural_s(tlsg_dtls_listen_count()));
	is_ready = true;
	return 0;
}

int tlsg_dtls_child_init(int rank)
{
	return is_ready && rank == PROC_MAIN ? tlsg_dtls_timer_start() : 0;
}

/* The other processes have ended. What one of them had locked then is left out, as its session may be half changed. */
static void close_all(void)
{
	struct tlsg_assoc *found[TLSG_ASSOC_COLLECT_MAX];
	struct tlsg_dtls_step s;
	int after = 0;
	unsigned n;
	unsigned i;

	while((n = tlsg_assoc_collect_after(&after, found, TLSG_ASSOC_COLLECT_MAX)) > 0)
		for(i = 0; i < n; i++)
			if(tlsg_dtls_step_try(&s, found[i])) {
				tlsg_dtls_step_close(&s);
				tlsg_dtls_step_end(&s);
			}
}

void tlsg_dtls_deinit(void)
{
	if(is_ready)
		close_all();
	is_ready = false;
	tlsg_assoc_deinit();
	tlsg_cookie_global_deinit();
}
