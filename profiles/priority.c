/*
 * tls_gnutls - method and cipher list of a profile, compiled for sessions
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: compiled by the builder of a snapshot, used by any process that steps a handshake.
 * Memory: the snapshot's arena (shm).  Lock: none.
 */
#include "profiles/priority.h"

#include "base/arena.h"
#include "base/scope.h"
#include "profiles/cipher/cipher_string.h"
#include "profiles/cipher/kx_group.h"
#include "profiles/cipher/priority_string.h"
#include "profiles/key.h"
#include "profiles/value.h"

static void note_cb(void *arg, const char *word, size_t len, const char *why)
{
	const struct tlsg_prof *p = arg;

	if(word[0] == '%' && p->role == TLSG_CLIENT) /* only servers send a HelloRetryRequest */
		return;
	LM_WARN("%.*s: cipher_list: \"%.*s\": %s\n", p->id.len, p->id.s, (int)len, word, why);
}

static bool is_lenient(const struct tlsg_prof *p)
{
	return p->role == TLSG_CLIENT && (p->verify_mode == TLSG_VERIFY_NONE || p->verify_no_ca);
}

static struct tlsg_priority *priority_find(const struct tlsg_prof *p, bool datagram)
{
	struct tlsg_priority *x;

	for(x = p->set->priorities; x != NULL; x = x->next)
		if(x->method == p->s.method && x->without_tls13 == p->without_tls13 && x->role == p->role
				&& x->list.datagram == datagram && x->is_lenient == is_lenient(p)
				&& tlsg_value_is_same(&x->cipher_list, &p->s.cipher_list))
			return x;
	return NULL;
}

/* Runs in the scope of the snapshot. */
static int compile(const char *text, gnutls_priority_t *out)
{
	return gnutls_priority_init(out, text, NULL);
}

/* One priority for each suite, for servers that enable nothing else in GnuTLS once the suite is chosen. */
static int compile_single(struct tlsg_priority *x)
{
	char text[TLSG_PRIORITY_SIZE];
	const struct tlsg_suite *table;
	size_t count;
	size_t i;
	int rc = 0;

	x->single = gnutls_calloc(x->list.suites_len, sizeof(*x->single));
	if(x->single == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	table = tlsg_suite_table(&count);
	for(i = 0; i < x->list.suites_len && rc >= 0; i++) {
		if(tlsg_priority_string_single(&x->list, &table[x->list.suites[i]], text, sizeof(text)) != TLSG_OK)
			return GNUTLS_E_SHORT_MEMORY_BUFFER;
		rc = compile(text, &x->single[i]);
	}
	return rc;
}

/*
 * Up to 3.8.13, a server of GnuTLS takes a hybrid only if it has groups of both other kinds in common with the client,
 * curves and finite fields. So a client that prefers a hybrid gets a server that has no other groups.
 */
static int compile_hybrid(struct tlsg_priority *x)
{
	char text[TLSG_PRIORITY_SIZE];
	const struct tlsg_suite *s;
	size_t i;
	int rc = 0;

	if(x->hybrids == 0)
		return 0;
	x->hybrid = gnutls_calloc(x->list.suites_len, sizeof(*x->hybrid));
	if(x->hybrid == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	for(i = 0; i < x->list.suites_len && rc >= 0; i++) {
		s = tlsg_suite_at(x->list.suites[i]);
		if(s->min_version != TLSG_TLS1_3)
			continue;
		if(tlsg_priority_string_hybrid(&x->list, s, text, sizeof(text)) != TLSG_OK)
			return GNUTLS_E_SHORT_MEMORY_BUFFER;
		rc = compile(text, &x->hybrid[i]);
	}
	return rc;
}

/** Groups by their numbers in TLS, as struct tlsg_priority has them. */
struct groups
{
	unsigned curves;
	unsigned dh_groups;
	unsigned hybrids;
};

static struct groups groups_of(unsigned number)
{
	struct groups g = {0, 0, 0};

	if(number < 32)
		g.curves = TLSG_CIPHER_GROUP(number);
	else if(number >= 256 && number < 287)
		g.dh_groups = TLSG_CIPHER_DH_GROUP(number);
	else if(number >= 0x11eb && number <= 0x11ed)
		g.hybrids = TLSG_CIPHER_HYBRID(number);
	return g;
}

/* Notes the groups of the compiled string. */
static void groups_note(struct tlsg_priority *x)
{
	const unsigned *ids = NULL;
	int len = gnutls_priority_group_list(x->compiled, &ids);
	int i;

	for(i = 0; i < len; i++) {
		unsigned number = tlsg_kx_group_number((gnutls_group_t)ids[i]);
		struct groups g = groups_of(number);

		if(number == 0)
			continue;
		x->curves |= g.curves;
		x->dh_groups |= g.dh_groups;
		x->hybrids |= g.hybrids;
	}
}

/* The offer of a client. */
static int compile_client(struct tlsg_priority *x)
{
	static const char compat[] = ":%COMPAT";
	char text[TLSG_PRIORITY_SIZE + sizeof(compat)];

	if(!x->list.surplus)
		memcpy(text, x->list.priority, strlen(x->list.priority) + 1);
	else if(tlsg_priority_string_client(&x->list, text, TLSG_PRIORITY_SIZE) != TLSG_OK)
		return GNUTLS_E_SHORT_MEMORY_BUFFER;
	if(x->is_lenient)
		memcpy(text + strlen(text), compat, sizeof(compat));
	return compile(text, &x->compiled);
}

static enum tlsg_ret compile_all(struct tlsg_prof *p, struct tlsg_priority *x, struct tlsg_err *err)
{
	struct tlsg_arena *previous;
	int rc;

	tlsg_scope_refresh(); /* the file may have changed since the string was evaluated */
	previous = tlsg_scope_enter(p->set->arena);
	rc = p->role == TLSG_CLIENT ? compile_client(x) : compile(x->list.priority, &x->compiled);
	if(rc >= 0)
		groups_note(x);
	if(rc >= 0 && x->list.kind != TLSG_CIPHER_NATIVE && p->role == TLSG_SERVER) {
		rc = compile_single(x);
		if(rc >= 0)
			rc = compile_hybrid(x);
	}
	tlsg_scope_leave(previous);
	if(rc >= 0)
		return TLSG_OK;
	return tlsg_err_set(err, rc == GNUTLS_E_MEMORY_ERROR ? TLSG_E_RESOURCE : TLSG_E_CONFIG,
			"%.*s: cipher_list: \"%s\" cannot be compiled: %s", p->id.len, p->id.s, x->list.priority,
			gnutls_strerror(rc));
}

static enum tlsg_ret evaluate(struct tlsg_prof *p, struct tlsg_priority *x, bool datagram, struct tlsg_err *err)
{
	const struct tlsg_method *m = tlsg_method_by_id(p->s.method);
	struct tlsg_method own;
	const struct tlsg_cipher_note note = {.note_cb = note_cb, .arg = p};
	struct tlsg_err cause;
	enum tlsg_ret ret;

	if(m == NULL)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "%.*s: tls_method %d is not supported", p->id.len, p->id.s, p->s.method);
	own = *m;
	if(p->without_tls13) {
		/* of the versions of SSLv23 below 1.3, only TLS 1.2 matters */
		own = *tlsg_method_by_id(m->id == TLSG_METHOD_SSLV23 ? TLSG_METHOD_TLSV1_2 : m->id);
		own.max = TLSG_TLS1_2;
	}
	own.datagram = datagram;
	tlsg_err_clear(&cause);
	ret = tlsg_cipher_string_eval(p->s.cipher_list.s, &own, datagram ? NULL : &note, &x->list, &cause);
	if(ret != TLSG_OK)
		return tlsg_err_set(err, ret, "%.*s: cipher_list \"%.*s\": %.300s", p->id.len, p->id.s,
				p->s.cipher_list.s != NULL ? p->s.cipher_list.len : 0,
				p->s.cipher_list.s != NULL ? p->s.cipher_list.s : "", cause.text);
	return TLSG_OK;
}

const char *tlsg_priority_group(const struct tlsg_priority *x, unsigned i)
{
	const unsigned *ids = NULL;
	int len = gnutls_priority_group_list(x->compiled, &ids);

	return len > 0 && i < (unsigned)len ? tlsg_kx_group_name((gnutls_group_t)ids[i]) : NULL;
}

unsigned tlsg_priority_without(const struct tlsg_priority *x, const struct tlsg_cipher_offer *offer)
{
	unsigned curves = offer->curves != 0 ? offer->curves : TLSG_CIPHER_GROUP(23);
	unsigned without = 0;

	if((curves & x->curves) == 0)
		without |= TLSG_KX_ECDHE;
	if(offer->dh_groups != 0 && (offer->dh_groups & x->dh_groups) == 0)
		without |= TLSG_KX_DHE;
	return without;
}

/* @param out  [out] unchanged when the result is not TLSG_OK. */
static enum tlsg_ret compile_for(
		struct tlsg_prof *p, bool datagram, const struct tlsg_priority **out, struct tlsg_err *err)
{
	struct tlsg_priority *x = priority_find(p, datagram);
	enum tlsg_ret ret;

	if(x != NULL) {
		*out = x;
		return TLSG_OK;
	}
	x = tlsg_arena_keep(p->set->arena, sizeof(*x));
	if(x == NULL)
		return tlsg_err_no_shm(err, "cipher_list", sizeof(*x));
	x->method = p->s.method;
	x->role = p->role;
	x->is_lenient = is_lenient(p);
	x->without_tls13 = p->without_tls13;
	x->cipher_list = p->s.cipher_list;
	ret = evaluate(p, x, datagram, err);
	if(ret == TLSG_OK)
		ret = compile_all(p, x, err);
	if(ret != TLSG_OK)
		return ret;
	x->next = p->set->priorities;
	p->set->priorities = x;
	*out = x;
	return TLSG_OK;
}

enum tlsg_ret tlsg_priority_compile(struct tlsg_prof *p, struct tlsg_err *err)
{
	enum tlsg_ret ret = compile_for(p, false, &p->priority, err);

	if(ret != TLSG_OK || !p->set->options.datagram)
		return ret;
	p->datagram = NULL;
	ret = compile_for(p, true, &p->datagram, NULL);
	return ret == TLSG_E_CONFIG ? TLSG_OK : ret; /* not every profile is used for DTLS */
}

enum tlsg_ret tlsg_priority_fit_keys(struct tlsg_prof *p, struct tlsg_err *err)
{
	unsigned i;

	if(p->pairs_len == 0 || !(p->priority->list.versions & TLSG_VERSION_BIT(TLSG_TLS1_3)))
		return TLSG_OK;
	for(i = 0; i < p->pairs_len; i++)
		if(tlsg_key_signs_tls13(p->pairs[i].key))
			return TLSG_OK;
	if(p->priority->list.versions == TLSG_VERSION_BIT(TLSG_TLS1_3))
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"private_key: \"%.200s\" makes no RSA-PSS signatures, which TLS 1.3 needs, and tls_method allows "
				"nothing else",
				p->pairs[0].key->source.s);
	LM_INFO("%.*s: TLS 1.3 is left out: \"%s\" makes no RSA-PSS signatures\n", p->id.len, p->id.s,
			p->pairs[0].key->source.s);
	p->without_tls13 = true;
	return tlsg_priority_compile(p, err);
}

const struct tlsg_priority *tlsg_priority_of(const struct tlsg_prof *p, bool datagram)
{
	return datagram ? p->datagram : p->priority;
}

enum tlsg_ret tlsg_priority_check_datagram(const struct tlsg_prof *p, struct tlsg_err *err)
{
	if(p->datagram != NULL)
		return TLSG_OK;
	if(!p->set->options.datagram)
		return tlsg_err_set(err, TLSG_E_INTERNAL, "%.*s: built without DTLS", p->id.len, p->id.s);
	return tlsg_err_set(err, TLSG_E_CONFIG,
			"%.*s: tls_method and cipher_list leave nothing for DTLS, which has the versions 1.2 and 1.0; write "
			"TLSv1.2 "
			"or TLSv1.2+",
			p->id.len, p->id.s);
}

unsigned tlsg_priority_key_of(gnutls_pk_algorithm_t pk)
{
	switch(pk) {
		case GNUTLS_PK_RSA:
		case GNUTLS_PK_RSA_PSS:
			return TLSG_CIPHER_KEY_RSA;
		case GNUTLS_PK_DSA:
			return TLSG_CIPHER_KEY_DSA;
		default:
			return TLSG_CIPHER_KEY_ECDSA;
	}
}

bool tlsg_priority_curve_fits(const struct tlsg_pair *pair, unsigned groups)
{
	if(groups == 0 || pair->pk != GNUTLS_PK_ECDSA)
		return true;
	switch(pair->bits) {
		case 192:
			return (groups & TLSG_CIPHER_GROUP(19)) != 0;
		case 224:
			return (groups & TLSG_CIPHER_GROUP(21)) != 0;
		case 256:
			return (groups & TLSG_CIPHER_GROUP(23)) != 0;
		case 384:
			return (groups & TLSG_CIPHER_GROUP(24)) != 0;
		default: /* GnuTLS counts whole bytes: 528 */
			return pair->bits > 512 && (groups & TLSG_CIPHER_GROUP(25)) != 0;
	}
}

/* Kinds of keys of the profile that the client can use. */
static unsigned keys_of(const struct tlsg_prof *p, unsigned groups)
{
	unsigned keys = 0;
	unsigned i;

	for(i = 0; i < p->pairs_len; i++)
		if(tlsg_priority_curve_fits(&p->pairs[i], groups))
			keys |= tlsg_priority_key_of(p->pairs[i].pk);
	return keys;
}

/* Whether the first group of a client that this host has too is a hybrid. */
static bool prefers_hybrid(const struct tlsg_priority *x, const struct tlsg_cipher_offer *offer)
{
	size_t i;

	for(i = 0; i < offer->group_numbers_len; i++) {
		struct groups g = groups_of((unsigned)(offer->group_numbers[2 * i] << 8 | offer->group_numbers[2 * i + 1]));

		if(g.hybrids & x->hybrids)
			return true;
		if(g.curves & x->curves || g.dh_groups & x->dh_groups)
			return false;
	}
	return false;
}

/* The priority for the suite that was chosen. @param i  position of the suite. */
static gnutls_priority_t pick(const struct tlsg_priority *x, size_t i, const struct tlsg_cipher_offer *offer)
{
	if(x->hybrid != NULL && x->hybrid[i] != NULL && prefers_hybrid(x, offer))
		return x->hybrid[i];
	return x->single[i];
}

enum tlsg_ret tlsg_priority_for_offer(
		const struct tlsg_prof *p, bool datagram, struct tlsg_cipher_offer *offer, gnutls_priority_t *compiled)
{
	const struct tlsg_priority *x = tlsg_priority_of(p, datagram);
	const struct tlsg_suite *best;
	size_t i;

	*compiled = NULL;
	offer->usable = tlsg_cipher_list_keys(&x->list, offer);
	if(x->single == NULL
			|| p->pairs_len == 0) /* without a certificate GnuTLS ends the handshake, and the log says why */
		return TLSG_OK;
	offer->keys &= keys_of(p, offer->groups);
	switch(tlsg_cipher_list_choose(&x->list, offer, &best)) {
		case TLSG_CIPHER_LEAVE:
			return TLSG_OK;
		case TLSG_CIPHER_REFUSE:
			return TLSG_E_PEER;
		default:
			break;
	}
	for(i = 0; i < x->list.suites_len; i++)
		if(x->list.suites[i] == tlsg_suite_index(best)) {
			*compiled = pick(x, i, offer);
			offer->usable = tlsg_cipher_list_suite_keys(best);
			return TLSG_OK;
		}
	return TLSG_E_PEER;
}
