/*
 * tls_gnutls - turns the settings of a snapshot into what sessions use, or says what is wrong
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot (start-up, or the RPC process that reloads).
 * Memory: the snapshot's arena (shm).  Lock: none.
 */
#include "profiles/build.h"

#include <arpa/inet.h>

#include "base/arena.h"
#include "base/scope.h"
#include "profiles/load_key.h"
#include "profiles/load_pair.h"
#include "profiles/match.h"
#include "profiles/pair_issuer.h"
#include "profiles/priority.h"
#include "profiles/set.h"
#include "profiles/ticket.h"
#include "profiles/load_token.h"
#include "profiles/load_trust.h"
#include "profiles/value.h"

/* The first line that applies decides, as in `tls`. */
static void set_verify_mode(struct tlsg_prof *p)
{
	const struct tlsg_prof_settings *s = &p->s;

	p->verify_no_ca = s->verify_client == TLSG_VERIFY_CLIENT_OPTIONAL_NO_CA;
	if(s->require_certificate > 0 || s->verify_client == TLSG_VERIFY_CLIENT_ON)
		p->verify_mode = TLSG_VERIFY_PEER_FAIL;
	else if(s->verify_certificate > 0 || s->verify_client > TLSG_VERIFY_CLIENT_ON)
		p->verify_mode = TLSG_VERIFY_PEER;
	else
		p->verify_mode = TLSG_VERIFY_NONE;
}

static void log_verify_mode(const struct tlsg_prof *p)
{
	static const char *const lines[TLSG_ROLES][3] = {
			[TLSG_SERVER] = {[TLSG_VERIFY_NONE] = "No client certificate required and no checks performed",
					[TLSG_VERIFY_PEER] = "IF client provides certificate then it MUST be valid",
					[TLSG_VERIFY_PEER_FAIL] = "Client MUST present valid certificate"},
			[TLSG_CLIENT] = {[TLSG_VERIFY_NONE] = "Server MAY present invalid certificate",
					[TLSG_VERIFY_PEER] = "Server MUST present valid certificate",
					[TLSG_VERIFY_PEER_FAIL] = "Server MUST present valid certificate"},
	};

	LM_INFO("%.*s: %s\n", p->id.len, p->id.s, lines[p->role][p->verify_mode]);
	if(p->role == TLSG_CLIENT && p->s.verify_name > 0 && (p->verify_mode == TLSG_VERIFY_NONE || p->verify_no_ca))
		LM_WARN("%.*s: verify_name is set, but no certificate is refused: set verify_certificate too\n", p->id.len,
				p->id.s);
}

/* Tells of what is configured and cannot work, or not as written. */
static void warn_verify(const struct tlsg_prof *p)
{
	const struct tlsg_trust *t = p->trust;

	if(p->verify_mode == TLSG_VERIFY_NONE)
		return;
	if(p->role == TLSG_SERVER && t->names_bytes > TLSG_TRUST_NAMES_MAX)
		LM_WARN("%.*s: the names of the CAs in ca_list have %zu bytes, more than %d: none is announced to clients; "
				"move CAs to ca_path, which is not announced\n",
				p->id.len, p->id.s, t->names_bytes, TLSG_TRUST_NAMES_MAX);
	if(t->cas_len > 0 || p->verify_no_ca)
		return;
	if(p->role == TLSG_CLIENT)
		LM_WARN("%.*s: every outgoing connection will be refused: servers are verified, and there is no CA to verify "
				"them with; set ca_list, for example to /etc/ssl/certs/ca-certificates.crt, or verify_certificate and "
				"require_certificate to no\n",
				p->id.len, p->id.s);
	else
		LM_WARN("%.*s: every client certificate will be refused: there is no CA to verify it with; set ca_list\n",
				p->id.len, p->id.s);
}

/* A name that GnuTLS refuses is a mistake, or asks for more than it can do: the section is found by address alone. */
static void check_server_name(const struct tlsg_prof *p)
{
	const str *name = &p->s.server_name;

	if(p->role == TLSG_SERVER && name->len > 0 && !tlsg_match_is_askable(name))
		LM_WARN("%.*s: no client can ask for the server_name \"%.*s\": GnuTLS takes only letters, digits, '-' and '.' "
				"in a "
				"name; write names of other scripts as A-labels (xn--...), and server_name_mode for wildcards\n",
				p->id.len, p->id.s, name->len, name->s);
}

/* How tls.so of the same Kamailio writes that a profile is for every address. */
#if VERSIONVAL >= 5008003 || (VERSIONVAL >= 5007006 && VERSIONVAL < 5008000)
#define ANY_ADDRESS "0.0.0.0"
#else
#define ANY_ADDRESS ""
#endif

/* Logs what a profile has, in the lines that tls.so writes. */
static void log_built(const struct tlsg_prof *p)
{
	const struct tlsg_prof_settings *s = &p->s;
	str any = str_init("<default>");
	const str *name = p->kind == TLSG_PROF_DEFAULT ? &any : &s->server_name; /* the default serves every name */
	char addr[INET6_ADDRSTRLEN] = ANY_ADDRESS;

	if(p->role == TLSG_SERVER && (s->server_name.len > 0 || p->kind == TLSG_PROF_DEFAULT)) {
		if(p->addr.len > 0)
			inet_ntop(p->addr.len == sizeof(struct in_addr) ? AF_INET : AF_INET6, p->addr.bytes, addr, sizeof(addr));
		LM_NOTICE("registered server_name callback handler for socket [%s:%u], server_name='%.*s' ...\n", addr, p->port,
				name->len, name->s);
	}
	if(tlsg_value_is_set(&s->crl))
		LM_INFO("%s: Certificate revocation lists will be checked (%.*s)\n", p->id.s, s->crl.len, s->crl.s);
	else
		LM_DBG("%s: No CRL configured\n", p->id.s);
	if(!tlsg_value_is_set(&s->ca_list))
		LM_DBG("%s: No CA list configured\n", p->id.s);
	if(!tlsg_value_is_set(&s->certificate))
		LM_DBG("%s: No certificate configured\n", p->id.s);
	if(tlsg_value_is_set(&s->private_key))
		LM_DBG("%s: Key '%.*s' successfully loaded\n", p->id.s, s->private_key.len, s->private_key.s);
	else
		LM_DBG("%s: No private key specified\n", p->id.s);
}

static enum tlsg_ret compile(struct tlsg_prof *p, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	set_verify_mode(p);
	ret = tlsg_priority_compile(p, err);
	if(ret == TLSG_OK)
		ret = tlsg_load_trust(p->set, &p->s, &p->trust, err);
	if(ret == TLSG_OK)
		ret = tlsg_load_pair(p, err);
	if(ret == TLSG_OK)
		ret = tlsg_priority_fit_keys(p, err);
	if(ret != TLSG_OK)
		return ret;
	log_verify_mode(p);
	log_built(p);
	check_server_name(p);
	warn_verify(p);
	return tlsg_ticket_context(p);
}

enum tlsg_ret tlsg_build_prof(struct tlsg_prof *p, const struct tlsg_prof_settings *defaults, struct tlsg_err *err)
{
	bool first = p->id.s == NULL;
	enum tlsg_ret ret = tlsg_prof_complete(p, defaults, err);

	if(ret == TLSG_OK)
		ret = tlsg_load_token_settings(p, err);
	if(ret == TLSG_OK && first)
		tlsg_prof_log(p);
	return ret;
}

static enum tlsg_ret build_one(struct tlsg_prof *p, struct tlsg_err *err)
{
	enum tlsg_ret ret = tlsg_build_prof(p, tlsg_prof_defaults(p->role), err);
	struct tlsg_err cause;

	if(ret != TLSG_OK)
		return ret;
	tlsg_err_clear(&cause);
	ret = compile(p, &cause);
	if(ret == TLSG_OK)
		return TLSG_OK;
	/* every sentence begins with the profile */
	if(strncmp(cause.text, p->id.s, (size_t)p->id.len) == 0)
		return tlsg_err_set(err, ret, "%s", cause.text);
	return tlsg_err_set(err, ret, "%.*s: %.480s", p->id.len, p->id.s, cause.text);
}

static enum tlsg_ret build_list(struct tlsg_prof *p, struct tlsg_err *err)
{
	enum tlsg_ret ret = TLSG_OK;

	for(; p != NULL && ret == TLSG_OK; p = p->next)
		ret = build_one(p, err);
	return ret;
}

/* All keys are loaded. */
static void passwords_wipe(struct tlsg_set *set)
{
	struct tlsg_prof *p;
	int role;

	tlsg_load_key_passwords_forget(set);
	tlsg_load_token_pins_forget(set);
	for(role = 0; role < TLSG_ROLES; role++) {
		if(set->defaults[role] != NULL)
			tlsg_prof_passwords_wipe(set->defaults[role]);
		for(p = set->list[role]; p != NULL; p = p->next)
			tlsg_prof_passwords_wipe(p);
	}
}

enum tlsg_ret tlsg_build_set(struct tlsg_set *set, struct tlsg_err *err)
{
	enum tlsg_ret ret = TLSG_OK;
	int role;

	for(role = 0; role < TLSG_ROLES; role++)
		if(set->defaults[role] == NULL && tlsg_prof_add(set, (enum tlsg_role)role, TLSG_PROF_DEFAULT, NULL, 0) == NULL)
			return tlsg_err_no_shm(err, "profiles", sizeof(struct tlsg_prof));
	for(role = 0; role < TLSG_ROLES && ret == TLSG_OK; role++)
		ret = build_one(set->defaults[role], err);
	for(role = 0; role < TLSG_ROLES && ret == TLSG_OK; role++)
		ret = build_list(set->list[role], err);
	if(ret == TLSG_OK)
		tlsg_pair_issuer_tell(set);
	passwords_wipe(set);
	tlsg_arena_trim(set->arena);
	return ret;
}
