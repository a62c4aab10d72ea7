/*
 * tls_gnutls - arguments of commands that select connections: limit=, after=, ip=, sni=, state=, older-than=
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: the caller's.  Lock: none; that of a connection is held when it is compared.
 */
#include "rpc/rpc_filter.h"

#include <limits.h>
#include <strings.h>

#include "core/resolve.h"

#include "base/host.h"
#include "transport/conn.h"

#define FAULT 400
#define STATE_NONE "pre-init"
#define SNI_NONE "N/A"

static const char *const states[] = {
		STATE_NONE, "none/init", "tls_accept", "tls_connect", "established", "unknown/error"};

bool tlsg_rpc_filter_number(const str *text, int *number)
{
	long long n = 0;
	int i;

	for(i = 0; i < text->len; i++) {
		if(text->s[i] < '0' || text->s[i] > '9')
			return false;
		n = n * 10 + (text->s[i] - '0');
		if(n > INT_MAX)
			return false;
	}
	*number = (int)n;
	return n > 0;
}

static bool read_limit(struct tlsg_rpc_filter *f, str *value)
{
	int n = 0;
	bool good = tlsg_rpc_filter_number(value, &n);

	f->limit = (unsigned)n;
	return good;
}

static bool read_after(struct tlsg_rpc_filter *f, str *value)
{
	return tlsg_rpc_filter_number(value, &f->after);
}

static bool read_ip(struct tlsg_rpc_filter *f, str *value)
{
	const struct ip_addr *ip = str2ip(value);

	if(ip == NULL)
		ip = str2ip6(value);
	if(ip == NULL)
		return false;
	f->ip = *ip;
	return true;
}

static bool read_sni(struct tlsg_rpc_filter *f, str *value)
{
	f->sni = *value;
	return value->len > 0;
}

static bool read_state(struct tlsg_rpc_filter *f, str *value)
{
	size_t i;

	for(i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if(strlen(states[i]) == (size_t)value->len && memcmp(states[i], value->s, (size_t)value->len) == 0)
			f->state = states[i];
	return f->state != NULL;
}

static bool read_older(struct tlsg_rpc_filter *f, str *value)
{
	return tlsg_rpc_filter_number(value, &f->older_s);
}

static const struct
{
	const char *name;
	bool (*read)(struct tlsg_rpc_filter *f, str *value);
	bool selects;
	const char *fault;
} arguments[] = {
		{"limit", read_limit, false, "limit: a positive number expected"},
		{"after", read_after, false, "after: the id of a connection expected"},
		{"ip", read_ip, true, "ip: an IPv4 or IPv6 address expected"},
		{"sni", read_sni, true, "sni: a server name expected, or N/A"},
		{"state", read_state, true,
				"state: pre-init, none/init, tls_accept, tls_connect, established or unknown/error expected"},
		{"older-than", read_older, true, "older-than: a positive number of seconds expected"},
};

/* Reads NAME=VALUE. @return NULL; text of the fault. */
static const char *argument_read(struct tlsg_rpc_filter *f, const str *text, const char *equals)
{
	size_t len = (size_t)(equals - text->s);
	str value = {(char *)equals + 1, text->len - (int)len - 1};
	size_t i;

	for(i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		if(strlen(arguments[i].name) != len || strncasecmp(arguments[i].name, text->s, len) != 0)
			continue;
		if(f->given & 1u << i)
			return "The same argument twice";
		f->given |= 1u << i;
		f->selects = f->selects || arguments[i].selects;
		return arguments[i].read(f, &value) ? NULL : arguments[i].fault;
	}
	return "Unknown argument (known: limit=, after=, ip=, sni=, state=, older-than=)";
}

bool tlsg_rpc_filter_read(rpc_t *rpc, void *ctx, struct tlsg_rpc_filter *f, str first, enum tlsg_rpc_filter_words words)
{
	const char *fault = NULL;
	str text = first;

	memset(f, 0, sizeof(*f));
	f->now = time(NULL);
	while(fault == NULL && (text.s != NULL || rpc->scan(ctx, "*.S", &text) == 1)) {
		const char *equals = text.s != NULL && text.len > 0 ? memchr(text.s, '=', (size_t)text.len) : NULL;

		if(equals != NULL)
			fault = argument_read(f, &text, equals);
		else if(words == TLSG_RPC_WORDS_REFUSED)
			fault = "NAME=VALUE expected (names: limit, after, ip, sni, state, older-than)";
		text = (str){NULL, 0};
	}
	if(fault != NULL)
		rpc->fault(ctx, FAULT, "%s", fault);
	return fault == NULL;
}

static bool sni_matches(const struct tlsg_rpc_filter *f, const char *sni)
{
	if(sni == NULL || sni[0] == '\0')
		sni = SNI_NONE;
	return strlen(sni) == (size_t)f->sni.len && strncasecmp(sni, f->sni.s, (size_t)f->sni.len) == 0;
}

bool tlsg_rpc_filter_matches(
		const struct tlsg_rpc_filter *f, const struct receive_info *ends, const struct tlsg_conn *conn)
{
	struct tlsg_conn_status s = {.state = STATE_NONE};
	struct ip_addr from = ends->src_ip; /* ip_addr_cmp() of older cores takes no const */
	struct ip_addr ip = f->ip;

	if(!f->selects)
		return true;
	if(conn != NULL)
		tlsg_conn_status_get(conn, &s);
	if(ip.len != 0 && !ip_addr_cmp(&ip, &from))
		return false;
	if(f->sni.s != NULL && !sni_matches(f, s.sni))
		return false;
	if(f->state != NULL && strcmp(f->state, s.state) != 0)
		return false;
	return f->older_s == 0 || (conn != NULL && s.created + f->older_s <= f->now);
}
