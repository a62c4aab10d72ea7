/*
 * tls_gnutls - feeds arbitrary strings to the evaluation of cipher_list and checks what comes out
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a fuzzing process.   Memory: heap, stack.   Lock: none.
 *
 * The first byte chooses tls_method, the rest is the string up to its first zero byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "profiles/cipher/cipher_string.h"
#include "profiles/cipher/priority_string.h"

#define CHECK(what)           \
	do {                      \
		if(!(what))           \
			__builtin_trap(); \
	} while(0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const methods[] = {
		"SSLv23", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "TLSv1+", "TLSv1.2+", "TLSv1.3+"};

/* The string under test: reported words are parts of it or names of suites. */
struct text
{
	const char *begin;
	const char *end;
};

static void note_cb(void *arg, const char *word, size_t len, const char *why)
{
	const struct text *t = arg;

	CHECK(why[0] != '\0');
	CHECK((word >= t->begin && word + len <= t->end) || tlsg_suite_by_name(word, len) != NULL);
}

static const struct tlsg_suite *row(size_t index)
{
	size_t count;
	const struct tlsg_suite *table = tlsg_suite_table(&count);

	CHECK(index < count);
	return &table[index];
}

static void check_rows(const uint16_t *rows, size_t len)
{
	CHECK(len <= TLSG_CIPHER_MAX);
	for(size_t i = 0; i < len; i++) {
		const struct tlsg_suite *s = row(rows[i]);

		CHECK(tlsg_suite_is_cert(s) && tlsg_suite_is_known(s));
		for(size_t j = 0; j < i; j++)
			CHECK(rows[i] != rows[j]);
	}
}

/* A client that offers the list unchanged gets the first suite of the highest version of the list. */
static void check_choice(const struct tlsg_cipher_list *l)
{
	uint8_t ids[TLSG_CIPHER_MAX * 2];
	struct tlsg_cipher_offer offer = {.ids = ids,
			.versions = l->versions,
			.keys = TLSG_CIPHER_KEY_RSA | TLSG_CIPHER_KEY_ECDSA | TLSG_CIPHER_KEY_DSA};
	const struct tlsg_suite *best = NULL;
	char single[TLSG_PRIORITY_SIZE];
	gnutls_priority_t prio;

	for(size_t i = 0; i < l->suites_len; i++) {
		memcpy(ids + 2 * i, row(l->suites[i])->id, 2);
		CHECK(tlsg_cipher_list_has(l, row(l->suites[i])));
	}
	offer.ids_bytes = 2 * l->suites_len;
	CHECK(tlsg_cipher_list_choose(l, &offer, &best) == TLSG_CIPHER_APPLY);
	CHECK(best != NULL && tlsg_cipher_list_has(l, best));
	CHECK(tlsg_priority_string_single(l, best, single, sizeof(single)) == TLSG_OK);
	CHECK(gnutls_priority_init(&prio, single, NULL) == 0);
	gnutls_priority_deinit(prio);
}

static void check_list(const struct tlsg_cipher_list *l)
{
	CHECK(l->versions != 0 && l->suites_len > 0);
	CHECK(l->sec_level >= 0 && l->sec_level <= 5);
	CHECK(memchr(l->priority, '\0', sizeof(l->priority)) != NULL);
	if(l->kind != TLSG_CIPHER_LIST)
		return;
	check_rows(l->named, l->named_len);
	check_rows(l->suites, l->suites_len);
	CHECK(l->suites_len <= l->named_len);
	for(size_t i = 0; i < l->suites_len; i++)
		CHECK(tlsg_rules_level_admits(row(l->suites[i]), l->sec_level));
	check_choice(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tlsg_cipher_list list;
	const struct tlsg_method *method = NULL;
	struct text text;
	struct tlsg_cipher_note note = {.note_cb = note_cb, .arg = &text};
	struct tlsg_err err;
	const char *token;
	char *string;
	enum tlsg_ret ret;

	if(size == 0)
		return 0;
	token = methods[data[0] % (sizeof(methods) / sizeof(methods[0]))];
	CHECK(tlsg_method_parse(token, strlen(token), &method, NULL) == TLSG_OK);
	string = malloc(size); /* exactly as large as needed, so that a read beyond the end is found */
	CHECK(string != NULL);
	memcpy(string, data + 1, size - 1);
	string[size - 1] = '\0';
	text = (struct text){.begin = string, .end = string + strlen(string)};
	tlsg_err_clear(&err);
	ret = tlsg_cipher_string_eval(string, method, &note, &list, &err);
	if(ret == TLSG_OK)
		check_list(&list);
	else
		CHECK(ret < 0 && err.text[0] != '\0');
	free(string);
	return 0;
}
