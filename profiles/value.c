/*
 * tls_gnutls - reads values that are written the same way in tls.cfg and in module parameters; compares strings
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: none.
 */
#include "profiles/value.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <strings.h>

static const struct
{
	str token;
	enum tlsg_verify_client value;
} verify_client_tokens[] = {
		{STR_STATIC_INIT("off"), TLSG_VERIFY_CLIENT_OFF},
		{STR_STATIC_INIT("on"), TLSG_VERIFY_CLIENT_ON},
		{STR_STATIC_INIT("optional"), TLSG_VERIFY_CLIENT_OPTIONAL},
		{STR_STATIC_INIT("optional_no_ca"), TLSG_VERIFY_CLIENT_OPTIONAL_NO_CA},
};

bool tlsg_value_is_set(const str *s)
{
	return s->s != NULL && s->len > 0;
}

bool tlsg_value_is_same(const str *a, const str *b)
{
	if(a->s == NULL || b->s == NULL)
		return a->s == b->s;
	return a->len == b->len && memcmp(a->s, b->s, (size_t)a->len) == 0;
}

bool tlsg_value_is_same_name(const str *a, const str *b)
{
	if(a->s == NULL || b->s == NULL)
		return a->s == b->s;
	return a->len == b->len && strncasecmp(a->s, b->s, (size_t)a->len) == 0;
}

bool tlsg_value_verify_client(const str *token, enum tlsg_verify_client *out)
{
	size_t i;

	for(i = 0; i < sizeof(verify_client_tokens) / sizeof(verify_client_tokens[0]); i++)
		if(tlsg_value_is_same_name(token, &verify_client_tokens[i].token)) {
			*out = verify_client_tokens[i].value;
			return true;
		}
	return false;
}

bool tlsg_value_number(const str *text, int *out)
{
	static const char begins[] = {'+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'};
	char digits[16];
	char *end;
	long n;

	if(text->len <= 0 || (size_t)text->len >= sizeof(digits) || memchr(begins, text->s[0], sizeof(begins)) == NULL)
		return false;
	memcpy(digits, text->s, (size_t)text->len);
	digits[text->len] = '\0';
	errno = 0;
	n = strtol(digits, &end, 10);
	if(errno != 0 || *end != '\0' || end == digits || n < INT_MIN || n > INT_MAX)
		return false;
	*out = (int)n;
	return true;
}

bool tlsg_value_decimal(const str *text, unsigned max, unsigned *out)
{
	unsigned n = 0;
	int i;

	if(text->len <= 0)
		return false;
	for(i = 0; i < text->len; i++) {
		if(text->s[i] < '0' || text->s[i] > '9')
			return false;
		n = n * 10 + (unsigned)(text->s[i] - '0');
		if(n > max)
			return false;
	}
	*out = n;
	return true;
}
