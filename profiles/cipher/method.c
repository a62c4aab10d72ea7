/*
 * tls_gnutls - the values of tls_method: which protocol versions a profile speaks
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: static const data, the caller's buffers.  Lock: none.
 */
#include "profiles/cipher/method.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <gnutls/gnutls.h>

#include "profiles/cipher/suites.h"

static const struct tlsg_method methods[] = {
		{"SSLv23", TLSG_METHOD_SSLV23, TLSG_TLS1_0, TLSG_TLS1_3, false},
		{"SSLv2", TLSG_METHOD_SSLV2, 0, 0, false},
		{"SSLv3", TLSG_METHOD_SSLV3, 0, 0, false},
		{"TLSv1", TLSG_METHOD_TLSV1, TLSG_TLS1_0, TLSG_TLS1_0, false},
		{"TLSv1.0", TLSG_METHOD_TLSV1, TLSG_TLS1_0, TLSG_TLS1_0, false},
		{"TLSv1.1", TLSG_METHOD_TLSV1_1, TLSG_TLS1_1, TLSG_TLS1_1, false},
		{"TLSv1.2", TLSG_METHOD_TLSV1_2, TLSG_TLS1_2, TLSG_TLS1_2, false},
		{"TLSv1.3", TLSG_METHOD_TLSV1_3, TLSG_TLS1_3, TLSG_TLS1_3, false},
		{"TLSv1+", TLSG_METHOD_TLSV1_PLUS, TLSG_TLS1_0, TLSG_TLS1_3, false},
		{"TLSv1.0+", TLSG_METHOD_TLSV1_PLUS, TLSG_TLS1_0, TLSG_TLS1_3, false},
		{"TLSv1.1+", TLSG_METHOD_TLSV1_1_PLUS, TLSG_TLS1_1, TLSG_TLS1_3, false},
		{"TLSv1.2+", TLSG_METHOD_TLSV1_2_PLUS, TLSG_TLS1_2, TLSG_TLS1_3, false},
		{"TLSv1.3+", TLSG_METHOD_TLSV1_3_PLUS, TLSG_TLS1_3, TLSG_TLS1_3, false},
};

#define METHODS (sizeof(methods) / sizeof(methods[0]))

enum tlsg_ret tlsg_method_parse(const char *token, size_t len, const struct tlsg_method **out, struct tlsg_err *err)
{
	const struct tlsg_method *m = NULL;

	for(size_t i = 0; i < METHODS && m == NULL; i++)
		if(strlen(methods[i].token) == len && strncasecmp(methods[i].token, token, len) == 0)
			m = &methods[i];
	if(m == NULL)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"'%.*s' is not a TLS method; write SSLv23, TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3, or one of the last four "
				"followed by + for this version and later ones",
				(int)(len > 64 ? 64 : len), token);
	if(m->max == 0)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "TLS method %s is not supported: the protocol is broken; write TLSv1.2+", m->token);
	*out = m;
	return TLSG_OK;
}

const struct tlsg_method *tlsg_method_by_id(int id)
{
	for(size_t i = 0; i < METHODS; i++)
		if(methods[i].id == id && methods[i].max != 0)
			return &methods[i];
	return NULL;
}

const char *tlsg_method_version_name(int version)
{
	switch(version) {
		case GNUTLS_SSL3:
			return "SSLv3";
		case GNUTLS_TLS1_0:
			return "TLSv1";
		case GNUTLS_TLS1_1:
			return "TLSv1.1";
		case GNUTLS_TLS1_2:
			return "TLSv1.2";
		case GNUTLS_TLS1_3:
			return "TLSv1.3";
		case GNUTLS_DTLS1_0:
			return "DTLSv1";
		case GNUTLS_DTLS1_2:
			return "DTLSv1.2";
		default:
			return "unknown";
	}
}

/** The versions that GnuTLS's default priorities, hence the system's policy, enable. */
static enum tlsg_ret default_versions(unsigned *versions, struct tlsg_err *err)
{
	gnutls_priority_t prio = NULL;
	const unsigned *list = NULL;
	int n;

	n = gnutls_priority_init(&prio, NULL, NULL);
	if(n < 0)
		return tlsg_err_gnutls(err, n, "the system's default TLS priorities");
	n = gnutls_priority_protocol_list(prio, &list);
	for(int i = 0; i < n; i++)
		if(list[i] >= GNUTLS_TLS1_0 && list[i] <= GNUTLS_TLS1_3)
			*versions |= TLSG_VERSION_BIT(TLSG_TLS1_0 + (list[i] - GNUTLS_TLS1_0));
	gnutls_priority_deinit(prio);
	return TLSG_OK;
}

#define OLD_VERSIONS (TLSG_VERSION_BIT(TLSG_TLS1_0) | TLSG_VERSION_BIT(TLSG_TLS1_1))

/* What DTLS has of a method's versions. */
static unsigned datagram_versions(const struct tlsg_method *m, unsigned versions)
{
	unsigned found = versions & TLSG_VERSION_BIT(TLSG_TLS1_2);

	if(m->id != TLSG_METHOD_SSLV23 && versions & OLD_VERSIONS)
		found |= OLD_VERSIONS;
	return found;
}

enum tlsg_ret tlsg_method_versions(const struct tlsg_method *m, unsigned *versions, struct tlsg_err *err)
{
	unsigned found = 0;
	enum tlsg_ret ret = TLSG_OK;

	if(m->id == TLSG_METHOD_SSLV23)
		ret = default_versions(&found, err);
	else
		for(unsigned v = m->min; v <= m->max; v++)
			found |= TLSG_VERSION_BIT(v);
	if(ret != TLSG_OK)
		return ret;
	if(m->datagram)
		found = datagram_versions(m, found);
	if(found == 0 && m->datagram)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"TLS method %s has no version of DTLS: GnuTLS has 1.2 and 1.0; write TLSv1.2 or TLSv1.2+", m->token);
	if(found == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "TLS method %s: the system's policy leaves no TLS version", m->token);
	*versions = found;
	return TLSG_OK;
}

enum tlsg_ret tlsg_method_priority(unsigned versions, bool datagram, char *buf, size_t size)
{
	static const struct
	{
		unsigned versions; /* any of them */
		bool datagram;
		const char *text;
	} words[] = {
			{TLSG_VERSION_BIT(TLSG_TLS1_3), false, ":+VERS-TLS1.3"},
			{TLSG_VERSION_BIT(TLSG_TLS1_2), false, ":+VERS-TLS1.2"},
			{TLSG_VERSION_BIT(TLSG_TLS1_1), false, ":+VERS-TLS1.1"},
			{TLSG_VERSION_BIT(TLSG_TLS1_0), false, ":+VERS-TLS1.0"},
			{TLSG_VERSION_BIT(TLSG_TLS1_2), true, ":+VERS-DTLS1.2"},
			{OLD_VERSIONS, true, ":+VERS-DTLS1.0"},
	};
	int used = snprintf(buf, size, "-VERS-ALL");

	for(size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if(used < 0 || (size_t)used >= size)
			return TLSG_E_RESOURCE;
		if(versions & words[i].versions && words[i].datagram == datagram)
			used += snprintf(buf + used, size - (size_t)used, "%s", words[i].text);
	}
	return used >= 0 && (size_t)used < size ? TLSG_OK : TLSG_E_RESOURCE;
}
