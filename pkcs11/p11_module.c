/*
 * tls_gnutls - PKCS#11 modules of this process: only those that are needed are loaded
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: workers, at the first use of a key; the short-lived child that looks at a token for the builder of a
 * snapshot.
 * Memory: this process's heap, without a scope.  Lock: none.
 */
#include "pkcs11/p11_module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/pkcs11.h>
#include <p11-kit/p11-kit.h>

#include "pkcs11/p11_ask.h"
#include "pkcs11/p11_probe.h"

#define MODULES_MAX 16
#define ASK_MS 1000

/* What this process has loaded. */
static struct
{
	pid_t pid; /* a child gets a copy but no modules */
	bool started;
	unsigned len;
	char path[MODULES_MAX][TLSG_P11_PATH_SIZE];
} loaded;

static enum tlsg_ret gnutls_start(unsigned flags, struct tlsg_err *err)
{
	int rc;

	if(loaded.pid != getpid()) {
		memset(&loaded, 0, sizeof(loaded));
		loaded.pid = getpid();
	}
	if(loaded.started)
		return TLSG_OK;
	rc = gnutls_pkcs11_init(flags, NULL);
	if(rc < 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "PKCS#11 cannot be initialised: %s", gnutls_strerror(rc));
	loaded.started = true;
	return TLSG_OK;
}

/* A module that took its time to fail is not asked why: a worker is waiting. */
static enum tlsg_ret init_failed(const char *path, int rc, long began_ms, struct tlsg_err *err)
{
	const char *why = tlsg_p11_probe_clock() - began_ms < ASK_MS ? tlsg_p11_ask_why(path) : NULL;

	return tlsg_err_set(err, TLSG_E_CONFIG, "the PKCS#11 module \"%.200s\" cannot be initialised: %s", path,
			why != NULL ? why : gnutls_strerror(rc));
}

enum tlsg_ret tlsg_p11_module_use(const char *path, struct tlsg_err *err)
{
	long began_ms = tlsg_p11_probe_clock();
	enum tlsg_ret ret = gnutls_start(GNUTLS_PKCS11_FLAG_MANUAL, err);
	unsigned i;
	int rc;

	if(ret != TLSG_OK)
		return ret;
	for(i = 0; i < loaded.len; i++)
		if(strcmp(loaded.path[i], path) == 0)
			return TLSG_OK;
	if(loaded.len == MODULES_MAX || strlen(path) >= TLSG_P11_PATH_SIZE)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "more than %d PKCS#11 modules, or a path that is too long", MODULES_MAX);
	rc = gnutls_pkcs11_add_provider(path, NULL);
	if(rc == GNUTLS_E_PKCS11_LOAD_ERROR)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the PKCS#11 module \"%s\" cannot be loaded%s", path,
				access(path, R_OK) != 0 ? ": the file cannot be read" : "");
	if(rc < 0)
		return init_failed(path, rc, began_ms, err);
	snprintf(loaded.path[loaded.len++], TLSG_P11_PATH_SIZE, "%s", path);
	return TLSG_OK;
}

enum tlsg_ret tlsg_p11_module_use_registered(struct tlsg_err *err)
{
	return gnutls_start(GNUTLS_PKCS11_FLAG_AUTO, err);
}

/* Whether a module has a name: that of its configuration file, or that of its library with or without lib and .so. */
static bool is_called(const char *module_name, const char *file, const char *name)
{
	const char *base = strrchr(file, '/');
	size_t len = strlen(name);

	if(module_name != NULL && strcmp(module_name, name) == 0)
		return true;
	base = base != NULL ? base + 1 : file;
	if(strcmp(base, name) == 0)
		return true;
	if(strncmp(base, "lib", 3) == 0 && strncmp(name, "lib", 3) != 0)
		base += 3;
	return strncmp(base, name, len) == 0 && strcmp(base + len, ".so") == 0;
}

enum tlsg_ret tlsg_p11_module_find(const char *name, char *out, struct tlsg_err *err)
{
	CK_FUNCTION_LIST **list = p11_kit_modules_load(NULL, 0);
	unsigned i;

	out[0] = '\0';
	for(i = 0; list != NULL && list[i] != NULL && out[0] == '\0'; i++) {
		char *known = p11_kit_module_get_name(list[i]);
		char *file = p11_kit_module_get_filename(list[i]);

		if(file != NULL && strlen(file) < TLSG_P11_PATH_SIZE && is_called(known, file, name))
			snprintf(out, TLSG_P11_PATH_SIZE, "%s", file);
		free(known);
		free(file);
	}
	if(list != NULL)
		p11_kit_modules_release(list);
	if(out[0] != '\0')
		return TLSG_OK;
	return tlsg_err_set(err, TLSG_E_CONFIG, "no PKCS#11 module \"%s\" is registered with p11-kit; name its path", name);
}

void tlsg_p11_module_stop(void)
{
	if(loaded.pid != getpid() || !loaded.started)
		return;
	gnutls_pkcs11_deinit();
	memset(&loaded, 0, sizeof(loaded));
}
