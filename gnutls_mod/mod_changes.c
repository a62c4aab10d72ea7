/*
 * tls_gnutls - what a reload changes: profiles, settings, certificates, CAs, CRLs, as lines of text
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process that reloads.  Memory: pkg of this process, while it compares.
 * Lock: none; the caller holds a reference on both snapshots.
 */
#include "gnutls_mod/mod_changes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"
#include "profiles/prof.h"
#include "profiles/ticket_file.h"
#include "profiles/verify/crl.h"
#include "profiles/verify/trust.h"
#include "transport/cert_text.h"

#define LINE_BYTES 256
#define TEXT_BYTES 96
#define LAST_LINE_BYTES 40 /* kept free for the number of lines that are left out */

/* Appends a line, or counts it. */
static void line_add(struct tlsg_changes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line_add(struct tlsg_changes *out, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;
	size_t len, i;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	len = strlen(line);
	if(out->left_out > 0 || out->len + 1 + len + LAST_LINE_BYTES >= out->size) {
		out->left_out++;
		return;
	}
	for(i = 0; i < len; i++)
		if((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	out->text[out->len] = '\n';
	memcpy(out->text + out->len + 1, line, len + 1);
	out->len += (unsigned)len + 1;
}

static void cert_line_add(
		struct tlsg_changes *out, const struct tlsg_prof *p, const char *what, const struct tlsg_pair *pair)
{
	struct tlsg_der der = {pair->chain[0].cert.data, pair->chain[0].cert.size};
	struct tlsg_cert *c = tlsg_cert_text_new(&der);
	char serial[TEXT_BYTES] = "unknown";
	char end[TEXT_BYTES] = "unknown";
	struct tlsg_buf b;

	tlsg_buf_init(&b, serial, sizeof(serial) - 1);
	if(c != NULL && tlsg_cert_text_serial(c, &b) == TLSG_OK)
		serial[b.wr] = '\0';
	tlsg_buf_init(&b, end, sizeof(end) - 1);
	if(tlsg_cert_text_date_format(pair->not_after, &b) == TLSG_OK)
		end[b.wr] = '\0';
	line_add(out, "%.*s: %s, serial %s, valid until %s", p->id.len, p->id.s, what, serial, end);
	tlsg_cert_text_free(c);
}

static struct tlsg_der leaf(const struct tlsg_pair *pair)
{
	return (struct tlsg_der){pair->chain[0].cert.data, pair->chain[0].cert.size};
}

/* @return the pair of a profile that has the same leaf; NULL: none. */
static const struct tlsg_pair *pair_find(const struct tlsg_prof *p, const struct tlsg_pair *wanted)
{
	struct tlsg_der mine = leaf(wanted);
	unsigned i;

	for(i = 0; i < p->pairs_len; i++) {
		struct tlsg_der other;

		if(p->pairs[i].chain_len == 0)
			continue;
		other = leaf(&p->pairs[i]);
		if(tlsg_der_is_same(&mine, &other))
			return &p->pairs[i];
	}
	return NULL;
}

static bool is_same_chain(const struct tlsg_pair *a, const struct tlsg_pair *b)
{
	unsigned i;

	if(a->chain_len != b->chain_len)
		return false;
	for(i = 0; i < a->chain_len; i++) {
		struct tlsg_der x = {a->chain[i].cert.data, a->chain[i].cert.size};
		struct tlsg_der y = {b->chain[i].cert.data, b->chain[i].cert.size};

		if(!tlsg_der_is_same(&x, &y))
			return false;
	}
	return true;
}

static void pairs_compare(const struct tlsg_prof *before, const struct tlsg_prof *now, struct tlsg_changes *out)
{
	unsigned i;

	for(i = 0; i < now->pairs_len; i++) {
		const struct tlsg_pair *pair = &now->pairs[i];
		const struct tlsg_pair *old = pair->chain_len > 0 ? pair_find(before, pair) : pair;

		if(old == NULL)
			cert_line_add(out, now, "new certificate", pair);
		else if(!is_same_chain(old, pair))
			cert_line_add(out, now, "other intermediates of the certificate", pair);
	}
	for(i = 0; i < before->pairs_len; i++)
		if(before->pairs[i].chain_len > 0 && pair_find(now, &before->pairs[i]) == NULL)
			cert_line_add(out, now, "no longer used: certificate", &before->pairs[i]);
}

static bool is_same_cas(const struct tlsg_trust *a, const struct tlsg_trust *b)
{
	unsigned i;

	if(a->cas_len != b->cas_len || a->cas_announced != b->cas_announced)
		return false;
	for(i = 0; i < a->cas_len; i++)
		if(!tlsg_der_is_same(&a->cas[i], &b->cas[i]))
			return false;
	return true;
}

static bool is_same_crls(const struct tlsg_trust *a, const struct tlsg_trust *b)
{
	unsigned i;

	if(a->crls_len != b->crls_len)
		return false;
	for(i = 0; i < a->crls_len; i++)
		if(!tlsg_der_is_same(&a->crls[i].der, &b->crls[i].der))
			return false;
	return true;
}

static void trust_compare(const struct tlsg_prof *before, const struct tlsg_prof *now, struct tlsg_changes *out)
{
	static const struct tlsg_trust none;
	const struct tlsg_trust *a = before->trust != NULL ? before->trust : &none;
	const struct tlsg_trust *b = now->trust != NULL ? now->trust : &none;
	char end[TEXT_BYTES] = "no end";
	struct tlsg_buf text;

	if(!is_same_cas(a, b))
		line_add(out, "%.*s: other CAs: %u, before %u", now->id.len, now->id.s, b->cas_len, a->cas_len);
	if(is_same_crls(a, b))
		return;
	tlsg_buf_init(&text, end, sizeof(end) - 1);
	if(b->crl_next_update != 0 && tlsg_cert_text_date_format(b->crl_next_update, &text) == TLSG_OK)
		end[text.wr] = '\0';
	line_add(out, "%.*s: other CRLs: %u, before %u, next update %s", now->id.len, now->id.s, b->crls_len, a->crls_len,
			end);
}

static bool is_same_field(const struct tlsg_prof *a, const struct tlsg_prof *b, const struct tlsg_prof_field *f)
{
	const void *x = (const char *)&a->s + f->offset;
	const void *y = (const char *)&b->s + f->offset;
	const str *s = x;
	const str *t = y;

	if(f->kind == TLSG_PROF_FIELD_SECRET)
		return true; /* wiped */
	if(f->kind < TLSG_PROF_FIELD_TEXT)
		return *(const int *)x == *(const int *)y;
	return s->len == t->len && (s->len == 0 || memcmp(s->s, t->s, (size_t)s->len) == 0);
}

static void settings_compare(const struct tlsg_prof *before, const struct tlsg_prof *now, struct tlsg_changes *out)
{
	const struct tlsg_prof_field *fields = tlsg_prof_fields();
	char names[LINE_BYTES / 2] = "";
	size_t len = 0;
	unsigned i;

	for(i = 0; i < TLSG_PROF_FIELDS; i++)
		if(!is_same_field(before, now, &fields[i]) && len < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len > 0 ? ", " : "", fields[i].name);
	if(len > 0)
		line_add(out, "%.*s: changed settings: %s", now->id.len, now->id.s, names);
}

/* @return the keys of ticket_key_file; 0: it is not set. */
static unsigned masters_len(const struct tlsg_set *set)
{
	return set->ticket_masters != NULL ? set->ticket_masters->len : 0;
}

/* ticket_key_file: tells that keys have changed, and nothing about them. */
static void masters_compare(const struct tlsg_set *before, const struct tlsg_set *now, struct tlsg_changes *out)
{
	const struct tlsg_ticket_masters *a = before->ticket_masters;
	const struct tlsg_ticket_masters *b = now->ticket_masters;
	unsigned len = masters_len(now);

	if(len != masters_len(before) || (len > 0 && memcmp(a->key, b->key, (size_t)len * sizeof(b->key[0])) != 0))
		line_add(out, "ticket_key_file: %s, keys: %u, before %u",
				len > 0 && masters_len(before) > 0 && memcmp(a->key[0], b->key[0], sizeof(b->key[0])) == 0
						? "the same key encrypts"
						: "another key encrypts",
				len, masters_len(before));
}

static int str_compare(const str *a, const str *b)
{
	int len = a->len < b->len ? a->len : b->len;
	int order = len > 0 ? memcmp(a->s, b->s, (size_t)len) : 0;

	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* The order of profiles by what tells them apart, for qsort(3). */
static int prof_compare(const void *x, const void *y)
{
	const struct tlsg_prof *a = *(const struct tlsg_prof *const *)x;
	const struct tlsg_prof *b = *(const struct tlsg_prof *const *)y;
	int order = str_compare(&a->id, &b->id);

	if(order == 0)
		order = str_compare(&a->s.server_name, &b->s.server_name);
	return order != 0 ? order : str_compare(&a->s.server_id, &b->s.server_id);
}

/* A snapshot's profiles in that order. [pkg] */
struct sorted
{
	const struct tlsg_prof **profs;
	unsigned len;
};

static bool sort(const struct tlsg_set *set, struct sorted *out)
{
	const struct tlsg_prof *p;
	int role;

	out->len = 0;
	out->profs = pkg_malloc((set->profs_len + TLSG_ROLES) * sizeof(*out->profs));
	if(out->profs == NULL)
		return false;
	for(role = 0; role < TLSG_ROLES; role++) {
		if(set->defaults[role] != NULL)
			out->profs[out->len++] = set->defaults[role];
		for(p = set->list[role]; p != NULL && out->len < set->profs_len + TLSG_ROLES; p = p->next)
			out->profs[out->len++] = p;
	}
	qsort(out->profs, out->len, sizeof(*out->profs), prof_compare);
	return true;
}

static void added(const struct tlsg_prof *p, struct tlsg_changes *out)
{
	unsigned i;

	line_add(out, "%.*s: added", p->id.len, p->id.s);
	for(i = 0; i < p->pairs_len; i++)
		if(p->pairs[i].chain_len > 0)
			cert_line_add(out, p, "new certificate", &p->pairs[i]);
}

static void sorted_compare(const struct sorted *before, const struct sorted *now, struct tlsg_changes *out)
{
	unsigned i = 0, k = 0;

	while(i < before->len || k < now->len) {
		int order = i == before->len ? 1 : k == now->len ? -1 : prof_compare(&before->profs[i], &now->profs[k]);

		if(order < 0) {
			line_add(out, "%.*s: removed", before->profs[i]->id.len, before->profs[i]->id.s);
			i++;
		} else if(order > 0) {
			added(now->profs[k++], out);
		} else {
			settings_compare(before->profs[i], now->profs[k], out);
			pairs_compare(before->profs[i], now->profs[k], out);
			trust_compare(before->profs[i++], now->profs[k++], out);
		}
	}
}

void tlsg_changes_find(const struct tlsg_set *before, const struct tlsg_set *now, struct tlsg_changes *out)
{
	struct sorted old = {NULL, 0};
	struct sorted new = {NULL, 0};

	out->text[0] = '\0';
	out->len = 0;
	out->left_out = 0;
	if((before == NULL || sort(before, &old)) && sort(now, &new))
		sorted_compare(&old, &new, out);
	else
		line_add(out, "what has changed is not listed: out of private memory, raise -M");
	if(before != NULL)
		masters_compare(before, now, out);
	if(old.profs != NULL)
		pkg_free(old.profs);
	if(new.profs != NULL)
		pkg_free(new.profs);
	if(out->left_out > 0)
		out->len += (unsigned)snprintf(out->text + out->len, out->size - out->len, "\nand %u more", out->left_out);
}
