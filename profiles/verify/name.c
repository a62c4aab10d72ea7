/*
 * tls_gnutls - the SIP identities of a certificate, and whether one of them is the expected name
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap while it runs.  Lock: none.
 *
 * Names come from the peer as bytes with a length: they are never treated as C strings, and every character of what is
 * compared is checked.
 */
#include "profiles/verify/name.h"

#include <arpa/inet.h>

#include <gnutls/x509-ext.h>

#define OID_SAN "2.5.29.17"
#define OID_COMMON_NAME "2.5.4.3"
#define LABEL_MAX 63

static bool is_host_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static char lower(unsigned char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Whether a text consists of labels of host name characters, 1 to 63 long, separated by single dots. */
static bool has_host_syntax(const char *text)
{
	size_t label = 0;

	for(; *text != '\0'; text++) {
		if(*text == '.') {
			if(label == 0)
				return false;
			label = 0;
			continue;
		}
		if(!is_host_char((unsigned char)*text) || ++label > LABEL_MAX)
			return false;
	}
	return label > 0;
}

static bool is_ip_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* Copies a host name of a certificate in lower case, without a trailing dot. Certificates have A-labels only. */
static bool copy_host(const unsigned char *data, size_t size, char out[TLSG_NAME_MAX + 1])
{
	size_t i;

	if(size > 0 && data[size - 1] == '.')
		size--;
	if(size == 0 || size > TLSG_NAME_MAX)
		return false;
	for(i = 0; i < size; i++) {
		if(data[i] == '\0')
			return false;
		out[i] = lower(data[i]);
	}
	out[size] = '\0';
	return has_host_syntax(out) && !is_ip_address(out);
}

/* Whether a name may be mapped: its ASCII characters must be those of host names, since mapping drops others. */
static bool is_mappable(const str *name, bool *ascii)
{
	int i;

	*ascii = true;
	for(i = 0; i < name->len; i++) {
		unsigned char c = (unsigned char)name->s[i];

		if(c >= 0x80)
			*ascii = false;
		else if(c != '.' && !is_host_char((unsigned char)lower(c)))
			return false;
	}
	return true;
}

bool tlsg_name_normalise(const str *name, char out[TLSG_NAME_MAX + 1])
{
	gnutls_datum_t mapped = {NULL, 0};
	bool ascii, good;

	if(name->s == NULL || name->len <= 0 || name->len > 4 * TLSG_NAME_MAX || !is_mappable(name, &ascii))
		return false;
	if(ascii)
		return copy_host((unsigned char *)name->s, (size_t)name->len, out);
	if(gnutls_idna_map(name->s, (unsigned)name->len, &mapped, 0) < 0)
		return false;
	good = copy_host(mapped.data, mapped.size, out);
	gnutls_free(mapped.data);
	return good;
}

/* Compares a DNS name of the certificate with a normalised name. */
static bool dns_equals(const gnutls_datum_t *dns, const char *name, bool wildcards)
{
	char host[TLSG_NAME_MAX + 1];
	const char *rest;

	if(wildcards && dns->size > 2 && dns->data[0] == '*' && dns->data[1] == '.') {
		rest = strchr(name, '.');
		/* `*.com` would match every domain in it */
		return rest != NULL && copy_host(dns->data + 2, dns->size - 2, host) && strchr(host, '.') != NULL
			   && strcmp(host, rest + 1) == 0;
	}
	return copy_host(dns->data, dns->size, host) && strcmp(host, name) == 0;
}

/* Length of the host at the start of what follows `sip:`: up to a port, parameters or headers. */
static size_t host_length(const unsigned char *data, size_t size)
{
	size_t i;

	for(i = 0; i < size; i++)
		if(data[i] == ':' || data[i] == ';' || data[i] == '?')
			break;
	return i;
}

/* Compares a URI of the certificate with a normalised name. With a user part it identifies a user, not a domain. */
static bool uri_equals(const gnutls_datum_t *uri, const char *name)
{
	char host[TLSG_NAME_MAX + 1];
	const unsigned char *data = uri->data;

	if(uri->size <= 4 || lower(data[0]) != 's' || lower(data[1]) != 'i' || lower(data[2]) != 'p' || data[3] != ':')
		return false;
	if(memchr(data, '@', uri->size) != NULL || memchr(data, '\0', uri->size) != NULL)
		return false;
	return copy_host(data + 4, host_length(data + 4, uri->size - 4), host) && strcmp(host, name) == 0;
}

static bool names_have(gnutls_subject_alt_names_t names, const char *name, bool wildcards)
{
	gnutls_datum_t san;
	unsigned type, i;

	for(i = 0; gnutls_subject_alt_names_get(names, i, &type, &san, NULL) >= 0; i++) {
		if(type == GNUTLS_SAN_DNSNAME && dns_equals(&san, name, wildcards))
			return true;
		if(type == GNUTLS_SAN_URI && uri_equals(&san, name))
			return true;
	}
	return false;
}

static bool extension_has(const gnutls_datum_t *extension, const char *name, bool wildcards)
{
	gnutls_subject_alt_names_t names = NULL;
	bool found = false;

	if(gnutls_subject_alt_names_init(&names) < 0)
		return false;
	if(gnutls_x509_ext_import_subject_alt_names(extension, names, 0) >= 0)
		found = names_have(names, name, wildcards);
	gnutls_subject_alt_names_deinit(names);
	return found;
}

/* The common name, for certificates without a subjectAltName: RFC 5922 section 7.1 point 3. */
static bool common_name_is(gnutls_x509_crt_t crt, const char *name)
{
	unsigned char cn[TLSG_NAME_MAX + 2];
	char host[TLSG_NAME_MAX + 1];
	size_t size = 0;

	/* two common names are ambiguous: neither counts */
	if(gnutls_x509_crt_get_dn_by_oid(crt, OID_COMMON_NAME, 1, 0, NULL, &size) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return false;
	size = sizeof(cn);
	if(gnutls_x509_crt_get_dn_by_oid(crt, OID_COMMON_NAME, 0, 0, cn, &size) < 0)
		return false;
	return copy_host(cn, size, host) && strcmp(host, name) == 0;
}

bool tlsg_name_is_of(gnutls_x509_crt_t crt, const str *name, bool wildcards)
{
	char wanted[TLSG_NAME_MAX + 1];
	gnutls_datum_t san = {NULL, 0};
	bool found;
	int rc;

	if(!tlsg_name_normalise(name, wanted))
		return false;
	rc = gnutls_x509_crt_get_extension_by_oid2(crt, OID_SAN, 0, &san, NULL);
	if(rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return common_name_is(crt, wanted);
	if(rc < 0)
		return false;
	found = extension_has(&san, wanted, wildcards);
	gnutls_free(san.data);
	return found;
}
