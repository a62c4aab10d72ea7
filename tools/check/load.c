/*
 * tls_gnutls - loads the configuration of the module as a start would, writes what it holds, and ends the start
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a Kamailio that tls-gnutls-check starts, before it binds a socket.  Memory: static.  Lock: none.
 *
 * Loaded behind tls_gnutls.so. Environment: TLS_GNUTLS_CHECK_CONFIG, the main configuration file, to whose folder paths
 * are relative; TLS_GNUTLS_CHECK_KEMI, "1": its cfgengine names a script engine; TLS_GNUTLS_CHECK_REPORT, a file that
 * is appended to: lines "ok" when all was loaded, then for each profile what the command tls.profiles replies, a line
 * "DEPTH NAME VALUE" for each value.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"
#include "core/daemonize.h"
#include "core/kemi.h"
#include "core/rpc.h"
#include "core/rpc_lookup.h"
#include "core/sr_module.h"
#include "core/tls_hooks_init.h"

MODULE_VERSION

#define PROCESSES 8

static int mod_init(void);

struct module_exports exports = {
		.name = "tls_gnutls_check_load",
		.init_mod_f = mod_init,
};

static FILE *report;
/* A handle of the command's reply is a depth: an address in this array. */
static char depths[4];

/* Writes the values of one call of `add`, `struct_add` or `array_add`. */
static int values_write(char *handle, const char *format, bool named, va_list *args)
{
	const char *name = "";

	for(; *format != '\0'; format++) {
		if(named)
			name = va_arg(*args, const char *);
		switch(*format) {
			case 's':
				fprintf(report, "%d %s %s\n", (int)(handle - depths), name, va_arg(*args, const char *));
				break;
			case 'S': {
				const str *text = va_arg(*args, const str *);

				fprintf(report, "%d %s %.*s\n", (int)(handle - depths), name, text->len,
						text->s != NULL ? text->s : "");
				break;
			}
			case 'd':
				fprintf(report, "%d %s %d\n", (int)(handle - depths), name, va_arg(*args, int));
				break;
			case '{':
			case '[':
				fprintf(report, "%d %s %c\n", (int)(handle - depths), name, *format);
				if(handle + 1 >= depths + sizeof(depths))
					return -1;
				*va_arg(*args, void **) = handle + 1;
				break;
			default:
				return -1;
		}
	}
	return 0;
}

static int reply_add(void *ctx, char *format, ...)
{
	va_list args;
	int ret;

	va_start(args, format);
	ret = values_write(ctx, format, false, &args);
	va_end(args);
	return ret;
}

static int reply_array_add(void *handle, char *format, ...)
{
	va_list args;
	int ret;

	va_start(args, format);
	ret = values_write(handle, format, false, &args);
	va_end(args);
	return ret;
}

static int reply_struct_add(void *handle, char *format, ...)
{
	va_list args;
	int ret;

	va_start(args, format);
	ret = values_write(handle, format, true, &args);
	va_end(args);
	return ret;
}

/* @return whether the configuration was loaded and reported. */
static bool load_and_report(void)
{
	rpc_t rpc = {.add = reply_add, .struct_add = reply_struct_add, .array_add = reply_array_add};
	const struct sr_module *tls = find_module_by_name("tls");
	const rpc_export_t *profiles = rpc_lookup("tls.profiles", sizeof("tls.profiles") - 1);

	if(tls == NULL || profiles == NULL)
		return false;
	/* As main() does behind the last mod_init. The number only sizes tables. */
	if(init_pt(PROCESSES) < 0 || init_tls() < 0 || do_suid() < 0 || tls->exports.init_child_f(PROC_INIT) < 0)
		return false;
	fprintf(report, "ok\n");
	profiles->function(&rpc, depths);
	return true;
}

static int mod_init(void)
{
	const char *file = getenv("TLS_GNUTLS_CHECK_REPORT");

	report = file != NULL ? fopen(file, "a") : NULL;
	if(report == NULL) {
		LM_CRIT("cannot write \"%s\"\n", file != NULL ? file : "");
		return -1;
	}
	load_and_report();
	fclose(report);
	return -1; /* ends the start: nothing is bound, no process was started */
}

static int no_route(sip_msg_t *msg, int type, str *name, str *data)
{
	(void)msg;
	(void)type;
	(void)name;
	(void)data;
	return -1;
}

/* The module asks whether a script engine runs the configuration; no script is run here. */
static int engine_set(void)
{
	str name = str_init("tls_gnutls_check");

	return sr_kemi_eng_register(&name, no_route) < 0 ? -1 : sr_kemi_eng_set(&name, NULL);
}

int mod_register(char *path, int *dlflags, void *p1, void *p2)
{
	char *config = getenv("TLS_GNUTLS_CHECK_CONFIG");
	const char *kemi = getenv("TLS_GNUTLS_CHECK_KEMI");

	(void)path;
	(void)dlflags;
	(void)p1;
	(void)p2;
	if(config != NULL)
		cfg_file = config;
	if(kemi != NULL && *kemi == '1' && engine_set() < 0)
		return -1;
	return 0;
}
