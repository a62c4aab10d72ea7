/*
 * tls_gnutls - replies without a transaction to clients that use DTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that receives SIP.  Memory: none.  Lock: none.
 */
#include "gnutls_mod/mod_dtls_reply.h"

#include <stdbool.h>

#include "core/parser/msg_parser.h"
#include "core/resolve.h"
#include "core/ut.h"

#include "gnutls_mod/mod_dtls_listen.h"
#include "gnutls_mod/mod_dtls_step.h"

/*
 * Where the core sends the reply. @return false: Via has a name, which the core looks up. A client whose Via does not
 * have its address has got `received`.
 */
static bool destination(const struct via_body *via, struct ip_addr *ip, unsigned short *port)
{
	const struct via_param *rport = via->rport;
	str name = via->received != NULL ? via->received->value : via->host;
	int is_wrong = 0;

	*port = 0;
	if(rport != NULL && rport->value.s != NULL)
		*port = str2s(rport->value.s, (unsigned)rport->value.len, &is_wrong);
	if(*port == 0 || is_wrong)
		*port = via->port != 0 ? (unsigned short)via->port : SIP_PORT;
	return name.s != NULL && str2ipxbuf(&name, ip) >= 0;
}

int tlsg_dtls_reply_route(struct sip_msg *msg)
{
	struct tlsg_assoc_key key;
	struct tlsg_assoc *a;
	struct ip_addr ip;
	unsigned short port;
	unsigned i;

	if(tlsg_dtls_listen_count() == 0 || msg->force_send_socket != NULL || parse_headers(msg, HDR_VIA2_F, 0) == -1
			|| msg->via2 == NULL || msg->via2->error != PARSE_OK || msg->via2->proto != PROTO_UDP
			|| !destination(msg->via2, &ip, &port))
		return 1;
	for(i = 0; i < tlsg_dtls_listen_count(); i++) {
		if(!tlsg_dtls_step_key(&key, (int)i, &ip, port))
			return 1;
		a = tlsg_assoc_find(&key);
		if(a == NULL)
			continue;
		tlsg_assoc_put(a);
		set_force_socket(msg, tlsg_dtls_listen_socket((int)i));
		return 1;
	}
	return 1;
}
