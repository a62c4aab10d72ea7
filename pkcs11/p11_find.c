/*
 * tls_gnutls - finds the token and the objects that a setting names
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: tlsg_p11_find_run() in the builder of a snapshot; the rest in the short-lived child that it forks, whose
 * memory nobody frees.
 * Memory: results on this process's heap.  Lock: none.
 */
#include "pkcs11/p11_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "pkcs11/p11_module.h"
#include "pkcs11/p11_probe.h"
#include "pkcs11/p11_retry.h"

static void *pin_of(const struct tlsg_p11_find *f)
{
	return (void *)&f->q->pin;
}

static enum tlsg_ret load_module(const struct tlsg_p11_find *f, struct tlsg_err *err)
{
	const struct tlsg_p11_query *q = f->q;
	const char *name = q->uri.module_path[0] != '\0' ? q->uri.module_path : q->uri.module_name;
	char path[TLSG_P11_PATH_SIZE];

	if(name[0] == '\0')
		name = q->module;
	tlsg_p11_probe_stage("loading the module", name[0] != '\0' ? name : "(all that are registered)");
	if(name[0] != '\0' && strchr(name, '/') == NULL) {
		enum tlsg_ret ret = tlsg_p11_module_find(name, path, err);

		if(ret != TLSG_OK)
			return ret;
		name = path;
	}
	return tlsg_p11_module_use(name, err);
}

/* Puts the attributes of the token and its library into the URI, so that it matches no other token. */
static bool merge_token(struct tlsg_p11_find *f, const char *token_url)
{
	P11KitUri *uri = p11_kit_uri_new();
	P11KitUri *token = p11_kit_uri_new();
	char *text = NULL;
	bool done = false;

	if(uri == NULL || token == NULL || p11_kit_uri_parse(f->uri, P11_KIT_URI_FOR_ANY, uri) != P11_KIT_URI_OK
			|| p11_kit_uri_parse(token_url, P11_KIT_URI_FOR_ANY, token) != P11_KIT_URI_OK)
		goto out;
	memcpy(p11_kit_uri_get_token_info(uri), p11_kit_uri_get_token_info(token), sizeof(CK_TOKEN_INFO));
	memcpy(p11_kit_uri_get_module_info(uri), p11_kit_uri_get_module_info(token), sizeof(CK_INFO));
	p11_kit_uri_set_slot_id(uri, (CK_SLOT_ID)-1);
	if(p11_kit_uri_format(uri, P11_KIT_URI_FOR_ANY, &text) == P11_KIT_URI_OK && strlen(text) < sizeof(f->uri)) {
		memcpy(f->uri, text, strlen(text) + 1);
		done = true;
	}
out:
	p11_kit_uri_free(uri);
	p11_kit_uri_free(token);
	free(text);
	return done;
}

/* Finds the token in the slot that the URI names. GnuTLS finds tokens by their attributes only. */
static enum tlsg_ret resolve_slot(struct tlsg_p11_find *f, struct tlsg_err *err)
{
	unsigned i;

	for(i = 0;; i++) {
		unsigned long slot = 0;
		char *url = NULL;

		if(gnutls_pkcs11_token_get_url(i, GNUTLS_PKCS11_URL_LIB, &url) < 0)
			return tlsg_err_set(err, TLSG_E_CONFIG, "there is no token in slot %lu", f->q->uri.slot);
		if(gnutls_pkcs11_token_get_ptr(url, NULL, &slot, 0) >= 0 && slot == f->q->uri.slot)
			return merge_token(f, url)
						   ? TLSG_OK
						   : tlsg_err_set(err, TLSG_E_CONFIG, "the token in slot %lu cannot be named by a URI", slot);
		gnutls_free(url);
	}
}

static bool is_match(P11KitUri *uri, const char *token_url)
{
	P11KitUri *token = p11_kit_uri_new();
	bool match = token != NULL && p11_kit_uri_parse(token_url, P11_KIT_URI_FOR_ANY, token) == P11_KIT_URI_OK
				 && p11_kit_uri_match_token_info(uri, p11_kit_uri_get_token_info(token)) != 0
				 && p11_kit_uri_match_module_info(uri, p11_kit_uri_get_module_info(token)) != 0;

	p11_kit_uri_free(token);
	return match;
}

/* Counts the tokens that match a URI. @param first  [out] URL of the first one. */
static unsigned count_tokens(const char *text, char *first)
{
	P11KitUri *uri = p11_kit_uri_new();
	char *url = NULL;
	unsigned n = 0, i;

	first[0] = '\0';
	if(uri == NULL || p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) != P11_KIT_URI_OK)
		return 0;
	for(i = 0; gnutls_pkcs11_token_get_url(i, GNUTLS_PKCS11_URL_LIB, &url) >= 0; i++) {
		unsigned flags = 0;

		if(is_match(uri, url) && gnutls_pkcs11_token_get_flags(url, &flags) >= 0
				&& (flags & GNUTLS_PKCS11_TOKEN_INITIALIZED) && n++ == 0 && strlen(url) < TLSG_P11_URI_SIZE)
			memcpy(first, url, strlen(url) + 1);
	}
	p11_kit_uri_free(uri);
	return n;
}

/*
 * A PIN must not be tried on a token that it is not meant for: exactly one may match, and the URI names it from now on.
 */
static enum tlsg_ret settle_token(struct tlsg_p11_find *f, struct tlsg_err *err)
{
	unsigned n = count_tokens(f->uri, f->token);
	unsigned flags = 0;

	if(n == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "there is no such token");
	if(n > 1 && (f->leaf != NULL || f->q->pin.is_set))
		return tlsg_err_set(err, TLSG_E_CONFIG, "%u tokens match the URI: add token= or serial= to it", n);
	if(n == 1 && !merge_token(f, f->token))
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token cannot be named by a URI");
	if(gnutls_pkcs11_token_get_flags(f->token, &flags) >= 0 && (flags & GNUTLS_PKCS11_TOKEN_USER_PIN_LOCKED))
		return tlsg_err_set(err, TLSG_E_CONFIG, "%s", tlsg_p11_pin_reason(TLSG_P11_PIN_LOCKED));
	return TLSG_OK;
}

enum tlsg_ret tlsg_p11_find_token(struct tlsg_p11_find *f, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	if(f->q->uri.type[0] != '\0' && strcmp(f->q->uri.type, f->type) != 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "type=%s is wrong here: type=%s is needed", f->q->uri.type, f->type);
	ret = load_module(f, err);
	memcpy(f->uri, f->q->uri.uri, sizeof(f->uri));
	if(ret == TLSG_OK && f->q->uri.has_slot)
		ret = resolve_slot(f, err);
	if(ret != TLSG_OK)
		return ret;
	tlsg_p11_probe_stage("looking for the token", NULL);
	gnutls_pkcs11_set_pin_function(tlsg_p11_pin_cb, pin_of(f));
	return settle_token(f, err);
}

enum tlsg_ret tlsg_p11_find_module(const struct tlsg_p11_find *f, char *out, struct tlsg_err *err)
{
	void *module = NULL;
	char *file = NULL;

	out[0] = '\0';
	if(gnutls_pkcs11_token_get_ptr(f->token, &module, NULL, 0) < 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the token is gone again");
	file = p11_kit_module_get_filename(module);
	if(file == NULL)
		return TLSG_OK; /* registered with `remote:` */
	if(strlen(file) >= TLSG_P11_PATH_SIZE)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the path of the token's module is too long");
	snprintf(out, TLSG_P11_PATH_SIZE, "%s", file);
	return TLSG_OK;
}

unsigned long tlsg_p11_find_sessions(const struct tlsg_p11_find *f)
{
	void *module = NULL;
	unsigned long slot = 0;
	CK_TOKEN_INFO info;

	if(gnutls_pkcs11_token_get_ptr(f->token, &module, &slot, 0) < 0
			|| ((CK_FUNCTION_LIST *)module)->C_GetTokenInfo(slot, &info) != CKR_OK
			|| info.ulMaxSessionCount == CK_UNAVAILABLE_INFORMATION)
		return CK_EFFECTIVELY_INFINITE;
	return info.ulMaxSessionCount;
}

int tlsg_p11_find_list(const struct tlsg_p11_find *f, unsigned flags, struct tlsg_p11_find_objects *o)
{
	int rc;

	o->list = NULL;
	o->len = 0;
	rc = gnutls_pkcs11_obj_list_import_url4(&o->list, &o->len, f->uri, flags);
	return rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ? 0 : rc;
}

static enum tlsg_ret work_in_child(void *arg, gnutls_datum_t *out, struct tlsg_err *err)
{
	struct tlsg_p11_find *f = arg;
	struct tlsg_p11_retry r;
	struct tlsg_err why;
	enum tlsg_ret ret;

	tlsg_p11_retry_begin(&r);
	for(;;) {
		tlsg_err_clear(&why);
		tlsg_p11_pin_begin();
		ret = f->attempt(f, out, &why);
		if(ret == TLSG_OK || tlsg_p11_pin_is_final() || !tlsg_p11_retry_is_worth_it(&r))
			break;
		gnutls_free(out->data);
		out->size = 0;
		tlsg_p11_retry_restart(&r, TLSG_P11_RETRY_BUILDER_MS);
	}
	if(ret == TLSG_OK)
		tlsg_p11_pin_accept();
	return ret == TLSG_OK ? ret : tlsg_err_set(err, ret, "%s", why.text);
}

enum tlsg_ret tlsg_p11_find_run(struct tlsg_p11_find *f, gnutls_datum_t *out, struct tlsg_err *err)
{
	return tlsg_p11_probe_run(work_in_child, f, TLSG_P11_PROBE_SECONDS, out, err);
}
