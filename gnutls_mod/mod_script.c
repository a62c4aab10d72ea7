/*
 * tls_gnutls - script functions, native and KEMI
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static and pkg.  Lock: see mod_view.h.
 */
#include "gnutls_mod/mod_script.h"

#include "core/kemi.h"
#include "core/mod_fix.h"

#include "base/host.h"
#include "gnutls_mod/mod_outgoing.h"
#include "gnutls_mod/mod_vars.h"
#include "gnutls_mod/mod_view.h"

#define YES 1
#define NO -1

/** @return YES: the peer sent a certificate, and it was verified; NO otherwise. */
static int ki_is_peer_verified(sip_msg_t *msg)
{
	const struct tlsg_view *v = tlsg_view_get(msg);

	if(v == NULL)
		return NO;
	if(v->verify != TLSG_V_OK) {
		LM_WARN("connection %d: verification of presented certificate failed: %s\n", v->id,
				tlsg_verify_code_reason(v->verify));
		return NO;
	}
	if(!v->has_peer) {
		LM_INFO("connection %d: the peer did not present a certificate\n", v->id);
		return NO;
	}
	LM_DBG("connection %d: the peer is successfully verified\n", v->id);
	return YES;
}

static int w_is_peer_verified(sip_msg_t *msg, char *unused1, char *unused2)
{
	(void)unused1;
	(void)unused2;
	return ki_is_peer_verified(msg);
}

/** @return YES; NO: out of memory. */
static int ki_set_connect_server_id(sip_msg_t *msg, str *id)
{
	(void)msg;
	return tlsg_outgoing_set_server_id(id) == 0 ? YES : NO;
}

static int w_set_connect_server_id(sip_msg_t *msg, char *id, char *unused)
{
	str value;

	(void)unused;
	if(fixup_get_svalue(msg, (gparam_t *)id, &value) < 0) {
		LM_ERR("tls_set_connect_server_id: the parameter has no value\n");
		return NO;
	}
	return ki_set_connect_server_id(msg, &value);
}

/** @return value of the variable with that name, without `$`; static, never NULL. */
static sr_kemi_xval_t *ki_cget(sip_msg_t *msg, str *name)
{
	static sr_kemi_xval_t value;
	enum tlsg_vars_found found;
	str text;

	memset(&value, 0, sizeof(value));
	found = tlsg_vars_get_by_name(msg, name, &text);
	if(found == TLSG_VARS_VALUE) {
		value.vtype = SR_KEMIP_STR;
		value.v.s = text;
		return &value;
	}
	if(found == TLSG_VARS_UNKNOWN)
		LM_WARN("unknown attribute: %.*s\n", name->len, name->s);
	else if(found == TLSG_VARS_UNSUPPORTED)
		LM_WARN("unsupported attribute: %.*s\n", name->len, name->s);
	sr_kemi_xval_null(&value, SR_KEMI_XVAL_NULL_EMPTY);
	return &value;
}

cmd_export_t tlsg_script_commands[] = {
		{"is_peer_verified", (cmd_function)w_is_peer_verified, 0, NULL, NULL, REQUEST_ROUTE},
		{"tls_set_connect_server_id", (cmd_function)w_set_connect_server_id, 1, fixup_spve_null, fixup_free_spve_null,
				ANY_ROUTE},
		{NULL, NULL, 0, NULL, NULL, 0},
};

#define KEMI(name, type, function, param)                                                      \
	{                                                                                          \
		str_init("tls"), str_init(name), (type), (function),                                   \
		{                                                                                      \
			(param), SR_KEMIP_NONE, SR_KEMIP_NONE, SR_KEMIP_NONE, SR_KEMIP_NONE, SR_KEMIP_NONE \
		}                                                                                      \
	}

static sr_kemi_t kemi_functions[] = {
		KEMI("set_connect_server_id", SR_KEMIP_INT, ki_set_connect_server_id, SR_KEMIP_STR),
		KEMI("is_peer_verified", SR_KEMIP_INT, ki_is_peer_verified, SR_KEMIP_NONE),
		KEMI("cget", SR_KEMIP_XVAL, ki_cget, SR_KEMIP_STR),
		{{NULL, 0}, {NULL, 0}, 0, NULL, {0, 0, 0, 0, 0, 0}},
};

int tlsg_script_register_kemi(void)
{
	return sr_kemi_modules_add(kemi_functions);
}
