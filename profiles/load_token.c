/*
 * tls_gnutls - settings that name objects on tokens: their PINs, keys, chains and trust anchors in a snapshot
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot; tlsg_token_again() in any process that steps a handshake.
 * Memory: the snapshot's arena (shm), wiped with it.  Lock: none.
 */
#include "profiles/load_token.h"

#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "base/scope.h"
#include "pkcs11/p11_certs.h"
#include "pkcs11/p11_engine.h"
#include "pkcs11/p11_look.h"
#include "pkcs11/p11_module.h"
#include "pkcs11/p11_probe.h"
#include "pkcs11/p11_retry.h"
#include "profiles/isolate/client.h"
#include "profiles/keys/password.h"
#include "profiles/keys/pin.h"
#include "profiles/creds.h"
#include "profiles/list.h"
#include "profiles/priority.h"

#define LIST_SIZE 4096
#define RESTARTS 3
#define QUICK_MS 2000
#define PAUSE_MS 15

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

bool tlsg_token_is(const str *value)
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
		return tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
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

	if(!tlsg_token_is(value) || token_find(set, value->s) != NULL) {
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
		ret = tlsg_err_set(&why, TLSG_E_RESOURCE, "shared memory exhausted");
	return ret == TLSG_OK ? ret : tlsg_err_set(err, ret, "%s: %.400s", name, why.text);
}

enum tlsg_ret tlsg_token_settings(struct tlsg_prof *p, struct tlsg_err *err)
{
	const struct
	{
		const char *name;
		str *value;
	} all[] = {
			{"certificate", &p->s.certificate},
			{"private_key", &p->s.private_key},
			{"certificate2", &p->s.certificate2},
			{"private_key2", &p->s.private_key2},
			{"ca_list", &p->s.ca_list},
	};
	enum tlsg_ret ret = TLSG_OK;
	size_t i;

	for(i = 0; i < sizeof(all) / sizeof(all[0]) && ret == TLSG_OK; i++)
		ret = take_setting(p, all[i].name, all[i].value, err);
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
		if(k->token != NULL && strcmp(k->setting.s, uri) == 0) {
			*pin = k->token->pin;
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

enum tlsg_ret tlsg_token_chain(struct tlsg_set *set, const char *setting, const str *uri, const str *password,
		gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct tlsg_key_file_request r = {setting, uri, password};

	return fetch(set, TLSG_WIRE_LOOK_CHAIN, &r, pem, err);
}

enum tlsg_ret tlsg_token_anchors(struct tlsg_set *set, const str *uri, gnutls_datum_t *pem, struct tlsg_err *err)
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

	k->setting.s = tlsg_arena_keep_copy(p->set->arena, uri->s, (size_t)uri->len);
	k->setting.len = uri->len;
	k->source = k->setting;
	if(k->setting.s == NULL)
		return TLSG_E_RESOURCE;
	k->is_on_token = true;
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
		if(k->is_on_token && strcmp(k->setting.s, uri->s) == 0 && k->leaf.size == pair->chain[0].cert.size
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
	k->token = object_new(set, facts, &q->pin);
	return k->token != NULL ? TLSG_OK : tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
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
		return tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
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
		ret = tlsg_err_set(err, TLSG_E_RESOURCE, "shared memory exhausted");
	if(ret == TLSG_OK)
		ret = tlsg_load_key_add(p->set, k, err);
	if(ret == TLSG_OK)
		*out = k;
	return ret;
}

enum tlsg_ret tlsg_token_key(struct tlsg_prof *p, const struct tlsg_key_file_request *r, const struct tlsg_pair *pair,
		struct tlsg_key **out, struct tlsg_err *err)
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

void tlsg_token_pins_forget(struct tlsg_set *set)
{
	struct tlsg_token *t;

	if(!tlsg_client_has_token_process())
		return; /* each process needs them */
	for(t = set->tokens; t != NULL; t = t->next)
		gnutls_memset(t->uri.pin, 0, sizeof(t->uri.pin));
	if(set->options.engine != NULL) /* the snapshot's own copy */
		gnutls_memset((void *)&set->options.engine->pin, 0, sizeof(set->options.engine->pin));
}

/* ---- what works ---- */

static bool signs_tls13(const struct tlsg_pair *pair)
{
	return !pair->key->is_on_token || (pair->key->can & ~(TLSG_P11_CAN_PKCS1 | TLSG_P11_CAN_DECRYPT)) != 0;
}

enum tlsg_ret tlsg_token_limit(struct tlsg_prof *p, struct tlsg_err *err)
{
	unsigned i;

	if(p->pairs_len == 0 || !(p->priority->list.versions & TLSG_VERSION_BIT(TLSG_TLS1_3)))
		return TLSG_OK;
	for(i = 0; i < p->pairs_len; i++)
		if(signs_tls13(&p->pairs[i]))
			return TLSG_OK;
	if(p->priority->list.versions == TLSG_VERSION_BIT(TLSG_TLS1_3))
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"private_key: \"%.200s\" makes no RSA-PSS signatures, which TLS 1.3 needs, and tls_method allows "
				"nothing else",
				p->pairs[0].key->source.s);
	LM_INFO("%.*s: TLS 1.3 is left out: \"%s\" makes no RSA-PSS signatures\n", p->id.len, p->id.s,
			p->pairs[0].key->source.s);
	p->without_tls13 = true;
	return tlsg_priority_compile(p, err);
}

/* ---- in the processes that use the keys ---- */

static struct
{
	time_t failed_at; /* that key is not tried again within this second */
	uint32_t set_number;
	unsigned key;
	bool told;
	char text[TLSG_ERR_TEXT];
} trouble = {.told = true};

static uint32_t newest; /* number of the newest snapshot whose keys this process has opened */

static gnutls_privkey_t fail(const struct tlsg_key *k, const struct tlsg_err *why)
{
	trouble.failed_at = time(NULL);
	trouble.set_number = k->set_number;
	trouble.key = k->index;
	trouble.told = false;
	snprintf(trouble.text, sizeof(trouble.text), "private_key \"%.200s\": %.280s", k->source.s, why->text);
	return NULL;
}

/* Whether the key could not be opened a moment ago. */
static bool is_in_trouble(const struct tlsg_key *k)
{
	return trouble.failed_at == time(NULL) && trouble.set_number == k->set_number && trouble.key == k->index;
}

/* Closes the keys on tokens that this process has open, and the modules: the next use starts them anew. */
static void restart(void)
{
	tlsg_creds_forget_tokens();
	tlsg_p11_module_stop();
}

/*
 * Many modules look for tokens only when they start, and SoftHSM overlooks one when another process logs in at that moment. A
 * module that takes its time to say no is not asked again: a worker waits.
 */
static bool is_worth_a_restart(const struct tlsg_key *k, long began)
{
	return !tlsg_p11_key_is_refused(k->token) && tlsg_p11_probe_clock() - began < QUICK_MS;
}

gnutls_privkey_t tlsg_token_open(const struct tlsg_key *k)
{
	struct tlsg_err why;
	gnutls_privkey_t key;
	long began = tlsg_p11_probe_clock();
	int tries;

	/* A new configuration may mean new objects and PINs, which modules do not always notice while they run. */
	if(newest < k->set_number && newest != 0)
		restart();
	if(newest < k->set_number)
		newest = k->set_number;
	if(is_in_trouble(k)) {
		trouble.told = false; /* the same sentence for each handshake */
		return NULL;
	}
	tlsg_err_clear(&why);
	key = tlsg_p11_key_open(k->token, &why);
	for(tries = 0; key == NULL && tries < RESTARTS && is_worth_a_restart(k, began); tries++) {
		restart();
		tlsg_p11_probe_pause(PAUSE_MS * (tries + 1));
		began = tlsg_p11_probe_clock();
		tlsg_err_clear(&why);
		key = tlsg_p11_key_open(k->token, &why);
	}
	return key != NULL ? key : fail(k, &why);
}

gnutls_privkey_t tlsg_token_again(const struct tlsg_key *k, int code, bool signing)
{
	gnutls_privkey_t key;

	if((!signing && !tlsg_p11_retry_is_token_lost(code)) || is_in_trouble(k))
		return NULL;
	restart();
	key = tlsg_creds_key(k);
	if(key != NULL)
		LM_WARN("private_key \"%s\": %s; the token was opened again\n", k->source.s, gnutls_strerror(code));
	return key;
}

void tlsg_token_note(const struct tlsg_key *k, int code)
{
	if(!trouble.told)
		return;
	trouble.told = false;
	snprintf(trouble.text, sizeof(trouble.text), "private_key \"%.200s\": %.200s", k->source.s, gnutls_strerror(code));
}

const char *tlsg_token_why(void)
{
	if(trouble.told)
		return NULL;
	trouble.told = true;
	return trouble.text;
}
