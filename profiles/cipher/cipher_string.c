/*
 * tls_gnutls - evaluates cipher_list within tls_method: a list of suites, and the GnuTLS priority string for it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, tls-gnutls-ciphers.
 * Memory: the caller's; GnuTLS allocates and frees within the evaluation.  Lock: none.
 */
#include "profiles/cipher/cipher_string.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <gnutls/gnutls.h>

#include "profiles/cipher/priority_string.h"
#include "profiles/cipher/rules.h"
#include "profiles/cipher/suites.h"

/* Security level where the string does not name one: that of OpenSSL as Debian builds it. */
#define SEC_LEVEL_DEFAULT 2

/* cipher_list where the profile does not set it. */
#define STRING_DEFAULT "DEFAULT"

/* The keyword of GnuTLS's configuration for the policy of the system. */
#define STRING_POLICY "@SYSTEM"

/* ---- the list ---- */

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

/** Appends a suite to the named ones if GnuTLS has it and it is within the method. */
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
				note_word(note, p, len, "is not a suite of TLS 1.3 and is ignored");
			p += len;
		}
	return any;
}

/** Fills the named suites: the output of `openssl ciphers` without those that GnuTLS or the method lacks. */
static enum tlsg_ret list_fill(
		struct tlsg_cipher_list *l, const char *string, const struct tlsg_cipher_note *note, struct tlsg_err *err)
{
	struct tlsg_rules rules;
	enum tlsg_ret ret;

	l->sec_level = SEC_LEVEL_DEFAULT;
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

/** Drops the versions that the level refuses or that have no suite left. */
static void list_trim_versions(struct tlsg_cipher_list *l)
{
	unsigned kept = 0;

	for(unsigned v = TLSG_TLS1_0; v <= TLSG_TLS1_3; v++) {
		bool any = false;

		if(!(l->versions & TLSG_VERSION_BIT(v)) || (l->sec_level >= 3 && v == TLSG_TLS1_0)
				|| (l->sec_level >= 4 && v == TLSG_TLS1_1))
			continue;
		for(size_t i = 0; i < l->suites_len && !any; i++)
			any = tlsg_suite_in_version(tlsg_suite_at(l->suites[i]), v);
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
		const struct tlsg_suite *s = tlsg_suite_at(l->named[i]);

		if(tlsg_rules_level_admits(s, l->sec_level))
			l->suites[l->suites_len++] = l->named[i];
		else
			note_word(note, tlsg_suite_name(s), strlen(tlsg_suite_name(s)),
					"is refused in handshakes: @SECLEVEL demands more");
	}
	list_trim_versions(l);
}

/* ---- the result in GnuTLS ---- */

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

/* @param datagram  the versions of DTLS, each as those of TLS that it is made from. */
static unsigned priority_versions(gnutls_priority_t prio, bool datagram)
{
	const unsigned *list = NULL;
	int n = gnutls_priority_protocol_list(prio, &list);
	unsigned versions = 0;

	for(int i = 0; i < n; i++)
		if(!datagram && list[i] >= GNUTLS_TLS1_0 && list[i] <= GNUTLS_TLS1_3)
			versions |= TLSG_VERSION_BIT(TLSG_TLS1_0 + (list[i] - GNUTLS_TLS1_0));
		else if(datagram && list[i] == GNUTLS_DTLS1_2)
			versions |= TLSG_VERSION_BIT(TLSG_TLS1_2);
		else if(datagram && list[i] == GNUTLS_DTLS1_0)
			versions |= TLSG_VERSION_BIT(TLSG_TLS1_0) | TLSG_VERSION_BIT(TLSG_TLS1_1);
	return versions;
}

/**
 * The next suite that a compiled string admits. @return false after the last one; *s is NULL for one not in the table.
 */
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

/** Keeps of a list of rows those that are in `admitted`. */
static void rows_keep(
		uint16_t *rows, size_t *len, const struct tlsg_id_set *admitted, const struct tlsg_cipher_note *note)
{
	size_t kept = 0;

	for(size_t i = 0; i < *len; i++) {
		const struct tlsg_suite *s = tlsg_suite_at(rows[i]);

		if(tlsg_cipher_list_id_is_in(admitted, s->id))
			rows[kept++] = rows[i];
		else
			note_word(note, tlsg_suite_name(s), strlen(tlsg_suite_name(s)), "is disabled in this system's GnuTLS");
	}
	*len = kept;
}

/** Compares the list with what GnuTLS admits: drops what is missing there, records what is surplus. */
static void list_compare(struct tlsg_cipher_list *l, gnutls_priority_t prio, const struct tlsg_cipher_note *note)
{
	struct tlsg_id_set admitted = {{{0}}};
	const struct tlsg_suite *s = NULL;

	for(unsigned i = 0; priority_next_suite(prio, &i, &s);) {
		if(s == NULL || !suite_in_versions(s, l->versions))
			continue;
		tlsg_cipher_list_id_add(&admitted, s->id);
		if(!is_listed(l->suites, l->suites_len, s)) {
			tlsg_cipher_list_id_add(&l->surplus_ids, s->id);
			l->surplus = true;
		}
	}
	rows_keep(l->suites, &l->suites_len, &admitted, note);
	for(size_t i = 0; i < l->suites_len; i++)
		tlsg_cipher_list_id_add(&l->suite_ids, tlsg_suite_at(l->suites[i])->id);
}

/**
 * Drops from the named suites those that GnuTLS refused; the ones that the level refuses stay, GnuTLS was not asked for
 * them.
 */
static void list_unname(struct tlsg_cipher_list *l)
{
	size_t kept = 0;

	for(size_t i = 0; i < l->named_len; i++) {
		const struct tlsg_suite *s = tlsg_suite_at(l->named[i]);

		if(is_listed(l->suites, l->suites_len, s) || !tlsg_rules_level_admits(s, l->sec_level)
				|| !suite_in_versions(s, l->versions))
			l->named[kept++] = l->named[i];
	}
	l->named_len = kept;
}

/** Adds the suites that a compiled string admits. */
static void priority_suites(gnutls_priority_t prio, struct tlsg_id_set *set)
{
	const struct tlsg_suite *s = NULL;

	for(unsigned i = 0; priority_next_suite(prio, &i, &s);)
		if(s != NULL)
			tlsg_cipher_list_id_add(set, s->id);
}

/**
 * Limits the default to the policy of the system, where it has one: versions, suites, groups, signatures. What GnuTLS's
 * configuration switches off altogether does not need this.
 * @return false: nothing is left.
 */
static bool list_apply_policy(struct tlsg_cipher_list *l)
{
	struct tlsg_id_set admitted = {{{0}}};
	gnutls_priority_t policy;

	if(gnutls_priority_init(&policy, STRING_POLICY, NULL) < 0)
		return true;
	l->versions &= priority_versions(policy, l->datagram);
	priority_suites(policy, &admitted);
	rows_keep(l->named, &l->named_len, &admitted, NULL);
	rows_keep(l->suites, &l->suites_len, &admitted, NULL);
	list_trim_versions(l);
	tlsg_priority_string_limit(l, policy);
	gnutls_priority_deinit(policy);
	return l->suites_len > 0 && l->versions != 0;
}

static enum tlsg_ret eval_list(
		struct tlsg_cipher_list *l, const char *string, const struct tlsg_cipher_note *note, struct tlsg_err *err)
{
	gnutls_priority_t prio = NULL;
	enum tlsg_ret ret = list_fill(l, string, note, err);

	if(ret != TLSG_OK)
		return ret;
	list_apply_level(l, note);
	if(l->kind == TLSG_CIPHER_DEFAULT && !list_apply_policy(l))
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"cipher list: the policy of the system (@SYSTEM in GnuTLS's configuration) leaves no suite of the TLS "
				"method");
	if(l->suites_len == 0 || l->versions == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"cipher list '%.128s': nothing is left within the TLS method and security level %d", string,
				l->sec_level);
	ret = tlsg_priority_string_write(l, l, l->priority, sizeof(l->priority));
	if(ret != TLSG_OK)
		return tlsg_err_set(
				err, ret, "cipher list: its GnuTLS priority string is longer than %zu bytes", sizeof(l->priority) - 1);
	ret = priority_compile(l->priority, &prio, err);
	if(ret != TLSG_OK)
		return ret;
	l->versions &= priority_versions(prio, l->datagram);
	list_compare(l, prio, note);
	list_unname(l);
	gnutls_priority_deinit(prio);
	if(l->suites_len == 0 || l->versions == 0)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "cipher list '%.128s': the system's GnuTLS policy leaves no suite", string);
	return TLSG_OK;
}

/* ---- native strings ---- */

static void list_take_all(struct tlsg_cipher_list *l, gnutls_priority_t prio)
{
	const struct tlsg_suite *s = NULL;

	for(unsigned i = 0; priority_next_suite(prio, &i, &s);)
		if(s != NULL && suite_in_versions(s, l->versions) && l->suites_len < TLSG_CIPHER_MAX)
			l->suites[l->suites_len++] = (uint16_t)tlsg_suite_index(s);
	memcpy(l->named, l->suites, sizeof(l->named));
	l->named_len = l->suites_len;
}

/** The lowest level that is as strict as a profile of GnuTLS. @param name  the text after %PROFILE_. */
static int profile_level(const char *name, size_t len)
{
	static const struct
	{
		const char *name;
		int level;
	} levels[] = {
			{"VERY_WEAK", 0},
			{"LOW", 1},
			{"LEGACY", 2},
			{"MEDIUM", 2},
			{"HIGH", 3},
			{"SUITEB128", 3},
			{"ULTRA", 4},
			{"SUITEB192", 4},
			{"FUTURE", 5},
	};

	for(size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if(strlen(levels[i].name) == len && memcmp(levels[i].name, name, len) == 0)
			return levels[i].level;
	return SEC_LEVEL_DEFAULT;
}

/** Takes the security level from the last %PROFILE_ of a native string. */
static void list_take_profile(struct tlsg_cipher_list *l, const char *string)
{
	static const char word[] = "%PROFILE_";
	const size_t word_len = sizeof(word) - 1;
	size_t len;

	l->sec_level = SEC_LEVEL_DEFAULT;
	for(const char *p = string; *p != '\0'; p += len + (p[len] == ':')) {
		len = strcspn(p, ":");
		if(len <= word_len || strncmp(p, word, word_len) != 0)
			continue;
		l->sec_level = profile_level(p + word_len, len - word_len);
		l->sec_level_named = true;
	}
}

/** GnuTLS applies the word to groups too, and sends a HelloRetryRequest to clients that have guessed another one. */
static void note_precedence(const char *string, const struct tlsg_cipher_note *note)
{
	static const char word[] = "%SERVER_PRECEDENCE";
	size_t len;

	for(const char *p = string; *p != '\0'; p += len + (p[len] != '\0')) {
		len = strcspn(p, ":");
		if(len == sizeof(word) - 1 && strncasecmp(p, word, len) == 0)
			note_word(note, word, len,
					"costs many handshakes a HelloRetryRequest, because it orders groups too; an OpenSSL cipher string "
					"orders suites without that");
	}
}

/** A native string is limited to the versions that both it and tls_method have. */
static enum tlsg_ret eval_native(
		struct tlsg_cipher_list *l, const char *string, const struct tlsg_cipher_note *note, struct tlsg_err *err)
{
	char versions[TLSG_METHOD_PRIORITY_SIZE] = "";
	gnutls_priority_t prio = NULL;
	unsigned own;
	int n;
	enum tlsg_ret ret = priority_compile(string, &prio, err);

	if(ret != TLSG_OK)
		return ret;
	own = priority_versions(prio, l->datagram);
	if(own == 0) /* a string without versions of DTLS: those that correspond to its versions of TLS */
		own = priority_versions(prio, false);
	gnutls_priority_deinit(prio);
	if((own & l->versions) == 0)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "cipher list '%.128s' has no TLS version in common with the TLS method", string);
	if((own & ~l->versions || l->datagram)
			&& tlsg_method_priority(own & l->versions, l->datagram, versions, sizeof(versions)) != TLSG_OK)
		return tlsg_err_set(err, TLSG_E_INTERNAL, "cipher list: no room for the versions");
	n = snprintf(l->priority, sizeof(l->priority), "%s%s%s", string, versions[0] != '\0' ? ":" : "", versions);
	if(n < 0 || (size_t)n >= sizeof(l->priority))
		return tlsg_err_set(err, TLSG_E_RESOURCE, "cipher list: longer than %zu bytes", sizeof(l->priority) - 1);
	ret = priority_compile(l->priority, &prio, err);
	if(ret != TLSG_OK)
		return ret;
	l->versions = priority_versions(prio, l->datagram);
	list_take_profile(l, string);
	note_precedence(string, note);
	list_take_all(l, prio);
	gnutls_priority_deinit(prio);
	if(l->suites_len == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "cipher list '%.128s' selects no suite", string);
	return TLSG_OK;
}

enum tlsg_ret tlsg_cipher_string_eval(const char *string, const struct tlsg_method *method,
		const struct tlsg_cipher_note *note, struct tlsg_cipher_list *out, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	ret = tlsg_method_versions(method, &out->versions, err);
	if(ret != TLSG_OK)
		return ret;
	out->datagram = method->datagram;
	if(string == NULL) {
		out->kind = TLSG_CIPHER_DEFAULT;
		return eval_list(out, STRING_DEFAULT, NULL, err);
	}
	if(tlsg_rules_is_native(string)) {
		out->kind = TLSG_CIPHER_NATIVE;
		return eval_native(out, string, note, err);
	}
	out->kind = TLSG_CIPHER_LIST;
	return eval_list(out, string, note, err);
}
