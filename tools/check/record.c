/*
 * tls_gnutls - stands in for the module "tls" while `kamailio -c` reads a configuration: writes down what it is given
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: `kamailio -c`, started by tls-gnutls-check.  Memory: static.  Lock: none.
 *
 * It loads the real module, so that the script may use all of its variables and functions, and offers Kamailio that
 * module's parameters with functions of its own. Nothing is initialised.
 *
 * Environment: TLS_GNUTLS_CHECK_MODULE, path of tls_gnutls.so; TLS_GNUTLS_CHECK_REPORT, a file that is appended to. Its
 * records are five strings, each with a terminating zero: kind, file, line, name, value. Kinds: "loadmodule" (name: the
 * path it was loaded by; value: "1" if enable_tls came before), "text" and "number" (parameters of the module), "end"
 * (name: a setting of the core).
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"
#include "core/kemi.h"
#include "core/sr_module.h"

MODULE_VERSION

#define PARAMS_MAX 128
#ifndef PARAM_USE_SHM /* before 6.0 */
#define PARAM_USE_SHM 0
#endif

/* Kamailio's configuration parser: the file and the line that it reads. */
extern char *finame;
extern int line;

struct module_exports exports = {
		.name = "tls",
};

static param_export_t params[PARAMS_MAX + 1];
static FILE *report;

static void record(const char *kind, const char *name, const char *value)
{
	if(report == NULL)
		return;
	fprintf(report, "%s%c%s%c%d%c%s%c%s%c", kind, 0, finame != NULL ? finame : cfg_file, 0, line, 0, name, 0, value, 0);
	fflush(report);
}

static int param_set(int i, modparam_t type, void *value)
{
	char number[16];
	const str *text = value;

	if((type & PARAM_INT) != 0) {
		snprintf(number, sizeof(number), "%d", (int)(long)value);
		record("number", params[i].name, number);
	} else if(text != NULL) {
		record("text", params[i].name, text->s != NULL ? text->s : "");
	}
	return 0;
}

/* A function of a parameter is not told its name: one function for each row. */
#define ROW(n)                                       \
	static int set_##n(modparam_t type, void *value) \
	{                                                \
		return param_set(0x##n, type, value);        \
	}
#define ROWS(t) \
	ROW(t##0)   \
	ROW(t##1)   \
	ROW(t##2)   \
	ROW(t##3)   \
	ROW(t##4)   \
	ROW(t##5)   \
	ROW(t##6)   \
	ROW(t##7)   \
	ROW(t##8)   \
	ROW(t##9)   \
	ROW(t##a)   \
	ROW(t##b)   \
	ROW(t##c)   \
	ROW(t##d)   \
	ROW(t##e)   \
	ROW(t##f)
ROWS(0)
ROWS(1)
ROWS(2)
ROWS(3)
ROWS(4)
ROWS(5)
ROWS(6)
ROWS(7)

#define NAMES(t)                                                                                                \
	set_##t##0, set_##t##1, set_##t##2, set_##t##3, set_##t##4, set_##t##5, set_##t##6, set_##t##7, set_##t##8, \
			set_##t##9, set_##t##a, set_##t##b, set_##t##c, set_##t##d, set_##t##e, set_##t##f
static int (*const setters[PARAMS_MAX])(modparam_t, void *) = {
		NAMES(0), NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5), NAMES(6), NAMES(7)};

static void at_exit(void)
{
	char number[16];

	line = 0;
	record("end", "enable_tls", tls_disable ? "0" : "1");
	record("end", "user", user != NULL ? user : "");
	record("end", "group", group != NULL ? group : "");
	snprintf(number, sizeof(number), "%d", tcp_children_no);
	record("end", "tcp_children", number);
	record("end", "cfgengine", sr_kemi_eng_get() != NULL ? "1" : "0");
}

/* Takes over the interface of the real module, with other functions for its parameters. */
static int interface_copy(const struct module_exports *real)
{
	int i;

	exports = *real;
	exports.init_mod_f = NULL;
	exports.init_child_f = NULL;
	for(i = 0; real->params[i].name != NULL; i++) {
		if(i == PARAMS_MAX)
			return -1;
		params[i] = real->params[i];
		params[i].type = (real->params[i].type & ~(modparam_t)PARAM_USE_SHM) | PARAM_USE_FUNC;
		params[i].param_pointer = (void *)setters[i];
	}
	exports.params = params;
	return 0;
}

int mod_register(char *path, int *dlflags, void *p1, void *p2)
{
	const char *module = getenv("TLS_GNUTLS_CHECK_MODULE");
	const char *file = getenv("TLS_GNUTLS_CHECK_REPORT");
	void *handle = module != NULL ? dlopen(module, RTLD_NOW) : NULL;
	const struct module_exports *real = handle != NULL ? dlsym(handle, "exports") : NULL;
	mod_register_function real_register = handle != NULL ? (mod_register_function)dlsym(handle, "mod_register") : NULL;

	report = file != NULL ? fopen(file, "a") : NULL;
	if(real == NULL || real_register == NULL || report == NULL) {
		LM_CRIT("cannot load \"%s\" or write \"%s\"\n", module != NULL ? module : "", file != NULL ? file : "");
		return -1;
	}
	record("loadmodule", path, tls_disable ? "0" : "1");
	if(interface_copy(real) < 0 || atexit(at_exit) != 0)
		return -1;
	return real_register(path, dlflags, p1, p2);
}
