/*
 * tls_gnutls - shows what a cipher_list means: the priority string and the suites, in order
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a process of its own.   Memory: stack.   Lock: none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/version.h"
#include "profiles/cipher/cipher_string.h"
#include "profiles/cipher/method.h"
#include "profiles/cipher/suites.h"

enum exit_status
{
	EXIT_SHOWN = 0,
	EXIT_NOTHING = 1,
	EXIT_USAGE = 2
};

struct options
{
	const char *method;
	const char *string;
	bool enforced; /* list the suites that handshakes admit, not all that the string names */
	bool help;
	bool version;
};

static const char usage[] =
		"usage: tls-gnutls-ciphers [--method METHOD] [--enforced] [--] STRING\n"
		"\n"
		"Shows what cipher_list = STRING means to the module: the GnuTLS priority string, then "
		"each suite in order with\n"
		"OpenSSL's name, the standard's name and the lowest protocol that has it.\n"
		"\n"
		"  --method METHOD  a value of tls_method; without it TLSv1+\n"
		"  --enforced       leave out suites that @SECLEVEL refuses in handshakes\n"
		"  -h, --help       print this text\n"
		"  --version        print the versions of this program and of GnuTLS\n"
		"\n"
		"Words that select nothing usable are reported on standard error.\n"
		"Exit status: 0 there are suites, 1 the string is wrong or selects nothing, 2 usage error.\n";

/* Reads `--name VALUE` and `--name=VALUE`. Returns NULL if the argument is another one or the value is missing. */
static const char *option_value(const char *name, char **argv, int *i)
{
	size_t len = strlen(name);

	if(strncmp(argv[*i], name, len) != 0)
		return NULL;
	if(argv[*i][len] == '=')
		return argv[*i] + len + 1;
	if(argv[*i][len] != '\0' || argv[*i + 1] == NULL)
		return NULL;
	(*i)++;
	return argv[*i];
}

/*
 * A string may begin with - or !, like "-ALL:AES128-SHA". So only the options above and -- are options; anything else
 * that begins with two dashes is taken for a mistyped option.
 */
static bool parse_options(char **argv, struct options *o)
{
	bool options_end = false;

	for(int i = 1; argv[i] != NULL; i++) {
		const char *value;

		if(!options_end && strcmp(argv[i], "--") == 0) {
			options_end = true;
		} else if(!options_end && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
			o->help = true;
		} else if(!options_end && strcmp(argv[i], "--version") == 0) {
			o->version = true;
		} else if(!options_end && strcmp(argv[i], "--enforced") == 0) {
			o->enforced = true;
		} else if(!options_end && (value = option_value("--method", argv, &i)) != NULL) {
			o->method = value;
		} else if((!options_end && strncmp(argv[i], "--", 2) == 0) || o->string != NULL) {
			return false;
		} else {
			o->string = argv[i];
		}
	}
	return o->help || o->version || o->string != NULL;
}

static void print_note(void *arg, const char *word, size_t len, const char *why)
{
	(void)arg;
	fprintf(stderr, "%.*s: %s\n", (int)len, word, why);
}

static void print_list(const struct tlsg_cipher_list *l, bool enforced)
{
	const uint16_t *rows = enforced ? l->suites : l->named;
	size_t len = enforced ? l->suites_len : l->named_len;

	printf("priority: %s\n", l->priority);
	for(size_t i = 0; i < len; i++) {
		const struct tlsg_suite *s = tlsg_suite_at(rows[i]);

		printf("%s\t%s\t%s\n", tlsg_suite_name(s), s->iana, tlsg_suite_protocol(s));
	}
}

int main(int argc, char **argv)
{
	struct options o = {.method = "TLSv1+"};
	struct tlsg_cipher_note note = {.note_cb = print_note};
	struct tlsg_cipher_list list;
	struct tlsg_err err;
	const struct tlsg_method *method = NULL;

	(void)argc;
	tlsg_err_clear(&err);
	if(!parse_options(argv, &o)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if(o.help) {
		fputs(usage, stdout);
		return EXIT_SHOWN;
	}
	if(o.version) {
		printf("tls-gnutls-ciphers " TLSG_VERSION ", GnuTLS %s (built against %s)\n", tlsg_version_loaded(),
				tlsg_version_built());
		return EXIT_SHOWN;
	}
	if(tlsg_method_parse(o.method, strlen(o.method), &method, &err) != TLSG_OK) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_USAGE;
	}
	if(tlsg_cipher_string_eval(o.string, method, &note, &list, &err) != TLSG_OK) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_NOTHING;
	}
	print_list(&list, o.enforced);
	return ferror(stdout) || fflush(stdout) != 0 ? EXIT_NOTHING : EXIT_SHOWN;
}
