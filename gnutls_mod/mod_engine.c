/*
 * tls_gnutls - the parameters engine and engine_config: keys that were configured for an OpenSSL engine
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: start-up or the RPC process that reloads.  Memory: the caller's.  Lock: none.
 */
#include "gnutls_mod/mod_engine.h"

#include <strings.h>
#include <sys/stat.h>

#include "base/host.h"
#include "base/secret_file.h"
#include "gnutls_mod/mod_params.h"
#include "profiles/keys/file.h"
#include "profiles/source.h"

/* As tls.so: the first four letters count. */
static bool is_none(const str *value)
{
	return value->s == NULL || value->len <= 0 || strncasecmp(value->s, "NONE", 4) == 0;
}

/* Engines that are not PKCS#11 modules but load one. */
static bool is_bridge(const char *engine)
{
	return strcasecmp(engine, "pkcs11") == 0 || strcasecmp(engine, "gem") == 0 || strcasecmp(engine, "dynamic") == 0;
}

static enum tlsg_ret config_read(
		const char *engine, const char *file, struct tlsg_p11_engine *out, struct tlsg_err *err)
{
	gnutls_datum_t data = {NULL, 0};
	struct stat st;
	enum tlsg_ret ret = tlsg_file_read("engine_config", file, &data, err);

	if(ret != TLSG_OK)
		return ret;
	ret = tlsg_p11_engine_parse((const char *)data.data, data.size, engine, file, out, err);
	if(ret == TLSG_OK && out->pin.is_set && stat(file, &st) == 0)
		tlsg_secret_file_warn(file, "a PIN", st.st_mode);
	tlsg_file_free(&data);
	return ret;
}

void tlsg_engine_note(struct tlsg_set *set)
{
	const struct tlsg_params_private *p = tlsg_params_private();

	if(!is_none(&p->engine) && !is_none(&p->engine_config))
		tlsg_source_note(set, p->engine_config.s, false);
}

enum tlsg_ret tlsg_engine_load(struct tlsg_p11_engine *out, bool *is_set, struct tlsg_err *err)
{
	const struct tlsg_params_private *p = tlsg_params_private();
	enum tlsg_ret ret = TLSG_OK;

	memset(out, 0, sizeof(*out));
	*is_set = !is_none(&p->engine);
	if(!*is_set)
		return TLSG_OK;
	if(!is_none(&p->engine_config))
		ret = config_read(p->engine.s, p->engine_config.s, out, err);
	if(ret != TLSG_OK || out->module[0] != '\0' || is_bridge(p->engine.s))
		return ret;
	if((size_t)p->engine.len >= sizeof(out->module))
		return tlsg_err_set(err, TLSG_E_CONFIG, "engine: the name is too long");
	memcpy(out->module, p->engine.s, (size_t)p->engine.len + 1);
	return TLSG_OK;
}
