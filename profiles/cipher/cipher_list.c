/*
 * tls_gnutls - a list of suites, and what keeps a handshake within it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's.  Lock: none.
 */
#include "profiles/cipher/cipher_list.h"

/** @return index in tlsg_id_set.bits for the first byte of a number; -1: no suite with certificates begins with it. */
static int id_page(uint8_t high)
{
	switch(high) {
		case 0x00:
			return 0;
		case 0x13:
			return 1;
		case 0xc0:
			return 2;
		case 0xcc:
			return 3;
		default:
			return -1;
	}
}

bool tlsg_cipher_list_id_is_in(const struct tlsg_id_set *set, const uint8_t *id)
{
	int page = id_page(id[0]);

	return page >= 0 && set->bits[page][id[1] / 8] & (1u << (id[1] % 8));
}

void tlsg_cipher_list_id_add(struct tlsg_id_set *set, const uint8_t *id)
{
	int page = id_page(id[0]);

	if(page >= 0)
		set->bits[page][id[1] / 8] |= (uint8_t)(1u << (id[1] % 8));
}

gnutls_certificate_verification_profiles_t tlsg_cipher_list_profile(const struct tlsg_cipher_list *list)
{
	static const gnutls_certificate_verification_profiles_t profiles[] = {GNUTLS_PROFILE_VERY_WEAK, GNUTLS_PROFILE_LOW,
			GNUTLS_PROFILE_MEDIUM, GNUTLS_PROFILE_HIGH, GNUTLS_PROFILE_ULTRA, GNUTLS_PROFILE_FUTURE};

	return profiles[list->sec_level];
}

bool tlsg_cipher_list_has(const struct tlsg_cipher_list *list, const struct tlsg_suite *suite)
{
	if(list->kind == TLSG_CIPHER_NATIVE)
		return true;
	return suite != NULL && tlsg_cipher_list_id_is_in(&list->suite_ids, suite->id);
}

unsigned tlsg_cipher_list_suite_keys(const struct tlsg_suite *s)
{
	switch(s->au) {
		case TLSG_AU_RSA:
			return TLSG_CIPHER_KEY_RSA;
		case TLSG_AU_ECDSA:
			return TLSG_CIPHER_KEY_ECDSA;
		case TLSG_AU_DSS:
			return TLSG_CIPHER_KEY_DSA;
		default:
			return ~0u;
	}
}

static bool key_fits(const struct tlsg_suite *s, unsigned keys)
{
	return (tlsg_cipher_list_suite_keys(s) & keys) != 0;
}

/** @return 0 if there is none. */
static unsigned highest_version(unsigned versions)
{
	for(unsigned v = TLSG_TLS1_3; v >= TLSG_TLS1_0; v--)
		if(versions & TLSG_VERSION_BIT(v))
			return v;
	return 0;
}

static bool list_admits(const struct tlsg_cipher_list *list, const struct tlsg_suite *s)
{
	if(list->kind != TLSG_CIPHER_NATIVE)
		return tlsg_cipher_list_id_is_in(&list->suite_ids, s->id);
	for(size_t i = 0; i < list->suites_len; i++)
		if(list->suites[i] == tlsg_suite_index(s))
			return true;
	return false;
}

unsigned tlsg_cipher_list_keys(const struct tlsg_cipher_list *list, const struct tlsg_cipher_offer *offer)
{
	unsigned version = highest_version(list->versions & offer->versions);
	unsigned keys = 0;

	if(version == TLSG_TLS1_3)
		return ~0u;
	for(size_t i = 0; i + 1 < offer->ids_bytes; i += 2) {
		const struct tlsg_suite *s = tlsg_suite_by_id(offer->ids[i], offer->ids[i + 1]);

		if(s != NULL && tlsg_suite_in_version(s, version) && !(s->kx & offer->without) && list_admits(list, s))
			keys |= tlsg_cipher_list_suite_keys(s);
	}
	return keys;
}

/* The numbers of an offer. */
static struct tlsg_id_set offered_ids(const struct tlsg_cipher_offer *offer)
{
	struct tlsg_id_set set = {{{0}}};

	for(size_t i = 0; i + 1 < offer->ids_bytes; i += 2)
		tlsg_cipher_list_id_add(&set, offer->ids + i);
	return set;
}

enum tlsg_cipher_choice tlsg_cipher_list_choose(
		const struct tlsg_cipher_list *list, const struct tlsg_cipher_offer *offer, const struct tlsg_suite **best)
{
	unsigned version = highest_version(list->versions & offer->versions);
	struct tlsg_id_set offered;

	*best = NULL;
	if(list->kind == TLSG_CIPHER_NATIVE)
		return TLSG_CIPHER_LEAVE;
	offered = offered_ids(offer);
	for(size_t i = 0; i < list->suites_len; i++) {
		const struct tlsg_suite *s = tlsg_suite_at(list->suites[i]);

		if(tlsg_cipher_list_id_is_in(&offered, s->id) && tlsg_suite_in_version(s, version) && key_fits(s, offer->keys)
				&& !(s->kx & offer->without)) {
			*best = s;
			return TLSG_CIPHER_APPLY;
		}
	}
	return TLSG_CIPHER_REFUSE;
}
