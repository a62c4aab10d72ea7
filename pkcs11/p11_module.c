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
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/pkcs11.h>
#include <p11-kit/p11-kit.h>

#include "pkcs11/p11_ask.h"
#include "pkcs11/p11_probe.h"

#define MODULES_MAX 16
#define ASK_MS 1000
#define LIBRARY_HALF 32 /* manufacturer, and description */

/* A module of this process. */
struct module
{
	char path[TLSG_P11_PATH_SIZE]; /* "": it is registered with p11-kit without one */
	unsigned char library[2 * LIBRARY_HALF];
};

/* What this process has loaded. */
static struct
{
	pid_t pid; /* a child gets a copy but no modules */
	bool started;
	bool registered; /* all that are registered with p11-kit are among them */
	unsigned len;
	struct module module[MODULES_MAX];
} loaded;

static bool has_stopped;	 /* modules were initialised and finalised in this process */
static bool want_registered; /* when it starts next */

/* A process that was forked does not go on with the modules of its parent. */
static void process_check(void)
{
	if(loaded.pid == getpid())
		return;
	if(loaded.started)
		gnutls_pkcs11_deinit(); /* p11-kit finalises no module in another process than it was initialised in */
	memset(&loaded, 0, sizeof(loaded));
	loaded.pid = getpid();
	has_stopped = false;
	want_registered = false;
}

static enum tlsg_ret gnutls_start(unsigned flags, struct tlsg_err *err)
{
	int rc;

	if(loaded.started)
		return TLSG_OK;
	rc = gnutls_pkcs11_init(flags, NULL);
	if(rc < 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "PKCS#11 cannot be initialised: %s", gnutls_strerror(rc));
	loaded.started = true;
	loaded.registered = flags == GNUTLS_PKCS11_FLAG_AUTO;
	return TLSG_OK;
}

/* ---- modules that GnuTLS does not tell apart ---- */

/* Notes a module that GnuTLS has. @param list  a handle of the caller's for it; initialising is counted. */
static void note(const char *path, CK_FUNCTION_LIST *list)
{
	struct module *m = &loaded.module[loaded.len];
	CK_INFO info;

	if(loaded.len == MODULES_MAX || strlen(path) >= sizeof(m->path) || p11_kit_module_initialize(list) != CKR_OK)
		return;
	memset(&info, 0, sizeof(info));
	(void)list->C_GetInfo(&info);
	(void)p11_kit_module_finalize(list);
	memcpy(m->path, path, strlen(path) + 1);
	memcpy(m->library, info.manufacturerID, LIBRARY_HALF);
	memcpy(m->library + LIBRARY_HALF, info.libraryDescription, LIBRARY_HALF);
	loaded.len++;
}

static void note_library(const char *path)
{
	CK_FUNCTION_LIST *list = p11_kit_module_load(path, 0);

	if(list == NULL)
		return;
	note(path, list);
	p11_kit_module_release(list);
}

static void note_registered(void)
{
	CK_FUNCTION_LIST **list = p11_kit_modules_load(NULL, 0);
	unsigned i;

	for(i = 0; list != NULL && list[i] != NULL; i++) {
		char *path = p11_kit_module_get_filename(list[i]);

		note(path != NULL ? path : "", list[i]);
		free(path);
	}
	if(list != NULL)
		p11_kit_modules_release(list);
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat s, t;

	return strcmp(a, b) == 0 || (stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino);
}

static const struct module *find(const char *path)
{
	unsigned i;

	for(i = 0; i < loaded.len; i++)
		if(strcmp(loaded.module[i].path, path) == 0)
			return &loaded.module[i];
	return NULL;
}

/*
 * GnuTLS ignores a module with the manufacturer, description and version of another one that it has, and a URI does not
 * tell them apart if only the version differs.
 */
static bool is_shadowed(const struct module *m)
{
	unsigned i;

	for(i = 0; i < loaded.len; i++)
		if(memcmp(loaded.module[i].library, m->library, sizeof(m->library)) == 0
				&& !is_same_file(loaded.module[i].path, m->path))
			return true;
	return false;
}

/* ---- loading ---- */

/* A module that took its time to fail is not asked why: a worker is waiting. */
static enum tlsg_ret init_failed(const char *path, int rc, long began_ms, struct tlsg_err *err)
{
	const char *why = tlsg_p11_probe_clock() - began_ms < ASK_MS ? tlsg_p11_ask_why(path) : NULL;
	const char *again = has_stopped ? " (this process has stopped modules before, and some do not start twice in one "
									  "process: set key_isolation=1, or restart)"
									: "";

	(void)tlsg_err_set(err, TLSG_E_CONFIG, "the PKCS#11 module \"%.200s\" cannot be initialised%s: %s", path, again,
			why != NULL ? why : gnutls_strerror(rc));
	if(err != NULL)
		err->gnutls_code = rc;
	return TLSG_E_CONFIG;
}

/*
 * GnuTLS forbids a module to create threads, and 3.8.11 gives up one that insists. p11-kit does not forbid it, and does
 * not initialise again what is initialised.
 */
static int provider_add(const char *path)
{
	int rc = gnutls_pkcs11_add_provider(path, NULL);
	CK_FUNCTION_LIST *list;

	list = rc == GNUTLS_E_LOCKING_ERROR ? p11_kit_module_load(path, 0) : NULL;
	if(list == NULL)
		return rc;
	if(p11_kit_module_initialize(list) == CKR_OK) {
		rc = gnutls_pkcs11_add_provider(path, NULL);
		(void)p11_kit_module_finalize(list);
	}
	p11_kit_module_release(list);
	return rc;
}

static enum tlsg_ret library_add(const char *path, struct tlsg_err *err)
{
	long began_ms = tlsg_p11_probe_clock();
	int rc;

	if(loaded.len == MODULES_MAX || strlen(path) >= TLSG_P11_PATH_SIZE)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "more than %d PKCS#11 modules, or a path that is too long", MODULES_MAX);
	rc = provider_add(path);
	if(rc == GNUTLS_E_PKCS11_LOAD_ERROR)
		return tlsg_err_set(err, TLSG_E_CONFIG, "the PKCS#11 module \"%s\" cannot be loaded%s", path,
				access(path, R_OK) != 0 ? ": the file cannot be read" : "");
	if(rc < 0)
		return init_failed(path, rc, began_ms, err);
	note_library(path);
	return TLSG_OK;
}

static enum tlsg_ret use_registered(struct tlsg_err *err)
{
	enum tlsg_ret ret;

	want_registered = true;
	ret = gnutls_start(GNUTLS_PKCS11_FLAG_AUTO, err);
	if(ret != TLSG_OK)
		return ret;
	if(!loaded.registered)
		return TLSG_AGAIN;
	if(loaded.len == 0)
		note_registered();
	return TLSG_OK;
}

enum tlsg_ret tlsg_p11_module_use(const char *path, struct tlsg_err *err)
{
	const struct module *m;
	enum tlsg_ret ret;

	process_check();
	if(path[0] == '\0')
		return use_registered(err);
	ret = gnutls_start(want_registered ? GNUTLS_PKCS11_FLAG_AUTO : GNUTLS_PKCS11_FLAG_MANUAL, err);
	if(ret == TLSG_OK && loaded.registered && loaded.len == 0)
		note_registered();
	if(ret == TLSG_OK && find(path) == NULL)
		ret = library_add(path, err);
	if(ret != TLSG_OK)
		return ret;
	m = find(path);
	if(m == NULL || !is_shadowed(m))
		return TLSG_OK;
	want_registered = false;
	return TLSG_AGAIN;
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
	bool found = false;
	unsigned i;

	out[0] = '\0';
	for(i = 0; list != NULL && list[i] != NULL && !found; i++) {
		char *known = p11_kit_module_get_name(list[i]);
		char *file = p11_kit_module_get_filename(list[i]); /* NULL: it is registered with `remote:` */

		found = is_called(known, file != NULL ? file : "", name) && (file == NULL || strlen(file) < TLSG_P11_PATH_SIZE);
		if(found && file != NULL)
			snprintf(out, TLSG_P11_PATH_SIZE, "%s", file);
		free(known);
		free(file);
	}
	if(list != NULL)
		p11_kit_modules_release(list);
	if(found)
		return TLSG_OK;
	return tlsg_err_set(err, TLSG_E_CONFIG, "no PKCS#11 module \"%s\" is registered with p11-kit; name its path", name);
}

void tlsg_p11_module_stop(void)
{
	if(loaded.pid != getpid() || !loaded.started)
		return;
	gnutls_pkcs11_deinit();
	has_stopped = has_stopped || loaded.len > 0; /* one that never started has not been stopped */
	memset(&loaded, 0, sizeof(loaded));
	loaded.pid = getpid();
}
