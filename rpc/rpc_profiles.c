/*
 * tls_gnutls - RPC tls.profiles: each profile with its certificates and CRLs
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any RPC process.  Memory: heap of this process.  Lock: none; a reference on the snapshot is held.
 */
#include "rpc/rpc.h"

#include <stdio.h>
#include <time.h>

#include "core/ip_addr.h"

#include "profiles/key.h"
#include "profiles/key_use.h"
#include "profiles/cipher/method.h"
#include "profiles/priority.h"
#include "profiles/set.h"
#include "profiles/verify/trust.h"
#include "transport/cert_text.h"

#define TEXT_BYTES 2048
#define DAY_S 86400

/** A buffer for one text. */
struct text
{
	char s[TEXT_BYTES];
};

/** @return buffer over a text, without its last byte: that is for the terminating zero. */
static struct tlsg_buf text_buf(struct text *t)
{
	struct tlsg_buf b;

	tlsg_buf_init(&b, t->s, sizeof(t->s) - 1);
	return b;
}

/** Terminates the text; empty after an error. */
static char *text_end(struct text *t, const struct tlsg_buf *b, enum tlsg_ret ret)
{
	t->s[ret == TLSG_OK ? b->wr : 0] = '\0';
	return t->s;
}

/** @return whole days until a time, rounded down; negative: it has passed. */
static int days_left(time_t t)
{
	long seconds = (long)(t - time(NULL));

	return (int)(seconds >= 0 ? seconds / DAY_S : (seconds - DAY_S + 1) / DAY_S);
}

static void date_add(rpc_t *rpc, void *handle, const char *name, time_t t)
{
	struct text text;
	struct tlsg_buf b = text_buf(&text);
	enum tlsg_ret ret = tlsg_cert_text_date_format(t, &b);

	rpc->struct_add(handle, "s", name, text_end(&text, &b, ret));
}

/** Adds names and serial number of a certificate. */
static void names_add(rpc_t *rpc, void *handle, const struct tlsg_pair *pair)
{
	struct tlsg_der der = {pair->chain[0].cert.data, pair->chain[0].cert.size};
	struct tlsg_cert *c = tlsg_cert_text_new(&der);
	struct text text;
	struct tlsg_buf b;
	enum tlsg_ret ret;

	if(c == NULL)
		return;
	b = text_buf(&text);
	ret = tlsg_cert_text_line(c, TLSG_CERT_SUBJECT, &b);
	rpc->struct_add(handle, "s", "subject", text_end(&text, &b, ret));
	b = text_buf(&text);
	ret = tlsg_cert_text_line(c, TLSG_CERT_ISSUER, &b);
	rpc->struct_add(handle, "s", "issuer", text_end(&text, &b, ret));
	b = text_buf(&text);
	ret = tlsg_cert_text_serial(c, &b);
	rpc->struct_add(handle, "s", "serial", text_end(&text, &b, ret));
	tlsg_cert_text_free(c);
}

static void pair_add(rpc_t *rpc, void *array, const struct tlsg_pair *pair)
{
	str source = pair->source;
	str key_source = pair->key->source;
	void *handle;

	if(pair->chain_len == 0 || rpc->array_add(array, "{", &handle) < 0)
		return;
	names_add(rpc, handle, pair);
	date_add(rpc, handle, "not_before", pair->not_before);
	date_add(rpc, handle, "not_after", pair->not_after);
	rpc->struct_add(handle, "SS", "source", &source, "key_source", &key_source);
	rpc->struct_add(handle, "dsdddd", "days_left", days_left(pair->not_after), "key", tlsg_prof_pair_algorithm(pair),
			"key_bits", (int)pair->bits, "chain_length", (int)pair->chain_len, "chain_from_cas",
			(int)(pair->chain_len - pair->own_len), "key_failures", (int)tlsg_key_use_failures(pair->key));
}

static void pairs_add(rpc_t *rpc, void *handle, const struct tlsg_prof *p)
{
	void *array;
	unsigned i;

	if(rpc->struct_add(handle, "[", "certificates", &array) < 0)
		return;
	for(i = 0; i < p->pairs_len; i++)
		pair_add(rpc, array, &p->pairs[i]);
}

/** Adds the groups that the profile offers, in their order. */
static void groups_add(rpc_t *rpc, void *handle, const struct tlsg_priority *priority)
{
	const char *name;
	void *array;
	unsigned i;

	if(priority == NULL || rpc->struct_add(handle, "[", "groups", &array) < 0)
		return;
	for(i = 0; (name = tlsg_priority_group(priority, i)) != NULL; i++)
		rpc->array_add(array, "s", name);
}

static void trust_add(rpc_t *rpc, void *handle, const struct tlsg_trust *t)
{
	bool dated = t != NULL && t->crls_len > 0 && t->crl_next_update != 0;

	rpc->struct_add(
			handle, "dd", "ca_certificates", t != NULL ? (int)t->cas_len : 0, "crls", t != NULL ? (int)t->crls_len : 0);
	if(!dated)
		return;
	date_add(rpc, handle, "crl_next_update", t->crl_next_update);
	rpc->struct_add(handle, "d", "crl_days_left", days_left(t->crl_next_update));
}

static const char *verify_name(const struct tlsg_prof *p)
{
	if(p->verify_no_ca)
		return "optional_no_ca";
	switch(p->verify_mode) {
		case TLSG_VERIFY_PEER:
			return "verify";
		case TLSG_VERIFY_PEER_FAIL:
			return "require";
		default:
			return "off";
	}
}

/** @return address and port that select a profile. */
static const char *address_format(const struct tlsg_prof *p, struct text *text)
{
	char address[IP_ADDR_MAX_STRZ_SIZE + 1];
	struct ip_addr ip = {0};

	if(p->kind != TLSG_PROF_ADDR)
		return p->kind == TLSG_PROF_ANY ? "any" : "default";
	ip.len = p->addr.len;
	ip.af = ip.len == 4 ? AF_INET : AF_INET6;
	memcpy(ip.u.addr, p->addr.bytes, ip.len);
	address[ip_addr2sbufz(&ip, address, sizeof(address))] = '\0';
	snprintf(text->s, sizeof(text->s), "%s:%d", address, p->port);
	return text->s;
}

static void prof_add(rpc_t *rpc, void *ctx, const struct tlsg_prof *p)
{
	const struct tlsg_method *method = tlsg_method_by_id(p->s.method);
	const struct tlsg_priority *priority = p->priority;
	struct text text;
	void *handle;
	str id = p->id;
	str server_name = p->s.server_name;
	str number = p->s.server_id;

	if(rpc->add(ctx, "{", &handle) < 0)
		return;
	rpc->struct_add(handle, "SssSS", "id", &id, "role", p->role == TLSG_SERVER ? "server" : "client", "address",
			address_format(p, &text), "server_name", &server_name, "server_id", &number);
	rpc->struct_add(handle, "sds", "method", method != NULL ? method->token : "unknown", "suites",
			priority != NULL ? (int)priority->list.suites_len : 0, "verify", verify_name(p));
	groups_add(rpc, handle, priority);
	pairs_add(rpc, handle, p);
	trust_add(rpc, handle, p->trust);
}

void tlsg_rpc_profiles(rpc_t *rpc, void *ctx)
{
	struct tlsg_set *set = tlsg_set_get();
	const struct tlsg_prof *p;
	int role;

	if(set == NULL)
		return;
	for(role = 0; role < TLSG_ROLES; role++) {
		for(p = set->list[role]; p != NULL; p = p->next)
			prof_add(rpc, ctx, p);
		if(set->defaults[role] != NULL)
			prof_add(rpc, ctx, set->defaults[role]);
	}
	tlsg_set_put(set);
}
