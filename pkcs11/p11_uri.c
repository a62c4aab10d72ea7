/*
 * tls_gnutls - names of objects on tokens: RFC 7512 URIs and the spellings of OpenSSL's engines
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the caller's; p11-kit's is freed on return.  Lock: none.
 */
#include "pkcs11/p11_uri.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/gnutls.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#define SCHEME "pkcs11:"
#define ENGINE "/engine:"
#define URI "/uri:"
#define TPMKEY "tpmkey:"
#define ID_MAX 128

static bool has_prefix(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

bool tlsg_p11_uri_is(const char *value)
{
	return value != NULL
		   && (has_prefix(value, SCHEME) || has_prefix(value, ENGINE) || has_prefix(value, URI)
				   || has_prefix(value, TPMKEY));
}

/* Whether an attribute holds a PIN or says where it is; pin-source was called "pinfile" before RFC 7512. */
static bool is_pin_name(const char *at)
{
	size_t len = strcspn(at, "=;?&");

	/* a name with percent signs is unknown, but the value may still be meant as a PIN */
	return has_prefix(at, "pin") || has_prefix(at, "x-pin")
		   || (len > 0 && memchr(at, '%', len) != NULL && at[len] == '=');
}

const char *tlsg_p11_uri_redact(const char *value, char *out, size_t size)
{
	size_t i, at = 0;

	for(i = 0; value[i] != '\0' && at + 1 < size; i++) {
		char before = i > 0 ? value[i - 1] : ':';

		if(strchr(";?&: \t\r\n", before) != NULL && is_pin_name(value + i)) {
			at += (size_t)snprintf(out + at, size - at, "%.*s", (int)(size - at - 1), "pin=...");
			break;
		}
		out[at++] = isprint((unsigned char)value[i]) ? value[i] : '.';
	}
	if(at >= size)
		at = size - 1;
	out[at] = '\0';
	return out;
}

static enum tlsg_ret value_error(const char *value, const char *why, struct tlsg_err *err)
{
	char name[200];

	return tlsg_err_set(err, TLSG_E_CONFIG, "\"%s\" %s", tlsg_p11_uri_redact(value, name, sizeof(name)), why);
}

static bool copy(char *to, size_t size, const char *from)
{
	size_t len = from != NULL ? strlen(from) : 0;

	if(len >= size)
		return false;
	memcpy(to, from != NULL ? from : "", len);
	to[len] = '\0';
	return true;
}

static int hex_digit(char c)
{
	if(c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Sets the attribute id from hexadecimal digits. */
static bool set_id(P11KitUri *uri, const char *hex)
{
	unsigned char id[ID_MAX];
	size_t len = strlen(hex);
	CK_ATTRIBUTE attr = {.type = CKA_ID, .pValue = id};
	size_t i;

	if(len == 0 || len % 2 != 0 || len / 2 > sizeof(id))
		return false;
	for(i = 0; i < len / 2; i++) {
		int high = hex_digit(hex[2 * i]);
		int low = hex_digit(hex[2 * i + 1]);

		if(high < 0 || low < 0)
			return false;
		id[i] = (unsigned char)(high << 4 | low);
	}
	attr.ulValueLen = len / 2;
	return p11_kit_uri_set_attribute(uri, &attr) == P11_KIT_URI_OK;
}

static bool set_label(P11KitUri *uri, const char *label)
{
	CK_ATTRIBUTE attr = {.type = CKA_LABEL, .pValue = (void *)label, .ulValueLen = strlen(label)};

	return attr.ulValueLen > 0 && p11_kit_uri_set_attribute(uri, &attr) == P11_KIT_URI_OK;
}

/* The id of a key as engine_pkcs11 reads it: [slot_N-]label_TEXT, [slot_N-]id_HEX; anything else is a label. */
static bool read_engine_id(P11KitUri *uri, const char *id)
{
	if(has_prefix(id, "slot_")) {
		char *end = NULL;
		unsigned long slot = strtoul(id + 5, &end, 10);

		if(!isdigit((unsigned char)id[5]) || *end != '-')
			return false;
		p11_kit_uri_set_slot_id(uri, slot);
		id = end + 1;
	}
	if(has_prefix(id, "id_"))
		return set_id(uri, id + 3);
	return set_label(uri, has_prefix(id, "label_") ? id + 6 : id);
}

static const char *type_of(P11KitUri *uri)
{
	CK_ATTRIBUTE *attr = p11_kit_uri_get_attribute(uri, CKA_CLASS);

	if(attr == NULL || attr->ulValueLen != sizeof(CK_OBJECT_CLASS))
		return "";
	switch(*(CK_OBJECT_CLASS *)attr->pValue) {
		case CKO_CERTIFICATE:
			return "cert";
		case CKO_PUBLIC_KEY:
			return "public";
		case CKO_PRIVATE_KEY:
			return "private";
		case CKO_SECRET_KEY:
			return "secret-key";
		default:
			return "data";
	}
}

/* Moves PIN and module out of the URI, which is for GnuTLS and logs, and formats it. */
static enum tlsg_ret split(P11KitUri *uri, const char *value, struct tlsg_p11_uri *out, struct tlsg_err *err)
{
	const char *pin = p11_kit_uri_get_pin_value(uri);
	char *text = NULL;
	bool fits;

	if(p11_kit_uri_any_unrecognized(uri))
		return value_error(value, "has an unknown attribute; RFC 7512 lists the known ones", err);
	out->has_pin = pin != NULL;
	out->has_object =
			p11_kit_uri_get_attribute(uri, CKA_ID) != NULL || p11_kit_uri_get_attribute(uri, CKA_LABEL) != NULL;
	out->has_token = p11_kit_uri_get_token_info(uri)->label[0] != '\0'
					 || p11_kit_uri_get_token_info(uri)->serialNumber[0] != '\0';
	snprintf(out->type, sizeof(out->type), "%s", type_of(uri));
	out->slot = p11_kit_uri_get_slot_id(uri);
	out->has_slot = out->slot != (unsigned long)-1;
	if(!copy(out->pin, sizeof(out->pin), pin))
		return value_error(value, "has a PIN that is too long", err);
	if(!copy(out->pin_source, sizeof(out->pin_source), p11_kit_uri_get_pin_source(uri))
			|| !copy(out->module_path, sizeof(out->module_path), p11_kit_uri_get_module_path(uri))
			|| !copy(out->module_name, sizeof(out->module_name), p11_kit_uri_get_module_name(uri)))
		return value_error(value, "has an attribute that is too long", err);
	if(out->has_pin && out->pin_source[0] != '\0')
		return value_error(value, "has both a pin-value and a pin-source", err);
	p11_kit_uri_set_pin_value(uri, NULL);
	p11_kit_uri_set_pin_source(uri, NULL);
	p11_kit_uri_set_module_path(uri, NULL);
	p11_kit_uri_set_module_name(uri, NULL);
	if(p11_kit_uri_format(uri, P11_KIT_URI_FOR_ANY, &text) != P11_KIT_URI_OK)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "out of memory for a PKCS#11 URI");
	fits = copy(out->uri, sizeof(out->uri), text);
	free(text);
	if(fits && strchr(out->uri, '?') != NULL) /* p11-kit keeps what it takes to be vendor attributes */
		return value_error(value, "has an unknown attribute; RFC 7512 lists the known ones", err);
	return fits ? TLSG_OK : value_error(value, "is too long", err);
}

/* p11-kit ignores unknown attributes behind the `?`: a misspelled pin-source would be noticed much later. */
static bool has_known_query(const char *text)
{
	static const char *const known[] = {"pin-value=", "pin-source=", "pinfile=", "module-name=", "module-path="};
	const char *at = strchr(text, '?');
	size_t i;

	while(at != NULL && at[1] != '\0') {
		at++;
		for(i = 0; i < sizeof(known) / sizeof(known[0]) && !has_prefix(at, known[i]); i++)
			;
		if(i == sizeof(known) / sizeof(known[0]))
			return false;
		at = strchr(at, '&');
	}
	return true;
}

/* Parses a value in any of its spellings. */
static enum tlsg_ret read_value(P11KitUri *uri, const char *value, struct tlsg_err *err)
{
	const char *at = value;
	char why[100];
	int rc;

	if(has_prefix(at, URI))
		at += strlen(URI);
	else if(has_prefix(at, ENGINE)) {
		at += strlen(ENGINE);
		if(!has_prefix(at, SCHEME))
			return read_engine_id(uri, at) ? TLSG_OK
										   : value_error(value,
												   "is not a key id: write /engine:pkcs11:…, "
												   "/engine:[slot_N-]label_… or /engine:[slot_N-]id_<hex>",
												   err);
	}
	if(has_prefix(at, TPMKEY))
		return value_error(value, "cannot be used: tpmkey: is not supported; use a TPM through tpm2-pkcs11", err);
	if(!has_prefix(at, SCHEME))
		return value_error(value, "is not a PKCS#11 URI: only pkcs11: URIs can be used here", err);
	rc = p11_kit_uri_parse(at, P11_KIT_URI_FOR_ANY, uri);
	if(rc == P11_KIT_URI_OK && !has_known_query(at))
		return value_error(value, "has an unknown attribute behind the ?; RFC 7512 lists the known ones", err);
	if(rc == P11_KIT_URI_OK)
		return TLSG_OK;
	snprintf(why, sizeof(why), "is not a PKCS#11 URI: %s", p11_kit_uri_message(rc));
	return value_error(value, why, err);
}

enum tlsg_ret tlsg_p11_uri_parse(const char *value, struct tlsg_p11_uri *out, struct tlsg_err *err)
{
	P11KitUri *uri = p11_kit_uri_new();
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	if(uri == NULL)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "out of memory for a PKCS#11 URI");
	ret = read_value(uri, value, err);
	if(ret == TLSG_OK)
		ret = split(uri, value, out, err);
	p11_kit_uri_free(uri);
	if(ret != TLSG_OK)
		gnutls_memset(out, 0, sizeof(*out));
	return ret;
}

enum tlsg_ret tlsg_p11_uri_add_module(struct tlsg_p11_uri *u, struct tlsg_err *err)
{
	P11KitUri *uri = p11_kit_uri_new();
	char *text = NULL;
	bool fits = false;

	if(uri != NULL && p11_kit_uri_parse(u->uri, P11_KIT_URI_FOR_ANY, uri) == P11_KIT_URI_OK) {
		if(u->module_path[0] != '\0')
			p11_kit_uri_set_module_path(uri, u->module_path);
		if(u->module_name[0] != '\0')
			p11_kit_uri_set_module_name(uri, u->module_name);
		fits = p11_kit_uri_format(uri, P11_KIT_URI_FOR_ANY, &text) == P11_KIT_URI_OK
			   && copy(u->uri, sizeof(u->uri), text);
	}
	free(text);
	p11_kit_uri_free(uri);
	return fits ? TLSG_OK : tlsg_err_set(err, TLSG_E_CONFIG, "\"%.200s\" with its module is too long", u->uri);
}

bool tlsg_p11_uri_keep_token(const char *uri, char *out)
{
	P11KitUri *whole = p11_kit_uri_new();
	P11KitUri *token = p11_kit_uri_new();
	char *text = NULL;
	bool fits = false;

	if(whole != NULL && token != NULL && p11_kit_uri_parse(uri, P11_KIT_URI_FOR_ANY, whole) == P11_KIT_URI_OK) {
		memcpy(p11_kit_uri_get_token_info(token), p11_kit_uri_get_token_info(whole), sizeof(CK_TOKEN_INFO));
		fits = p11_kit_uri_format(token, P11_KIT_URI_FOR_TOKEN, &text) == P11_KIT_URI_OK
			   && copy(out, TLSG_P11_URI_SIZE, text);
	}
	if(!fits)
		out[0] = '\0';
	free(text);
	p11_kit_uri_free(whole);
	p11_kit_uri_free(token);
	return fits;
}

bool tlsg_p11_uri_has_same_library(const char *a, const char *b)
{
	P11KitUri *one = p11_kit_uri_new();
	P11KitUri *other = p11_kit_uri_new();
	bool is_same = one != NULL && other != NULL && p11_kit_uri_parse(a, P11_KIT_URI_FOR_ANY, one) == P11_KIT_URI_OK
				   && p11_kit_uri_parse(b, P11_KIT_URI_FOR_ANY, other) == P11_KIT_URI_OK
				   && p11_kit_uri_match_module_info(one, p11_kit_uri_get_module_info(other)) != 0;

	p11_kit_uri_free(one);
	p11_kit_uri_free(other);
	return is_same;
}
