/*
 * tls_gnutls - evaluates OpenSSL's cipher-string language to an ordered list of suites
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: none.
 *
 * The state is one ordered list of suites, some of them selected. Every rule takes the suites that it matches out of
 * the list, in order, and puts them back at one end (or drops them), so the position of a suite tells which rule moved
 * it last. That is why a suite that is deleted and added again can end up in another place than before, as it does in
 * OpenSSL.
 */
#include "profiles/cipher/rules.h"

#include <string.h>
#include <strings.h>

#define ENC_AES_GCM (TLSG_ENC_AES128GCM | TLSG_ENC_AES256GCM)
#define ENC_AES_CCM8 (TLSG_ENC_AES128CCM8 | TLSG_ENC_AES256CCM8)
#define ENC_AES_CCM (TLSG_ENC_AES128CCM | TLSG_ENC_AES256CCM | ENC_AES_CCM8)
#define ENC_AES_128 (TLSG_ENC_AES128 | TLSG_ENC_AES128GCM | TLSG_ENC_AES128CCM | TLSG_ENC_AES128CCM8)
#define ENC_AES_256 (TLSG_ENC_AES256 | TLSG_ENC_AES256GCM | TLSG_ENC_AES256CCM | TLSG_ENC_AES256CCM8)
#define ENC_CAMELLIA (TLSG_ENC_CAM128 | TLSG_ENC_CAM256)
#define ENC_CBC (TLSG_ENC_3DES | TLSG_ENC_AES128 | TLSG_ENC_AES256 | ENC_CAMELLIA)
#define ENC_ARIA (TLSG_ENC_ARIA128 | TLSG_ENC_ARIA256)
#define ENC_NOT_NULL ((unsigned)TLSG_ENC_EVERY & ~(unsigned)TLSG_ENC_NULL)
#define KX_PSK (TLSG_KX_PSK | TLSG_KX_RSAPSK | TLSG_KX_DHEPSK | TLSG_KX_ECDHEPSK)
#define AU_NOT_NULL (0xffffu & ~(unsigned)TLSG_AU_NULL)

/* Classes of strength. The keywords LOW and MEDIUM stand for CLASS_EMPTY, which no suite is in; a suite that neither
 * HIGH nor FIPS selects is in CLASS_NAMELESS. */
#define CLASS_EMPTY (1u << 15)
#define CLASS_NAMELESS (1u << 14)
#define CLASS_STRENGTH (TLSG_SUITE_HIGH | TLSG_SUITE_FIPS)

/** The suites that a rule matches: those that share a bit with each mask; 0 does not restrict. */
struct selector
{
	unsigned kx;
	unsigned au;
	unsigned enc;
	unsigned mac;
	unsigned strength;			   /**< TLSG_SUITE_HIGH, TLSG_SUITE_FIPS, CLASS_EMPTY */
	unsigned not_default;		   /**< TLSG_SUITE_NOT_DEFAULT */
	unsigned version;			   /**< the suite's lowest protocol; 0 does not restrict */
	const struct tlsg_suite *only; /**< this suite alone */
	int bits;					   /**< strength in bits, -1 does not restrict */
};

struct keyword
{
	const char *word;
	struct selector sel;
};

#define KX(m) .sel = {.kx = (m)}
#define AU(m) .sel = {.au = (m)}
#define ENC(m) .sel = {.enc = (m)}
#define MAC(m) .sel = {.mac = (m)}

static const struct keyword keywords[] = {
		{"ALL", ENC(ENC_NOT_NULL)},
		{"COMPLEMENTOFALL", ENC(TLSG_ENC_NULL)},
		{"COMPLEMENTOFDEFAULT", .sel = {.not_default = TLSG_SUITE_NOT_DEFAULT}},
		{"kRSA", KX(TLSG_KX_RSA)},
		{"kDHE", KX(TLSG_KX_DHE)},
		{"kEDH", KX(TLSG_KX_DHE)},
		{"DH", KX(TLSG_KX_DHE)},
		{"kECDHE", KX(TLSG_KX_ECDHE)},
		{"kEECDH", KX(TLSG_KX_ECDHE)},
		{"ECDH", KX(TLSG_KX_ECDHE)},
		{"kPSK", KX(TLSG_KX_PSK)},
		{"kRSAPSK", KX(TLSG_KX_RSAPSK)},
		{"kDHEPSK", KX(TLSG_KX_DHEPSK)},
		{"kECDHEPSK", KX(TLSG_KX_ECDHEPSK)},
		{"kSRP", KX(TLSG_KX_SRP)},
		{"PSK", KX(KX_PSK)},
		{"SRP", KX(TLSG_KX_SRP)},
		{"aRSA", AU(TLSG_AU_RSA)},
		{"aDSS", AU(TLSG_AU_DSS)},
		{"DSS", AU(TLSG_AU_DSS)},
		{"aECDSA", AU(TLSG_AU_ECDSA)},
		{"ECDSA", AU(TLSG_AU_ECDSA)},
		{"aNULL", AU(TLSG_AU_NULL)},
		{"aPSK", AU(TLSG_AU_PSK)},
		{"aSRP", AU(TLSG_AU_SRP)},
		{"RSA", .sel = {.kx = TLSG_KX_RSA, .au = TLSG_AU_RSA}},
		{"DHE", .sel = {.kx = TLSG_KX_DHE, .au = AU_NOT_NULL}},
		{"EDH", .sel = {.kx = TLSG_KX_DHE, .au = AU_NOT_NULL}},
		{"ADH", .sel = {.kx = TLSG_KX_DHE, .au = TLSG_AU_NULL}},
		{"ECDHE", .sel = {.kx = TLSG_KX_ECDHE, .au = AU_NOT_NULL}},
		{"EECDH", .sel = {.kx = TLSG_KX_ECDHE, .au = AU_NOT_NULL}},
		{"AECDH", .sel = {.kx = TLSG_KX_ECDHE, .au = TLSG_AU_NULL}},
		{"AES", ENC(ENC_AES_128 | ENC_AES_256)},
		{"AES128", ENC(ENC_AES_128)},
		{"AES256", ENC(ENC_AES_256)},
		{"AESGCM", ENC(ENC_AES_GCM)},
		{"AESCCM", ENC(ENC_AES_CCM)},
		{"AESCCM8", ENC(ENC_AES_CCM8)},
		{"ARIA", ENC(ENC_ARIA)},
		{"ARIAGCM", ENC(ENC_ARIA)},
		{"ARIA128", ENC(TLSG_ENC_ARIA128)},
		{"ARIA256", ENC(TLSG_ENC_ARIA256)},
		{"CAMELLIA", ENC(ENC_CAMELLIA)},
		{"CAMELLIA128", ENC(TLSG_ENC_CAM128)},
		{"CAMELLIA256", ENC(TLSG_ENC_CAM256)},
		{"CHACHA20", ENC(TLSG_ENC_CHACHA20)},
		{"CBC", ENC(ENC_CBC)},
		{"3DES", ENC(TLSG_ENC_3DES)},
		{"NULL", ENC(TLSG_ENC_NULL)},
		{"eNULL", ENC(TLSG_ENC_NULL)},
		{"MD5", MAC(TLSG_MAC_MD5)},
		{"SHA", MAC(TLSG_MAC_SHA1)},
		{"SHA1", MAC(TLSG_MAC_SHA1)},
		{"SHA256", MAC(TLSG_MAC_SHA256)},
		{"SHA384", MAC(TLSG_MAC_SHA384)},
		{"SSLv3", .sel = {.version = TLSG_SSL3}},
		{"TLSv1", .sel = {.version = TLSG_TLS1_0}},
		{"TLSv1.0", .sel = {.version = TLSG_TLS1_0}},
		{"TLSv1.2", .sel = {.version = TLSG_TLS1_2}},
		{"LOW", .sel = {.strength = CLASS_EMPTY}},
		{"MEDIUM", .sel = {.strength = CLASS_EMPTY}},
		{"HIGH", .sel = {.strength = TLSG_SUITE_HIGH}},
		{"FIPS", .sel = {.enc = ENC_NOT_NULL, .strength = TLSG_SUITE_FIPS}},
};

/*
 * Words that older versions of OpenSSL know and that select nothing in version 3. Like every unknown word they are
 * skipped; a string that excludes them is not worth a note.
 */
static const char *const past_words[] = {"DES", "RC2", "RC4", "RC5", "IDEA", "SEED", "FZA", "eFZA", "aFZA", "kFZA",
		"EXP", "EXPORT", "EXPORT40", "EXPORT56", "SSLv2", "TLSv1.1", "TLSv1.3", "KRB5", "kKRB5", "aKRB5", "kDHr",
		"kDHd", "kDH", "kECDHr", "kECDHe", "kECDH", "aDH", "aECDH", "kGOST", "kGOST18", "aGOST", "aGOST01", "aGOST12",
		"aGOST94", "GOST94", "GOST89", "GOST89MAC", "GOST89MAC12", "GOST12"};

enum rule
{
	RULE_ADD,	 /**< select those that are not selected, at the end */
	RULE_MOVE,	 /**< `+`: move selected ones to the end */
	RULE_DELETE, /**< `-`: deselect, and move to the front */
	RULE_KILL,	 /**< `!`: remove for good */
	RULE_COMMAND /**< `@` */
};

struct engine
{
	const struct tlsg_suite *order[TLSG_SUITES_MAX];
	bool selected[TLSG_SUITES_MAX]; /**< by row of the table */
	size_t len;
	int sec_level;
	const struct tlsg_cipher_note *note;
};

static bool is_separator(char c)
{
	return c == ':' || c == ' ' || c == ';' || c == ',';
}

static size_t word_length(const char *p)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.=";

	return strspn(p, letters);
}

static size_t item_length(const char *p)
{
	return strcspn(p, ": ;,");
}

static unsigned strength_of(const struct tlsg_suite *s)
{
	unsigned class = s->flags & CLASS_STRENGTH;

	return class != 0 ? class : CLASS_NAMELESS;
}

static bool selector_matches(const struct selector *sel, const struct tlsg_suite *s)
{
	if(sel->bits >= 0)
		return sel->bits == tlsg_suite_bits(s);
	if(sel->only != NULL && sel->only != s)
		return false;
	if(sel->version != 0 && sel->version != s->min_version)
		return false;
	return (sel->kx == 0 || sel->kx & s->kx) && (sel->au == 0 || sel->au & s->au)
		   && (sel->enc == 0 || sel->enc & s->enc) && (sel->mac == 0 || sel->mac & s->mac)
		   && (sel->strength == 0 || sel->strength & strength_of(s))
		   && (sel->not_default == 0 || sel->not_default & s->flags);
}

/** Whether a rule applies to a suite that is selected, or not selected, as it is now. */
static bool rule_takes(const struct engine *e, enum rule rule, const struct tlsg_suite *s)
{
	bool selected = e->selected[tlsg_suite_index(s)];

	switch(rule) {
		case RULE_ADD:
			return !selected;
		case RULE_MOVE:
		case RULE_DELETE:
			return selected;
		default:
			return true;
	}
}

static void engine_apply(struct engine *e, enum rule rule, const struct selector *sel)
{
	const struct tlsg_suite *taken[TLSG_SUITES_MAX];
	const struct tlsg_suite *rest[TLSG_SUITES_MAX];
	size_t taken_len = 0, rest_len = 0;
	bool in_front = rule == RULE_DELETE;

	for(size_t i = 0; i < e->len; i++) {
		const struct tlsg_suite *s = e->order[i];

		if(!selector_matches(sel, s) || !rule_takes(e, rule, s)) {
			rest[rest_len++] = s;
			continue;
		}
		e->selected[tlsg_suite_index(s)] = rule == RULE_ADD || rule == RULE_MOVE;
		if(rule != RULE_KILL)
			taken[taken_len++] = s;
	}
	memcpy(e->order + (in_front ? taken_len : 0), rest, rest_len * sizeof(rest[0]));
	memcpy(e->order + (in_front ? 0 : rest_len), taken, taken_len * sizeof(taken[0]));
	e->len = taken_len + rest_len;
}

/** @return strength of the strongest selected suite that is weaker than `below`, -1 if there is none. */
static int engine_next_bits(const struct engine *e, int below)
{
	int found = -1;

	for(size_t i = 0; i < e->len; i++) {
		int bits = tlsg_suite_bits(e->order[i]);

		if(e->selected[tlsg_suite_index(e->order[i])] && bits < below && bits > found)
			found = bits;
	}
	return found;
}

/** `@STRENGTH`: strongest first, equals stay in order. */
static void engine_sort(struct engine *e)
{
	struct selector sel = {0};

	for(sel.bits = engine_next_bits(e, 1000); sel.bits >= 0; sel.bits = engine_next_bits(e, sel.bits))
		engine_apply(e, RULE_MOVE, &sel);
}

static bool word_is(const char *known, const char *word, size_t len)
{
	return strlen(known) == len && memcmp(known, word, len) == 0;
}

static const struct tlsg_suite *find_suite(const char *word, size_t len)
{
	size_t count;
	const struct tlsg_suite *table = tlsg_suite_table(&count);

	for(size_t i = 0; i < count; i++)
		if(table[i].flags & TLSG_SUITE_RULES && word_is(table[i].openssl, word, len))
			return &table[i];
	return NULL;
}

static const struct keyword *find_keyword(const char *word, size_t len)
{
	for(size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if(word_is(keywords[i].word, word, len))
			return &keywords[i];
	return NULL;
}

/** Intersects one mask. @return false if both restrict and have no bit in common. */
static bool narrow(unsigned *mask, unsigned by)
{
	if(by == 0)
		return true;
	*mask = *mask == 0 ? by : *mask & by;
	return *mask != 0;
}

/**
 * Narrows a selector by one more word of an item like "ECDHE+AESGCM".
 * @return false if the word is unknown or contradicts the words before it.
 */
static bool selector_add_word(struct selector *sel, const char *word, size_t len)
{
	const struct tlsg_suite *s = find_suite(word, len);
	const struct keyword *k = s == NULL ? find_keyword(word, len) : NULL;
	struct selector by = {0};

	if(s != NULL) {
		by = (struct selector){.kx = s->kx,
				.au = s->au,
				.enc = s->enc,
				.mac = s->mac,
				.strength = strength_of(s),
				.not_default = s->flags & TLSG_SUITE_NOT_DEFAULT};
	} else if(k != NULL) {
		by = k->sel;
	} else {
		return false;
	}
	sel->only = s; /* only that of the last word counts, as in OpenSSL; the masks of earlier names stay */
	if(by.version != 0) {
		if(sel->version != 0 && sel->version != by.version)
			return false;
		sel->version = by.version;
	}
	if(by.strength != 0 && sel->strength == 0)
		sel->not_default = 0; /* OpenSSL drops it here: COMPLEMENTOFDEFAULT+HIGH means HIGH */
	return narrow(&sel->kx, by.kx) && narrow(&sel->au, by.au) && narrow(&sel->enc, by.enc) && narrow(&sel->mac, by.mac)
		   && narrow(&sel->strength, by.strength) && narrow(&sel->not_default, by.not_default);
}

static void engine_note(const struct engine *e, const char *word, const char *why)
{
	if(e->note != NULL && e->note->note_cb != NULL)
		e->note->note_cb(e->note->arg, word, item_length(word), why);
}

static bool is_past_word(const char *word, size_t len)
{
	for(size_t i = 0; i < sizeof(past_words) / sizeof(past_words[0]); i++)
		if(word_is(past_words[i], word, len))
			return true;
	return false;
}

/** Reports an item that was skipped. */
static void note_unknown(const struct engine *e, enum rule rule, const char *item)
{
	size_t len = item_length(item);
	const struct tlsg_suite *s = tlsg_suite_by_name(item, len);

	if(rule != RULE_ADD && (s != NULL || is_past_word(item, word_length(item))))
		return;
	if(s == NULL)
		engine_note(e, item, "is not a word of OpenSSL 3's cipher strings and is ignored");
	else if(s->min_version == TLSG_TLS1_3)
		engine_note(e, item,
				"TLS 1.3 suites are not chosen here: the default ones apply unless tls_method is TLSv1.3 or TLSv1.3+");
	else if(s->flags & TLSG_SUITE_RULES)
		engine_note(e, item, "the standard's names are not understood here, write OpenSSL's name of the suite");
	else
		engine_note(e, item, "OpenSSL 3 no longer has this suite");
}

/** Reports an item that adds no usable suite. */
static void note_unusable(const struct engine *e, const struct selector *sel, const char *item)
{
	size_t count;
	const struct tlsg_suite *table = tlsg_suite_table(&count);
	bool any = false;

	if(e->note == NULL)
		return;
	for(size_t i = 0; i < count; i++) {
		if(!(table[i].flags & TLSG_SUITE_RULES) || !selector_matches(sel, &table[i]))
			continue;
		if(tlsg_suite_is_cert(&table[i]) && tlsg_suite_is_known(&table[i]))
			return;
		any = true;
	}
	engine_note(e, item,
			any ? "selects only suites without certificates, without encryption or unknown to GnuTLS"
				: "selects no suite of OpenSSL 3");
}

/** @return first character after the item; NULL on an error. */
static const char *run_item(struct engine *e, enum rule rule, const char *item)
{
	struct selector sel = {.bits = -1};
	const char *p = item;
	bool found, more;

	do {
		size_t len = word_length(p);

		if(len == 0)
			return NULL;
		found = selector_add_word(&sel, p, len);
		p += len;
		more = *p == '+';
		if(more)
			p++;
	} while(found && more);
	if(!found) {
		note_unknown(e, rule, item);
		return item + item_length(item);
	}
	if(rule == RULE_ADD)
		note_unusable(e, &sel, item);
	engine_apply(e, rule, &sel);
	return p;
}

/** @return first character after the command; NULL on an error. */
static const char *run_command(struct engine *e, const char *p)
{
	size_t len = word_length(p);

	if(word_is("STRENGTH", p, len))
		engine_sort(e);
	else if(len == 10 && memcmp(p, "SECLEVEL=", 9) == 0 && p[9] >= '0' && p[9] <= '5')
		e->sec_level = p[9] - '0';
	else
		return NULL;
	return p + item_length(p);
}

static enum rule rule_of(char c)
{
	switch(c) {
		case '-':
			return RULE_DELETE;
		case '+':
			return RULE_MOVE;
		case '!':
			return RULE_KILL;
		case '@':
			return RULE_COMMAND;
		default:
			return RULE_ADD;
	}
}

static enum tlsg_ret engine_run(struct engine *e, const char *string, struct tlsg_err *err)
{
	const char *p = string;

	while(*p != '\0') {
		enum rule rule = rule_of(*p);
		const char *start = p;

		if(is_separator(*p)) {
			p++;
			continue;
		}
		if(rule != RULE_ADD)
			p++;
		p = rule == RULE_COMMAND ? run_command(e, p) : run_item(e, rule, p);
		if(p == NULL)
			return tlsg_err_set(err, TLSG_E_CONFIG, "cipher list: cannot understand '%.64s' at character %zu", start,
					(size_t)(start - string) + 1);
	}
	return TLSG_OK;
}

static void engine_init(struct engine *e, const struct tlsg_cipher_note *note)
{
	size_t count;
	const struct tlsg_suite *table = tlsg_suite_table(&count);

	memset(e, 0, sizeof(*e));
	e->sec_level = -1;
	e->note = note;
	for(size_t i = 0; i < count; i++)
		if(table[i].flags & TLSG_SUITE_RULES)
			e->order[e->len++] = &table[i];
}

/** A string that begins with a Suite B keyword is that keyword; the rest does not count. */
static const char *suite_b_rules(const char *string, enum tlsg_suite_b *kind)
{
	static const struct
	{
		const char *prefix;
		enum tlsg_suite_b kind;
		const char *rules;
	} suite_b[] = {
			{"SUITEB128ONLY", TLSG_SUITE_B_128ONLY, "ECDHE-ECDSA-AES128-GCM-SHA256"},
			{"SUITEB128C2", TLSG_SUITE_B_128, "ECDHE-ECDSA-AES256-GCM-SHA384"},
			{"SUITEB128", TLSG_SUITE_B_128, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"},
			{"SUITEB192", TLSG_SUITE_B_192, "ECDHE-ECDSA-AES256-GCM-SHA384"},
	};

	for(size_t i = 0; i < sizeof(suite_b) / sizeof(suite_b[0]); i++)
		if(strncmp(string, suite_b[i].prefix, strlen(suite_b[i].prefix)) == 0) {
			*kind = suite_b[i].kind;
			return suite_b[i].rules;
		}
	*kind = TLSG_SUITE_B_NO;
	return string;
}

enum tlsg_ret tlsg_rules_eval(
		const char *string, const struct tlsg_cipher_note *note, struct tlsg_rules *out, struct tlsg_err *err)
{
	static const char default_word[] = "DEFAULT";
	static const char default_rules[] = "ALL:!COMPLEMENTOFDEFAULT:!eNULL";
	struct engine e;
	enum tlsg_suite_b suite_b;
	const char *rules = suite_b_rules(string, &suite_b);
	enum tlsg_ret ret = TLSG_OK;

	engine_init(&e, note);
	if(strncmp(rules, default_word, strlen(default_word)) == 0) {
		ret = engine_run(&e, default_rules, err);
		rules += strlen(default_word);
	}
	if(ret == TLSG_OK)
		ret = engine_run(&e, rules, err);
	if(ret != TLSG_OK)
		return ret;
	out->len = 0;
	for(size_t i = 0; i < e.len; i++)
		if(e.selected[tlsg_suite_index(e.order[i])])
			out->suites[out->len++] = e.order[i];
	out->sec_level = e.sec_level;
	out->suite_b = suite_b;
	if(out->len == 0)
		return tlsg_err_set(err, TLSG_E_CONFIG, "cipher list '%.128s' selects no suite of TLS 1.2 or below", string);
	return TLSG_OK;
}

int tlsg_rules_level_bits(int level)
{
	static const int bits[] = {0, 80, 112, 128, 192, 256};

	return level <= 0 ? 0 : bits[level > 5 ? 5 : level];
}

bool tlsg_rules_level_admits(const struct tlsg_suite *s, int level)
{
	int need = tlsg_rules_level_bits(level);

	if(level <= 0)
		return true;
	if(tlsg_suite_bits(s) < need || s->au == TLSG_AU_NULL || s->mac == TLSG_MAC_MD5)
		return false;
	if(need > 160 && s->mac == TLSG_MAC_SHA1)
		return false;
	if(level >= 2 && s->enc == TLSG_ENC_RC4)
		return false;
	return level < 3 || s->kx & (TLSG_KX_DHE | TLSG_KX_ECDHE | TLSG_KX_DHEPSK | TLSG_KX_ECDHEPSK | TLSG_KX_ANY);
}

/** Whether a string contains one of some words, ignoring case as GnuTLS does. */
static bool has_any(const char *string, const char *const *words, size_t count)
{
	for(size_t i = 0; i < count; i++)
		for(const char *p = string; *p != '\0'; p++)
			if(strncasecmp(p, words[i], strlen(words[i])) == 0)
				return true;
	return false;
}

bool tlsg_rules_is_native(const char *string)
{
	static const char *const first[] = {
			"NORMAL", "PERFORMANCE", "SECURE", "SECURE128", "SECURE192", "SECURE256", "PFS", "LEGACY", "NONE"};
	static const char *const only_gnutls[] = {"%", "+VERS-", "-VERS-", "!VERS-", "+CTYPE-", "-CTYPE-", "+COMP-",
			"+SIGN-", "-SIGN-", "!SIGN-", "+GROUP-", "-GROUP-", "!GROUP-", "+CURVE-", "-CURVE-", "!CURVE-",
			"CIPHER-ALL", "MAC-ALL", "KX-ALL"};
	size_t len = strcspn(string, ":");

	if(has_any(string, only_gnutls, sizeof(only_gnutls) / sizeof(only_gnutls[0])))
		return true;
	for(size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if(strlen(first[i]) == len && strncasecmp(first[i], string, len) == 0)
			return true;
	return string[0] == '@' && strncmp(string, "@STRENGTH", 9) != 0 && strncmp(string, "@SECLEVEL=", 10) != 0
		   && string[1] != '\0';
}
