/*
 * tls_gnutls - what GnuTLS, nettle and p11-kit take from the environment and from the system-wide configuration
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant at start; the process that reloads.  Memory: static.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* secure_getenv */
#endif
#include "base/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/gnutls.h>

#define LINE_BYTES 1024
#define NAME_BYTES 64
#define SPACES " \t\r\n\f\v"

/* ---- variables ---- */

static bool is_any(const char *value)
{
	(void)value;
	return true;
}

static bool is_filled(const char *value)
{
	return value[0] != '\0';
}

static bool is_one(const char *value)
{
	return value[0] == '1';
}

static bool is_not_one(const char *value)
{
	return !is_one(value);
}

static bool is_positive(const char *value)
{
	return strtol(value, NULL, 10) > 0;
}

static const struct
{
	bool (*matters)(const char *value);
	struct tlsg_environment_note note;
} variables[] = {
		{is_filled,
				{"SSLKEYLOGFILE", "this module ignores it, other libraries of this process write their secrets there",
						"unset it; for keys of this module set keylog_mode"}},
		{is_positive, {"GNUTLS_DEBUG_LEVEL", "GnuTLS writes to stderr what it does, from level 9 on with secrets",
							  "unset it when you have seen what you wanted"}},
		{is_any,
				{"GNUTLS_SYSTEM_PRIORITY_FILE",
						"GnuTLS reads it instead of the system-wide configuration, so what that forbids may be allowed",
						"unset it"}},
		{is_one, {"GNUTLS_SYSTEM_PRIORITY_FAIL_ON_INVALID",
						 "a wrong line in the system-wide configuration ends the process that reads it, at any time",
						 "unset it"}},
		{is_not_one, {"GNUTLS_FORCE_FIPS_MODE", "FIPS 140 mode is off or not enforced, whatever the system says",
							 "unset it, or set it to 1"}},
		{is_one, {"GNUTLS_SKIP_FIPS_INTEGRITY_CHECKS", "GnuTLS does not check in FIPS 140 mode whether it was changed",
						 "unset it"}},
		{is_any, {"GNUTLS_CPUID_OVERRIDE",
						 "GnuTLS may use code that is slower and that leaks keys through caches and time", "unset it"}},
		{is_any, {"NETTLE_FAT_OVERRIDE",
						 "nettle may use code that is slower and that leaks keys through caches and time", "unset it"}},
		{is_filled, {"P11_KIT_STRICT", "p11-kit ends the process when a token's module breaks a rule", "unset it"}},
};

const struct tlsg_environment_note *tlsg_environment_next(unsigned *at)
{
	while(*at < sizeof(variables) / sizeof(variables[0])) {
		unsigned i = (*at)++;
		const char *value = secure_getenv(variables[i].note.name); /* as the libraries do */

		if(value != NULL && variables[i].matters(value))
			return &variables[i].note;
	}
	return NULL;
}

/* ---- the library ---- */

void tlsg_environment_library(struct tlsg_environment_library *library)
{
	const gnutls_library_config_st *entry;
	bool is_new = gnutls_check_version("3.8.10") != NULL;

	memset(library, 0, sizeof(*library));
	for(entry = gnutls_get_library_config(); entry != NULL && entry->name != NULL; entry++)
		if(strcmp(entry->name, "hardware-features") == 0)
			library->features = entry->value;
	library->config = gnutls_get_system_config_file();
	library->provides = is_new && gnutls_fips140_mode_enabled() != GNUTLS_FIPS140_DISABLED;
	library->compresses = is_new;
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	while(words != NULL && *words != '\0') {
		size_t n;

		words += strspn(words, SPACES);
		n = strcspn(words, SPACES);
		if(n == length && strncmp(words, word, n) == 0)
			return true;
		words += n;
	}
	return false;
}

/* ---- the system-wide configuration ---- */

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, SPACES);
	length = strlen(text);
	while(length > 0 && strchr(SPACES, text[length - 1]) != NULL)
		text[--length] = '\0';
	return text;
}

/** Takes a line: a section is remembered, the name of a setting is given out. @return NULL: it is not a setting. */
static const char *setting_of(char *line, char section[NAME_BYTES])
{
	static const char bom[] = "\xef\xbb\xbf";
	char *text = trim(strncmp(line, bom, strlen(bom)) == 0 ? line + strlen(bom) : line);
	char *end;

	if(*text == '[') {
		end = strchr(text, ']');
		if(end == NULL)
			return NULL;
		*end = '\0';
		(void)snprintf(section, NAME_BYTES, "%s", trim(text + 1));
		return NULL;
	}
	end = text + strcspn(text, "=:");
	if(*text == '#' || *text == ';' || *end == '\0')
		return NULL;
	*end = '\0';
	return trim(text);
}

static enum tlsg_ret setting_check(
		const struct tlsg_environment_library *library, const char *section, const char *name, struct tlsg_err *err)
{
	if(library->provides && strcasecmp(section, "provider") == 0 && strcasecmp(name, "url") == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"\"%s\" has a [provider]: its PKCS#11 session cannot be shared by Kamailio's processes; remove it for "
				"Kamailio, with GNUTLS_SYSTEM_PRIORITY_FILE",
				library->config);
	if(library->compresses && strcasecmp(section, "overrides") == 0 && strcasecmp(name, "cert-compression-alg") == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"\"%s\" has cert-compression-alg: a few bytes of a peer would take megabytes of shared memory; remove "
				"it for Kamailio, with GNUTLS_SYSTEM_PRIORITY_FILE",
				library->config);
	return TLSG_OK;
}

/** What cannot be read GnuTLS does not read either. */
static enum tlsg_ret config_check(const struct tlsg_environment_library *library, struct tlsg_err *err)
{
	FILE *file = library->config != NULL ? fopen(library->config, "re") : NULL;
	char section[NAME_BYTES] = "";
	char line[LINE_BYTES];
	enum tlsg_ret ret = TLSG_OK;

	if(file == NULL)
		return TLSG_OK;
	while(ret == TLSG_OK && fgets(line, sizeof(line), file) != NULL) {
		const char *name = setting_of(line, section);

		if(name != NULL)
			ret = setting_check(library, section, name, err);
	}
	(void)fclose(file);
	return ret;
}

enum tlsg_ret tlsg_environment_check(const struct tlsg_environment_library *library, struct tlsg_err *err)
{
	static const char *const handles[] = {"afalg", "cryptodev"};
	size_t i;

	for(i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
		if(has_word(library->features, handles[i]))
			return tlsg_err_set(err, TLSG_E_CONFIG,
					"GnuTLS was built with %s: its sessions hold descriptors that Kamailio's processes cannot share; "
					"use a "
					"GnuTLS without --enable-%s",
					handles[i], handles[i]);
	return config_check(library, err);
}
