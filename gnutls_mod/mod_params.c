/*
 * tls_gnutls - module parameters: defaults, ranges, checks, conversions
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: set while the configuration is parsed (attendant, before any fork); read by all processes.
 * Memory: static, and pkg before the forks.  Lock: none.
 */
#include "gnutls_mod/mod_params.h"

#include <limits.h>
#include <strings.h>
#include <unistd.h>

#include "core/config.h"
#include "core/globals.h"

#include "base/host.h"
#include "pkcs11/p11_uri.h"
#include "gnutls_mod/mod_dtls_listen.h"
#include "gnutls_mod/mod_group.h"
#include "gnutls_mod/mod_path.h"
#include "gnutls_mod/mod_terminal.h"
#include "profiles/keys/key_file.h"
#include "profiles/cipher/method.h"
#include "profiles/keys/path.h"
#include "profiles/value.h"
#include "transport/conn_datagram.h"

#define NOT_SET -1
#define WARN_DAY_MAX 3650
#define PIN_FREE_SIZE 1024
/* Less than any connection holds. So a quarter of the memory divided by it is more addresses than fit. */
#define ADDRESS_BYTES 8192

/* What an established association keeps, with what the core's memory manager adds. */
#define ASSOCIATION_BYTES 16384
#define ASSOCIATIONS_MIN 16
#define ASSOCIATIONS_MAX (1 << 20)

static struct tlsg_params_private private = {
		.engine = STR_STATIC_INIT("NONE"),
		.engine_config = STR_STATIC_INIT("NONE"),
		.engine_algorithms = STR_STATIC_INIT("ALL"),
		.handshake_timeout_s = 30,
		.handshakes_max = -1,
		.send_timeout_s = NOT_SET,
		.outgoing_sni = 1,
		.dtls_max_connections = -1,
		.dtls_max_per_address = -1,
		.dtls_lifetime_s = 3600,
		.dtls_mtu = TLSG_DATAGRAM_MTU_DEFAULT,
		.certificate_warn_days = STR_STATIC_INIT("30,7,1"),
};

static int rand_engine_set(modparam_t type, void *val);
static int password_mode_set(modparam_t type, void *val);

param_export_t tlsg_mod_params[] = {
		{"tls_method", PARAM_STR, &tlsg_group_defaults.method},
		{"server_name", PARAM_STR, &tlsg_group_defaults.server_name},
		{"verify_certificate", PARAM_INT, &tlsg_group_defaults.verify_certificate},
		{"verify_depth", PARAM_INT, &tlsg_group_defaults.verify_depth},
		{"require_certificate", PARAM_INT, &tlsg_group_defaults.require_certificate},
		{"verify_client", PARAM_STR, &tlsg_group_defaults.verify_client},
		{"verify_name", PARAM_INT, &private.verify_name},
		{"private_key", PARAM_STR, &tlsg_group_defaults.private_key},
		{"private_key_password", PARAM_STR, &private.private_key_password},
		{"key_password_mode", PARAM_INT | PARAM_USE_FUNC, (void *)password_mode_set},
		{"certificate", PARAM_STR, &tlsg_group_defaults.certificate},
		{"certificate2", PARAM_STR, &private.certificate2},
		{"private_key2", PARAM_STR, &private.private_key2},
		{"private_key_password2", PARAM_STR, &private.private_key_password2},
		{"certificate_warn_days", PARAM_STR, &private.certificate_warn_days},
		{"ca_list", PARAM_STR, &tlsg_group_defaults.ca_list},
		{"ca_path", PARAM_STR, &tlsg_group_defaults.ca_path},
		{"crl", PARAM_STR, &tlsg_group_defaults.crl},
		{"cipher_list", PARAM_STR, &tlsg_group_defaults.cipher_list},
		{"auto_reload", PARAM_INT, &private.auto_reload_s},
		{"config", PARAM_STR, &tlsg_group_defaults.config},
		{"connection_timeout", PARAM_INT, &tlsg_group_defaults.connection_timeout},
		{"handshake_timeout", PARAM_INT, &private.handshake_timeout_s},
		{"handshakes_max", PARAM_INT, &private.handshakes_max},
		{"handshakes_per_address", PARAM_INT, &private.handshakes_per_address},
		{"send_timeout", PARAM_INT, &private.send_timeout_s},
		{"session_cache", PARAM_INT, &tlsg_group_defaults.session_cache},
		{"session_id", PARAM_STR, &tlsg_group_defaults.session_id},
		{"ticket_key_file", PARAM_STR, &private.ticket_key_file},
		{"renegotiation", PARAM_INT, &private.renegotiation},
		{"outgoing_sni", PARAM_INT, &private.outgoing_sni},
		{"xavp_cfg", PARAM_STR, &private.xavp_cfg},
		{"event_callback", PARAM_STR, &private.event_callback},
		{"tls_log", PARAM_INT, &tlsg_group_defaults.log},
		{"tls_debug", PARAM_INT, &tlsg_group_defaults.debug},
		{"send_close_notify", PARAM_INT, &tlsg_group_defaults.send_close_notify},
		{"con_ct_wq_max", PARAM_INT, &tlsg_group_defaults.con_ct_wq_max},
		{"ct_wq_max", PARAM_INT, &tlsg_group_defaults.ct_wq_max},
		{"ct_wq_blk_size", PARAM_INT, &tlsg_group_defaults.ct_wq_blk_size},
		{"low_mem_threshold1", PARAM_INT, &tlsg_group_defaults.low_mem_threshold1},
		{"low_mem_threshold2", PARAM_INT, &tlsg_group_defaults.low_mem_threshold2},
		{"tls_force_run", PARAM_INT, &tlsg_group_defaults.force_run},
		{"keylog_mode", PARAM_INT, &private.keylog_mode},
		{"keylog_file", PARAM_STR, &private.keylog_file},
		{"keylog_peer", PARAM_STR, &private.keylog_peer},
		{"key_isolation", PARAM_INT, &private.key_isolation},
		{"dtls_listen", PARAM_STR | PARAM_USE_FUNC, (void *)tlsg_dtls_listen_set},
		{"dtls_max_connections", PARAM_INT, &private.dtls_max_connections},
		{"dtls_max_per_address", PARAM_INT, &private.dtls_max_per_address},
		{"dtls_lifetime", PARAM_INT, &private.dtls_lifetime_s},
		{"dtls_mtu", PARAM_INT, &private.dtls_mtu},
		{"tls_disable_compression", PARAM_INT, &tlsg_group_defaults.disable_compression},
		{"ssl_release_buffers", PARAM_INT, &tlsg_group_defaults.ssl_release_buffers},
		{"ssl_freelist_max_len", PARAM_INT, &tlsg_group_defaults.ssl_free_list_max},
		{"ssl_max_send_fragment", PARAM_INT, &tlsg_group_defaults.ssl_max_send_fragment},
		{"ssl_read_ahead", PARAM_INT, &tlsg_group_defaults.ssl_read_ahead},
		{"engine", PARAM_STR, &private.engine},
		{"engine_config", PARAM_STR, &private.engine_config},
		{"engine_algorithms", PARAM_STR, &private.engine_algorithms},
		{"rand_engine", PARAM_STR | PARAM_USE_FUNC, (void *)rand_engine_set},
		{"init_mode", PARAM_INT, &private.init_mode},
		{"provider_quirks", PARAM_INT, &private.provider_quirks},
		{"provider_quirks_config", PARAM_STR, &private.provider_quirks_config},
		{NULL, 0, NULL},
};

/* What happens to a number that is out of its range at start. */
enum beyond
{
	REFUSE,	  /* start-up ends */
	AS_ON,	  /* a switch: anything but 0 is on */
	CUT,	  /* the nearer limit is used */
	CUT_HIGH, /* the same above the range; below it start-up ends */
	MASK	  /* bits outside of max are dropped; a negative number ends start-up */
};

/* Ranges of numbers at start. The core checks the ranges of the group only when a variable is set at runtime. */
static const struct
{
	const char *name;
	int *value;
	enum beyond beyond;
	int min;
	int max;
	int also; /* one value below the range that is also allowed; same as min: none */
} ranges[] = {
		{"verify_certificate", &tlsg_group_defaults.verify_certificate, AS_ON, 0, 1, 0},
		{"verify_depth", &tlsg_group_defaults.verify_depth, CUT_HIGH, 0, 100, 0},
		{"require_certificate", &tlsg_group_defaults.require_certificate, AS_ON, 0, 1, 0},
		{"verify_name", &private.verify_name, REFUSE, 0, 2, 0},
		{"key_password_mode", &private.key_password_mode, AS_ON, 0, 1, 0},
		{"handshake_timeout", &private.handshake_timeout_s, CUT_HIGH, 0, 86400, 0},
		{"auto_reload", &private.auto_reload_s, CUT_HIGH, 0, 86400, 0},
		{"handshakes_max", &private.handshakes_max, CUT_HIGH, 0, 1 << 20, -1},
		{"handshakes_per_address", &private.handshakes_per_address, CUT_HIGH, 0, 1 << 20, 0},
		{"session_cache", &tlsg_group_defaults.session_cache, AS_ON, 0, 1, 0},
		{"renegotiation", &private.renegotiation, AS_ON, 0, 1, 0},
		{"outgoing_sni", &private.outgoing_sni, AS_ON, 0, 1, 0},
		{"tls_log", &tlsg_group_defaults.log, CUT, L_ALERT, 1000, L_ALERT},
		{"tls_debug", &tlsg_group_defaults.debug, CUT, L_ALERT, 1000, L_ALERT},
		{"send_close_notify", &tlsg_group_defaults.send_close_notify, AS_ON, 0, 1, 0},
		{"con_ct_wq_max", &tlsg_group_defaults.con_ct_wq_max, CUT_HIGH, 0, 4 * 1024 * 1024, 0},
		{"ct_wq_max", &tlsg_group_defaults.ct_wq_max, CUT_HIGH, 0, 1 << 30, 0},
		{"ct_wq_blk_size", &tlsg_group_defaults.ct_wq_blk_size, CUT, 1, 65536, 1},
		{"low_mem_threshold1", &tlsg_group_defaults.low_mem_threshold1, CUT, -1, 1 << 30, -1},
		{"low_mem_threshold2", &tlsg_group_defaults.low_mem_threshold2, CUT, -1, 1 << 30, -1},
		{"keylog_mode", &private.keylog_mode, MASK, 0, 2047, 0},
		{"key_isolation", &private.key_isolation, AS_ON, 0, 1, 0},
		{"dtls_max_connections", &private.dtls_max_connections, CUT_HIGH, -1, 1 << 20, -1},
		{"dtls_max_per_address", &private.dtls_max_per_address, CUT_HIGH, -1, 1 << 20, -1},
		{"dtls_lifetime", &private.dtls_lifetime_s, CUT_HIGH, 1, 7 * 86400, 1},
		{"dtls_mtu", &private.dtls_mtu, REFUSE, TLSG_DATAGRAM_MTU_MIN, TLSG_DATAGRAM_MTU_MAX, TLSG_DATAGRAM_MTU_MIN},
		{"ssl_max_send_fragment", &tlsg_group_defaults.ssl_max_send_fragment, CUT_HIGH, 512, 16384, -1},
};

/* Numbers that only affect OpenSSL. */
static const struct
{
	const char *name;
	const int *value;
	int unset;
	const char *why;
} without_effect[] = {
		{"tls_disable_compression", &tlsg_group_defaults.disable_compression, 1, "GnuTLS has no compression"},
		{"ssl_release_buffers", &tlsg_group_defaults.ssl_release_buffers, -1, "buffers are always released"},
		{"ssl_freelist_max_len", &tlsg_group_defaults.ssl_free_list_max, -1, "GnuTLS has no free lists"},
		{"ssl_read_ahead", &tlsg_group_defaults.ssl_read_ahead, 0, "all that was received is always read"},
		{"tls_force_run", &tlsg_group_defaults.force_run, 0, "no version of GnuTLS is refused"},
		{"init_mode", &private.init_mode, 0, "it is for the start of OpenSSL"},
		{"provider_quirks", &private.provider_quirks, 0, "it is for the providers of OpenSSL"},
		{"send_timeout", &private.send_timeout_s, NOT_SET, "it is obsolete, use tcp_send_timeout of the core"},
};

/* Texts that only affect OpenSSL. */
static const struct
{
	const char *name;
	const str *value;
	const char *unset; /* NULL: log any value */
	const char *why;
} texts_without_effect[] = {
		{"engine_algorithms", &private.engine_algorithms, "ALL", "a token is used for its keys only"},
		{"provider_quirks_config", &private.provider_quirks_config, NULL, "it is for the providers of OpenSSL"},
		{"rand_engine", &private.rand_engine, NULL, "GnuTLS has its own generator"},
};

/* Any RPC client can read the group: PINs are hidden there. The values as configured are kept in `private`. */
static void pins_hide(void)
{
	static char shown[3][PIN_FREE_SIZE];
	str *const paths[] = {
			&tlsg_group_defaults.certificate, &tlsg_group_defaults.private_key, &tlsg_group_defaults.ca_list};
	str *const kept[] = {&private.certificate, &private.private_key, &private.ca_list};
	size_t i;

	for(i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		*kept[i] = *paths[i];
		if(!tlsg_value_is_set(paths[i]) || (!tlsg_p11_uri_is(paths[i]->s) && strstr(paths[i]->s, "pkcs11:") == NULL))
			continue;
		paths[i]->s = (char *)tlsg_p11_uri_redact(paths[i]->s, shown[i], sizeof(shown[i]));
		paths[i]->len = (int)strlen(shown[i]);
	}
}

static int paths_convert(void)
{
	if(tlsg_mod_path_convert("config", &tlsg_group_defaults.config, NULL) < 0
			|| tlsg_mod_path_convert("certificate", &tlsg_group_defaults.certificate, TLS_CERT_FILE) < 0
			/* a PKCS#12 file contains its key */
			|| tlsg_mod_path_convert("private_key", &tlsg_group_defaults.private_key,
					   tlsg_key_file_name_is_pkcs12(&tlsg_group_defaults.certificate) ? NULL : TLS_PKEY_FILE)
					   < 0
			|| tlsg_mod_path_convert("ca_list", &tlsg_group_defaults.ca_list, TLS_CA_FILE) < 0
			|| tlsg_mod_path_convert("ca_path", &tlsg_group_defaults.ca_path, TLS_CA_PATH) < 0
			|| tlsg_mod_path_convert("crl", &tlsg_group_defaults.crl, TLS_CRL_FILE) < 0)
		return -1;
	if(tlsg_mod_path_convert("certificate2", &private.certificate2, NULL) < 0
			|| tlsg_mod_path_convert("private_key2", &private.private_key2, NULL) < 0
			|| (strncasecmp(private.engine_config.s, "NONE", 4) != 0
					&& tlsg_mod_path_convert("engine_config", &private.engine_config, NULL) < 0)
			|| tlsg_mod_path_convert("ticket_key_file", &private.ticket_key_file, NULL) < 0
			|| tlsg_mod_path_convert("keylog_file", &private.keylog_file, NULL) < 0)
		return -1;
	return 0;
}

/* Stores the name only, for a line in the log. */
static int rand_engine_set(modparam_t type, void *val)
{
	static char name[64];
	const str *s = val;
	size_t len;

	(void)type;
	if(s == NULL || !tlsg_value_is_set(s))
		return 0;
	len = (size_t)s->len < sizeof(name) ? (size_t)s->len : sizeof(name) - 1;
	memcpy(name, s->s, len);
	name[len] = '\0';
	private.rand_engine.s = name;
	private.rand_engine.len = (int)len;
	return 0;
}

/* The terminal must be opened now: mod_terminal.h. */
static int password_mode_set(modparam_t type, void *val)
{
	(void)type;
	private.key_password_mode = (int)(long)val;
	if(private.key_password_mode != 0)
		tlsg_terminal_open();
	return 0;
}

/* Brings a number that is out of its range into it, and warns. @return false: it must be refused. */
static bool range_fit(size_t i)
{
	int v = *ranges[i].value;

	if(ranges[i].beyond == AS_ON) {
		*ranges[i].value = 1;
		LM_WARN("parameter \"%s\": %d is taken as 1; write 0 or 1\n", ranges[i].name, v);
		return true;
	}
	if(ranges[i].beyond == MASK && v > 0) {
		*ranges[i].value = v & ranges[i].max;
		LM_WARN("parameter \"%s\": %d has unknown bits, %d is used\n", ranges[i].name, v, *ranges[i].value);
		return true;
	}
	if(ranges[i].beyond != CUT && (ranges[i].beyond != CUT_HIGH || v < ranges[i].min))
		return false;
	*ranges[i].value = v < ranges[i].min ? ranges[i].min : ranges[i].max;
	LM_WARN("parameter \"%s\": %d is out of range, %d is used (allowed: %d to %d)\n", ranges[i].name, v,
			*ranges[i].value, ranges[i].min, ranges[i].max);
	return true;
}

static int ranges_check(void)
{
	char also[32];
	size_t i;
	int v, bad = 0;

	for(i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		v = *ranges[i].value;
		if((v >= ranges[i].min && v <= ranges[i].max) || v == ranges[i].also || range_fit(i))
			continue;
		also[0] = '\0';
		if(ranges[i].also < ranges[i].min)
			snprintf(also, sizeof(also), "%d, or ", ranges[i].also);
		LM_ERR("parameter \"%s\": %d is not allowed (allowed: %s%d to %d)\n", ranges[i].name, v, also, ranges[i].min,
				ranges[i].max);
		bad = -1;
	}
	return bad;
}

/* Parses "30,7,1". @return 0; -1: malformed. */
static int warn_days_read(const str *text)
{
	const char *p = text->s, *end = text->s + text->len;
	unsigned n = 0, i;
	int v;

	while(p < end) {
		for(v = 0; p < end && *p >= '0' && *p <= '9' && v <= WARN_DAY_MAX; p++)
			v = v * 10 + (*p - '0');
		if(p == text->s || p[-1] == ',' || v > WARN_DAY_MAX || n == TLSG_WARN_DAYS_MAX || (p < end && *p != ','))
			return -1;
		for(i = n++; i > 0 && private.warn_days[i - 1] < v; i--)
		private.warn_days[i] = private.warn_days[i - 1];
		private.warn_days[i] = v;
		if(p < end && ++p == end)
			return -1;
	}
	private.warn_days_len = n;
	return 0;
}

static int method_check(void)
{
	const struct tlsg_method *method;
	struct tlsg_err err;

	tlsg_err_clear(&err);
	if(tlsg_method_parse(tlsg_group_defaults.method.s, (size_t)tlsg_group_defaults.method.len, &method, &err)
			!= TLSG_OK) {
		LM_ERR("parameter \"tls_method\": %s\n", err.text);
		return -1;
	}
	if(!tlsg_value_is_set(&tlsg_group_defaults.config) && method->id == TLSG_METHOD_TLSV1)
		LM_WARN("parameter \"tls_method\": \"%.*s\" means TLS 1.0 and nothing newer, which most peers refuse; write "
				"TLSv1.2+\n",
				tlsg_group_defaults.method.len, tlsg_group_defaults.method.s);
	return 0;
}

static int texts_check(void)
{
	enum tlsg_verify_client client;
	int bad = method_check();

	if(!tlsg_value_verify_client(&tlsg_group_defaults.verify_client, &client)) {
		LM_ERR("parameter \"verify_client\": \"%.*s\" is not allowed (allowed: off, on, optional, optional_no_ca)\n",
				tlsg_group_defaults.verify_client.len, tlsg_group_defaults.verify_client.s);
		bad = -1;
	}
	if(tlsg_value_is_set(&private.certificate_warn_days) && warn_days_read(&private.certificate_warn_days) < 0) {
		LM_ERR("parameter \"certificate_warn_days\": \"%.*s\" is not allowed (allowed: up to %d numbers of days from 0 "
			   "to %d, separated by commas)\n",
				private.certificate_warn_days.len, private.certificate_warn_days.s, TLSG_WARN_DAYS_MAX, WARN_DAY_MAX);
		bad = -1;
	}
	return bad;
}

static int keylog_check(void)
{
	int bad = 0;

	if((private.keylog_mode & TLSG_KEYLOG_FILE) && !tlsg_value_is_set(&private.keylog_file)) {
		LM_ERR("parameter \"keylog_file\" is missing: keylog_mode %d has bit %d, set it or clear the bit\n",
				private.keylog_mode, TLSG_KEYLOG_FILE);
		bad = -1;
	}
	if((private.keylog_mode & TLSG_KEYLOG_PEER) && !tlsg_value_is_set(&private.keylog_peer)) {
		LM_ERR("parameter \"keylog_peer\" is missing: keylog_mode %d has bit %d, set it or clear the bit\n",
				private.keylog_mode, TLSG_KEYLOG_PEER);
		bad = -1;
	}
	return bad;
}

/* Logs each setting that was changed from its default and has no effect with GnuTLS. */
static void without_effect_log(void)
{
	size_t i;

	for(i = 0; i < sizeof(without_effect) / sizeof(without_effect[0]); i++)
		if(*without_effect[i].value != without_effect[i].unset)
			LM_INFO("parameter \"%s\": %d has no effect with GnuTLS: %s\n", without_effect[i].name,
					*without_effect[i].value, without_effect[i].why);
	for(i = 0; i < sizeof(texts_without_effect) / sizeof(texts_without_effect[0]); i++) {
		const str *v = texts_without_effect[i].value;
		const char *unset = texts_without_effect[i].unset;

		if(!tlsg_value_is_set(v)
				|| (unset != NULL && (size_t)v->len == strlen(unset) && strncasecmp(v->s, unset, (size_t)v->len) == 0))
			continue;
		LM_INFO("parameter \"%s\": \"%.*s\" has no effect with GnuTLS: %s\n", texts_without_effect[i].name, v->len,
				v->s, texts_without_effect[i].why);
	}
}

int tlsg_params_declare(void)
{
	int bad = ranges_check();

	if(texts_check() < 0)
		bad = -1;
	if(keylog_check() < 0)
		bad = -1;
	if(bad < 0 || paths_convert() < 0)
		return -1;
	pins_hide();
	without_effect_log();
	return tlsg_group_declare();
}

const struct tlsg_params_private *tlsg_params_private(void)
{
	return &private;
}

int tlsg_params_fill_settings(struct tlsg_prof_settings *s)
{
	const struct cfg_group_tls *cfg = tlsg_group_get();
	const struct tlsg_method *method;
	enum tlsg_verify_client client;

	tlsg_prof_settings_clear(s);
	if(tlsg_method_parse(cfg->method.s, (size_t)cfg->method.len, &method, NULL) != TLSG_OK
			|| !tlsg_value_verify_client(&cfg->verify_client, &client))
		return -1;
	s->method = method->id;
	s->verify_client = (int)client;
	s->certificate = private.certificate;
	s->private_key = private.private_key;
	s->private_key_password = private.private_key_password;
	s->certificate2 = private.certificate2;
	s->private_key2 = private.private_key2;
	s->private_key_password2 = private.private_key_password2;
	s->ca_list = private.ca_list;
	s->ca_path = cfg->ca_path;
	s->crl = cfg->crl;
	s->cipher_list = cfg->cipher_list;
	s->server_name = cfg->server_name;
	s->server_name_mode = 0;
	s->verify_certificate = cfg->verify_certificate;
	s->require_certificate = cfg->require_certificate;
	s->verify_depth = cfg->verify_depth;
	s->verify_name = private.verify_name;
	return 0;
}

void tlsg_params_set_options(struct tlsg_set_options *o)
{
	const struct cfg_group_tls *cfg = tlsg_group_get();

	memset(o, 0, sizeof(*o));
	o->session_id = cfg->session_id;
	o->session_cache = cfg->session_cache != 0;
	o->user = uid > 0 ? (uint32_t)uid : (uint32_t)geteuid();
	o->is_watched = private.auto_reload_s > 0;
	o->datagram = tlsg_dtls_listen_count() > 0;
	o->config_dir = tlsg_mod_path_dir();
}

void tlsg_params_slots(struct tlsg_slots_limits *l)
{
	size_t quarter = (size_t)shm_mem_size / 4;

	memset(l, 0, sizeof(*l));
	l->handshakes = private.handshakes_max > 0 ? (unsigned)private.handshakes_max : 0;
	l->bytes = private.handshakes_max < 0 ? quarter : 0;
	l->per_address = (unsigned)private.handshakes_per_address;
	l->addresses = l->handshakes != 0 ? l->handshakes : (unsigned)(quarter / ADDRESS_BYTES) + 1;
}

unsigned tlsg_params_associations(void)
{
	size_t n = (size_t)shm_mem_size / 4 / ASSOCIATION_BYTES;

	if(private.dtls_max_connections > 0)
		return (unsigned)private.dtls_max_connections;
	if(n < ASSOCIATIONS_MIN)
		return ASSOCIATIONS_MIN;
	return n < ASSOCIATIONS_MAX ? (unsigned)n : ASSOCIATIONS_MAX;
}

unsigned tlsg_params_associations_per_address(void)
{
	return private.dtls_max_per_address < 0 ? (tlsg_params_associations() + 1) / 2
											: (unsigned)private.dtls_max_per_address;
}
