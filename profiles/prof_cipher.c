/*
 * tls_gnutls - cipher_list and tls_method to a list of suites, a GnuTLS priority string, and what keeps the list exact
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: evaluation: the process that builds a snapshot; the rest: any process.
 * Memory: the caller's; GnuTLS allocates and frees within the evaluation.  Lock: none.
 */
#include "profiles/prof_cipher.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <gnutls/gnutls.h>

/** A name of a priority string and what it is good for. */
struct strength
{
	const char *name;
	int bits;		  /**< strength; named only where the security level asks for no more */
	unsigned suite_b; /**< bit per enum tlsg_suite_b that allows it */
};

#define B128 (1u << TLSG_SUITE_B_128)
#define B128ONLY (1u << TLSG_SUITE_B_128ONLY)
#define B192 (1u << TLSG_SUITE_B_192)

/* Preferred first. A client sends key shares for the first two. */
static const struct strength curves[] = {
		{"X25519", 128, 0},
		{"SECP256R1", 128, B128 | B128ONLY},
		{"X448", 224, 0},
		{"SECP384R1", 192, B128 | B192},
		{"SECP521R1", 256, 0},
};

static const struct strength dh_groups[] = {
		{"FFDHE2048", 112, 0},
		{"FFDHE3072", 128, 0},
		{"FFDHE4096", 128, 0},
		{"FFDHE6144", 128, 0},
		{"FFDHE8192", 192, 0},
};

/* SHA-1 counts as 63 bits: its collisions are known. Only security level 0 admits it. */
static const struct strength signatures[] = {
		{"ECDSA-SHA256", 128, B128 | B128ONLY},
		{"ECDSA-SECP256R1-SHA256", 128, B128 | B128ONLY},
		{"EDDSA-ED25519", 128, 0},
		{"RSA-PSS-RSAE-SHA256", 128, 0},
		{"RSA-PSS-SHA256", 128, 0},
		{"RSA-SHA256", 128, 0},
		{"ECDSA-SHA384", 192, B128 | B192},
		{"ECDSA-SECP384R1-SHA384", 192, B128 | B192},
		{"EDDSA-ED448", 224, 0},
		{"RSA-PSS-RSAE-SHA384", 192, 0},
		{"RSA-PSS-SHA384", 192, 0},
		{"RSA-SHA384", 192, 0},
		{"ECDSA-SHA512", 256, 0},
		{"ECDSA-SECP521R1-SHA512", 256, 0},
		{"RSA-PSS-RSAE-SHA512", 256, 0},
		{"RSA-PSS-SHA512", 256, 0},
		{"RSA-SHA512", 256, 0},
		{"RSA-SHA1", 63, 0},
		{"ECDSA-SHA1", 63, 0},
		{"DSA-SHA1", 63, 0},
};

/* What certificates have to satisfy, by security level. */
static const char *const profiles[] = {"%PROFILE_VERY_WEAK:%VERIFY_ALLOW_SIGN_WITH_SHA1", "%PROFILE_LOW",
		"%PROFILE_MEDIUM", "%PROFILE_HIGH", "%PROFILE_ULTRA", "%PROFILE_FUTURE"};

/* The system's policy where the distribution has one, else GnuTLS's own default. */
static const char *system_default(void)
{
	gnutls_priority_t p;

	if(gnutls_priority_init(&p, "@SYSTEM", NULL) < 0)
		return "NORMAL";
	gnutls_priority_deinit(p);
	return "@SYSTEM";
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- text that grows in a buffer ---- */

struct text
{
	char *buf;
	size_t size;
	size_t used;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if(t->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->used, t->size - t->used, fmt, ap);
	va_end(ap);
	if(n < 0 || (size_t)n >= t->size - t->used)
		t->full = true;
	else
		t->used += (size_t)n;
}

/* ---- which language ---- */

/** Whether one of some words stands anywhere in a string; letters of either case are the same, as in GnuTLS. */
static bool has_any(const char *string, const char *const *words, size_t count)
{
	for(size_t i = 0; i < count; i++)
		for(const char *p = string; *p != '\0'; p++)
			if(strncasecmp(p, words[i], strlen(words[i])) == 0)
				return true;
	return false;
}

bool tlsg_cipher_is_native(const char *string)
{
	static const char *const first[] = {
			"NORMAL", "PERFORMANCE", "SECURE", "SECURE128", "SECURE192", "SECURE256", "PFS", "LEGACY", "NONE"};
	static const char *const only_gnutls[] = {"%", "+VERS-", "-VERS-", "!VERS-", "+CTYPE-", "-CTYPE-", "+COMP-",
			"+SIGN-", "-SIGN-", "!SIGN-", "+GROUP-", "-GROUP-", "!GROUP-", "+CURVE-", "-CURVE-", "!CURVE-",
			"CIPHER-ALL", "MAC-ALL", "KX-ALL"};
	size_t len = strcspn(string, ":");

	if(has_any(string, only_gnutls, COUNT(only_gnutls)))
		return true;
	for(size_t i = 0; i < COUNT(first); i++)
		if(strlen(first[i]) == len && strncasecmp(first[i], string, len) == 0)
			return true;
	return string[0] == '@' && strncmp(string, "@STRENGTH", 9) != 0 && strncmp(string, "@SECLEVEL=", 10) != 0
		   && string[1] != '\0';
}

/* ---- the list ---- */

static const struct tlsg_suite *row(size_t index)
{
	size_t count;

	return tlsg_suite_table(&count) + index;
}

static bool is_listed(const uint16_t *rows, size_t len, const struct tlsg_suite *s)
{
	for(size_t i = 0; i < len; i++)
		if(rows[i] == tlsg_suite_index(s))
			return true;
	return false;
}

static bool suite_in_versions(const struct tlsg_suite *s, unsigned versions)
{
	for(unsigned v = TLSG_TLS1_0; v <= TLSG_TLS1_3; v++)
		if(versions & TLSG_VERSION_BIT(v) && tlsg_suite_in_version(s, v))
			return true;
	return false;
}

/** Puts a suite at the end of the named ones if it can be had within the method. */
static void list_name(struct tlsg_cipher_list *l, const struct tlsg_suite *s)
{
	if(!tlsg_suite_is_cert(s) || !tlsg_suite_is_known(s) || !suite_in_versions(s, l->versions)
			|| is_listed(l->named, l->named_len, s) || l->named_len == TLSG_CIPHER_MAX)
		return;
	l->named[l->named_len++] = (uint16_t)tlsg_suite_index(s);
}

static void list_name_default13(struct tlsg_cipher_list *l)
{
	size_t count;
	const struct tlsg_suite *table = tlsg_suite_table(&count);

	for(size_t i = 0; i < count; i++)
		if(table[i].flags & TLSG_SUITE_DEFAULT13)
			list_name(l, &table[i]);
}

static void note_word(const struct tlsg_cipher_note *note, const char *word, size_t len, const char *why)
{
	if(note != NULL && note->note_cb != NULL)
		note->note_cb(note->arg, word, len, why);
}

/**
 * Names the TLS 1.3 suites of a string like "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", if it has any.
 * Source: `tls` 6.0, which hands cipher_list to SSL_CTX_set_ciphersuites() when the method is TLSv1.3 or TLSv1.3+.
 */
static bool list_name_tls13(struct tlsg_cipher_list *l, const char *string, const struct tlsg_cipher_note *note)
{
	static const char separators[] = ": ,;";
	bool any = false;

	for(int pass = 0; pass < 2 && (pass == 0 || any); pass++)
		for(const char *p = string + strspn(string, separators); *p != '\0'; p += strspn(p, separators)) {
			size_t len = strcspn(p, separators);
			const struct tlsg_suite *s = tlsg_suite_by_name(p, len);
			bool is13 = s != NULL && s->min_version == TLSG_TLS1_3;

			if(pass == 0)
				any = any || is13;
			else if(is13)
				list_name(l, s);
			else
				note_word(note, p, len, "is not a suite of TLS 1.3 and is passed over");
			p += len;
		}
	return any;
}

/** Fills what the string names: the result of `openssl ciphers` as far as GnuTLS and the method have it. */
static enum tlsg_ret list_fill(
		struct tlsg_cipher_list *l, const char *string, const struct tlsg_cipher_note *note, struct tlsg_err *err)
{
	struct tlsg_rules rules;
	enum tlsg_ret ret;

	l->sec_level = TLSG_SEC_LEVEL_DEFAULT;
	if(l->versions == TLSG_VERSION_BIT(TLSG_TLS1_3) && list_name_tls13(l, string, note))
		return TLSG_OK;
	ret = tlsg_rules_eval(string, note, &rules, err);
	if(ret != TLSG_OK)
		return ret;
	list_name_default13(l);
	for(size_t i = 0; i < rules.len; i++)
		list_name(l, rules.suites[i]);
	l->suite_b = rules.suite_b;
	l->sec_level_named = rules.sec_level >= 0;
	if(l->sec_level_named)
		l->sec_level = rules.sec_level;
	return TLSG_OK;
}

/** Drops the versions that a level refuses or that no suite is left for. */
static void list_trim_versions(struct tlsg_cipher_list *l)
{
	unsigned kept = 0;

	for(unsigned v = TLSG_TLS1_0; v <= TLSG_TLS1_3; v++) {
		bool any = false;

		if(!(l->versions & TLSG_VERSION_BIT(v)) || (l->sec_level >= 3 && v == TLSG_TLS1_0)
				|| (l->sec_level >= 4 && v == TLSG_TLS1_1))
			continue;
		for(size_t i = 0; i < l->suites_len && !any; i++)
			any = tlsg_suite_in_version(row(l->suites[i]), v);
		if(any)
			kept |= TLSG_VERSION_BIT(v);
	}
	l->versions = kept;
}

/** Applies the security level to the named suites and to the versions. */
static void list_apply_level(struct tlsg_cipher_list *l, const struct tlsg_cipher_note *note)
{
	l->suites_len = 0;
	for(size_t i = 0; i < l->named_len; i++) {
		const struct tlsg_suite *s = row(l->named[i]);

		if(tlsg_rules_level_admits(s, l->sec_level))
			l->suites[l->suites_len++] = l->named[i];
		else
			note_word(note, tlsg_suite_name(s), strlen(tlsg_suite_name(s)),
					"is refused in handshakes: @SECLEVEL asks for more");
	}
	list_trim_versions(l);
}

/* ---- the priority string ---- */

/** Adds ":+name" for each suite, once for each name. */
static void text_add_names(
		struct text *t, const struct tlsg_cipher_list *l, const char *(*name)(const struct tlsg_suite *))
{
	for(size_t i = 0; i < l->suites_len; i++) {
		const char *n = name(row(l->suites[i]));
		bool seen = n == NULL;

		for(size_t j = 0; j < i && !seen; j++) {
			const char *before = name(row(l->suites[j]));

			seen = before != NULL && strcmp(before, n) == 0;
		}
		if(!seen)
			text_add(t, ":+%s", n);
	}
}

static const char *kx_name(const struct tlsg_suite *s)
{
	return s->kx == TLSG_KX_ANY ? NULL : gnutls_kx_get_name(tlsg_suite_gnutls_kx(s));
}

static const char *cipher_name(const struct tlsg_suite *s)
{
	return gnutls_cipher_get_name(tlsg_suite_gnutls_cipher(s));
}

static const char *mac_name(const struct tlsg_suite *s)
{
	return gnutls_mac_get_name(tlsg_suite_gnutls_mac(s));
}

static void text_add_strengths(
		struct text *t, const struct tlsg_cipher_list *l, const char *prefix, const struct strength *from, size_t count)
{
	for(size_t i = 0; i < count; i++)
		if(from[i].bits >= tlsg_rules_level_bits(l->sec_level)
				&& (l->suite_b == TLSG_SUITE_B_NO || from[i].suite_b & (1u << l->suite_b)))
			text_add(t, ":+%s%s", prefix, from[i].name);
}

static bool list_has_kx(const struct tlsg_cipher_list *l, unsigned kx)
{
	for(size_t i = 0; i < l->suites_len; i++)
		if(row(l->suites[i])->kx & kx)
			return true;
	return false;
}

/** Writes the priority string of the suites in `l`; `all` is the list that they come from. */
static enum tlsg_ret list_priority(
		const struct tlsg_cipher_list *l, const struct tlsg_cipher_list *all, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};
	char versions[TLSG_METHOD_PRIORITY_SIZE];
	enum tlsg_ret ret = tlsg_method_priority(all->versions, versions, sizeof(versions));

	if(ret != TLSG_OK)
		return ret;
	text_add(&t, "NONE:%s", versions);
	text_add_names(&t, l, kx_name);
	text_add_names(&t, l, cipher_name);
	text_add_names(&t, l, mac_name);
	text_add_strengths(&t, all, "GROUP-", curves, COUNT(curves));
	if(list_has_kx(all, TLSG_KX_DHE))
		text_add_strengths(&t, all, "GROUP-", dh_groups, COUNT(dh_groups));
	text_add_strengths(&t, all, "SIGN-", signatures, COUNT(signatures));
	text_add(&t, ":+CTYPE-X509:+COMP-NULL:%s", profiles[all->sec_level]);
	return t.full ? TLSG_E_RESOURCE : TLSG_OK;
}

/* ---- what GnuTLS makes of it ---- */

static enum tlsg_ret priority_compile(const char *string, gnutls_priority_t *prio, struct tlsg_err *err)
{
	const char *where = NULL;
	int n = gnutls_priority_init(prio, string, &where);

	if(n >= 0)
		return TLSG_OK;
	*prio = NULL;
	if(n == GNUTLS_E_INVALID_REQUEST && string[0] == '@')
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"cipher list: GnuTLS does not understand '%.64s'; is the keyword defined in GnuTLS's system "
				"configuration?",
				string);
	if(n == GNUTLS_E_INVALID_REQUEST && where != NULL)
		return tlsg_err_set(err, TLSG_E_CONFIG, "cipher list: GnuTLS does not understand '%.64s'", where);
	if(n == GNUTLS_E_NO_PRIORITIES_WERE_SET)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"cipher list: the TLS method, the security level and the system's policy leave no suite");
	return tlsg_err_gnutls(err, n, "cipher list");
}

static unsigned priority_versions(gnutls_priority_t prio)
{
	const unsigned *list = NULL;
	int n = gnutls_priority_protocol_list(prio, &list);
	unsigned versions = 0;

	for(int i = 0; i < n; i++)
		if(list[i] >= GNUTLS_TLS1_0 && list[i] <= GNUTLS_TLS1_3)
			versions |= TLSG_VERSION_BIT(TLSG_TLS1_0 + (list[i] - GNUTLS_TLS1_0));
	return versions;
}

/** The next suite that a compiled string admits. @return false behind the last one; *s is NULL for a suite not in the table. */
static bool priority_next_suite(gnutls_priority_t prio, unsigned *index, const struct tlsg_suite **s)
{
	for(;;) {
		unsigned sidx = 0;
		unsigned char id[2];
		int n = gnutls_priority_get_cipher_suite_index(prio, (*index)++, &sidx);

		if(n == GNUTLS_E_UNKNOWN_CIPHER_SUITE)
			continue;
		if(n < 0 || gnutls_cipher_suite_info(sidx, id, NULL, NULL, NULL, NULL) == NULL)
			return false;
		*s = tlsg_suite_by_id(id[0], id[1]);
		return true;
	}
}

static void rows_set(uint8_t *rows, const struct tlsg_suite *s)
{
	rows[tlsg_suite_index(s) / 8] |= (uint8_t)(1u << (tlsg_suite_index(s) % 8));
}

static bool rows_has(const uint8_t *rows, const struct tlsg_suite *s)
{
	return rows[tlsg_suite_index(s) / 8] & (1u << (tlsg_suite_index(s) % 8));
}

/** Keeps of a list of rows those that are in `admitted`. */
static void rows_keep(uint16_t *rows, size_t *len, const uint8_t *admitted, const struct tlsg_cipher_note *note)
{
	size_t kept = 0;

	for(size_t i = 0; i < *len; i++) {
		const struct tlsg_suite *s = row(rows[i]);

		if(rows_has(admitted, s))
			rows[kept++] = rows[i];
		else
			note_word(note, tlsg_suite_name(s), strlen(tlsg_suite_name(s)), "is switched off in this system's GnuTLS");
	}
	*len = kept;
}

/** Compares the list with what GnuTLS admits: what is missing goes, what is too much is remembered. */
static void list_compare(struct tlsg_cipher_list *l, gnutls_priority_t prio, const struct tlsg_cipher_note *note)
{
	uint8_t admitted[sizeof(l->surplus_rows)] = {0};
	const struct tlsg_suite *s = NULL;
	size_t last = 0;

	for(unsigned i = 0; priority_next_suite(prio, &i, &s);) {
		size_t at = 0;

		if(s == NULL || !suite_in_versions(s, l->versions))
			continue;
		rows_set(admitted, s);
		while(at < l->suites_len && l->suites[at] != tlsg_suite_index(s))
			at++;
		if(at == l->suites_len) {
			rows_set(l->surplus_rows, s);
			l->surplus = true;
			continue;
		}
		l->reordered = l->reordered || at < last;
		last = at;
	}
	rows_keep(l->suites, &l->suites_len, admitted, note);
}

/** What the level does not admit was not asked of GnuTLS; all else that GnuTLS refused is not named either. */
static void list_unname(struct tlsg_cipher_list *l)
{
	size_t kept = 0;

	for(size_t i = 0; i < l->named_len; i++) {
		const struct tlsg_suite *s = row(l->named[i]);

		if(is_listed(l->suites, l->suites_len, s) || !tlsg_rules_level_admits(s, l->sec_level)
				|| !suite_in_versions(s, l->versions))
			l->named[kept++] = l->named[i];
	}
	l->named_len = kept;
}

static enum tlsg_ret eval_list(
		struct tlsg_cipher_list *l, const char *string, const struct tlsg_cipher_note *note, struct tlsg_err *err)
{
	gnutls_priority_t prio = NULL;
	enum tlsg_ret ret = list_fill(l, string, note, err);

	if(ret != TLSG_OK)
		return ret;
	list_apply_level(l, note);
	if(l->suites_len == 0 || l->versions == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"cipher list '%.128s': nothing is left within the TLS method and security level %d", string,
				l->sec_level);
	ret = list_priority(l, l, l->priority, sizeof(l->priority));
	if(ret != TLSG_OK)
		return tlsg_err_set(
				err, ret, "cipher list: its GnuTLS priority string is longer than %zu bytes", sizeof(l->priority) - 1);
	ret = priority_compile(l->priority, &prio, err);
	if(ret != TLSG_OK)
		return ret;
	l->versions &= priority_versions(prio);
	list_compare(l, prio, note);
	list_unname(l);
	gnutls_priority_deinit(prio);
	if(l->suites_len == 0 || l->versions == 0)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "cipher list '%.128s': the system's GnuTLS policy leaves no suite", string);
	return TLSG_OK;
}

/* ---- strings that GnuTLS reads itself ---- */

static void list_take_all(struct tlsg_cipher_list *l, gnutls_priority_t prio)
{
	const struct tlsg_suite *s = NULL;

	for(unsigned i = 0; priority_next_suite(prio, &i, &s);)
		if(s != NULL && suite_in_versions(s, l->versions) && l->suites_len < TLSG_CIPHER_MAX)
			l->suites[l->suites_len++] = (uint16_t)tlsg_suite_index(s);
	memcpy(l->named, l->suites, sizeof(l->named));
	l->named_len = l->suites_len;
}

/** A native string speaks the versions that both it and tls_method have. */
static enum tlsg_ret eval_native(struct tlsg_cipher_list *l, const char *string, struct tlsg_err *err)
{
	struct text t = {.buf = l->priority, .size = sizeof(l->priority)};
	char versions[TLSG_METHOD_PRIORITY_SIZE];
	gnutls_priority_t prio = NULL;
	unsigned own;
	enum tlsg_ret ret = priority_compile(string, &prio, err);

	if(ret != TLSG_OK)
		return ret;
	own = priority_versions(prio);
	gnutls_priority_deinit(prio);
	text_add(&t, "%s", string);
	if(own & ~l->versions) {
		if(tlsg_method_priority(own & l->versions, versions, sizeof(versions)) != TLSG_OK)
			return tlsg_err_set(err, TLSG_E_INTERNAL, "cipher list: no room for the versions");
		text_add(&t, ":%s", versions);
	}
	if((own & l->versions) == 0)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "cipher list '%.128s' has no TLS version in common with the TLS method", string);
	if(t.full)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "cipher list: longer than %zu bytes", sizeof(l->priority) - 1);
	ret = priority_compile(l->priority, &prio, err);
	if(ret != TLSG_OK)
		return ret;
	l->versions = priority_versions(prio);
	l->sec_level = TLSG_SEC_LEVEL_DEFAULT;
	list_take_all(l, prio);
	gnutls_priority_deinit(prio);
	if(l->suites_len == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "cipher list '%.128s' selects no suite", string);
	return TLSG_OK;
}

enum tlsg_ret tlsg_cipher_list_eval(const char *string, const struct tlsg_method *method,
		const struct tlsg_cipher_note *note, struct tlsg_cipher_list *out, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	ret = tlsg_method_versions(method, &out->versions, err);
	if(ret != TLSG_OK)
		return ret;
	if(string == NULL) {
		out->kind = TLSG_CIPHER_DEFAULT;
		return eval_native(out, system_default(), err);
	}
	if(tlsg_cipher_is_native(string)) {
		out->kind = TLSG_CIPHER_NATIVE;
		return eval_native(out, string, err);
	}
	out->kind = TLSG_CIPHER_LIST;
	return eval_list(out, string, note, err);
}

/* ---- enforcement ---- */

bool tlsg_cipher_list_has(const struct tlsg_cipher_list *list, const struct tlsg_suite *suite)
{
	if(list->kind != TLSG_CIPHER_LIST)
		return true;
	return suite != NULL && is_listed(list->suites, list->suites_len, suite);
}

static bool key_fits(const struct tlsg_suite *s, unsigned keys)
{
	switch(s->au) {
		case TLSG_AU_RSA:
			return keys & TLSG_CIPHER_KEY_RSA;
		case TLSG_AU_ECDSA:
			return keys & TLSG_CIPHER_KEY_ECDSA;
		case TLSG_AU_DSS:
			return keys & TLSG_CIPHER_KEY_DSA;
		default:
			return keys != 0;
	}
}

/** @return 0 if there is none. */
static unsigned highest_version(unsigned versions)
{
	for(unsigned v = TLSG_TLS1_3; v >= TLSG_TLS1_0; v--)
		if(versions & TLSG_VERSION_BIT(v))
			return v;
	return 0;
}

enum tlsg_cipher_choice tlsg_cipher_list_choose(
		const struct tlsg_cipher_list *list, const struct tlsg_cipher_offer *offer, const struct tlsg_suite **best)
{
	unsigned version = highest_version(list->versions & offer->versions);
	bool surplus = false;

	*best = NULL;
	if(list->kind != TLSG_CIPHER_LIST)
		return TLSG_CIPHER_LEAVE;
	for(size_t i = 0; i + 1 < offer->ids_bytes; i += 2) {
		const struct tlsg_suite *s = tlsg_suite_by_id(offer->ids[i], offer->ids[i + 1]);

		if(s == NULL || !tlsg_suite_in_version(s, version))
			continue;
		surplus = surplus || rows_has(list->surplus_rows, s);
		if(*best == NULL && key_fits(s, offer->keys) && !(s->kx & offer->without)
				&& is_listed(list->suites, list->suites_len, s))
			*best = s;
	}
	if(*best == NULL)
		return TLSG_CIPHER_REFUSE;
	return surplus ? TLSG_CIPHER_APPLY : TLSG_CIPHER_LEAVE;
}

enum tlsg_ret tlsg_cipher_list_single(
		const struct tlsg_cipher_list *list, const struct tlsg_suite *suite, char *buf, size_t size)
{
	struct tlsg_cipher_list one = {.suites = {(uint16_t)tlsg_suite_index(suite)}, .suites_len = 1};

	return list_priority(&one, list, buf, size);
}
