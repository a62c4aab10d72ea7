/*
 * tls_gnutls - pseudo-variables
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: see mod_view.h.
 */
#include "gnutls_mod/mod_vars.h"

#include "core/pvapi.h"

#include "gnutls_mod/mod_answer.h"

/* A query packed into a number, since the definition of a variable can hold only that. */
#define ITEM_BITS 8
#define OWN_BIT (1 << ITEM_BITS)
#define ISSUER_BIT (1 << (ITEM_BITS + 1))
#define PART_SHIFT (ITEM_BITS + 2)

#define PEER(item) (TLSG_ANSWER_##item)
#define MY(item) (TLSG_ANSWER_##item | OWN_BIT)
#define PART(n) ((n) << PART_SHIFT)
#define ISSUER(attr) (ISSUER_BIT | PART(TLSG_DN_##attr))
#define SUBJECT(attr) PART(TLSG_DN_##attr)
#define SAN(kind) PART(TLSG_SAN_##kind)

static struct tlsg_answer_query query_unpack(long n)
{
	struct tlsg_answer_query q = {
			.item = (enum tlsg_answer_item)(n & (OWN_BIT - 1)),
			.own = (n & OWN_BIT) != 0,
			.side = n & ISSUER_BIT ? TLSG_CERT_ISSUER : TLSG_CERT_SUBJECT,
			.part = (unsigned)(n >> PART_SHIFT),
	};

	return q;
}

/** Sets the index of variables that have one. @return false: the index is not a number. */
static bool index_get(struct sip_msg *msg, pv_param_t *param, struct tlsg_answer_query *q)
{
	int flags = 0;

	if(q->item != TLSG_ANSWER_SAN)
		return true;
	return pv_get_spec_index(msg, param, &q->index, &flags) == 0 && (flags == 0 || flags == PV_IDX_NONE);
}

static int get(struct sip_msg *msg, pv_param_t *param, pv_value_t *res)
{
	struct tlsg_answer_query q;
	struct tlsg_answer v;

	if(param == NULL || res == NULL)
		return -1;
	q = query_unpack(param->pvn.u.isname.name.n);
	if(!index_get(msg, param, &q) || tlsg_answer_get(msg, &q, &v) < 0)
		return pv_get_null(msg, param, res);
	res->rs = v.text;
	res->flags = PV_VAL_STR;
	if(v.is_number) {
		res->ri = v.number;
		res->flags |= PV_VAL_INT;
	}
	return 0;
}

/** Parses the inner name of $tls(...). */
static int parse_line_name(pv_spec_p sp, str *in)
{
	static const struct
	{
		const char *name;
		int n;
	} known[] = {
			{"m_subject_line", MY(LINE)},
			{"m_issuer_line", MY(LINE) | ISSUER_BIT},
			{"p_subject_line", PEER(LINE)},
			{"p_issuer_line", PEER(LINE) | ISSUER_BIT},
	};
	unsigned i;

	if(sp == NULL || in == NULL || in->s == NULL)
		return -1;
	for(i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if((size_t)in->len == strlen(known[i].name) && memcmp(in->s, known[i].name, (size_t)in->len) == 0)
			return pv_init_iname(sp, known[i].n);
	}
	LM_ERR("unknown PV tls name %.*s\n", in->len, in->s);
	return -1;
}

/** Parses the inner name of $tls_peer_san_count(...) into the number of the definition. */
static int parse_count(pv_spec_p sp, const str *in, int definition)
{
	unsigned kind = TLSG_SANS;

	if(sp == NULL || in == NULL || in->s == NULL)
		return -1;
	/* Accepted, as by tls.so: the variable has no value then. */
	if(!tlsg_answer_san_kind(in, &kind))
		LM_ERR("unknown kind of subject alternative name %.*s: use DNS, URI, EMAIL or IP\n", in->len, in->s);
	return pv_init_iname(sp, definition | PART((int)kind));
}

static int parse_peer_count(pv_spec_p sp, str *in)
{
	return parse_count(sp, in, PEER(SAN_COUNT));
}

static int parse_my_count(pv_spec_p sp, str *in)
{
	return parse_count(sp, in, MY(SAN_COUNT));
}

#define VAR(text, n)                                                                     \
	{                                                                                    \
		{(text), sizeof(text) - 1}, PVT_OTHER, get, NULL, NULL, NULL, pv_init_iname, (n) \
	}
#define VAR_INDEXED(text, n)                                                                       \
	{                                                                                              \
		{(text), sizeof(text) - 1}, PVT_OTHER, get, NULL, NULL, pv_parse_index, pv_init_iname, (n) \
	}
/* The inner name decides: init_param would overwrite it. */
#define VAR_NAMED(text, parse)                                                   \
	{                                                                            \
		{(text), sizeof(text) - 1}, PVT_OTHER, get, NULL, (parse), NULL, NULL, 0 \
	}

pv_export_t tlsg_vars_table[] = {
		VAR("tls_version", PEER(VERSION)),
		VAR("tls_description", PEER(DESCRIPTION)),
		VAR("tls_cipher_info", PEER(CIPHER)),
		VAR("tls_cipher_bits", PEER(BITS)),
		VAR("tls_group", PEER(GROUP)),
		VAR("tls_peer_raw_cert", PEER(PEM)),
		VAR("tls_my_raw_cert", MY(PEM)),
		VAR("tls_peer_urlencoded_cert", PEER(PEM_URL)),
		VAR("tls_my_urlencoded_cert", MY(PEM_URL)),
		VAR("tls_peer_version", PEER(CERT_VERSION)),
		VAR("tls_my_version", MY(CERT_VERSION)),
		VAR("tls_peer_serial", PEER(SERIAL)),
		VAR("tls_my_serial", MY(SERIAL)),
		VAR("tls_peer_subject", PEER(LINE)),
		VAR("tls_peer_issuer", PEER(LINE) | ISSUER_BIT),
		VAR("tls_my_subject", MY(LINE)),
		VAR("tls_my_issuer", MY(LINE) | ISSUER_BIT),
		VAR("tls_peer_subject_cn", PEER(ATTR) | SUBJECT(CN)),
		VAR("tls_peer_issuer_cn", PEER(ATTR) | ISSUER(CN)),
		VAR("tls_my_subject_cn", MY(ATTR) | SUBJECT(CN)),
		VAR("tls_my_issuer_cn", MY(ATTR) | ISSUER(CN)),
		VAR("tls_peer_subject_locality", PEER(ATTR) | SUBJECT(L)),
		VAR("tls_peer_issuer_locality", PEER(ATTR) | ISSUER(L)),
		VAR("tls_my_subject_locality", MY(ATTR) | SUBJECT(L)),
		VAR("tls_my_issuer_locality", MY(ATTR) | ISSUER(L)),
		VAR("tls_peer_subject_country", PEER(ATTR) | SUBJECT(C)),
		VAR("tls_peer_issuer_country", PEER(ATTR) | ISSUER(C)),
		VAR("tls_my_subject_country", MY(ATTR) | SUBJECT(C)),
		VAR("tls_my_issuer_country", MY(ATTR) | ISSUER(C)),
		VAR("tls_peer_subject_state", PEER(ATTR) | SUBJECT(ST)),
		VAR("tls_peer_issuer_state", PEER(ATTR) | ISSUER(ST)),
		VAR("tls_my_subject_state", MY(ATTR) | SUBJECT(ST)),
		VAR("tls_my_issuer_state", MY(ATTR) | ISSUER(ST)),
		VAR("tls_peer_subject_organization", PEER(ATTR) | SUBJECT(O)),
		VAR("tls_peer_issuer_organization", PEER(ATTR) | ISSUER(O)),
		VAR("tls_my_subject_organization", MY(ATTR) | SUBJECT(O)),
		VAR("tls_my_issuer_organization", MY(ATTR) | ISSUER(O)),
		VAR("tls_peer_subject_unit", PEER(ATTR) | SUBJECT(OU)),
		VAR("tls_peer_issuer_unit", PEER(ATTR) | ISSUER(OU)),
		VAR("tls_my_subject_unit", MY(ATTR) | SUBJECT(OU)),
		VAR("tls_my_issuer_unit", MY(ATTR) | ISSUER(OU)),
		VAR("tls_peer_subject_uid", PEER(ATTR) | SUBJECT(UID)),
		VAR("tls_my_subject_uid", MY(ATTR) | SUBJECT(UID)),
		VAR_INDEXED("tls_peer_san_email", PEER(SAN) | SAN(EMAIL)),
		VAR_INDEXED("tls_my_san_email", MY(SAN) | SAN(EMAIL)),
		VAR_INDEXED("tls_peer_san_hostname", PEER(SAN) | SAN(DNS)),
		VAR_INDEXED("tls_my_san_hostname", MY(SAN) | SAN(DNS)),
		VAR_INDEXED("tls_peer_san_uri", PEER(SAN) | SAN(URI)),
		VAR_INDEXED("tls_my_san_uri", MY(SAN) | SAN(URI)),
		VAR_INDEXED("tls_peer_san_ip", PEER(SAN) | SAN(IP)),
		VAR_INDEXED("tls_my_san_ip", MY(SAN) | SAN(IP)),
		VAR_NAMED("tls_peer_san_count", parse_peer_count),
		VAR_NAMED("tls_my_san_count", parse_my_count),
		VAR("tls_peer_verified", PEER(VERIFIED)),
		VAR("tls_peer_revoked", PEER(REVOKED)),
		VAR("tls_peer_expired", PEER(EXPIRED)),
		VAR("tls_peer_selfsigned", PEER(SELF_SIGNED)),
		VAR("tls_peer_notBefore", PEER(NOT_BEFORE)),
		VAR("tls_peer_notAfter", PEER(NOT_AFTER)),
		VAR("tls_peer_server_name", PEER(SNI)),
		VAR_NAMED("tls", parse_line_name),
		{{NULL, 0}, 0, NULL, NULL, NULL, NULL, NULL, 0},
};

enum tlsg_vars_found tlsg_vars_get_by_name(struct sip_msg *msg, const str *name, str *text)
{
	const pv_export_t *v = tlsg_vars_table;
	struct tlsg_answer_query q;
	struct tlsg_answer value;

	while(v->name.s != NULL && !STR_EQ(v->name, *name))
		v++;
	if(v->name.s == NULL)
		return TLSG_VARS_UNKNOWN;
	if(v->parse_name != NULL)
		return TLSG_VARS_UNSUPPORTED;
	q = query_unpack(v->iparam);
	if(tlsg_answer_get(msg, &q, &value) < 0)
		return TLSG_VARS_NULL;
	*text = value.text;
	return TLSG_VARS_VALUE;
}
