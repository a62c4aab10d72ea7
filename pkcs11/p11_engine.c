/*
 * tls_gnutls - reads engine_config: the parts of OpenSSL's configuration that engines for HSMs use
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: start-up or the RPC process that reloads.  Memory: the caller's.  Lock: none.
 */
#include "pkcs11/p11_engine.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/gnutls.h>

#include "base/host.h"

#define LINE_SIZE 1024
#define NAME_SIZE 128

/* State of the reader. It starts again for each section that is looked for: the file is short. */
struct reader
{
	const char *at;
	const char *end;
	const char *name; /* of the file */
	int line;		  /* of the line in buf */
	int next;		  /* of the text that follows */
	char section[NAME_SIZE];
	char buf[LINE_SIZE]; /* one logical line; may hold a PIN */
	char *key;
	char *value;
	struct tlsg_err *err;
};

static enum tlsg_ret line_error(const struct reader *r, const char *why)
{
	(void)tlsg_err_set(r->err, TLSG_E_CONFIG, "engine_config: %s:%d: %s", r->name, r->line, why);
	return TLSG_E_CONFIG;
}

/*
 * Reads a line into buf, and those that follow while it ends in a backslash.
 * @return 1: done; 0: end of text; -1: too long, or a zero byte.
 */
static int next_line(struct reader *r)
{
	size_t len = 0;

	if(r->at >= r->end)
		return 0;
	r->line = r->next;
	while(r->at < r->end) {
		const char *eol = memchr(r->at, '\n', (size_t)(r->end - r->at));
		size_t n = (size_t)((eol != NULL ? eol : r->end) - r->at);

		if(len + n >= sizeof(r->buf))
			return -1;
		memcpy(r->buf + len, r->at, n);
		len += n;
		r->at = eol != NULL ? eol + 1 : r->end;
		r->next++;
		if(len > 0 && r->buf[len - 1] == '\r')
			len--;
		if(len == 0 || r->buf[len - 1] != '\\')
			break;
		len--;
	}
	r->buf[len] = '\0';
	return memchr(r->buf, '\0', len) == NULL ? 1 : -1;
}

static char *trim(char *text)
{
	size_t len;

	while(isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while(len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

/*
 * Removes quotes, escapes and the comment from a value, in place.
 * @return false: a quote is not closed, or there is a variable.
 */
static bool unquote(char *value)
{
	char *to = value;
	char *kept = value; /* end of the text that must not be trimmed */
	char quote = '\0';

	for(; *value != '\0'; value++) {
		if(quote == '\0' && *value == '#')
			break;
		if(quote == '\0' && (*value == '"' || *value == '\''))
			quote = *value;
		else if(quote != '\0' && *value == quote) {
			quote = '\0';
			kept = to;
		} else if(*value == '\\' && quote != '\'' && value[1] != '\0') {
			*to++ = *++value;
			kept = to;
		} else if(*value == '$' && quote != '\'')
			return false;
		else
			*to++ = *value;
	}
	while(to > kept && isspace((unsigned char)to[-1]))
		to--;
	*to = '\0';
	return quote == '\0';
}

static enum tlsg_ret read_section(struct reader *r, char *line)
{
	char *close = strchr(line, ']');
	char *name;

	if(close == NULL)
		return line_error(r, "\"]\" is missing");
	*close = '\0';
	name = trim(line + 1);
	if(strlen(name) >= sizeof(r->section))
		return line_error(r, "the name of the section is too long");
	memcpy(r->section, name, strlen(name) + 1);
	return TLSG_OK;
}

/* @return TLSG_OK: key and value are set; TLSG_EOF: end of text; TLSG_E_CONFIG. */
static enum tlsg_ret next_setting(struct reader *r)
{
	int got;

	while((got = next_line(r)) > 0) {
		char *line = trim(r->buf);
		char *equals;

		if(*line == '\0' || *line == '#' || *line == ';' || *line == '.')
			continue; /* .include and .pragma are not for engines */
		if(*line == '[') {
			if(read_section(r, line) != TLSG_OK)
				return TLSG_E_CONFIG;
			continue;
		}
		equals = strchr(line, '=');
		if(equals == NULL)
			return line_error(r, "\"=\" is missing");
		*equals = '\0';
		r->key = trim(line);
		r->value = trim(equals + 1);
		if(!unquote(r->value))
			return line_error(r, "the value has a quote that is not closed, or a $variable; write $ as \\$");
		return TLSG_OK;
	}
	return got < 0 ? line_error(r, "the line is longer than 1023 bytes, or holds a zero byte") : TLSG_EOF;
}

static void rewind_to(struct reader *r, const char *text, size_t len)
{
	const char *end = memchr(text, '\0', len);

	r->at = text;
	r->end = end != NULL ? end : text + len;
	r->next = 1;
	r->line = 0;
	/* settings before the first header belong to the default section */
	memcpy(r->section, "default", sizeof("default"));
}

static bool is_key(const char *key, const char *wanted)
{
	const char *dot = strrchr(key, '.'); /* a key can be given twice as "1.PIN" and "2.PIN" */

	return strcasecmp(dot != NULL ? dot + 1 : key, wanted) == 0;
}

/* Looks a key up. @return TLSG_OK; TLSG_EOF: not found; TLSG_E_CONFIG. */
static enum tlsg_ret look_up(struct reader *r, const char *section, const char *key, char *out)
{
	enum tlsg_ret ret;

	while((ret = next_setting(r)) == TLSG_OK) {
		if(strcmp(r->section, section) != 0 || strcmp(r->key, key) != 0)
			continue;
		if(strlen(r->value) >= NAME_SIZE)
			return line_error(r, "the name of the section is too long");
		memcpy(out, r->value, strlen(r->value) + 1);
		return TLSG_OK;
	}
	return ret;
}

static enum tlsg_ret pin_read(const struct reader *r, const char *value, struct tlsg_p11_engine *out)
{
	size_t len = strlen(value);

	if(len >= sizeof(out->pin.value))
		return line_error(r, "the PIN is too long");
	memcpy(out->pin.value, value, len + 1);
	out->pin.is_set = true;
	return TLSG_OK;
}

/* ENGINE_INIT: numbers and names separated by colons, the first number is the slot, the last part is password=PIN. */
static enum tlsg_ret init_read(const struct reader *r, const char *value, struct tlsg_p11_engine *out)
{
	const char *password = strstr(value, "password=");
	const char *number = strncasecmp(value, "slot:", 5) == 0 ? value + 5 : value;
	char *end = NULL;

	if(isdigit((unsigned char)*number)) {
		errno = 0;
		out->slot = strtoul(number, &end, 10);
		if(errno != 0 || *end != ':')
			return line_error(r, "ENGINE_INIT is malformed: write slot:0:0:password=...");
		out->has_slot = true;
	}
	if(password == NULL || (password > value && password[-1] != ':'))
		return line_error(r, "ENGINE_INIT is malformed: write slot:0:0:password=...");
	return pin_read(r, password + strlen("password="), out);
}

static enum tlsg_ret setting_read(const struct reader *r, struct tlsg_p11_engine *out)
{
	static const char *const for_openssl[] = {"dynamic_path", "engine_id", "init", "default_algorithms", "VERBOSE",
			"QUIET", "SO_PATH", "ID", "LIST_ADD", "DIR_LOAD", "DIR_ADD", "LOAD", "EngineInit", "LOAD_CERT_CTRL",
			"SET_USER_INTERFACE", "SET_CALLBACK_DATA", "FORCE_LOGIN", "RE_ENUMERATE"};
	size_t i;

	if(is_key(r->key, "PIN"))
		return pin_read(r, r->value, out);
	if(is_key(r->key, "ENGINE_INIT"))
		return init_read(r, r->value, out);
	if(is_key(r->key, "MODULE_PATH")) {
		if(strlen(r->value) >= sizeof(out->module))
			return line_error(r, "MODULE_PATH is too long");
		memcpy(out->module, r->value, strlen(r->value) + 1);
		return TLSG_OK;
	}
	for(i = 0; i < sizeof(for_openssl) / sizeof(for_openssl[0]); i++)
		if(is_key(r->key, for_openssl[i])) {
			LM_INFO("engine_config: %s:%d: %s has no effect with GnuTLS: it is a command for OpenSSL's engine\n",
					r->name, r->line, for_openssl[i]);
			return TLSG_OK;
		}
	LM_WARN("engine_config: %s:%d: \"%.64s\" is unknown and has no effect: check the spelling\n", r->name, r->line,
			r->key);
	return TLSG_OK;
}

/* Finds the name of the engine's section. */
static enum tlsg_ret find_engine(struct reader *r, const char *text, size_t len, const char *id, char *section)
{
	char init[NAME_SIZE];
	char engines[NAME_SIZE];
	enum tlsg_ret ret;

	rewind_to(r, text, len);
	ret = look_up(r, "default", "kamailio", init);
	if(ret == TLSG_EOF) {
		rewind_to(r, text, len);
		ret = look_up(r, "default", "openssl_conf", init);
	}
	if(ret == TLSG_EOF)
		return tlsg_err_set(r->err, TLSG_E_CONFIG, "engine_config: %s: no line \"kamailio = <section>\"", r->name);
	if(ret != TLSG_OK)
		return ret;
	rewind_to(r, text, len);
	ret = look_up(r, init, "engines", engines);
	if(ret == TLSG_EOF)
		return tlsg_err_set(
				r->err, TLSG_E_CONFIG, "engine_config: %s: no line \"engines = <section>\" in [%.64s]", r->name, init);
	if(ret != TLSG_OK)
		return ret;
	rewind_to(r, text, len);
	ret = look_up(r, engines, id, section);
	if(ret == TLSG_EOF)
		return tlsg_err_set(r->err, TLSG_E_CONFIG, "engine_config: %s: [%.64s] does not name the engine \"%.64s\"",
				r->name, engines, id);
	return ret;
}

enum tlsg_ret tlsg_p11_engine_parse(const char *text, size_t len, const char *id, const char *name,
		struct tlsg_p11_engine *out, struct tlsg_err *err)
{
	struct reader r = {.name = name, .err = err};
	char section[NAME_SIZE];
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	ret = find_engine(&r, text, len, id, section);
	if(ret == TLSG_OK) {
		rewind_to(&r, text, len);
		while((ret = next_setting(&r)) == TLSG_OK
				&& (strcmp(r.section, section) != 0 || (ret = setting_read(&r, out)) == TLSG_OK))
			;
	}
	gnutls_memset(r.buf, 0, sizeof(r.buf));
	if(ret == TLSG_EOF)
		return TLSG_OK;
	gnutls_memset(out, 0, sizeof(*out));
	return ret;
}

void tlsg_p11_engine_wipe(struct tlsg_p11_engine *e)
{
	gnutls_memset(e, 0, sizeof(*e));
}
