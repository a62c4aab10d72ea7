/*
 * tls_gnutls - one profile: what is configured for a server address or a class of outgoing connections
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: built by one process (start-up or the RPC process that reloads), read by all.
 * Memory: arena of its snapshot (shm).  Lock: none, immutable once its snapshot is published.
 */
#include "profiles/prof.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <gnutls/crypto.h>

#include "base/arena.h"
#include "profiles/keys/key_file.h"
#include "profiles/keys/path.h"
#include "profiles/cipher/method.h"
#include "profiles/set.h"

#define CERT_FILE "cert.pem"

/* Longest id: "TLSs<any:" and a server_name of any length; what does not fit is cut. */
#define ID_SIZE 640

static const struct tlsg_prof_settings defaults_of[TLSG_ROLES] = {
		[TLSG_SERVER] =
				{
						.method = TLSG_METHOD_TLSV1_PLUS,
						.certificate = STR_STATIC_INIT(CERT_FILE),
						.private_key = STR_STATIC_INIT(CERT_FILE),
						.verify_client = TLSG_VERIFY_CLIENT_OFF,
						.verify_depth = 9,
				},
		[TLSG_CLIENT] =
				{
						.method = TLSG_METHOD_TLSV1_PLUS,
						.verify_client = TLSG_VERIFY_CLIENT_OFF,
						.verify_depth = 9,
				},
};

enum field_kind
{
	FIELD_TEXT,
	FIELD_PATH,	  /* relative ones lie in the directory of the main configuration file */
	FIELD_SECRET, /* never logged */
	FIELD_NUMBER
};

/* All settings but the method; those with a name are logged, in this order. */
static const struct field
{
	const char *name;
	size_t offset;
	enum field_kind kind;
} fields[] = {
		{"certificate", offsetof(struct tlsg_prof_settings, certificate), FIELD_PATH},
		{"ca_list", offsetof(struct tlsg_prof_settings, ca_list), FIELD_PATH},
		{"ca_path", offsetof(struct tlsg_prof_settings, ca_path), FIELD_PATH},
		{"crl", offsetof(struct tlsg_prof_settings, crl), FIELD_PATH},
		{"require_certificate", offsetof(struct tlsg_prof_settings, require_certificate), FIELD_NUMBER},
		{"cipher_list", offsetof(struct tlsg_prof_settings, cipher_list), FIELD_TEXT},
		{"private_key", offsetof(struct tlsg_prof_settings, private_key), FIELD_PATH},
		{"verify_certificate", offsetof(struct tlsg_prof_settings, verify_certificate), FIELD_NUMBER},
		{"verify_depth", offsetof(struct tlsg_prof_settings, verify_depth), FIELD_NUMBER},
		{"verify_client", offsetof(struct tlsg_prof_settings, verify_client), FIELD_NUMBER},
		{NULL, offsetof(struct tlsg_prof_settings, verify_name), FIELD_NUMBER},
		{NULL, offsetof(struct tlsg_prof_settings, server_name_mode), FIELD_NUMBER},
		{NULL, offsetof(struct tlsg_prof_settings, server_name), FIELD_TEXT},
		{NULL, offsetof(struct tlsg_prof_settings, server_id), FIELD_TEXT},
		{NULL, offsetof(struct tlsg_prof_settings, private_key_password), FIELD_SECRET},
		{NULL, offsetof(struct tlsg_prof_settings, certificate2), FIELD_PATH},
		{NULL, offsetof(struct tlsg_prof_settings, private_key2), FIELD_PATH},
		{NULL, offsetof(struct tlsg_prof_settings, private_key_password2), FIELD_SECRET},
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static str *text_of(struct tlsg_prof_settings *s, const struct field *f)
{
	return (str *)((char *)s + f->offset);
}

static int *number_of(struct tlsg_prof_settings *s, const struct field *f)
{
	return (int *)((char *)s + f->offset);
}

const struct tlsg_prof_settings *tlsg_prof_defaults(enum tlsg_role role)
{
	return &defaults_of[role];
}

void tlsg_prof_settings_clear(struct tlsg_prof_settings *s)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	for(i = 0; i < FIELDS; i++)
		if(fields[i].kind == FIELD_NUMBER)
			*number_of(s, &fields[i]) = -1;
}

struct tlsg_prof *tlsg_prof_add(struct tlsg_set *set, enum tlsg_role role, enum tlsg_prof_kind kind,
		const struct tlsg_addr *addr, uint16_t port)
{
	struct tlsg_prof *p = tlsg_arena_keep(set->arena, sizeof(*p));

	if(p == NULL)
		return NULL;
	p->set = set;
	p->role = role;
	p->kind = kind;
	if(kind == TLSG_PROF_ADDR && addr != NULL) {
		p->addr = *addr;
		p->port = port;
	}
	p->index = set->profs_len++;
	tlsg_prof_settings_clear(&p->s);
	if(kind == TLSG_PROF_DEFAULT) {
		if(set->defaults[role] != NULL)
			tlsg_prof_passwords_wipe(set->defaults[role]);
		set->defaults[role] = p;
		return p;
	}
	p->next = set->list[role];
	set->list[role] = p;
	return p;
}

/* Writes the id into a buffer. @return its length, cut to the buffer. */
static size_t id_print(const struct tlsg_prof *p, char *buf, size_t size)
{
	char addr[INET6_ADDRSTRLEN] = "";
	const char *role = p->role == TLSG_SERVER ? "TLSs" : "TLSc";
	int n = 0;

	switch(p->kind) {
		case TLSG_PROF_DEFAULT:
			n = snprintf(buf, size, "%s<default>", role);
			break;
		case TLSG_PROF_ANY:
			n = snprintf(buf, size, "%s<any:%.*s>", role, p->s.server_name.len, p->s.server_name.s);
			break;
		case TLSG_PROF_ADDR:
			inet_ntop(p->addr.len == 16 ? AF_INET6 : AF_INET, p->addr.bytes, addr, sizeof(addr));
			n = snprintf(buf, size, "%s<%s:%u>", role, addr, p->port);
			break;
	}
	if(n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

static enum tlsg_ret text_fill(const struct tlsg_prof *p, const struct field *f, const str *from, str *to)
{
	char path[TLSG_PATH_SIZE];
	const char *what = from->s;
	int len = from->len;

	if(f->kind == FIELD_PATH) {
		len = tlsg_path_absolute(&p->set->options.config_dir, from, path);
		what = path;
	}
	if(len < 0)
		return TLSG_E_CONFIG;
	to->s = tlsg_arena_keep_copy(p->set->arena, what, (size_t)len);
	if(to->s == NULL)
		return TLSG_E_RESOURCE;
	to->len = len;
	return TLSG_OK;
}

static enum tlsg_ret field_fill(struct tlsg_prof *p, const struct field *f, struct tlsg_prof_settings *defaults)
{
	str *to = text_of(&p->s, f);
	const str *from = text_of(defaults, f);

	if(f->kind == FIELD_NUMBER) {
		if(*number_of(&p->s, f) == -1)
			*number_of(&p->s, f) = *number_of(defaults, f);
		return TLSG_OK;
	}
	if(to->s != NULL || from->s == NULL)
		return TLSG_OK;
	return text_fill(p, f, from, to);
}

/*
 * A server's default profile that nobody wrote takes the compiled-in certificate. When there is no such file, the profile goes
 * without: what selects it fails in the handshake, all else works.
 */
static void implied_certificate_check(const struct tlsg_prof *p, struct tlsg_prof_settings *d)
{
	char path[TLSG_PATH_SIZE];

	if(p->role != TLSG_SERVER || p->kind != TLSG_PROF_DEFAULT || p->line != 0 || p->s.certificate.s != NULL)
		return;
	if(tlsg_path_absolute(&p->set->options.config_dir, &d->certificate, path) > 0
			&& (access(path, F_OK) == 0 || errno != ENOENT))
		return;
	LM_WARN("%.*s: there is no [server:default] and no \"%s\": clients that no other profile serves will be refused\n",
			p->id.len, p->id.s, path);
	memset(&d->certificate, 0, sizeof(d->certificate));
	memset(&d->private_key, 0, sizeof(d->private_key));
}

/* A PKCS#12 file brings its key: the compiled-in file name does not get in the way. */
static void implied_key_check(const struct tlsg_prof *p, struct tlsg_prof_settings *d)
{
	if(p->s.private_key.s == NULL && tlsg_key_file_name_is_pkcs12(&p->s.certificate))
		memset(&d->private_key, 0, sizeof(d->private_key));
}

void tlsg_prof_passwords_wipe(struct tlsg_prof *p)
{
	size_t i;

	for(i = 0; i < FIELDS; i++) {
		str *text;

		if(fields[i].kind != FIELD_SECRET)
			continue;
		text = text_of(&p->s, &fields[i]);
		if(text->s != NULL)
			gnutls_memset(text->s, 0, (size_t)text->len);
		memset(text, 0, sizeof(*text));
	}
}

enum tlsg_ret tlsg_prof_complete(struct tlsg_prof *p, const struct tlsg_prof_settings *defaults, struct tlsg_err *err)
{
	struct tlsg_prof_settings d = *defaults;
	enum tlsg_ret ret;
	char id[ID_SIZE];
	size_t i, len;

	if(p->id.s == NULL) {
		len = id_print(p, id, sizeof(id));
		p->id.s = tlsg_arena_keep_copy(p->set->arena, id, len);
		if(p->id.s == NULL)
			return tlsg_err_set(err, TLSG_E_RESOURCE, "%s: shared memory exhausted", id);
		p->id.len = (int)len;
	}
	if(defaults == &defaults_of[TLSG_SERVER])
		implied_certificate_check(p, &d);
	implied_key_check(p, &d);
	if(p->s.method == TLSG_METHOD_UNSET)
		p->s.method = d.method;
	for(i = 0; i < FIELDS; i++) {
		ret = field_fill(p, &fields[i], &d);
		if(ret == TLSG_E_RESOURCE)
			return tlsg_err_set(err, ret, "%s: shared memory exhausted", p->id.s);
		if(ret != TLSG_OK)
			return tlsg_err_set(
					err, ret, "%s: the path of a file is longer than %d bytes", p->id.s, TLSG_PATH_SIZE - 1);
	}
	return TLSG_OK;
}

void tlsg_prof_log(const struct tlsg_prof *p)
{
	size_t i;

	LM_INFO("%.*s: tls_method=%d\n", p->id.len, p->id.s, p->s.method);
	for(i = 0; i < FIELDS && fields[i].name != NULL; i++) {
		const void *value = (const char *)&p->s + fields[i].offset;
		const str *text = value;

		if(fields[i].kind == FIELD_NUMBER)
			LM_INFO("%.*s: %s=%d\n", p->id.len, p->id.s, fields[i].name, *(const int *)value);
		else if(text->s == NULL)
			LM_INFO("%.*s: %s='(null)'\n", p->id.len, p->id.s, fields[i].name);
		else
			LM_INFO("%.*s: %s='%.*s'\n", p->id.len, p->id.s, fields[i].name, text->len, text->s);
	}
}
