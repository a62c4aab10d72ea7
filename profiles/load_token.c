/*
 * tls_gnutls - loads objects on tokens that settings name: their PINs, keys, chains and trust anchors
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: the snapshot's arena (shm), wiped with it.  Lock: none.
 */
#include "profiles/load_token.h"

#include <gnutls/crypto.h>

#include "base/arena.h"
#include "base/plural.h"
#include "pkcs11/p11_certs.h"
#include "pkcs11/p11_engine.h"
#include "pkcs11/p11_key.h"
#include "pkcs11/p11_look.h"
#include "pkcs11/p11_refused.h"
#include "profiles/isolate/client.h"
#include "profiles/keys/password.h"
#include "profiles/keys/path.h"
#include "profiles/keys/pin.h"
#include "profiles/list.h"
#include "profiles/load_key.h"
#include "profiles/source.h"
#include "profiles/value.h"

#define LIST_SIZE 4096

/* An object that a setting names, with the PIN that stood there. In the arena: wiped when the snapshot goes. */
struct tlsg_token
{
	struct tlsg_token *next;
	struct tlsg_p11_uri uri;
};

/* The gate of a PIN on a token, which keeps each process from trying a wrong one. */
struct tlsg_token_gate
{
	struct tlsg_token_gate *next;
	struct tlsg_p11_gate gate;
	char token[TLSG_P11_URI_SIZE];
	struct tlsg_p11_secret pin;
};

bool tlsg_load_token_is_uri(const str *value)
{
	return tlsg_value_is_set(value) && tlsg_p11_uri_is(value->s);
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

/* Two settings name one object: a PIN in one of them serves both, two different PINs are a mistake. */
static enum tlsg_ret token_merge(struct tlsg_token *t, const struct tlsg_p11_uri *uri, struct tlsg_err *err)
{
	if(!is_same_place(&t->uri, uri))
		return tlsg_err_set(err, TLSG_E_CONFIG, "\"%.200s\" is named with a module, and again without one", uri->uri);
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

/* @param uri  [in,out] names its module on TLSG_OK, if another object has the same names in another one. */
static enum tlsg_ret token_add(struct tlsg_set *set, struct tlsg_p11_uri *uri, struct tlsg_err *err)
{
	struct tlsg_token *t = token_find(set, uri->uri);

	if(t != NULL && !is_same_place(&t->uri, uri)) {
		enum tlsg_ret ret = tlsg_p11_uri_add_module(uri, err);

		if(ret != TLSG_OK)
			return ret;
		t = token_find(set, uri->uri);
	}
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

/* Writes one value of a list as it will stand in the setting: the canonical URI of an object, or the path of a file. */
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

/* Whether a list names an object on a token. */
static bool has_token(const str *value)
{
	const char *at;

	if(!tlsg_value_is_set(value))
		return false;
	for(at = value->s; *at != '\0'; at++)
		if(tlsg_p11_uri_is(at))
			return true;
	return false;
}

/* Replaces a URI, or the URIs in a list, by canonical ones without PINs, and wipes what was written. */
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

/* ---- requests about objects ---- */

/* An object, and where its PIN may be found. To be wiped. */
struct request
{
	struct tlsg_p11_query q;
	struct tlsg_pin_sources from;
	str password; /* the setting, a path in it is absolute */
	char password_buf[TLSG_PASSWORD_SETTING_SIZE];
};

static bool pin_take(const struct tlsg_key *k, void *out)
{
	if(k->kind != TLSG_KEY_KIND_TOKEN)
		return false;
	*(struct tlsg_p11_secret *)out = k->object->pin;
	return true;
}

static bool known_cb(const char *uri, struct tlsg_p11_secret *pin)
{
	str source = {(char *)uri, (int)strlen(uri)};

	return tlsg_load_key_in_use(&source, pin_take, pin);
}

static enum tlsg_ret request_init(
		struct tlsg_set *set, const struct tlsg_key_file_request *r, struct request *out, struct tlsg_err *err)
{
	const struct tlsg_p11_engine *engine = set->options.engine;
	const struct tlsg_token *t = token_find(set, r->file->s);
	const char *pin_file;

	memset(out, 0, sizeof(*out));
	if(t == NULL)
		return tlsg_err_set(err, TLSG_E_INTERNAL, "the PIN was not moved out of the setting");
	out->q.uri = t->uri;
	pin_file = tlsg_p11_pin_path(t->uri.pin_source);
	if(pin_file != NULL && pin_file[0] != '\0')
		tlsg_source_note(set, pin_file, false);
	out->from.known = known_cb;
	if(engine != NULL) {
		out->from.engine = &engine->pin;
		memcpy(out->q.module, engine->module, sizeof(out->q.module));
		if(engine->has_slot && !out->q.uri.has_slot && !out->q.uri.has_token) {
			out->q.uri.has_slot = true;
			out->q.uri.slot = engine->slot;
		}
	}
	if(r->password == NULL)
		return TLSG_OK;
	out->password = *r->password;
	out->from.password = &out->password;
	if(!tlsg_password_setting(&set->options.config_dir, r->password, out->password_buf, &out->password))
		return tlsg_err_set(err, TLSG_E_CONFIG, "private_key_password: the path of a file is longer than %d bytes",
				TLSG_PATH_SIZE - 1);
	tlsg_source_note_setting(set, out->password.s);
	return TLSG_OK;
}

static void request_wipe(struct request *r)
{
	gnutls_memset(r, 0, sizeof(*r));
}

/* Whether a PIN may be needed, and one may be found. */
static bool has_pin(const struct request *r)
{
	const struct tlsg_pin_sources *from = &r->from;

	return r->q.uri.has_pin || r->q.uri.pin_source[0] != '\0' || (from->engine != NULL && from->engine->is_set)
		   || (from->password != NULL && (from->password->s != NULL || tlsg_password_is_asked()));
}

/*
 * Has the token process do it: with key_isolation no other process gets a PIN.
 * @param leaf  of a key; otherwise NULL.
 */
static enum tlsg_ret ask_process(const struct tlsg_set *set, enum tlsg_wire_look_kind what, const struct request *r,
		const gnutls_datum_t *leaf, struct tlsg_client_look_reply *reply, struct tlsg_err *err)
{
	struct tlsg_client_look_request look = {.set_number = set->number,
			.what = what,
			.q = &r->q,
			.engine_pin = r->from.engine,
			.password = r->from.password,
			.certificate = leaf};

	return tlsg_client_look(&look, reply, err);
}

static enum tlsg_ret certs_fetch(const struct tlsg_set *set, enum tlsg_wire_look_kind what, struct request *r,
		gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct tlsg_client_look_reply reply;
	enum tlsg_ret ret;

	if(tlsg_client_has_token_process() && has_pin(r)) {
		ret = ask_process(set, what, r, NULL, &reply, err);
		if(ret == TLSG_OK)
			*pem = reply.pem;
		return ret;
	}
	ret = tlsg_pin_find(&r->from, &r->q, err);
	if(ret != TLSG_OK)
		return ret;
	return what == TLSG_WIRE_LOOK_CHAIN ? tlsg_p11_certs_chain(&r->q, pem, err)
										: tlsg_p11_certs_anchors(&r->q, pem, err);
}

/* Prefixes a cause with the setting and the object. */
static enum tlsg_ret err_name(
		const struct tlsg_key_file_request *r, enum tlsg_ret ret, const struct tlsg_err *why, struct tlsg_err *err)
{
	return tlsg_err_set(err, ret, "%s: \"%.200s\": %.380s", r->setting, r->file->s, why->text);
}

static enum tlsg_ret certs_load(struct tlsg_set *set, enum tlsg_wire_look_kind what,
		const struct tlsg_key_file_request *r, gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct request request;
	struct tlsg_err why;
	enum tlsg_ret ret;

	tlsg_err_clear(&why);
	ret = request_init(set, r, &request, &why);
	if(ret == TLSG_OK)
		ret = certs_fetch(set, what, &request, pem, &why);
	request_wipe(&request);
	return ret == TLSG_OK ? ret : err_name(r, ret, &why, err);
}

enum tlsg_ret tlsg_load_token_chain(
		struct tlsg_set *set, const struct tlsg_key_file_request *r, gnutls_datum_t *pem, struct tlsg_err *err)
{
	return certs_load(set, TLSG_WIRE_LOOK_CHAIN, r, pem, err);
}

enum tlsg_ret tlsg_load_token_anchors(struct tlsg_set *set, const str *uri, gnutls_datum_t *pem, struct tlsg_err *err)
{
	struct tlsg_key_file_request r = {"ca_list", uri, NULL};

	return certs_load(set, TLSG_WIRE_LOOK_ANCHORS, &r, pem, err);
}

/* ---- keys ---- */

static struct tlsg_token_gate *gate_find(
		const struct tlsg_set *set, const struct tlsg_p11_facts *f, const struct tlsg_p11_secret *pin)
{
	struct tlsg_token_gate *g;

	for(g = set->gates; g != NULL; g = g->next)
		if(tlsg_p11_gate_is_shared(g->token, &g->pin, f->token, pin))
			return g;
	return NULL;
}

/* The snapshot since which the token has that PIN, without a break. */
static uint32_t pin_since(const struct tlsg_set *set, const struct tlsg_p11_facts *f, const struct tlsg_p11_secret *pin)
{
	struct tlsg_set *current = tlsg_set_get();
	const struct tlsg_token_gate *g = current != NULL ? gate_find(current, f, pin) : NULL;
	uint32_t since = g != NULL ? g->gate.since : set->number;

	tlsg_set_put(current);
	return since;
}

static struct tlsg_p11_gate *gate_get(
		struct tlsg_set *set, const struct tlsg_p11_facts *f, const struct tlsg_p11_secret *pin)
{
	struct tlsg_token_gate *g = gate_find(set, f, pin);

	if(g != NULL)
		return &g->gate;
	g = tlsg_arena_keep(set->arena, sizeof(*g));
	if(g == NULL || tlsg_p11_gate_init(&g->gate) != TLSG_OK)
		return NULL;
	memcpy(g->token, f->token, sizeof(g->token));
	g->pin = *pin;
	g->gate.since = pin_since(set, f, pin);
	g->gate.sessions = f->sessions;
	g->next = set->gates;
	set->gates = g;
	return &g->gate;
}

static struct tlsg_p11_object *object_new(struct tlsg_set *set, const struct tlsg_key *k,
		const struct tlsg_p11_facts *f, const struct tlsg_p11_secret *pin)
{
	struct tlsg_p11_object *o = tlsg_arena_keep(set->arena, sizeof(*o));

	if(o == NULL)
		return NULL;
	memcpy(o->uri, f->uri, sizeof(o->uri));
	memcpy(o->module, f->module, sizeof(o->module));
	o->certificate.data = k->leaf.data;
	o->certificate.size = (unsigned)k->leaf.size;
	o->can = f->can;
	o->pin = *pin;
	o->gate = gate_get(set, f, pin);
	return o->gate != NULL ? o : NULL;
}

/* The key, if it is in the snapshot already and was tried with that certificate. */
static struct tlsg_key *key_find(const struct tlsg_set *set, const str *uri, const gnutls_datum_t *leaf)
{
	struct tlsg_key *k;

	for(k = set->keys; k != NULL; k = k->next)
		if(tlsg_key_is_on_token(k) && tlsg_value_is_same(&k->source, uri) && k->leaf.size == leaf->size
				&& memcmp(k->leaf.data, leaf->data, leaf->size) == 0)
			return k;
	return NULL;
}

/* Each process that signs will log in. */
static enum tlsg_ret key_try(struct tlsg_set *set, struct request *r, struct tlsg_key *k, struct tlsg_err *err)
{
	const gnutls_datum_t leaf = {k->leaf.data, k->leaf.size};
	struct tlsg_p11_facts facts;
	enum tlsg_ret ret = tlsg_pin_find(&r->from, &r->q, err);

	if(ret == TLSG_OK)
		ret = tlsg_p11_look_key(&r->q, &leaf, &facts, err);
	if(ret != TLSG_OK)
		return ret;
	k->kind = TLSG_KEY_KIND_TOKEN;
	k->pk = facts.pk;
	k->bits = facts.bits;
	k->can = facts.can;
	k->object = object_new(set, k, &facts, &r->q.pin);
	return k->object != NULL ? TLSG_OK : tlsg_err_no_shm(err, NULL, sizeof(*k->object));
}

/* Only the token process logs in. */
static enum tlsg_ret key_try_there(
		const struct tlsg_set *set, const struct request *r, struct tlsg_key *k, struct tlsg_err *err)
{
	const gnutls_datum_t leaf = {k->leaf.data, k->leaf.size};
	struct tlsg_client_look_reply reply;
	enum tlsg_ret ret = ask_process(set, TLSG_WIRE_LOOK_KEY, r, &leaf, &reply, err);

	if(ret != TLSG_OK)
		return ret;
	k->kind = TLSG_KEY_KIND_TOKEN_PROCESS;
	k->pk = reply.pk;
	k->bits = reply.bits;
	k->can = reply.can;
	k->remote = reply.id;
	return TLSG_OK;
}

/* Tells about two modules that GnuTLS takes for one: a process can use only one of them at a time (p11_module.h). */
static void modules_warn(const struct tlsg_set *set, const struct tlsg_key *k)
{
	const struct tlsg_key *other;

	if(k->object == NULL)
		return;
	for(other = set->keys; other != NULL; other = other->next)
		if(other->object != NULL && strcmp(other->object->module, k->object->module) != 0
				&& tlsg_p11_uri_has_same_library(other->object->uri, k->object->uri)) {
			LM_WARN("private_key: \"%s\" and \"%s\": GnuTLS does not tell these PKCS#11 modules apart, \"%s\" and "
					"\"%s\": a process that changes between them finalises one and logs in to the other each time; "
					"set key_isolation=1\n",
					other->source.s, k->source.s, other->object->module, k->object->module);
			return;
		}
}

static void key_log(const struct tlsg_prof *p, const struct tlsg_key *k, bool pin_was_written)
{
	char can[160];

	if(k->kind == TLSG_KEY_KIND_TOKEN_PROCESS && pin_was_written && p->file.len == 0)
		LM_WARN("private_key: \"%s\": a PIN in a module parameter stays in the memory of all processes, also with "
				"key_isolation: use pin-source=file:/path\n",
				k->source.s);
	LM_INFO("%.*s: private_key: \"%s\" signs with %s%s\n", p->id.len, p->id.s, k->source.s,
			tlsg_p11_key_describe(k->can, can, sizeof(can)), k->can & TLSG_P11_CAN_DECRYPT ? ", and decrypts" : "");
}

static enum tlsg_ret key_new(struct tlsg_prof *p, const struct tlsg_key_file_request *r, const gnutls_datum_t *leaf,
		struct tlsg_key **out, struct tlsg_err *err)
{
	struct tlsg_key *k = tlsg_arena_keep(p->set->arena, sizeof(*k));
	struct request request;
	bool pin_was_written;
	enum tlsg_ret ret;

	if(k == NULL)
		return tlsg_err_no_shm(err, NULL, sizeof(*k));
	k->leaf.data = leaf->data;
	k->leaf.size = leaf->size;
	k->source.s = tlsg_arena_keep_copy(p->set->arena, r->file->s, (size_t)r->file->len);
	k->source.len = r->file->len;
	if(k->source.s == NULL)
		return tlsg_err_no_shm(err, NULL, (size_t)r->file->len + 1);
	ret = request_init(p->set, r, &request, err);
	if(ret == TLSG_OK)
		ret = tlsg_client_has_token_process() ? key_try_there(p->set, &request, k, err)
											  : key_try(p->set, &request, k, err);
	pin_was_written = request.q.uri.has_pin;
	request_wipe(&request);
	if(ret != TLSG_OK)
		return ret;
	key_log(p, k, pin_was_written);
	modules_warn(p->set, k);
	*out = k;
	return tlsg_load_key_add(p->set, k, err);
}

enum tlsg_ret tlsg_load_token_key(struct tlsg_prof *p, const struct tlsg_key_file_request *r,
		const gnutls_datum_t *leaf, struct tlsg_key **out, struct tlsg_err *err)
{
	struct tlsg_err why;
	enum tlsg_ret ret;

	*out = key_find(p->set, r->file, leaf);
	if(*out != NULL)
		return TLSG_OK;
	tlsg_err_clear(&why);
	ret = key_new(p, r, leaf, out, &why);
	return ret == TLSG_OK ? ret : err_name(r, ret, &why, err);
}

/* @param first  [out] a key of the gate. @return how many it has. */
static unsigned keys_of(const struct tlsg_set *set, const struct tlsg_p11_gate *gate, const struct tlsg_key **first)
{
	const struct tlsg_key *k;
	unsigned n = 0;

	for(k = set->keys; k != NULL; k = k->next)
		if(k->kind == TLSG_KEY_KIND_TOKEN && k->object->gate == gate) {
			*first = k;
			n++;
		}
	return n;
}

void tlsg_load_token_sessions_warn(const struct tlsg_set *set, unsigned processes)
{
	const struct tlsg_token_gate *g;

	for(g = set->gates; g != NULL; g = g->next) {
		const struct tlsg_key *k = NULL;
		unsigned n = keys_of(set, &g->gate, &k);

		if(n == 0 || g->gate.sessions == 0 || g->gate.sessions >= (unsigned long)processes * n + 1)
			continue;
		LM_WARN("private_key: \"%s\": the token takes %lu session%s, and with %u TCP worker%s and %u key%s on it "
				"%u are needed, and one more for tls.reload: set key_isolation=1, which needs %u, or lower "
				"tcp_children\n",
				k->source.s, g->gate.sessions, tlsg_plural_s(g->gate.sessions), processes, tlsg_plural_s(processes), n,
				tlsg_plural_s(n), processes * n, n + 1);
	}
}

void tlsg_load_token_pins_forget(struct tlsg_set *set)
{
	struct tlsg_token *t;

	if(!tlsg_client_has_token_process())
		return; /* every process needs them */
	for(t = set->tokens; t != NULL; t = t->next)
		gnutls_memset(t->uri.pin, 0, sizeof(t->uri.pin));
	if(set->options.engine != NULL) /* the snapshot's own copy */
		gnutls_memset((void *)&set->options.engine->pin, 0, sizeof(set->options.engine->pin));
}

void tlsg_load_token_in_use(const struct tlsg_set *set)
{
	const struct tlsg_token_gate *g;

	if(tlsg_client_has_token_process() && set->tokens != NULL)
		tlsg_client_in_use(set->number);
	for(g = set->gates; g != NULL; g = g->next)
		if(g->pin.is_set)
			tlsg_p11_refused_remove_other(g->token, g->pin.value);
}
