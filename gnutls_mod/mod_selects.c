/*
 * tls_gnutls - selects
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: see mod_view.h.
 */
#include "gnutls_mod/mod_selects.h"

#include "core/select.h"

#include "gnutls_mod/mod_answer.h"

/*
 * When the core resolves a path, it replaces each word by a number below 256. Here a number consists of a group and a
 * position in the group; the words of a path together make a query.
 */
#define GROUP_SHIFT 5
#define POSITION_MASK ((1 << GROUP_SHIFT) - 1)

enum group
{
	GROUP_ITEM = 1 << GROUP_SHIFT,	/* enum tlsg_answer_item */
	GROUP_OWNER = 2 << GROUP_SHIFT, /* 0: the peer, 1: this host */
	GROUP_SIDE = 3 << GROUP_SHIFT,	/* enum tlsg_cert_side */
	GROUP_ATTR = 4 << GROUP_SHIFT,	/* enum tlsg_dn_attr */
	GROUP_SAN = 5 << GROUP_SHIFT	/* enum tlsg_cert_san */
};

/** Adds a word to a query. @return false: unknown. */
static bool word_add(struct tlsg_answer_query *q, int word)
{
	unsigned position = (unsigned)word & POSITION_MASK;

	switch((unsigned)word - position) {
		case GROUP_ITEM:
			q->item = (enum tlsg_answer_item)position;
			return true;
		case GROUP_OWNER:
			q->own = position == 1;
			q->item = TLSG_ANSWER_ATTR;
			q->part = TLSG_DN_CN;
			return true;
		case GROUP_SIDE:
			q->side = (enum tlsg_cert_side)position;
			return true;
		case GROUP_ATTR:
			q->part = position;
			return true;
		case GROUP_SAN:
			q->item = TLSG_ANSWER_SAN;
			q->part = position;
			return true;
		default:
			return false;
	}
}

/** Adds an element of a path to a query. @return false: it is not allowed there. */
static bool element_add(struct tlsg_answer_query *q, const select_param_t *p)
{
	switch(p->type) {
		case SEL_PARAM_DIV:
			return word_add(q, p->v.i);
		case SEL_PARAM_INT:
			q->index = p->v.i;
			return true;
		case SEL_PARAM_STR:
			return tlsg_answer_san_kind(&p->v.s, &q->part);
		default:
			return false;
	}
}

/** Evaluates every select. @return 0; -1: no value. */
static int evaluate(str *res, const select_t *s, struct sip_msg *msg)
{
	struct tlsg_answer_query q = {.item = TLSG_ANSWER_DESCRIPTION};
	struct tlsg_answer v;
	int i;

	for(i = 1; i < s->n; i++) {
		if(!element_add(&q, &s->params[i])) {
			LM_ERR("element %d of the select is not allowed there\n", i);
			return -1;
		}
	}
	if(tlsg_answer_get(msg, &q, &v) < 0)
		return -1;
	*res = v.text;
	return 0;
}

/* The core identifies the nodes of the tree of words by their functions, so each needs its own. */
static int sel_tls(str *res, select_t *s, struct sip_msg *msg)
{
	return evaluate(res, s, msg);
}

static int sel_cipher(str *res, select_t *s, struct sip_msg *msg)
{
	return evaluate(res, s, msg);
}

static int sel_cert(str *res, select_t *s, struct sip_msg *msg)
{
	return evaluate(res, s, msg);
}

static int sel_name(str *res, select_t *s, struct sip_msg *msg)
{
	return evaluate(res, s, msg);
}

static int sel_leaf(str *res, select_t *s, struct sip_msg *msg)
{
	return evaluate(res, s, msg);
}

#define WORD(parent, word, node, n)                                                  \
	{                                                                                \
		(parent), SEL_PARAM_STR, STR_STATIC_INIT(word), (node), DIVERSION | (int)(n) \
	}
#define ITEM(name) (GROUP_ITEM | TLSG_ANSWER_##name)
#define ATTR(name) (GROUP_ATTR | TLSG_DN_##name)
#define SAN(name) (GROUP_SAN | TLSG_SAN_##name | CONSUME_NEXT_INT | OPTIONAL)

static select_row_t rows[] = {
		{NULL, SEL_PARAM_STR, STR_STATIC_INIT("tls"), sel_tls, 0},
		WORD(sel_tls, "version", sel_leaf, ITEM(VERSION)),
		WORD(sel_tls, "desc", sel_leaf, ITEM(DESCRIPTION)),
		WORD(sel_tls, "description", sel_leaf, ITEM(DESCRIPTION)),
		WORD(sel_tls, "cipher", sel_cipher, ITEM(CIPHER)),
		WORD(sel_cipher, "bits", sel_leaf, ITEM(BITS)),
		WORD(sel_tls, "group", sel_leaf, ITEM(GROUP)),
		WORD(sel_tls, "serverName", sel_leaf, ITEM(SNI)),
		WORD(sel_tls, "server_name", sel_leaf, ITEM(SNI)),
		WORD(sel_tls, "peer", sel_cert, GROUP_OWNER),
		WORD(sel_tls, "my", sel_cert, GROUP_OWNER | 1),
		WORD(sel_tls, "me", sel_cert, GROUP_OWNER | 1),
		WORD(sel_tls, "myself", sel_cert, GROUP_OWNER | 1),
		WORD(sel_cert, "subject", sel_name, GROUP_SIDE | TLSG_CERT_SUBJECT),
		WORD(sel_cert, "subj", sel_name, GROUP_SIDE | TLSG_CERT_SUBJECT),
		WORD(sel_cert, "issuer", sel_name, GROUP_SIDE | TLSG_CERT_ISSUER),
		WORD(sel_cert, "verified", sel_leaf, ITEM(VERIFIED)),
		WORD(sel_cert, "revoked", sel_leaf, ITEM(REVOKED)),
		WORD(sel_cert, "expired", sel_leaf, ITEM(EXPIRED)),
		WORD(sel_cert, "self_signed", sel_leaf, ITEM(SELF_SIGNED)),
		WORD(sel_cert, "version", sel_leaf, ITEM(CERT_VERSION)),
		WORD(sel_cert, "rawCert", sel_leaf, ITEM(PEM)),
		WORD(sel_cert, "raw_cert", sel_leaf, ITEM(PEM)),
		WORD(sel_cert, "URLEncodedCert", sel_leaf, ITEM(PEM_URL)),
		WORD(sel_cert, "urlencoded_cert", sel_leaf, ITEM(PEM_URL)),
		WORD(sel_cert, "sn", sel_leaf, ITEM(SERIAL)),
		WORD(sel_cert, "serialNumber", sel_leaf, ITEM(SERIAL)),
		WORD(sel_cert, "serial_number", sel_leaf, ITEM(SERIAL)),
		WORD(sel_cert, "notBefore", sel_leaf, ITEM(NOT_BEFORE)),
		WORD(sel_cert, "not_before", sel_leaf, ITEM(NOT_BEFORE)),
		WORD(sel_cert, "notAfter", sel_leaf, ITEM(NOT_AFTER)),
		WORD(sel_cert, "not_after", sel_leaf, ITEM(NOT_AFTER)),
		WORD(sel_cert, "verified_cert_chain", sel_leaf, ITEM(CHAIN) | CONSUME_NEXT_INT),
		WORD(sel_cert, "email", sel_leaf, SAN(EMAIL)),
		WORD(sel_cert, "emailAddress", sel_leaf, SAN(EMAIL)),
		WORD(sel_cert, "email_address", sel_leaf, SAN(EMAIL)),
		WORD(sel_cert, "host", sel_leaf, SAN(DNS)),
		WORD(sel_cert, "hostname", sel_leaf, SAN(DNS)),
		WORD(sel_cert, "dns", sel_leaf, SAN(DNS)),
		WORD(sel_cert, "uri", sel_leaf, SAN(URI)),
		WORD(sel_cert, "url", sel_leaf, SAN(URI)),
		WORD(sel_cert, "urn", sel_leaf, SAN(URI)),
		WORD(sel_cert, "ip", sel_leaf, SAN(IP)),
		WORD(sel_cert, "IPAddress", sel_leaf, SAN(IP)),
		WORD(sel_cert, "ip_address", sel_leaf, SAN(IP)),
		WORD(sel_cert, "count", sel_leaf, ITEM(SAN_COUNT) | CONSUME_NEXT_STR),
		WORD(sel_name, "cn", sel_leaf, ATTR(CN)),
		WORD(sel_name, "commonName", sel_leaf, ATTR(CN)),
		WORD(sel_name, "common_name", sel_leaf, ATTR(CN)),
		WORD(sel_name, "name", sel_leaf, ATTR(CN)),
		WORD(sel_name, "l", sel_leaf, ATTR(L)),
		WORD(sel_name, "localityName", sel_leaf, ATTR(L)),
		WORD(sel_name, "locality_name", sel_leaf, ATTR(L)),
		WORD(sel_name, "locality", sel_leaf, ATTR(L)),
		WORD(sel_name, "c", sel_leaf, ATTR(C)),
		WORD(sel_name, "countryName", sel_leaf, ATTR(C)),
		WORD(sel_name, "country_name", sel_leaf, ATTR(C)),
		WORD(sel_name, "country", sel_leaf, ATTR(C)),
		WORD(sel_name, "st", sel_leaf, ATTR(ST)),
		WORD(sel_name, "stateOrProvinceName", sel_leaf, ATTR(ST)),
		WORD(sel_name, "state_or_province_name", sel_leaf, ATTR(ST)),
		WORD(sel_name, "state", sel_leaf, ATTR(ST)),
		WORD(sel_name, "o", sel_leaf, ATTR(O)),
		WORD(sel_name, "organizationName", sel_leaf, ATTR(O)),
		WORD(sel_name, "organization_name", sel_leaf, ATTR(O)),
		WORD(sel_name, "organization", sel_leaf, ATTR(O)),
		WORD(sel_name, "ou", sel_leaf, ATTR(OU)),
		WORD(sel_name, "organizationalUnitName", sel_leaf, ATTR(OU)),
		WORD(sel_name, "organizational_unit_name", sel_leaf, ATTR(OU)),
		WORD(sel_name, "unit", sel_leaf, ATTR(OU)),
		WORD(sel_name, "uid", sel_leaf, ATTR(UID)),
		WORD(sel_name, "uniqueIdentifier", sel_leaf, ATTR(UID)),
		WORD(sel_name, "unique_identifier", sel_leaf, ATTR(UID)),
		{NULL, SEL_PARAM_INT, STR_NULL, NULL, 0},
};

int tlsg_selects_register(void)
{
	return register_select_table(rows);
}
