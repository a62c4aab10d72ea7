/*
 * tls_gnutls - warns before certificates and CRLs of the configuration expire
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the core's timer process; statistics: any process.  Memory: pkg of the timer process.
 * Lock: none held while script code runs.
 */
#include "gnutls_mod/mod_expiry.h"

#include <time.h>

#include "base/host.h"
#include "base/plural.h"

#include "core/timer.h"
#include "core/xavp.h"

#include "gnutls_mod/mod_events.h"
#include "gnutls_mod/mod_params.h"
#include "profiles/prof.h"
#include "profiles/verify/trust.h"

/* Numbers in xavps are long from 5.7 on. */
#if VERSIONVAL >= 5007000
#define TLSG_XTYPE_NUMBER SR_XTYPE_LONG
#define TLSG_XVAL_NUMBER(x) (x).v.l
#else
#define TLSG_XTYPE_NUMBER SR_XTYPE_INT
#define TLSG_XVAL_NUMBER(x) (x).v.i
#endif

#define CHECK_S 10
#define DAY_S (24 * 3600)
#define DATE_BYTES 32

/* Something that expires. */
struct item
{
	const char *kind; /* "certificate", "crl" */
	str profile;
	str file;
	time_t at;
};

/* The last report about an item. */
struct reported
{
	struct reported *next;
	time_t at;
	int days; /* lowest threshold so far */
	int len;
	char file[];
};

static struct reported *all_reported; /* [pkg] */

static struct reported *reported_find(const struct item *i)
{
	struct reported *s;

	for(s = all_reported; s != NULL; s = s->next)
		if(s->at == i->at && s->len == i->file.len && memcmp(s->file, i->file.s, (size_t)s->len) == 0)
			return s;
	return NULL;
}

/* Remembers a threshold. @return false: reported already, or out of memory. */
static bool reported_note(const struct item *i, int days)
{
	struct reported *s = reported_find(i);

	if(s != NULL && s->days <= days)
		return false;
	if(s == NULL) {
		s = pkg_malloc(sizeof(*s) + (size_t)i->file.len);
		if(s == NULL) {
			PKG_MEM_ERROR;
			return false;
		}
		s->at = i->at;
		s->len = i->file.len;
		memcpy(s->file, i->file.s, (size_t)i->file.len);
		s->next = all_reported;
		all_reported = s;
	}
	s->days = days;
	return true;
}

static void xavp_put(sr_xavp_t **list, const char *name, const str *text, int number)
{
	str key = {(char *)name, (int)strlen(name)};
	sr_xval_t v;

	memset(&v, 0, sizeof(v));
	if(text != NULL) {
		v.type = SR_XTYPE_STR;
		v.v.s = *text;
	} else {
		v.type = TLSG_XTYPE_NUMBER;
		TLSG_XVAL_NUMBER(v) = number;
	}
	if(xavp_add_value(&key, &v, list) == NULL)
		LM_ERR("out of private memory for $xavp(tls_expiring=>%s): raise -M\n", name);
}

static void run_route(const struct item *i, int days, const char *date)
{
	str root = str_init("tls_expiring");
	str kind = {(char *)i->kind, (int)strlen(i->kind)};
	str when = {(char *)date, (int)strlen(date)};
	sr_xavp_t *fields = NULL;
	sr_xval_t v;

	if(!tlsg_events_has_expiring())
		return;
	xavp_put(&fields, "kind", &kind, 0);
	xavp_put(&fields, "profile", &i->profile, 0);
	xavp_put(&fields, "file", &i->file, 0);
	xavp_put(&fields, "date", &when, 0);
	xavp_put(&fields, "days", NULL, days);
	memset(&v, 0, sizeof(v));
	v.type = SR_XTYPE_XAVP;
	v.v.xavp = fields;
	if(xavp_add_value(&root, &v, NULL) == NULL) {
		xavp_destroy_list(&fields);
		LM_ERR("out of private memory for $xavp(tls_expiring), the event route is not run: raise -M\n");
		return;
	}
	tlsg_events_run_expiring();
	xavp_rm_by_name(&root, 1, NULL);
}

/* @return lowest threshold that the item has reached; -1: none. */
static int threshold_of(const struct item *i, time_t now)
{
	const struct tlsg_params_private *p = tlsg_params_private();
	int found = -1;
	unsigned k;

	for(k = 0; k < p->warn_days_len; k++)
		if(i->at - now <= (time_t)p->warn_days[k] * DAY_S)
			found = p->warn_days[k];
	return found;
}

static void report(const struct item *i, time_t now)
{
	int threshold = i->at != 0 ? threshold_of(i, now) : -1;
	char date[DATE_BYTES];
	struct tm tm;
	int days;

	if(threshold < 0 || !reported_note(i, threshold))
		return;
	days = (int)((i->at - now) / DAY_S);
	gmtime_r(&i->at, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &tm);
	if(i->at <= now)
		LM_WARN("%.*s: the %s \"%.*s\" has expired on %s\n", i->profile.len, i->profile.s, i->kind, i->file.len,
				i->file.s, date);
	else
		LM_WARN("%.*s: the %s \"%.*s\" expires on %s, in %d day%s\n", i->profile.len, i->profile.s, i->kind,
				i->file.len, i->file.s, date, days, tlsg_plural_s((unsigned)days));
	run_route(i, i->at <= now ? 0 : days, date);
}

static void check_profile(const struct tlsg_prof *p, time_t now)
{
	struct item i = {.kind = "certificate", .profile = p->id};
	unsigned k;

	for(k = 0; k < p->pairs_len; k++) {
		i.file = p->pairs[k].source; /* one file of a list */
		i.at = p->pairs[k].not_after;
		if(i.file.s != NULL)
			report(&i, now);
	}
	if(p->trust == NULL || !p->trust->has_crl || p->trust->crl.s == NULL)
		return;
	i.kind = "crl";
	i.file = p->trust->crl;
	i.at = p->trust->crl_next_update;
	report(&i, now);
}

static void timer_cb(unsigned int ticks, void *param)
{
	struct tlsg_set *set = tlsg_set_get();
	time_t now = time(NULL);
	const struct tlsg_prof *p;
	int role;

	(void)ticks;
	(void)param;
	if(set == NULL)
		return;
	for(role = 0; role < TLSG_ROLES; role++) {
		check_profile(set->defaults[role], now);
		for(p = set->list[role]; p != NULL; p = p->next)
			check_profile(p, now);
	}
	tlsg_set_put(set);
}

/* @param first  [in,out] earliest time so far; 0: none. */
static void note_first(const struct tlsg_prof *p, enum tlsg_expiry_kind kind, time_t *first)
{
	unsigned k;

	if(p == NULL)
		return;
	if(kind == TLSG_EXPIRY_CRL) {
		if(p->trust != NULL && p->trust->crls_len > 0 && p->trust->crl_next_update != 0
				&& (*first == 0 || p->trust->crl_next_update < *first))
			*first = p->trust->crl_next_update;
		return;
	}
	for(k = 0; k < p->pairs_len; k++)
		if(p->pairs[k].chain_len > 0 && (*first == 0 || p->pairs[k].not_after < *first))
			*first = p->pairs[k].not_after;
}

int tlsg_expiry_days_left(enum tlsg_expiry_kind kind)
{
	struct tlsg_set *set = tlsg_set_get();
	time_t now = time(NULL);
	const struct tlsg_prof *p;
	time_t first = 0;
	int role;

	for(role = 0; set != NULL && role < TLSG_ROLES; role++) {
		note_first(set->defaults[role], kind, &first);
		for(p = set->list[role]; p != NULL; p = p->next)
			note_first(p, kind, &first);
	}
	tlsg_set_put(set);
	if(first == 0 || first - now >= (time_t)TLSG_EXPIRY_NEVER * DAY_S)
		return TLSG_EXPIRY_NEVER;
	return first <= now ? 0 : (int)((first - now) / DAY_S);
}

int tlsg_expiry_init(void)
{
	if(tlsg_params_private()->warn_days_len == 0)
		return 0;
	return register_timer(timer_cb, NULL, CHECK_S);
}
