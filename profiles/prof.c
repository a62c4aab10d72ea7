/*
 * tls_gnutls - one profile: what is configured for a server address or a class of outgoing connections
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: built by one process (start-up or the RPC process that reloads), read by all.
 * Memory: arena of its snapshot (shm).  Lock: none, immutable once its snapshot is published.
 */
#include "profiles/prof.h"

#include <errno.h>
#include <limits.h>
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

/* Of an id: "TLSs<any:" and a server_name of any length; longer ones are cut. */
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

#define AT(member) offsetof(struct tlsg_prof_settings, member)

/* In the order in which settings are logged; those that are not follow. */
static const struct tlsg_prof_field fields[] = {
		{"tls_method", "method", TLSG_PROF_FIELD_METHOD, AT(method), 0, true},
		{"certificate", "cert_file", TLSG_PROF_FIELD_OBJECT, AT(certificate), 0, true},
		{"ca_list", "calist_file", TLSG_PROF_FIELD_OBJECT, AT(ca_list), 0, true},
		{"ca_path", NULL, TLSG_PROF_FIELD_PATH, AT(ca_path), 0, true},
		{"crl", NULL, TLSG_PROF_FIELD_PATH, AT(crl), 0, true},
		{"require_certificate", "require_cert", TLSG_PROF_FIELD_BOOL, AT(require_certificate), 0, true},
		{"cipher_list", NULL, TLSG_PROF_FIELD_TEXT, AT(cipher_list), 0, true},
		{"private_key", "pkey_file", TLSG_PROF_FIELD_OBJECT, AT(private_key), 0, true},
		{"verify_certificate", "verify_cert", TLSG_PROF_FIELD_BOOL, AT(verify_certificate), 0, true},
		{"verify_depth", NULL, TLSG_PROF_FIELD_NUMBER, AT(verify_depth), INT_MAX, true},
		{"verify_client", NULL, TLSG_PROF_FIELD_VERIFY_CLIENT, AT(verify_client), 0, true},
		{"verify_name", NULL, TLSG_PROF_FIELD_NUMBER, AT(verify_name), 2, false},
		{"server_name", NULL, TLSG_PROF_FIELD_TEXT, AT(server_name), 0, false},
		{"server_name_mode", NULL, TLSG_PROF_FIELD_MODE, AT(server_name_mode), 2, false},
		{"server_id", NULL, TLSG_PROF_FIELD_TEXT, AT(server_id), 0, false},
		{"private_key_password", "pkey_password", TLSG_PROF_FIELD_SECRET, AT(private_key_password), 0, false},
		{"certificate2", "cert_file2", TLSG_PROF_FIELD_OBJECT, AT(certificate2), 0, false},
		{"private_key2", "pkey_file2", TLSG_PROF_FIELD_OBJECT, AT(private_key2), 0, false},
		{"private_key_password2", "pkey_password2", TLSG_PROF_FIELD_SECRET, AT(private_key_password2), 0, false},
};

_Static_assert(sizeof(fields) / sizeof(fields[0]) == TLSG_PROF_FIELDS, "TLSG_PROF_FIELDS is the length of the table");

const struct tlsg_prof_field *tlsg_prof_fields(void)
{
	return fields;
}

/* Whether a setting is a number, not a string. */
static bool is_number(const struct tlsg_prof_field *f)
{
	return f->kind < TLSG_PROF_FIELD_TEXT;
}

static int unset_number(const struct tlsg_prof_field *f)
{
	return f->kind == TLSG_PROF_FIELD_METHOD ? TLSG_METHOD_UNSET : -1;
}

static int *number_of(struct tlsg_prof_settings *s, const struct tlsg_prof_field *f)
{
	return tlsg_prof_value(s, f);
}

static str *text_of(struct tlsg_prof_settings *s, const struct tlsg_prof_field *f)
{
	return tlsg_prof_value(s, f);
}

const struct tlsg_prof_settings *tlsg_prof_defaults(enum tlsg_role role)
{
	return &defaults_of[role];
}

void tlsg_prof_settings_clear(struct tlsg_prof_settings *s)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	for(i = 0; i < TLSG_PROF_FIELDS; i++)
		if(is_number(&fields[i]))
			*number_of(s, &fields[i]) = unset_number(&fields[i]);
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

static enum tlsg_ret text_fill(const struct tlsg_prof *p, const struct tlsg_prof_field *f, const str *from, str *to)
{
	char path[TLSG_PATH_SIZE];
	const char *what = from->s;
	int len = from->len;

	if(f->kind == TLSG_PROF_FIELD_PATH || f->kind == TLSG_PROF_FIELD_OBJECT) {
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

static enum tlsg_ret field_fill(
		struct tlsg_prof *p, const struct tlsg_prof_field *f, struct tlsg_prof_settings *defaults)
{
	if(is_number(f)) {
		if(*number_of(&p->s, f) == unset_number(f))
			*number_of(&p->s, f) = *number_of(defaults, f);
		return TLSG_OK;
	}
	if(text_of(&p->s, f)->s != NULL || text_of(defaults, f)->s == NULL)
		return TLSG_OK;
	return text_fill(p, f, text_of(defaults, f), text_of(&p->s, f));
}

/*
 * Without a [server:default] the default profile has the compiled-in certificate. If there is no such file, the profile
 * has none: clients that select it fail in the handshake, all else works.
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

/* A PKCS#12 file contains its key: the compiled-in private_key does not apply. */
static void implied_key_check(const struct tlsg_prof *p, struct tlsg_prof_settings *d)
{
	if(p->s.private_key.s == NULL && tlsg_key_file_name_is_pkcs12(&p->s.certificate))
		memset(&d->private_key, 0, sizeof(d->private_key));
}

const char *tlsg_prof_pair_algorithm(const struct tlsg_pair *pair)
{
	return gnutls_pk_algorithm_get_name(pair->pk);
}

void tlsg_prof_passwords_wipe(struct tlsg_prof *p)
{
	size_t i;

	for(i = 0; i < TLSG_PROF_FIELDS; i++) {
		str *text;

		if(fields[i].kind != TLSG_PROF_FIELD_SECRET)
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
			return tlsg_err_no_shm(err, id, len + 1);
		p->id.len = (int)len;
	}
	if(defaults == &defaults_of[TLSG_SERVER])
		implied_certificate_check(p, &d);
	implied_key_check(p, &d);
	for(i = 0; i < TLSG_PROF_FIELDS; i++) {
		ret = field_fill(p, &fields[i], &d);
		if(ret == TLSG_E_RESOURCE)
			return tlsg_err_no_shm(err, p->id.s, 0);
		if(ret != TLSG_OK)
			return tlsg_err_set(
					err, ret, "%s: the path of a file is longer than %d bytes", p->id.s, TLSG_PATH_SIZE - 1);
	}
	return TLSG_OK;
}

void tlsg_prof_log(const struct tlsg_prof *p)
{
	struct tlsg_prof_settings s = p->s;
	size_t i;

	for(i = 0; i < TLSG_PROF_FIELDS; i++) {
		const struct tlsg_prof_field *f = &fields[i];

		if(!f->is_logged)
			continue;
		if(is_number(f))
			LM_INFO("%.*s: %s=%d\n", p->id.len, p->id.s, f->name, *number_of(&s, f));
		else if(text_of(&s, f)->s == NULL)
			LM_INFO("%.*s: %s='(null)'\n", p->id.len, p->id.s, f->name);
		else
			LM_INFO("%.*s: %s='%.*s'\n", p->id.len, p->id.s, f->name, text_of(&s, f)->len, text_of(&s, f)->s);
	}
}
