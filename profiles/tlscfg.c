/*
 * tls_gnutls - reads the sections of one file
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: start-up or the RPC process that reloads.  Memory: the snapshot's arena, pkg while parsing.  Lock: none.
 *
 * The core's lexer splits the file into words, so that a file means what it means to `tls`. Section headers and values
 * are parsed here: the core would log their errors and not return them. Errors inside a word are logged by the core, in
 * a line of its own.
 */
#include "profiles/tlscfg.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include <arpa/inet.h>

#include "core/cfg_parser.h"

#include "base/arena.h"
#include "base/secret_file.h"
#include "profiles/cipher/method.h"
#include "profiles/keys/path.h"
#include "profiles/prof.h"
#include "profiles/source.h"
#include "profiles/value.h"

#define OPTIONS (2 * TLSG_PROF_FIELDS) /* each by its name and its alias */

static cfg_option_t role_words[] = {
		{.name = "server", .val = TLSG_SERVER},
		{.name = "srv", .val = TLSG_SERVER},
		{.name = "s", .val = TLSG_SERVER},
		{.name = "client", .val = TLSG_CLIENT},
		{.name = "cli", .val = TLSG_CLIENT},
		{.name = "c", .val = TLSG_CLIENT},
		{.name = NULL},
};

static cfg_option_t domain_words[] = {
		{.name = "default", .val = TLSG_PROF_DEFAULT},
		{.name = "def", .val = TLSG_PROF_DEFAULT},
		{.name = "any", .val = TLSG_PROF_ANY},
		{.name = "all", .val = TLSG_PROF_ANY},
		{.name = NULL},
};

struct parse;

/* What the core passes to option_cb(). */
struct binding
{
	struct parse *parse;
	const struct tlsg_prof_field *field; /* NULL: an unknown option */
};

/* One file being read. */
struct parse
{
	struct tlsg_set *set;
	struct tlsg_err *err;
	enum tlsg_ret ret;	 /* what the failed step returned */
	str file;			 /* [arena] its path */
	struct tlsg_prof *p; /* profile of the section, NULL before the first */
	bool has_secret;
	char text[4096]; /* of the file, as it is read: may hold a password or a PIN */
	struct binding bindings[OPTIONS + 1];
	cfg_option_t options[OPTIONS + 1];
};

/* What a section header says. */
struct header
{
	enum tlsg_role role;
	enum tlsg_prof_kind kind;
	struct tlsg_addr addr;
	uint16_t port;
	int line;
};

/* Records "<file>:<line>:<column>: <what>". @return -1. */
static int err_at(struct parse *c, int line, int col, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int err_at(struct parse *c, int line, int col, const char *fmt, ...)
{
	char what[TLSG_ERR_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	c->ret = tlsg_err_set(c->err, TLSG_E_CONFIG, "%.*s:%d:%d: %s", c->file.len, c->file.s, line, col, what);
	return -1;
}

static int err_token(struct parse *c, const cfg_token_t *t, const char *what)
{
	return err_at(c, t->start.line, t->start.col, "%s", what);
}

static int err_memory(struct parse *c)
{
	c->ret = tlsg_err_no_shm(c->err, c->file.s, 0);
	return -1;
}

/* Reads the next word. @return 0; 1: end of the file; -1: not a word, the error is recorded. */
static int word_get(struct parse *c, cfg_parser_t *st, cfg_token_t *t, unsigned flags)
{
	const char *what = "Invalid character or unsupported escape";
	int rc;

	t->start.line = st->line;
	t->start.col = st->col;
	rc = cfg_get_token(t, st, flags);
	if(rc >= 0)
		return rc;
	if(t->val.len >= MAX_TOKEN_LEN)
		what = "Token too long";
	else if(feof(st->f))
		what = "Premature end of file, missing closing quote or escaped character";
	return err_at(c, st->line, st->col, "%s", what);
}

/*
 * The core's lexer keeps one character in a static variable, also after a parser has failed. Reading one word of this
 * text consumes it: the text is valid after any character.
 */
static void lexer_reset(void)
{
	static char text[] = "\"\"\n";
	cfg_parser_t st = {.f = fmemopen(text, sizeof(text) - 1, "r"), .file = "", .line = 1};
	cfg_token_t t;

	if(st.f == NULL)
		return;
	if(cfg_get_token(&t, &st, 0) < 0)
		LM_DBG("the lexer kept no character\n");
	fclose(st.f);
}

/* ---- key = value ---- */

static int line_end(struct parse *c, cfg_parser_t *st)
{
	cfg_token_t t;
	int rc = word_get(c, st, &t, 0);

	if(rc != 0)
		return rc < 0 ? -1 : 0;
	if(t.type != '\n')
		return err_token(c, &t, "End of line expected");
	return 0;
}

/* Reads `= value` and the end of the line. */
static int value_get(struct parse *c, cfg_parser_t *st, cfg_token_t *t)
{
	int rc = word_get(c, st, t, 0);

	if(rc < 0)
		return -1;
	if(rc > 0)
		return err_at(c, st->line, st->col, "Delimiter '=' missing");
	if(t->type != '=')
		return err_token(c, t, "Syntax error, '=' expected");
	rc = word_get(c, st, t, CFG_EXTENDED_ALPHA);
	if(rc < 0)
		return -1;
	if(rc > 0 || (t->type != CFG_TOKEN_ALPHA && t->type != CFG_TOKEN_STRING))
		return err_token(c, t, "Option value missing");
	if(memchr(t->val.s, 0, (size_t)t->val.len) != NULL)
		return err_token(c, t, "Invalid character 0x0 in a value");
	return line_end(c, st);
}

static int number_set(struct parse *c, const struct tlsg_prof_field *f, const cfg_token_t *t, int *out)
{
	int n;

	if(!tlsg_value_number(&t->val, &n))
		return err_at(c, t->start.line, t->start.col, "Invalid integer value '%.*s'", t->val.len, t->val.s);
	if(n >= 0 && n <= f->max) {
		*out = n;
		return 0;
	}
	if(f->kind != TLSG_PROF_FIELD_MODE)
		return err_at(c, t->start.line, t->start.col, "Value %d of '%s' is not allowed (allowed: 0 to %d)", n, f->name,
				f->max);
	LM_WARN("%.*s:%d: server_name_mode %d is unknown and means 0\n", c->file.len, c->file.s, t->start.line, n);
	*out = 0;
	return 0;
}

static int method_set(struct parse *c, const cfg_token_t *t, int *out)
{
	const struct tlsg_method *m;
	struct tlsg_err why;

	tlsg_err_clear(&why);
	if(tlsg_method_parse(t->val.s, (size_t)t->val.len, &m, &why) != TLSG_OK)
		return err_at(c, t->start.line, t->start.col, "Unsupported enum value '%.*s': %s",
				t->val.len > 64 ? 64 : t->val.len, t->val.s, why.text);
	*out = m->id;
	return 0;
}

static int verify_client_set(struct parse *c, const cfg_token_t *t, int *out)
{
	enum tlsg_verify_client v;

	if(!tlsg_value_verify_client(&t->val, &v))
		return err_at(c, t->start.line, t->start.col,
				"Unsupported enum value '%.*s' (allowed: off, on, optional, optional_no_ca)", t->val.len, t->val.s);
	*out = (int)v;
	return 0;
}

static int bool_set(struct parse *c, cfg_token_t *t, int *out)
{
	const cfg_option_t *o = cfg_lookup_token(cfg_bool_values, &t->val);

	if(o == NULL)
		return err_at(
				c, t->start.line, t->start.col, "Invalid option value '%.*s', boolean expected", t->val.len, t->val.s);
	*out = o->val;
	return 0;
}

static int text_set(struct parse *c, const struct tlsg_prof_field *f, const cfg_token_t *t, str *out)
{
	char path[TLSG_PATH_SIZE];
	str v = t->val;

	if(f->kind == TLSG_PROF_FIELD_PATH || f->kind == TLSG_PROF_FIELD_OBJECT) {
		v.len = tlsg_path_absolute(&c->set->options.config_dir, &t->val, path);
		v.s = path;
		if(v.len < 0)
			return err_token(c, t, "Path too long");
	}
	out->s = tlsg_arena_keep_copy(c->set->arena, v.s, (size_t)v.len);
	if(out->s == NULL)
		return err_memory(c);
	out->len = v.len;
	return 0;
}

/* A secret that a later line replaces is wiped now, not at the end of the snapshot. */
static int secret_set(struct parse *c, const struct tlsg_prof_field *f, const cfg_token_t *t, str *out)
{
	c->has_secret = true;
	if(out->s != NULL)
		gnutls_memset(out->s, 0, (size_t)out->len);
	return text_set(c, f, t, out);
}

static int value_set(struct parse *c, const struct tlsg_prof_field *f, cfg_token_t *t)
{
	void *out = tlsg_prof_value(&c->p->s, f);

	switch(f->kind) {
		case TLSG_PROF_FIELD_METHOD:
			return method_set(c, t, out);
		case TLSG_PROF_FIELD_BOOL:
			return bool_set(c, t, out);
		case TLSG_PROF_FIELD_NUMBER:
		case TLSG_PROF_FIELD_MODE:
			return number_set(c, f, t, out);
		case TLSG_PROF_FIELD_VERIFY_CLIENT:
			return verify_client_set(c, t, out);
		case TLSG_PROF_FIELD_SECRET:
			return secret_set(c, f, t, out);
		case TLSG_PROF_FIELD_TEXT:
		case TLSG_PROF_FIELD_PATH:
		case TLSG_PROF_FIELD_OBJECT:
			break;
	}
	return text_set(c, f, t, out);
}

/* Called by the core for a word at the start of a line. */
static int option_cb(void *param, cfg_parser_t *st, unsigned int flags)
{
	const struct binding *b = param;
	struct parse *c = b->parse;
	const cfg_token_t *name = st->cur_opt;
	cfg_token_t t;
	int rc;

	(void)flags;
	if(c->p == NULL || b->field == NULL)
		return err_at(c, name->start.line, name->start.col, "Unsupported option '%.*s'%s", name->val.len, name->val.s,
				c->p == NULL ? " before the first section" : "");
	rc = value_get(c, st, &t);
	if(rc == 0)
		rc = value_set(c, b->field, &t);
	gnutls_memset(&t, 0, sizeof(t));
	return rc;
}

/* ---- [role:domain] ---- */

/* first: the word before the first dot. */
static int ipv4_read(struct parse *c, cfg_parser_t *st, const cfg_token_t *first, struct header *h)
{
	cfg_token_t t = *first;
	unsigned octet;
	int i, rc;

	t.val.s = t.buf;
	for(i = 0; i < 4; i++) {
		if(t.type != CFG_TOKEN_ALPHA || !tlsg_value_decimal(&t.val, 255, &octet))
			return err_token(c, first, "Invalid IPv4 address");
		h->addr.bytes[i] = (uint8_t)octet;
		if(i == 3)
			break;
		rc = word_get(c, st, &t, 0);
		if(rc == 0 && t.type != '.')
			return err_token(c, first, "Invalid IPv4 address");
		if(rc == 0)
			rc = word_get(c, st, &t, 0);
		if(rc != 0)
			return rc < 0 ? -1 : err_token(c, first, "Invalid IPv4 address");
	}
	h->addr.len = 4;
	return 0;
}

/* bracket: the opening one. */
static int ipv6_read(struct parse *c, cfg_parser_t *st, const cfg_token_t *bracket, struct header *h)
{
	char text[INET6_ADDRSTRLEN];
	size_t len = 0;
	cfg_token_t t;
	int rc;

	for(;;) {
		rc = word_get(c, st, &t, 0);
		if(rc < 0)
			return -1;
		if(rc == 0 && t.type == ']')
			break;
		if(rc > 0 || (t.type != CFG_TOKEN_ALPHA && t.type != ':') || len + (size_t)t.val.len >= sizeof(text))
			return err_token(c, bracket, "Invalid IPv6 address");
		memcpy(text + len, t.val.s, (size_t)t.val.len);
		len += (size_t)t.val.len;
	}
	text[len] = '\0';
	if(inet_pton(AF_INET6, text, h->addr.bytes) != 1)
		return err_token(c, bracket, "Invalid IPv6 address");
	h->addr.len = 16;
	return 0;
}

/* `:` and a port, or `*` for any. */
static int port_read(struct parse *c, cfg_parser_t *st, struct header *h)
{
	cfg_token_t t;
	unsigned port;
	int rc = word_get(c, st, &t, 0);

	if(rc < 0)
		return -1;
	if(rc > 0 || t.type != ':')
		return err_token(c, &t, "Syntax error, ':' expected");
	rc = word_get(c, st, &t, 0);
	if(rc < 0)
		return -1;
	if(rc > 0)
		return err_token(c, &t, "Premature end of file, port number missing");
	if(t.type == '*') {
		h->port = 0;
		return 0;
	}
	if(t.type == '\n')
		return err_token(c, &t, "Invalid port number: the line ends before it");
	if(t.type != CFG_TOKEN_ALPHA || !tlsg_value_decimal(&t.val, 65535, &port))
		return err_at(c, t.start.line, t.start.col, "Invalid port number '%.*s' (allowed: 0 to 65535, or *)", t.val.len,
				t.val.s);
	h->port = (uint16_t)port;
	return 0;
}

/* What follows "[role:". */
static int domain_read(struct parse *c, cfg_parser_t *st, struct header *h)
{
	const cfg_option_t *word;
	cfg_token_t t;
	int rc = word_get(c, st, &t, 0);

	if(rc < 0)
		return -1;
	if(rc > 0)
		return err_token(c, &t, "Missing IP address");
	if(t.type != '[' && t.type != CFG_TOKEN_ALPHA)
		return err_token(c, &t, "Syntax error, IP address expected");
	if(t.type == CFG_TOKEN_ALPHA && (word = cfg_lookup_token(domain_words, &t.val)) != NULL) {
		h->kind = (enum tlsg_prof_kind)word->val;
		return 0;
	}
	h->kind = TLSG_PROF_ADDR;
	rc = t.type == '[' ? ipv6_read(c, st, &t, h) : ipv4_read(c, st, &t, h);
	return rc < 0 ? -1 : port_read(c, st, h);
}

/* What follows the '[' of a section, up to the end of the line. */
static int header_read(struct parse *c, cfg_parser_t *st, struct header *h)
{
	const cfg_option_t *word;
	cfg_token_t t;
	int rc = word_get(c, st, &t, 0);

	if(rc < 0)
		return -1;
	if(rc > 0)
		return err_token(c, &t, "TLS domain type missing");
	if(t.type != CFG_TOKEN_ALPHA || (word = cfg_lookup_token(role_words, &t.val)) == NULL)
		return err_at(c, t.start.line, t.start.col, "Invalid TLS domain type %d:'%.*s'", t.type,
				t.type == '\n' ? 0 : t.val.len, t.val.s);
	h->role = (enum tlsg_role)word->val;
	h->line = t.start.line;
	rc = word_get(c, st, &t, 0);
	if(rc < 0)
		return -1;
	if(rc > 0)
		return err_token(c, &t, "TLS domain IP address missing");
	if(t.type != ':')
		return err_token(c, &t, "Syntax error, ':' expected");
	if(domain_read(c, st, h) < 0)
		return -1;
	rc = word_get(c, st, &t, 0);
	if(rc < 0)
		return -1;
	if(rc > 0)
		return err_token(c, &t, "Closing ']' missing");
	if(t.type != ']')
		return err_token(c, &t, "Syntax error, ']' expected");
	return line_end(c, st);
}

/* Called by the core for a '[' at the start of a line. */
static int section_cb(void *param, cfg_parser_t *st, unsigned int flags)
{
	struct parse *c = param;
	struct header h = {.line = 0};
	const struct tlsg_prof *before;

	(void)flags;
	if(header_read(c, st, &h) < 0)
		return -1;
	before = h.kind == TLSG_PROF_DEFAULT ? c->set->defaults[h.role] : NULL;
	if(before != NULL)
		LM_WARN("%.*s:%d: this default section replaces the one at %.*s:%d\n", c->file.len, c->file.s, h.line,
				before->file.len, before->file.s, before->line);
	c->p = tlsg_prof_add(c->set, h.role, h.kind, h.kind == TLSG_PROF_ADDR ? &h.addr : NULL, h.port);
	if(c->p == NULL)
		return err_memory(c);
	c->p->file = c->file;
	c->p->line = h.line;
	return 0;
}

/* ---- the file ---- */

/* name  of an option; NULL: the entry that takes all others. */
static void option_bind(struct parse *c, size_t at, const char *name, const struct tlsg_prof_field *f)
{
	c->bindings[at].parse = c;
	c->bindings[at].field = f;
	c->options[at].name = (char *)name;
	c->options[at].flags = name != NULL ? 0 : CFG_DEFAULT;
	c->options[at].param = &c->bindings[at];
	c->options[at].f = option_cb;
}

static void options_bind(struct parse *c)
{
	const struct tlsg_prof_field *fields = tlsg_prof_fields();
	size_t i, n = 0;

	for(i = 0; i < TLSG_PROF_FIELDS; i++) {
		option_bind(c, n++, fields[i].name, &fields[i]);
		if(fields[i].alias != NULL)
			option_bind(c, n++, fields[i].alias, &fields[i]);
	}
	option_bind(c, n, NULL, NULL);
}

static enum tlsg_ret err_file(struct parse *c, const char *what, int error)
{
	return tlsg_err_set(c->err, TLSG_E_CONFIG, "%.*s: %s%s%s", c->file.len, c->file.s, what, error != 0 ? ": " : "",
			error != 0 ? strerror(error) : "");
}

/* Opens a file with the core's parser, which names files by their last part in messages; here the path is named. */
static cfg_parser_t *parser_open(struct parse *c)
{
	str none = STR_NULL;
	cfg_parser_t *st = cfg_parser_init(&none, &c->file);
	char *name;

	if(st == NULL)
		return NULL;
	(void)setvbuf(st->f, c->text, _IOFBF, sizeof(c->text));
	name = pkg_malloc((size_t)c->file.len + 1);
	if(name != NULL) {
		memcpy(name, c->file.s, (size_t)c->file.len + 1);
		pkg_free(st->file);
		st->file = name;
	}
	cfg_section_parser(st, section_cb, c);
	cfg_set_options(st, c->options);
	return st;
}

/* The core's parser leaves words on the stack, which processes that are forked later would inherit. */
static __attribute__((noinline)) void stack_wipe(void)
{
	char below[32 * 1024];

	gnutls_memset(below, 0, sizeof(below));
}

enum tlsg_ret tlsg_tlscfg_parse(struct tlsg_set *set, const char *path, mode_t mode, struct tlsg_err *err)
{
	struct parse c = {.set = set, .err = err, .ret = TLSG_OK, .file = {(char *)path, (int)strlen(path)}};
	cfg_parser_t *st;
	FILE *probe;

	tlsg_source_note(set, path, false);
	probe = fopen(path, "r");
	if(probe == NULL)
		return err_file(&c, "cannot be opened", errno);
	fclose(probe);
	options_bind(&c);
	st = parser_open(&c);
	if(st == NULL)
		return err_file(&c, "cannot be opened by the core's parser", 0);
	lexer_reset();
	if(sr_cfg_parse(st) < 0 && c.ret == TLSG_OK)
		err_at(&c, st->line, st->col, "Syntax error");
	if(c.ret == TLSG_OK && ferror(st->f))
		c.ret = err_file(&c, "cannot be read to its end", 0);
	lexer_reset();
	cfg_parser_close(st);
	gnutls_memset(c.text, 0, sizeof(c.text));
	stack_wipe();
	if(c.has_secret)
		tlsg_secret_file_warn(path, "a password", mode);
	return c.ret;
}
