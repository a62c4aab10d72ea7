/*
 * tls_gnutls - outgoing connections: which server name is sent, which profile is used, whether one is reused
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process that opens a connection.  Memory: pkg (this process).  Lock: none.
 */
#include "base/host.h"

#include "core/script_cb.h"
#include "core/tcp_conn.h"
#include "core/xavp.h"

#include "gnutls_mod/mod_outgoing.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_tcp.h"
#include "profiles/verify/name.h"
#include "transport/conn.h"

static str connect_id; /* [pkg] set by the script for the next connection */

int tlsg_outgoing_set_server_id(const str *id)
{
	char *copy = NULL;

	if(id != NULL && id->len > 0) {
		copy = pkg_malloc((size_t)id->len + 1);
		if(copy == NULL) {
			PKG_MEM_ERROR;
			return -1;
		}
		memcpy(copy, id->s, (size_t)id->len);
		copy[id->len] = '\0';
	}
	if(connect_id.s != NULL)
		pkg_free(connect_id.s);
	connect_id.s = copy;
	connect_id.len = copy != NULL ? id->len : 0;
	return 0;
}

/* The script of a message has ended: an id that it set and did not use must not reach the connection of another. */
static int forget_cb(struct sip_msg *msg, unsigned flags, void *param)
{
	(void)msg;
	(void)flags;
	(void)param;
	if(connect_id.s != NULL)
		tlsg_outgoing_names_done();
	return 1;
}

int tlsg_outgoing_init(void)
{
	return register_script_cb(forget_cb, POST_SCRIPT_CB | REQUEST_CB | FAILURE_CB | ONREPLY_CB, NULL);
}

void tlsg_outgoing_names_done(void)
{
	(void)tlsg_outgoing_set_server_id(NULL);
}

/*
 * Looks in all xavps of the name, newest first: $xavp(tls=>a)=..., $xavp(tls=>b)=... makes two of them.
 * @return the first value of the name; empty: not set, or not a string.
 */
static str xavp_string(const char *name)
{
	str root = tlsg_params_private()->xavp_cfg;
	str key = {(char *)name, (int)strlen(name)};
	str none = {NULL, 0};
	sr_xavp_t *v = NULL;
	sr_xavp_t *x;

	if(root.len <= 0)
		return none;
	for(x = xavp_get(&root, NULL); x != NULL && v == NULL; x = xavp_get_next(x))
		if(x->val.type == SR_XTYPE_XAVP && x->val.v.xavp != NULL)
			v = xavp_get(&key, x->val.v.xavp);
	return v != NULL && v->val.type == SR_XTYPE_STR && v->val.v.s.len > 0 ? v->val.v.s : none;
}

/* What is sent of a name: a host name without the dot at its end, RFC 6066 section 3; nothing of an address. */
static str sni_of(str name)
{
	char normal[TLSG_NAME_MAX + 1];
	str none = {NULL, 0};

	if(name.s == NULL || !tlsg_name_normalise(&name, normal))
		return none;
	if(name.s[name.len - 1] == '.')
		name.len--;
	return name;
}

/*
 * The name of the destination that a profile has. The default profile is for all destinations: its server_name is often
 * our own domain.
 */
static str name_of_destination(const struct tlsg_prof *p)
{
	str none = {NULL, 0};

	return p->kind != TLSG_PROF_DEFAULT ? p->s.server_name : none;
}

/* Logs which names the script has set, in the lines that tls.so writes. */
static void log_names(const str *name, const str *id)
{
	if(id->len > 0)
		LM_DBG("found xavp with outbound server id: %.*s\n", id->len, id->s);
	else if(connect_id.len > 0)
		LM_DBG("found global outbound server id: %.*s\n", connect_id.len, connect_id.s);
	else
		LM_DBG("xavp with outbound server id not found, outbound server id not set\n");
	if(name->len > 0)
		LM_DBG("found xavp with outbound server name: %.*s\n", name->len, name->s);
	else
		LM_DBG("xavp with outbound server name not found\n");
}

void tlsg_outgoing_names(const struct tcp_connection *c, struct tlsg_conn_params *p)
{
	str name = xavp_string("server_name");
	str id = xavp_string("server_id");

	if(c != NULL)
		log_names(&name, &id);
#if VERSIONVAL >= 6001000
	if(c != NULL && name.len <= 0)
		name = c->cinfo.server_name;
	if(c != NULL && id.len <= 0)
		id = c->cinfo.server_id;
#else
	(void)c;
#endif
	if(id.len <= 0)
		id = connect_id;
	p->query.server_name = name;
	p->query.server_id = id;
	if(name.len <= 0 && tlsg_params_private()->outgoing_sni)
		name = name_of_destination(tlsg_match_find(p->set, &p->query));
	p->sni = sni_of(name);
}

#if VERSIONVAL >= 6001000
static bool is_same_name(const char *a, const str *b)
{
	if(a == NULL || b->len <= 0)
		return a == NULL && b->len <= 0;
	return strlen(a) == (size_t)b->len && strncasecmp(a, b->s, (size_t)b->len) == 0;
}

/*
 * Whether a connection has a profile. Ids are for messages: two sections [client:any] with different server_id may have
 * the same one. The same section read again by tls.reload counts as the same.
 */
static bool is_same_profile(const struct tlsg_conn_status *s, const char *id, const char *chosen_by)
{
	return strcmp(s->profile, id) == 0
		   && strcmp(s->server_id != NULL ? s->server_id : "", chosen_by != NULL ? chosen_by : "") == 0;
}

int tlsg_outgoing_is_same(const struct tcp_connection *c)
{
	struct tlsg_conn *conn = tlsg_tcp_conn(c);
	struct tlsg_conn_params p = {0};
	struct tlsg_conn_status s;
	int same;

	if(conn == NULL)
		return 1;
	p.set = tlsg_set_get();
	if(p.set == NULL)
		return 1;
	p.query.role = TLSG_CLIENT;
	p.query.port = c->rcv.dst_port;
	tlsg_tcp_addr_copy(&p.query.addr, &c->rcv.dst_ip);
	tlsg_outgoing_names(NULL, &p);
	tlsg_conn_status_get(conn, &s);
	if(tlsg_conn_role(conn) == TLSG_SERVER) /* we sent no server name on an accepted connection */
		same = p.query.server_name.len <= 0 && p.query.server_id.len <= 0;
	else {
		const struct tlsg_prof *prof = tlsg_match_find(p.set, &p.query);

		same = is_same_profile(&s, prof->id.s, prof->s.server_id.s) && is_same_name(s.sni, &p.sni);
	}
	tlsg_set_put(p.set);
	return same;
}

int tlsg_outgoing_is_same_pair(const struct tcp_connection *a, const struct tcp_connection *b)
{
	struct tlsg_conn *conn_a = tlsg_tcp_conn(a);
	struct tlsg_conn *conn_b = tlsg_tcp_conn(b);
	struct tlsg_conn_status sa;
	struct tlsg_conn_status sb;
	str name;

	if(conn_a == NULL || conn_b == NULL)
		return 1;
	tlsg_conn_status_get(conn_a, &sa);
	tlsg_conn_status_get(conn_b, &sb);
	name.s = (char *)sb.sni;
	name.len = sb.sni != NULL ? (int)strlen(sb.sni) : 0;
	return is_same_profile(&sa, sb.profile, sb.server_id) && is_same_name(sa.sni, &name);
}
#endif
