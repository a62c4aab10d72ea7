/*
 * tls_gnutls - writes the GnuTLS priority string that covers a list of suites
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's.  Lock: none.
 */
#include "profiles/cipher/priority_string.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "profiles/cipher/kx_group.h"
#include "profiles/cipher/method.h"
#include "profiles/cipher/suites.h"

/** A name in priority strings and when it is used. */
struct strength
{
	const char *name;
	int bits;		  /**< strength; used if the security level demands no more */
	unsigned suite_b; /**< a bit for each enum tlsg_suite_b that allows it */
};

#define B128 (1u << TLSG_SUITE_B_128)
#define B128ONLY (1u << TLSG_SUITE_B_128ONLY)
#define B192 (1u << TLSG_SUITE_B_192)

/*
 * Post-quantum hybrids of TLS 1.3, where the library has them. A client sends key shares for the first two groups that
 * have no algorithm in common. With X25519-MLKEM768 in front these are that one and P-256, which every server of
 * TLS 1.3 has (RFC 8446 section 9.1): a server without hybrids needs no HelloRetryRequest. A hybrid is as strong as the
 * stronger of its two algorithms; the numbers are those of OpenSSL 3.5.
 */
static const struct strength hybrids[] = {
		{"X25519-MLKEM768", 192, 0},
		{"SECP256R1-MLKEM768", 192, 0},
		{"SECP384R1-MLKEM1024", 256, 0},
};

/* Preferred first; without hybrids a client of TLS 1.3 sends key shares for X25519 and P-256. */
static const struct strength curves[] = {
		{"X25519", 128, 0},
		{"SECP256R1", 128, B128 | B128ONLY},
		{"X448", 224, 0},
		{"SECP384R1", 192, B128 | B192},
		{"SECP521R1", 256, 0},
};

/*
 * Their order behind hybrids: first the one that the client sends a key share for. A server of GnuTLS takes the first
 * group of the client that it has, and asks for its key share if that is missing.
 */
static const uint8_t curves_behind_hybrids[] = {1, 0, 3, 2, 4};

static const struct strength dh_groups[] = {
		{"FFDHE2048", 112, 0},
		{"FFDHE3072", 128, 0},
		{"FFDHE4096", 128, 0},
		{"FFDHE6144", 128, 0},
		{"FFDHE8192", 192, 0},
};

/* SHA-1 counts as 63 bits, since collisions are known: only security level 0 admits it. */
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

/* The certificate profile, by security level. */
static const char *const profiles[] = {"%PROFILE_VERY_WEAK:%VERIFY_ALLOW_SIGN_WITH_SHA1", "%PROFILE_LOW",
		"%PROFILE_MEDIUM", "%PROFILE_HIGH", "%PROFILE_ULTRA", "%PROFILE_FUTURE"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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

/** Adds ":+name" for each suite, once for each name. */
static void text_add_names(
		struct text *t, const struct tlsg_cipher_list *l, const char *(*name)(const struct tlsg_suite *))
{
	for(size_t i = 0; i < l->suites_len; i++) {
		const char *n = name(tlsg_suite_at(l->suites[i]));
		bool seen = n == NULL;

		for(size_t j = 0; j < i && !seen; j++) {
			const char *before = name(tlsg_suite_at(l->suites[j]));

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

static bool id_is_in(unsigned id, const unsigned *list, int len)
{
	for(int i = 0; i < len; i++)
		if(list[i] == id)
			return true;
	return false;
}

/** @return a bit for each group that is not in a list. */
static uint32_t groups_off(const struct strength *from, size_t count, const unsigned *list, int len)
{
	uint32_t off = 0;

	for(size_t i = 0; i < count; i++)
		if(!id_is_in((unsigned)gnutls_group_get_id(from[i].name), list, len))
			off |= UINT32_C(1) << i;
	return off;
}

void tlsg_priority_string_limit(struct tlsg_cipher_list *list, gnutls_priority_t policy)
{
	const unsigned *ids = NULL;
	int n = gnutls_priority_group_list(policy, &ids);

	_Static_assert(COUNT(hybrids) <= 32 && COUNT(curves) <= 32 && COUNT(dh_groups) <= 32 && COUNT(signatures) <= 32,
			"one bit each");
	list->hybrids_off = groups_off(hybrids, COUNT(hybrids), ids, n);
	list->curves_off = groups_off(curves, COUNT(curves), ids, n);
	list->dh_groups_off = groups_off(dh_groups, COUNT(dh_groups), ids, n);
	n = gnutls_priority_sign_list(policy, &ids);
	for(size_t i = 0; i < COUNT(signatures); i++)
		if(!id_is_in((unsigned)gnutls_sign_get_id(signatures[i].name), ids, n))
			list->signatures_off |= UINT32_C(1) << i;
}

/** Adds a row of a table if the library has it, and the list's strength and Suite B allow it. */
static void text_add_strength(
		struct text *t, const struct tlsg_cipher_list *l, const char *prefix, const struct strength *row)
{
	if(row->bits >= tlsg_rules_level_bits(l->sec_level)
			&& (l->suite_b == TLSG_SUITE_B_NO || row->suite_b & (1u << l->suite_b))
			&& (prefix[0] != 'G' || tlsg_kx_group_is_known(row->name)))
		text_add(t, ":+%s%s", prefix, row->name);
}

/** @param off  a bit for each row that is left out. */
static void text_add_strengths(struct text *t, const struct tlsg_cipher_list *l, const char *prefix,
		const struct strength *from, size_t count, uint32_t off)
{
	for(size_t i = 0; i < count; i++)
		if(!(off & UINT32_C(1) << i))
			text_add_strength(t, l, prefix, &from[i]);
}

static bool list_has_kx(const struct tlsg_cipher_list *l, unsigned kx)
{
	for(size_t i = 0; i < l->suites_len; i++)
		if(tlsg_suite_at(l->suites[i])->kx & kx)
			return true;
	return false;
}

/* Hybrids are for TLS 1.3 only, of which there is no DTLS in GnuTLS. */
static void text_add_hybrids(struct text *t, const struct tlsg_cipher_list *l)
{
	if(l->versions & TLSG_VERSION_BIT(TLSG_TLS1_3) && !l->datagram)
		text_add_strengths(t, l, "GROUP-", hybrids, COUNT(hybrids), l->hybrids_off);
}

/** @param behind_hybrids  whether hybrids were added before. */
static void text_add_groups(struct text *t, const struct tlsg_cipher_list *l, bool behind_hybrids)
{
	_Static_assert(COUNT(curves_behind_hybrids) == COUNT(curves), "each of them");
	for(size_t k = 0; k < COUNT(curves); k++) {
		size_t i = behind_hybrids ? curves_behind_hybrids[k] : k;

		if(!(l->curves_off & UINT32_C(1) << i))
			text_add_strength(t, l, "GROUP-", &curves[i]);
	}
	if(list_has_kx(l, TLSG_KX_DHE))
		text_add_strengths(t, l, "GROUP-", dh_groups, COUNT(dh_groups), l->dh_groups_off);
}

/** @param hybrids_only  leave out all other groups. */
static enum tlsg_ret text_write(
		struct text *t, const struct tlsg_cipher_list *some, const struct tlsg_cipher_list *all, bool hybrids_only)
{
	char versions[TLSG_METHOD_PRIORITY_SIZE];
	enum tlsg_ret ret = tlsg_method_priority(all->versions, all->datagram, versions, sizeof(versions));
	size_t before;

	if(ret != TLSG_OK)
		return ret;
	text_add(t, "NONE:%s", versions);
	text_add_names(t, some, kx_name);
	text_add_names(t, some, cipher_name);
	text_add_names(t, some, mac_name);
	before = t->used;
	text_add_hybrids(t, all);
	if(!hybrids_only)
		text_add_groups(t, all, t->used > before);
	text_add_strengths(t, all, "SIGN-", signatures, COUNT(signatures), all->signatures_off);
	text_add(t, ":+CTYPE-X509:+COMP-NULL:%s", profiles[all->sec_level]);
	return t->full ? TLSG_E_RESOURCE : TLSG_OK;
}

enum tlsg_ret tlsg_priority_string_write(
		const struct tlsg_cipher_list *some, const struct tlsg_cipher_list *all, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};

	return text_write(&t, some, all, false);
}

/** Whether a suite of TLS 1.2 or older in the list uses the cipher. */
static bool list_has_cipher(const struct tlsg_cipher_list *l, gnutls_cipher_algorithm_t cipher)
{
	for(size_t i = 0; i < l->suites_len; i++)
		if(tlsg_suite_at(l->suites[i])->min_version != TLSG_TLS1_3
				&& tlsg_suite_gnutls_cipher(tlsg_suite_at(l->suites[i])) == cipher)
			return true;
	return false;
}

enum tlsg_ret tlsg_priority_string_client(const struct tlsg_cipher_list *list, char *buf, size_t size)
{
	struct tlsg_cipher_list some = {.suites_len = 0};
	size_t i, tls13 = 0;

	for(i = 0; i < list->suites_len; i++) {
		const struct tlsg_suite *s = tlsg_suite_at(list->suites[i]);

		if(s->min_version == TLSG_TLS1_3 && !list_has_cipher(list, tlsg_suite_gnutls_cipher(s)))
			continue;
		tls13 += s->min_version == TLSG_TLS1_3;
		some.suites[some.suites_len++] = list->suites[i];
	}
	for(i = 0; i < list->suites_len && tls13 == 0; i++)
		if(tlsg_suite_at(list->suites[i])->min_version == TLSG_TLS1_3
				&& tlsg_suite_gnutls_cipher(tlsg_suite_at(list->suites[i])) == GNUTLS_CIPHER_AES_128_GCM) {
			some.suites[some.suites_len++] = list->suites[i];
			tls13 = 1;
		}
	return tlsg_priority_string_write(tls13 > 0 && some.suites_len > tls13 ? &some : list, list, buf, size);
}

enum tlsg_ret tlsg_priority_string_single(
		const struct tlsg_cipher_list *list, const struct tlsg_suite *suite, char *buf, size_t size)
{
	struct tlsg_cipher_list one = {.suites = {(uint16_t)tlsg_suite_index(suite)}, .suites_len = 1};

	return tlsg_priority_string_write(&one, list, buf, size);
}

enum tlsg_ret tlsg_priority_string_hybrid(
		const struct tlsg_cipher_list *list, const struct tlsg_suite *suite, char *buf, size_t size)
{
	struct tlsg_cipher_list one = {.suites = {(uint16_t)tlsg_suite_index(suite)}, .suites_len = 1};
	struct text t = {.buf = buf, .size = size};

	return text_write(&t, &one, list, true);
}
