/*
 * tls_gnutls - values of pseudo-variables and selects
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static buffers of this process.  Lock: see mod_view.h.
 */
#include "gnutls_mod/mod_answer.h"

#include <stdio.h>

#include "core/ip_addr.h"

#include "gnutls_mod/mod_view.h"
#include "profiles/cipher/method.h"

/* Buffers for values, used in turn: an expression may hold several values at once. */
#define TEXT_BYTES 8192
#define TEXT_SLOTS 16
#define PART_BYTES 1023 /* longest attribute and alternative name, the limit of tls.so */
#define PEM_BYTES 16384 /* the limit of tls.so */
#define PEM_SLOTS 4
#define URL_BYTES (PEM_BYTES * 3)
#define URL_SLOTS 2

static unsigned char texts[TEXT_SLOTS][TEXT_BYTES];
static unsigned char pems[PEM_SLOTS][PEM_BYTES];
static unsigned char urls[URL_SLOTS][URL_BYTES];

/** @return the next buffer. */
static struct tlsg_buf buffer_for(enum tlsg_answer_item item)
{
	static unsigned text, pem, url;
	struct tlsg_buf b;

	if(item == TLSG_ANSWER_PEM_URL)
		tlsg_buf_init(&b, urls[url++ % URL_SLOTS], URL_BYTES);
	else if(item == TLSG_ANSWER_PEM || item == TLSG_ANSWER_CHAIN)
		tlsg_buf_init(&b, pems[pem++ % PEM_SLOTS], PEM_BYTES);
	else
		tlsg_buf_init(&b, texts[text++ % TEXT_SLOTS],
				item == TLSG_ANSWER_ATTR || item == TLSG_ANSWER_SAN ? PART_BYTES : TEXT_BYTES);
	return b;
}

static enum tlsg_ret put_string(struct tlsg_buf *b, const char *s)
{
	return tlsg_buf_put(b, s, strlen(s)) ? TLSG_OK : TLSG_FULL;
}

static enum tlsg_ret put_number(struct tlsg_buf *b, int n, struct tlsg_answer *out)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	out->is_number = true;
	out->number = n;
	return put_string(b, text);
}

/** Values about the session. */
static enum tlsg_ret session_value(
		const struct tlsg_view *v, enum tlsg_answer_item item, struct tlsg_buf *b, struct tlsg_answer *out)
{
	char text[256];

	if(item == TLSG_ANSWER_VERSION)
		return put_string(b, tlsg_method_version_name(v->version));
	if(item == TLSG_ANSWER_GROUP)
		return v->group != NULL ? put_string(b, v->group) : TLSG_EOF;
	if(item == TLSG_ANSWER_SNI) {
		if(v->sni.s == NULL)
			return TLSG_EOF;
		return tlsg_buf_put(b, v->sni.s, (size_t)v->sni.len) ? TLSG_OK : TLSG_FULL;
	}
	if(v->suite == NULL)
		return TLSG_E_INTERNAL;
	switch(item) {
		case TLSG_ANSWER_CIPHER:
			return put_string(b, tlsg_suite_name(v->suite));
		case TLSG_ANSWER_BITS:
			return put_number(b, tlsg_suite_bits(v->suite), out);
		case TLSG_ANSWER_DESCRIPTION:
			if(tlsg_suite_describe(v->suite, text, sizeof(text)) != TLSG_OK)
				return TLSG_E_INTERNAL;
			return put_string(b, text);
		default:
			return TLSG_E_INTERNAL;
	}
}

/** Results of verification: 1 if the peer sent a certificate and the result is that of the query. */
static enum tlsg_ret verify_value(
		const struct tlsg_view *v, const struct tlsg_answer_query *q, struct tlsg_buf *b, struct tlsg_answer *out)
{
	enum tlsg_verify_code wanted = TLSG_V_OK;

	if(q->own)
		return TLSG_E_INTERNAL; /* our own certificate is not verified */
	if(q->item == TLSG_ANSWER_REVOKED)
		wanted = TLSG_V_REVOKED;
	else if(q->item == TLSG_ANSWER_EXPIRED)
		wanted = TLSG_V_EXPIRED;
	else if(q->item == TLSG_ANSWER_SELF_SIGNED)
		wanted = TLSG_V_SELF_SIGNED;
	return put_number(b, v->has_peer && v->verify == wanted, out);
}

/** A subject alternative name; addresses are in the core's notation (ipv6_hex_style). */
static enum tlsg_ret san_value(const struct tlsg_cert *c, const struct tlsg_answer_query *q, struct tlsg_buf *b)
{
	struct ip_addr ip = {0};
	struct tlsg_buf raw;
	enum tlsg_ret ret;

	if(q->index < 0)
		return TLSG_EOF;
	if(q->part != TLSG_SAN_IP)
		return tlsg_cert_text_san_get(c, (enum tlsg_cert_san)q->part, (unsigned)q->index, b);
	tlsg_buf_init(&raw, ip.u.addr, sizeof(ip.u.addr));
	ret = tlsg_cert_text_san_get(c, TLSG_SAN_IP, (unsigned)q->index, &raw);
	if(ret != TLSG_OK)
		return ret;
	ip.len = (unsigned)raw.wr;
	ip.af = ip.len == 4 ? AF_INET : AF_INET6;
	return put_string(b, ip_addr2a(&ip));
}

/** Values read out of a parsed certificate. */
static enum tlsg_ret cert_value(
		const struct tlsg_cert *c, const struct tlsg_answer_query *q, struct tlsg_buf *b, struct tlsg_answer *out)
{
	struct tlsg_answer ignored;
	int version;

	switch(q->item) {
		case TLSG_ANSWER_CERT_VERSION:
			version = tlsg_cert_text_version(c);
			return version < 0 ? TLSG_E_PEER : put_number(b, version, &ignored);
		case TLSG_ANSWER_SERIAL:
			return tlsg_cert_text_serial(c, b);
		case TLSG_ANSWER_NOT_BEFORE:
			return tlsg_cert_text_date(c, TLSG_CERT_NOT_BEFORE, b);
		case TLSG_ANSWER_NOT_AFTER:
			return tlsg_cert_text_date(c, TLSG_CERT_NOT_AFTER, b);
		case TLSG_ANSWER_LINE:
			return tlsg_cert_text_line(c, q->side, b);
		case TLSG_ANSWER_ATTR:
			return tlsg_cert_text_attr_get(c, q->side, (enum tlsg_dn_attr)q->part, b);
		case TLSG_ANSWER_SAN:
			return san_value(c, q, b);
		case TLSG_ANSWER_SAN_COUNT:
			if(q->part >= TLSG_SANS)
				return TLSG_EOF;
			return put_number(b, (int)tlsg_cert_text_san_count(c, (enum tlsg_cert_san)q->part), out);
		default:
			return TLSG_E_INTERNAL;
	}
}

/** Values that need a certificate. */
static enum tlsg_ret certificate_value(
		const struct tlsg_view *v, const struct tlsg_answer_query *q, struct tlsg_buf *b, struct tlsg_answer *out)
{
	const struct tlsg_der *der = q->own ? &v->own : &v->peer;
	const struct tlsg_cert *c;

	if(!(q->own ? v->has_own : v->has_peer)) {
		LM_INFO("connection %d: no certificate was %s\n", v->id, q->own ? "presented" : "received");
		return TLSG_E_PEER;
	}
	if(q->item == TLSG_ANSWER_PEM)
		return tlsg_cert_text_pem(der, b);
	if(q->item == TLSG_ANSWER_PEM_URL)
		return tlsg_cert_text_pem_url(der, b);
	c = tlsg_view_cert(q->own);
	return c != NULL ? cert_value(c, q, b, out) : TLSG_E_INTERNAL;
}

static enum tlsg_ret value_of(
		const struct tlsg_view *v, const struct tlsg_answer_query *q, struct tlsg_buf *b, struct tlsg_answer *out)
{
	switch(q->item) {
		case TLSG_ANSWER_VERSION:
		case TLSG_ANSWER_DESCRIPTION:
		case TLSG_ANSWER_CIPHER:
		case TLSG_ANSWER_BITS:
		case TLSG_ANSWER_GROUP:
		case TLSG_ANSWER_SNI:
			return session_value(v, q->item, b, out);
		case TLSG_ANSWER_VERIFIED:
		case TLSG_ANSWER_REVOKED:
		case TLSG_ANSWER_EXPIRED:
		case TLSG_ANSWER_SELF_SIGNED:
			return verify_value(v, q, b, out);
		case TLSG_ANSWER_CHAIN:
			if(q->index < 0 || (unsigned)q->index >= v->built_len)
				return TLSG_EOF;
			return tlsg_cert_text_pem(&v->built[q->index], b);
		default:
			return certificate_value(v, q, b, out);
	}
}

int tlsg_answer_get(struct sip_msg *msg, const struct tlsg_answer_query *q, struct tlsg_answer *out)
{
	const struct tlsg_view *v = tlsg_view_get(msg);
	struct tlsg_answer value = {.is_number = false};
	struct tlsg_buf b;
	enum tlsg_ret ret;

	if(v == NULL)
		return -1;
	b = buffer_for(q->item);
	ret = value_of(v, q, &b, &value);
	if(ret == TLSG_FULL)
		LM_ERR("connection %d: a value in the certificate is too long for a variable, the result is null\n", v->id);
	else if(ret != TLSG_OK)
		LM_DBG("connection %d: no such value (%d)\n", v->id, ret);
	if(ret != TLSG_OK)
		return -1;
	value.text.s = (char *)b.data;
	value.text.len = (int)b.wr;
	*out = value;
	return 0;
}

bool tlsg_answer_san_kind(const str *word, unsigned *kind)
{
	static const char *const words[TLSG_SANS] = {
			[TLSG_SAN_EMAIL] = "EMAIL", [TLSG_SAN_DNS] = "DNS", [TLSG_SAN_URI] = "URI", [TLSG_SAN_IP] = "IP"};
	unsigned i;

	for(i = 0; i < TLSG_SANS; i++) {
		if((size_t)word->len == strlen(words[i]) && memcmp(word->s, words[i], (size_t)word->len) == 0) {
			*kind = i;
			return true;
		}
	}
	return false;
}
