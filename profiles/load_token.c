/*
 * tls_gnutls - settings that name objects on tokens: their PINs, keys, chains and trust anchors in a snapshot
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm), wiped with it.  Lock: none.
 */
#include "profiles/load_token.h"

#include <gnutls/crypto.h>

#include "base/arena.h"
#include "pkcs11/p11_certs.h"
#include "pkcs11/p11_engine.h"
#include "pkcs11/p11_key.h"
#include "pkcs11/p11_look.h"
#include "profiles/isolate/client.h"
#include "profiles/keys/password.h"
#include "profiles/keys/pin.h"
#include "profiles/list.h"
#include "profiles/load_key.h"

#define LIST_SIZE 4096

/* A setting that names an object, and what was taken out of it. In the arena: wiped when the snapshot goes. */
struct tlsg_token
{
	struct tlsg_token *next;
	struct tlsg_p11_uri uri;
};

/* Keys with the same PIN on the same token share the gate that keeps a wrong PIN from being tried by each process. */
struct tlsg_token_gate
{
	struct tlsg_token_gate *next;
	struct tlsg_p11_gate gate;
	char token[TLSG_P11_URI_SIZE];
	struct tlsg_p11_secret pin;
};

bool tlsg_load_token_is_uri(const str *value)
{
	return value->s != NULL && value->len > 0 && tlsg_p11_uri_is(value->s);
}

/* ---- settings ---- */

static struct tlsg_token *token_find(const struct tlsg_set *set, const char *uri)
{
	struct tlsg_token *t;

	for(t = set->tokens; t != NULL; t = t->next)
		if(strcmp(t->uri.uri, uri) == 0)
			return t;
	return NULL;
}

static bool is_same_place(const struct tlsg_p11_uri *a, const struct tlsg_p11_uri *b)
{
	return strcmp(a->module_path, b->module_path) == 0 && strcmp(a->module_name, b->module_name) == 0;
}

static bool has_no_pin(const struct tlsg_p11_uri *u)
{
	return !u->has_pin && u->pin_source[0] == '\0';
}

/* The same object with another PIN or module would be a mistake: which one counts? */
static enum tlsg_ret token_merge(struct tlsg_token *t, const struct tlsg_p11_uri *uri, struct tlsg_err *err)
{
	if(!is_same_place(&t->uri, uri))
		return tlsg_err_set(err, TLSG_E_CONFIG, "\"%.200s\" is named with two different modules", uri->uri);
	if(has_no_pin(uri))
		return TLSG_OK;
	if(has_no_pin(&t->uri)) {
		t->uri = *uri;
		return TLSG_OK;
	}
	if(t->uri.has_pin != uri->has_pin || strcmp(t->uri.pin, uri->pin) != 0
			|| strcmp(t->uri.pin_source, uri->pin_source) != 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "\"%.200s\" is named with two different PINs", uri->uri);
	return TLSG_OK;
}

static enum tlsg_ret token_add(struct tlsg_set *set, const struct tlsg_p11_uri *uri, struct tlsg_err *err)
{
	struct tlsg_token *t = token_find(set, uri->uri);

	if(t != NULL)
		return token_merge(t, uri, err);
	t = tlsg_arena_keep(set->arena, sizeof(*t));
	if(t == NULL)
		return tlsg_err_no_shm(err, NULL, sizeof(*t));
	t->uri = *uri;
	t->next = set->tokens;
	set->tokens = t;
	return TLSG_OK;
}

/* Writes the canonical URI for what was written. @return [arena], NULL: why is set. */
static enum tlsg_ret take_one(struct tlsg_set *set, const str *value, char *out, size_t size, struct tlsg_err *why)
{
	struct tlsg_p11_uri uri;
	enum tlsg_ret ret = TLSG_OK;

	if(!tlsg_load_token_is_uri(value) || token_find(set, value->s) != NULL) {
		if((size_t)value->len >= size)
			return tlsg_err_set(why, TLSG_E_CONFIG, "the list of files is too long");
		memcpy(out, value->s, (size_t)value->len + 1);
		return TLSG_OK;
	}
	ret = tlsg_p11_uri_parse(value->s, &uri, why);
	if(ret == TLSG_OK)
		ret = token_add(set, &uri, why);
	if(ret == TLSG_OK && strlen(uri.uri) >= size)
		ret = tlsg_err_set(why, TLSG_E_CONFIG, "the list of URIs is too long");
	if(ret == TLSG_OK)
		memcpy(out, uri.uri, strlen(uri.uri) + 1);
	gnutls_memset(&uri, 0, sizeof(uri));
	return ret;
}

/* Whether a token is named anywhere in a list. */
static bool has_token(const str *value)
{
	const char *at;

	if(value->s == NULL || value->len <= 0)
		return false;
	for(at = value->s; *at != '\0'; at++)
		if(tlsg_p11_uri_is(at))
			return true;
	return false;
}

/* Replaces what was written, a URI or a list with URIs, by canonical ones. */
static enum tlsg_ret take_setting(struct tlsg_prof *p, const char *name, str *value, struct tlsg_err *err)
{
	char text[LIST_SIZE] = "";
	str parts[TLSG_PAIRS_MAX];
	struct tlsg_err why;
	enum tlsg_ret ret;
	size_t at = 0;
	int i, n = 1;

	if(!has_token(value) || token_find(p->set, value->s) != NULL)
		return TLSG_OK;
	tlsg_err_clear(&why);
	parts[0] = *value;
	ret = tlsg_list_split(p->set, name, value, parts, &n, &why);
	for(i = 0; i < n && ret == TLSG_OK; i++) {
		if(i > 0 && at + 2 < sizeof(text))
			text[at++] = ',';
		ret = take_one(p->set, &parts[i], text + at, sizeof(text) - at, &why);
		at += strlen(text + at);
		if(parts[i].s != value->s)
			gnutls_memset(parts[i].s, 0, (size_t)parts[i].len);
	}
	gnutls_memset(value->s, 0, (size_t)value->len);
	value->len = (int)at;
	value->s = tlsg_arena_keep_copy(p->set->arena, text, at);
	if(ret == TLSG_OK && value->s == NULL)
		ret = tlsg_err_no_shm(&why, NULL, at + 1);
	return ret == TLSG_OK ? ret : tlsg_err_set(err, ret, "%s: %.400s", name, why.text);
}

enum tlsg_ret tlsg_load_token_settings(struct tlsg_prof *p, struct tlsg_err *err)
{
	const struct tlsg_prof_field *fields = tlsg_prof_fields();
	enum tlsg_ret ret = TLSG_OK;
	size_t i;

	for(i = 0; i < TLSG_PROF_FIELDS && ret == TLSG_OK; i++)
		if(fields[i].kind == TLSG_PROF_FIELD_OBJECT)
			ret = take_setting(p, fields[i].name, tlsg_prof_value(&p->s, &fields[i]), err);
	return ret;
}

/* ---- questions to tokens ---- */

/* A PIN that was typed at start serves reloads too: the snapshot in use has it. */
static bool known_cb(const char *uri, struct tlsg_p11_secret *pin)
{
	struct tlsg_set *set = tlsg_set_get();
	const struct tlsg_key *k;
	bool found = false;

	for(k = set != NULL ? set->keys : NULL; k != NULL && !found; k = k->next)
		if(k->kind == TLSG_KEY_KIND_TOKEN && strcmp(k->source.s, uri) == 0) {
			*pin = k->object->pin;
			found = true;
		}
	tlsg_set_put(set);
	return found;
}

/* Where the PIN may be. @param buf  TLSG_PASSWORD_SETTING_SIZE bytes. @param absolute  [out] for password. */
static enum tlsg_ret places_fill(const struct tlsg_set *set, const str *password, char *buf, str *absolute,
		struct tlsg_pin_sources *out, struct tlsg_err *err)
{
	out->engine = set->options.engine != NULL ? &set->options.engine->pin : NULL;
	out->known = known_cb;
	out->password = NULL;
	if(password == NULL)
		return TLSG_OK;
	*absolute = *password;
	out->password = absolute;
	if(!tlsg_password_setting(&set->options.config_dir, password, buf, absolute))
		return tlsg_err_set(err, TLSG_E_CONFIG, "private_key_password: the path of a file is too long");
	return TLSG_OK;
}

/* All but the PIN. */
static enum tlsg_ret query_fill(
		const struct tlsg_set *set, const str *uri, struct tlsg_p11_query *q, struct tlsg_err *err)
{
	const struct tlsg_p11_engine *engine = set->options.engine;
	const struct tlsg_token *t = token_find(set, uri->s);

	memset(q, 0, sizeof(*q));
	if(t == NULL)
		return tlsg_err_set(err, TLSG_E_INTERNAL, "the setting was not taken apart");
	q->uri = t->uri;
	if(engine != NULL) {
		memcpy(q->module, engine->module, sizeof(q->module));
		if(engine->has_slot && !q->uri.has_slot && !q->uri.has_token) {
			q->uri.has_slot = true;
			q->uri.slot = engine->slot;
		}
	}
	return TLSG_OK;
}

/* Whether a PIN may be needed and there may be one. */
static bool has_pin(const struct tlsg_p11_query *q, const struct tlsg_pin_sources *from)
{
	return q->uri.has_pin || q->uri.pin_source[0] != '\0' || (from->engine != NULL && from->engine->is_set)
		   || (from->password != NULL && (from->password->s != NULL || tlsg_password_is_asked()));
}

/* With isolation PINs are for the token process alone. */
static enum tlsg_ret look_there(const struct tlsg_set *set, enum tlsg_wire_look_kind what,
		const struct tlsg_p11_query *q, const struct tlsg_pin_sources *from, gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct tlsg_client_look_request r = {
			.set_number = set->number, .what = what, .q = q, .engine_pin = from->engine, .password = from->password};
	struct tlsg_client_look_reply a;
	enum tlsg_ret ret = tlsg_client_look(&r, &a, err);

	if(ret == TLSG_OK)
		*pem = a.pem;
	return ret;
}

static enum tlsg_ret look_here(enum tlsg_wire_look_kind what, struct tlsg_p11_query *q,
		const struct tlsg_pin_sources *from, gnutls_datum_t *pem, struct tlsg_err *err)
{
	enum tlsg_ret ret = tlsg_pin_find(from, q, err);

	if(ret != TLSG_OK)
		return ret;
	return what == TLSG_WIRE_LOOK_CHAIN ? tlsg_p11_certs_chain(q, pem, err) : tlsg_p11_certs_anchors(q, pem, err);
}

static enum tlsg_ret name_it(
		const char *setting, const str *uri, enum tlsg_ret ret, const struct tlsg_err *why, struct tlsg_err *err)
{
	return tlsg_err_set(err, ret, "%s: \"%.200s\": %.280s", setting, uri->s, why->text);
}

static enum tlsg_ret fetch(const struct tlsg_set *set, enum tlsg_wire_look_kind what,
		const struct tlsg_key_file_request *r, gnutls_datum_t *pem, struct tlsg_err *err)
{
	char buf[TLSG_PASSWORD_SETTING_SIZE];
	struct tlsg_pin_sources from;
	struct tlsg_p11_query q;
	struct tlsg_err why;
	enum tlsg_ret ret;
	str absolute;

	tlsg_err_clear(&why);
	ret = query_fill(set, r->file, &q, &why);
	if(ret == TLSG_OK)
		ret = places_fill(set, r->password, buf, &absolute, &from, &why);
	if(ret == TLSG_OK)
		ret = tlsg_client_has_token_process() && has_pin(&q, &from) ? look_there(set, what, &q, &from, pem, &why)
																	: look_here(what, &q, &from, pem, &why);
	gnutls_memset(&q, 0, sizeof(q));
	return ret == TLSG_OK ? ret : name_it(r->setting, r->file, ret, &why, err);
}

enum tlsg_ret tlsg_load_token_chain(struct tlsg_set *set, const char *setting, const str *uri, const str *password,
		gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct tlsg_key_file_request r = {setting, uri, password};

	return fetch(set, TLSG_WIRE_LOOK_CHAIN, &r, pem, err);
}

enum tlsg_ret tlsg_load_token_anchors(struct tlsg_set *set, const str *uri, gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct tlsg_key_file_request r = {"ca_list", uri, NULL};

	return fetch(set, TLSG_WIRE_LOOK_ANCHORS, &r, pem, err);
}

/* ---- keys ---- */

static struct tlsg_p11_gate *gate_get(
		struct tlsg_set *set, const struct tlsg_p11_facts *f, const struct tlsg_p11_secret *pin)
{
	struct tlsg_token_gate *g;

	for(g = set->gates; g != NULL; g = g->next)
		if(tlsg_p11_gate_is_shared(g->token, &g->pin, f->token, pin))
			return &g->gate;
	g = tlsg_arena_keep(set->arena, sizeof(*g));
	if(g == NULL || tlsg_p11_gate_init(&g->gate) != TLSG_OK)
		return NULL;
	memcpy(g->token, f->token, sizeof(g->token));
	g->pin = *pin;
	g->next = set->gates;
	set->gates = g;
	return &g->gate;
}

static struct tlsg_p11_object *object_new(
		struct tlsg_set *set, const struct tlsg_p11_facts *f, const struct tlsg_p11_secret *pin)
{
	struct tlsg_p11_object *o = tlsg_arena_keep(set->arena, sizeof(*o));

	if(o == NULL)
		return NULL;
	memcpy(o->uri, f->uri, sizeof(o->uri));
	memcpy(o->module, f->module, sizeof(o->module));
	o->pin = *pin;
	o->gate = gate_get(set, f, pin);
	return o->gate != NULL ? o : NULL;
}

static enum tlsg_ret key_fill(struct tlsg_prof *p, const str *uri, const struct tlsg_p11_facts *f, struct tlsg_key *k)
{
	char can[160];

	k->source.s = tlsg_arena_keep_copy(p->set->arena, uri->s, (size_t)uri->len);
	k->source.len = uri->len;
	if(k->source.s == NULL)
		return TLSG_E_RESOURCE;
	k->pk = f->pk;
	k->bits = f->bits;
	k->can = f->can;
	LM_INFO("%.*s: private_key: \"%s\" signs with %s%s\n", p->id.len, p->id.s, k->source.s,
			tlsg_p11_key_describe(f->can, can, sizeof(can)), f->can & TLSG_P11_CAN_DECRYPT ? ", and decrypts" : "");
	return TLSG_OK;
}

/* The key, if it is in the snapshot already and was tried with that certificate. */
static struct tlsg_key *key_known(const struct tlsg_set *set, const str *uri, const struct tlsg_pair *pair)
{
	struct tlsg_key *k;

	for(k = set->keys; k != NULL; k = k->next)
		if(tlsg_key_is_on_token(k) && strcmp(k->source.s, uri->s) == 0 && k->leaf.size == pair->chain[0].cert.size
				&& memcmp(k->leaf.data, pair->chain[0].cert.data, k->leaf.size) == 0)
			return k;
	return NULL;
}

/* The key stays here: each process that needs it logs in. */
static enum tlsg_ret key_here(struct tlsg_set *set, struct tlsg_p11_query *q, const struct tlsg_pin_sources *from,
		struct tlsg_key *k, struct tlsg_p11_facts *facts, struct tlsg_err *err)
{
	const gnutls_datum_t leaf = {k->leaf.data, k->leaf.size};
	enum tlsg_ret ret = tlsg_pin_find(from, q, err);

	if(ret == TLSG_OK)
		ret = tlsg_p11_look_key(q, &leaf, facts, err);
	if(ret != TLSG_OK)
		return ret;
	k->kind = TLSG_KEY_KIND_TOKEN;
	k->object = object_new(set, facts, &q->pin);
	return k->object != NULL ? TLSG_OK : tlsg_err_no_shm(err, NULL, sizeof(*k->object));
}

/* The token process has it. */
static enum tlsg_ret key_there(const struct tlsg_set *set, const struct tlsg_p11_query *q,
		const struct tlsg_pin_sources *from, struct tlsg_key *k, struct tlsg_p11_facts *facts, struct tlsg_err *err)
{
	const gnutls_datum_t leaf = {k->leaf.data, k->leaf.size};
	struct tlsg_client_look_request r = {.set_number = set->number,
			.what = TLSG_WIRE_LOOK_KEY,
			.q = q,
			.engine_pin = from->engine,
			.password = from->password,
			.certificate = &leaf};
	struct tlsg_client_look_reply a;
	enum tlsg_ret ret = tlsg_client_look(&r, &a, err);

	if(ret != TLSG_OK)
		return ret;
	memset(facts, 0, sizeof(*facts));
	facts->pk = a.pk;
	facts->bits = a.bits;
	facts->can = a.can;
	k->kind = TLSG_KEY_KIND_TOKEN_PROCESS;
	k->remote = a.id;
	return TLSG_OK;
}

static enum tlsg_ret key_make(struct tlsg_prof *p, const struct tlsg_key_file_request *r, const struct tlsg_pair *pair,
		struct tlsg_key **out, struct tlsg_err *err)
{
	struct tlsg_key *k = tlsg_arena_keep(p->set->arena, sizeof(*k));
	char buf[TLSG_PASSWORD_SETTING_SIZE];
	struct tlsg_pin_sources from;
	struct tlsg_p11_facts facts;
	struct tlsg_p11_query q;
	enum tlsg_ret ret;
	str absolute;

	if(k == NULL)
		return tlsg_err_no_shm(err, NULL, sizeof(*k));
	k->leaf.data = pair->chain[0].cert.data;
	k->leaf.size = pair->chain[0].cert.size;
	ret = query_fill(p->set, r->file, &q, err);
	if(ret == TLSG_OK)
		ret = places_fill(p->set, r->password, buf, &absolute, &from, err);
	if(ret == TLSG_OK)
		ret = tlsg_client_has_token_process() ? key_there(p->set, &q, &from, k, &facts, err)
											  : key_here(p->set, &q, &from, k, &facts, err);
	if(ret == TLSG_OK && tlsg_client_has_token_process() && q.uri.has_pin && p->file.len == 0)
		LM_WARN("private_key: \"%s\": a PIN in a module parameter stays in the memory of all processes, also with "
				"key_isolation: "
				"use pin-source=file:/path\n",
				r->file->s);
	gnutls_memset(&q, 0, sizeof(q));
	if(ret == TLSG_OK && key_fill(p, r->file, &facts, k) != TLSG_OK)
		ret = tlsg_err_no_shm(err, NULL, (size_t)r->file->len + 1);
	if(ret == TLSG_OK)
		ret = tlsg_load_key_add(p->set, k, err);
	if(ret == TLSG_OK)
		*out = k;
	return ret;
}

enum tlsg_ret tlsg_load_token_key(struct tlsg_prof *p, const struct tlsg_key_file_request *r,
		const struct tlsg_pair *pair, struct tlsg_key **out, struct tlsg_err *err)
{
	struct tlsg_key *k = key_known(p->set, r->file, pair);
	struct tlsg_err why;
	enum tlsg_ret ret;

	if(k != NULL) {
		*out = k;
		return TLSG_OK;
	}
	tlsg_err_clear(&why);
	ret = key_make(p, r, pair, out, &why);
	return ret == TLSG_OK ? ret : name_it(r->setting, r->file, ret, &why, err);
}

void tlsg_load_token_pins_forget(struct tlsg_set *set)
{
	struct tlsg_token *t;

	if(!tlsg_client_has_token_process())
		return; /* each process needs them */
	for(t = set->tokens; t != NULL; t = t->next)
		gnutls_memset(t->uri.pin, 0, sizeof(t->uri.pin));
	if(set->options.engine != NULL) /* the snapshot's own copy */
		gnutls_memset((void *)&set->options.engine->pin, 0, sizeof(set->options.engine->pin));
}
