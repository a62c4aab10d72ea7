/*
 * tls_gnutls - module parameters, the runtime configuration group `tls`, their defaults, ranges and conversions
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: set while the configuration is parsed (attendant, before any fork); read by all processes.
 * Memory: static and pkg before the forks, then the core's configuration block (shm).  Lock: none of its own.
 */
#include "gnutls_mod/mod_params.h"

#include <limits.h>
#include <strings.h>

#include "core/config.h"

#include "base/host.h"
#include "pkcs11/p11_uri.h"
#include "gnutls_mod/mod_terminal.h"
#include "profiles/keys/key_file.h"
#include "profiles/cipher/method.h"
#include "profiles/keys/path.h"
#include "profiles/value.h"

#define TICKS_NEVER INT_MAX
#define NOT_SET -1
#define WARN_DAY_MAX 3650
#define PIN_FREE_SIZE 1024
#define ADDRESS_BYTES \
	8192 /* less than what any connection holds: so many of them fit a quarter of the memory at most */

static struct cfg_group_tls values = {
		.force_run = 0,
		.method = STR_STATIC_INIT("TLSv1"),
		.server_name_mode = 0,
		.verify_certificate = 0,
		.verify_depth = 9,
		.require_certificate = 0,
		.verify_client = STR_STATIC_INIT("off"),
		.session_cache = 0,
		.session_id = STR_STATIC_INIT("kamailio-tls-5.x.y"),
		.log = L_DBG,
		.debug = L_DBG,
		.connection_timeout = 600, /* seconds until params_convert() */
		.disable_compression = 1,
		.ssl_release_buffers = -1,
		.ssl_free_list_max = -1,
		.ssl_max_send_fragment = -1,
		.ssl_read_ahead = 0,
		.low_mem_threshold1 = -1,
		.low_mem_threshold2 = -1,
		.ct_wq_max = 10 * 1024 * 1024,
		.con_ct_wq_max = 64 * 1024,
		.ct_wq_blk_size = 4096,
		.send_close_notify = 0,
};

static struct tlsg_params_private private = {
		.engine = STR_STATIC_INIT("NONE"),
		.engine_config = STR_STATIC_INIT("NONE"),
		.engine_algorithms = STR_STATIC_INIT("ALL"),
		.handshake_timeout_s = 30,
		.handshakes_max = -1,
		.send_timeout_s = NOT_SET,
		.outgoing_sni = 1,
		.certificate_warn_days = STR_STATIC_INIT("30,7,1"),
};

static void *handle = &values;
static int processes;
static bool memory_is_counted = true;

static int config_fixup(void *cfg, str *gname, str *name, void **val);
static int timeout_fixup(void *cfg, str *gname, str *name, void **val);
static int rand_engine_set(modparam_t type, void *val);
static int password_mode_set(modparam_t type, void *val);

#define DEF_INT(name, flags, min, max, fixup, text)              \
	{                                                            \
		name, CFG_VAR_INT | (flags), min, max, fixup, NULL, text \
	}
#define DEF_STR(name, flags, fixup, text)                    \
	{                                                        \
		name, CFG_VAR_STR | (flags), 0, 0, fixup, NULL, text \
	}

/* The order is that of struct cfg_group_tls. */
static cfg_def_t definitions[] = {
		DEF_INT("force_run", CFG_READONLY, 0, 1, NULL, "run although the libraries differ from those built against"),
		DEF_STR("method", CFG_READONLY, NULL, "protocol versions of the module parameters' profile"),
		DEF_STR("server_name", CFG_READONLY, NULL, "server name of the module parameters' profile"),
		DEF_INT("server_name_mode", CFG_READONLY, 0, 1, NULL, "how server_name is compared"),
		DEF_STR("server_id", CFG_READONLY, NULL, "id by which outgoing connections find a profile"),
		DEF_INT("verify_certificate", CFG_READONLY, 0, 1, NULL, "whether a certificate presented must be valid"),
		DEF_INT("verify_depth", CFG_READONLY, 0, 100, NULL, "intermediate CAs allowed between certificate and root"),
		DEF_INT("require_certificate", CFG_READONLY, 0, 1, NULL, "whether a valid certificate must be presented"),
		DEF_STR("verify_client", CFG_READONLY, NULL, "off, on, optional or optional_no_ca"),
		DEF_STR("private_key", CFG_READONLY, NULL, "file or URI of the private key"),
		/* clang-format off */
		TLSG_CFG_SINCE_6_0(DEF_STR("private_key_password", CFG_READONLY, NULL, "always empty here: it is not shown"),)
		/* clang-format on */
		DEF_STR("ca_list", CFG_READONLY, NULL, "file of the trusted CAs"),
		DEF_STR("ca_path", CFG_READONLY, NULL, "directory of trusted CAs"),
		DEF_STR("crl", CFG_READONLY, NULL, "file of the certificate revocation lists"),
		DEF_STR("certificate", CFG_READONLY, NULL, "file or URI of the certificate chain"),
		DEF_STR("cipher_list", CFG_READONLY, NULL, "cipher suites: OpenSSL cipher string or GnuTLS priority string"),
		DEF_INT("session_cache", CFG_READONLY, 0, 1, NULL, "whether sessions can be resumed"),
		DEF_STR("session_id", CFG_READONLY, NULL, "context of resumption"),
		DEF_STR("config", 0, config_fixup, "file or directory with the profiles, read at the next tls.reload"),
		DEF_INT("log", CFG_ATOMIC, 0, 1000, NULL, "log level of informational lines"),
		DEF_INT("debug", CFG_ATOMIC, 0, 1000, NULL, "log level of debug lines"),
		DEF_INT("connection_timeout", CFG_ATOMIC, -1, INT_MAX, timeout_fixup,
				"idle lifetime of a connection: set in seconds (-1 never), shown in ticks of 1/16 s"),
		DEF_INT("disable_compression", CFG_READONLY, 0, 1, NULL, "no effect: there is no compression"),
		DEF_INT("ssl_release_buffers", CFG_READONLY, -1, 1, NULL, "no effect: OpenSSL only"),
		DEF_INT("ssl_free_list_max", CFG_READONLY, -1, 1 << 30, NULL, "no effect: OpenSSL only"),
		DEF_INT("ssl_max_send_fragment", CFG_READONLY, -1, 65536, NULL, "largest payload of a record sent, in bytes"),
		DEF_INT("ssl_read_ahead", CFG_READONLY, -1, 1, NULL, "no effect: OpenSSL only"),
		DEF_INT("low_mem_threshold1", CFG_ATOMIC, -1, 1 << 30, NULL,
				"KB of free shared memory below which no new connection is taken (0 off, -1 default)"),
		DEF_INT("low_mem_threshold2", CFG_ATOMIC, -1, 1 << 30, NULL,
				"KB of free shared memory below which nothing is done on existing connections (0 off, -1 default)"),
		DEF_INT("ct_wq_max", CFG_ATOMIC, 0, 1 << 30, NULL, "bytes of clear text waiting on all connections together"),
		DEF_INT("con_ct_wq_max", CFG_ATOMIC, 0, 4 * 1024 * 1024, NULL, "bytes of clear text waiting on one connection"),
		DEF_INT("ct_wq_blk_size", CFG_ATOMIC, 1, 65536, NULL, "smallest block of that queue, in bytes"),
		DEF_INT("send_close_notify", CFG_ATOMIC, 0, 1, NULL, "whether a close_notify is sent before closing"),
		{NULL, 0, 0, 0, NULL, NULL, NULL},
};

param_export_t tlsg_mod_params[] = {
		{"tls_method", PARAM_STR, &values.method},
		{"server_name", PARAM_STR, &values.server_name},
		{"verify_certificate", PARAM_INT, &values.verify_certificate},
		{"verify_depth", PARAM_INT, &values.verify_depth},
		{"require_certificate", PARAM_INT, &values.require_certificate},
		{"verify_client", PARAM_STR, &values.verify_client},
		{"verify_name", PARAM_INT, &private.verify_name},
		{"private_key", PARAM_STR, &values.private_key},
		{"private_key_password", PARAM_STR, &private.private_key_password},
		{"key_password_mode", PARAM_INT | PARAM_USE_FUNC, (void *)password_mode_set},
		{"certificate", PARAM_STR, &values.certificate},
		{"certificate2", PARAM_STR, &private.certificate2},
		{"private_key2", PARAM_STR, &private.private_key2},
		{"private_key_password2", PARAM_STR, &private.private_key_password2},
		{"certificate_warn_days", PARAM_STR, &private.certificate_warn_days},
		{"ca_list", PARAM_STR, &values.ca_list},
		{"ca_path", PARAM_STR, &values.ca_path},
		{"crl", PARAM_STR, &values.crl},
		{"cipher_list", PARAM_STR, &values.cipher_list},
		{"config", PARAM_STR, &values.config},
		{"connection_timeout", PARAM_INT, &values.connection_timeout},
		{"handshake_timeout", PARAM_INT, &private.handshake_timeout_s},
		{"handshakes_max", PARAM_INT, &private.handshakes_max},
		{"handshakes_per_address", PARAM_INT, &private.handshakes_per_address},
		{"send_timeout", PARAM_INT, &private.send_timeout_s},
		{"session_cache", PARAM_INT, &values.session_cache},
		{"session_id", PARAM_STR, &values.session_id},
		{"renegotiation", PARAM_INT, &private.renegotiation},
		{"outgoing_sni", PARAM_INT, &private.outgoing_sni},
		{"xavp_cfg", PARAM_STR, &private.xavp_cfg},
		{"event_callback", PARAM_STR, &private.event_callback},
		{"tls_log", PARAM_INT, &values.log},
		{"tls_debug", PARAM_INT, &values.debug},
		{"send_close_notify", PARAM_INT, &values.send_close_notify},
		{"con_ct_wq_max", PARAM_INT, &values.con_ct_wq_max},
		{"ct_wq_max", PARAM_INT, &values.ct_wq_max},
		{"ct_wq_blk_size", PARAM_INT, &values.ct_wq_blk_size},
		{"low_mem_threshold1", PARAM_INT, &values.low_mem_threshold1},
		{"low_mem_threshold2", PARAM_INT, &values.low_mem_threshold2},
		{"tls_force_run", PARAM_INT, &values.force_run},
		{"keylog_mode", PARAM_INT, &private.keylog_mode},
		{"keylog_file", PARAM_STR, &private.keylog_file},
		{"keylog_peer", PARAM_STR, &private.keylog_peer},
		{"key_isolation", PARAM_INT, &private.key_isolation},
		{"tls_disable_compression", PARAM_INT, &values.disable_compression},
		{"ssl_release_buffers", PARAM_INT, &values.ssl_release_buffers},
		{"ssl_freelist_max_len", PARAM_INT, &values.ssl_free_list_max},
		{"ssl_max_send_fragment", PARAM_INT, &values.ssl_max_send_fragment},
		{"ssl_read_ahead", PARAM_INT, &values.ssl_read_ahead},
		{"engine", PARAM_STR, &private.engine},
		{"engine_config", PARAM_STR, &private.engine_config},
		{"engine_algorithms", PARAM_STR, &private.engine_algorithms},
		{"rand_engine", PARAM_STR | PARAM_USE_FUNC, (void *)rand_engine_set},
		{"init_mode", PARAM_INT, &private.init_mode},
		{"provider_quirks", PARAM_INT, &private.provider_quirks},
		{"provider_quirks_config", PARAM_STR, &private.provider_quirks_config},
		{NULL, 0, NULL},
};

/* What a number may be at start. The core checks ranges only when a variable is set at runtime. */
static const struct
{
	const char *name;
	const int *value;
	int min;
	int max;
	int also; /* one value outside the range that is allowed too; same as min: none */
} ranges[] = {
		{"verify_certificate", &values.verify_certificate, 0, 1, 0},
		{"verify_depth", &values.verify_depth, 0, 100, 0},
		{"require_certificate", &values.require_certificate, 0, 1, 0},
		{"verify_name", &private.verify_name, 0, 2, 0},
		{"key_password_mode", &private.key_password_mode, 0, 1, 0},
		{"handshake_timeout", &private.handshake_timeout_s, 0, 86400, 0},
		{"handshakes_max", &private.handshakes_max, 0, 1 << 20, -1},
		{"handshakes_per_address", &private.handshakes_per_address, 0, 1 << 20, 0},
		{"session_cache", &values.session_cache, 0, 1, 0},
		{"renegotiation", &private.renegotiation, 0, 1, 0},
		{"outgoing_sni", &private.outgoing_sni, 0, 1, 0},
		{"tls_log", &values.log, L_ALERT, 1000, L_ALERT},
		{"tls_debug", &values.debug, L_ALERT, 1000, L_ALERT},
		{"send_close_notify", &values.send_close_notify, 0, 1, 0},
		{"con_ct_wq_max", &values.con_ct_wq_max, 0, 4 * 1024 * 1024, 0},
		{"ct_wq_max", &values.ct_wq_max, 0, 1 << 30, 0},
		{"ct_wq_blk_size", &values.ct_wq_blk_size, 1, 65536, 1},
		{"low_mem_threshold1", &values.low_mem_threshold1, 0, 1 << 30, -1},
		{"low_mem_threshold2", &values.low_mem_threshold2, 0, 1 << 30, -1},
		{"tls_force_run", &values.force_run, 0, 1, 0},
		{"keylog_mode", &private.keylog_mode, 0, 2047, 0},
		{"key_isolation", &private.key_isolation, 0, 1, 0},
		{"tls_disable_compression", &values.disable_compression, 0, 1, 0},
		{"ssl_release_buffers", &values.ssl_release_buffers, -1, 1, -1},
		{"ssl_freelist_max_len", &values.ssl_free_list_max, -1, 1 << 30, -1},
		{"ssl_max_send_fragment", &values.ssl_max_send_fragment, 512, 16384, -1},
		{"ssl_read_ahead", &values.ssl_read_ahead, -1, 1, -1},
};

/* Numbers that steer OpenSSL alone. */
static const struct
{
	const char *name;
	const int *value;
	int unset;
	const char *why;
} without_effect[] = {
		{"tls_disable_compression", &values.disable_compression, 1, "GnuTLS has no compression"},
		{"ssl_release_buffers", &values.ssl_release_buffers, -1, "buffers are always released"},
		{"ssl_freelist_max_len", &values.ssl_free_list_max, -1, "GnuTLS has no free lists"},
		{"ssl_read_ahead", &values.ssl_read_ahead, 0, "all that was received is always read"},
		{"tls_force_run", &values.force_run, 0, "no version of GnuTLS is refused"},
		{"init_mode", &private.init_mode, 0, "it steers OpenSSL's start"},
		{"provider_quirks", &private.provider_quirks, 0, "it steers OpenSSL's providers"},
};

/* Texts that steer OpenSSL alone. */
static const struct
{
	const char *name;
	const str *value;
	const char *unset; /* NULL: anything that is set is worth a line */
	const char *why;
} texts_without_effect[] = {
		{"engine_algorithms", &private.engine_algorithms, "ALL", "a token is used for its keys only"},
		{"provider_quirks_config", &private.provider_quirks_config, NULL, "it steers OpenSSL's providers"},
		{"rand_engine", &private.rand_engine, NULL, "GnuTLS has its own generator"},
};

/* The directory of the main configuration file with its last '/'; empty when the core does not know an absolute one. */
static str config_dir(void)
{
	str dir = {cfg_file, 0};
	const char *slash = cfg_file != NULL && cfg_file[0] == '/' ? strrchr(cfg_file, '/') : NULL;

	if(slash != NULL)
		dir.len = (int)(slash - cfg_file) + 1;
	return dir;
}

/* Makes a path absolute in memory that stays. def: what stands for a path that is not set, NULL none. */
static int path_convert(const char *name, str *path, const char *def)
{
	str dir = config_dir();
	str from = {(char *)def, def != NULL ? (int)strlen(def) : 0};
	char buf[TLSG_PATH_SIZE];
	char *copy;
	int len;

	if(path->s != NULL)
		from = *path;
	if(!tlsg_path_is_relative(&from))
		return 0;
	len = tlsg_path_absolute(&dir, &from, buf);
	if(dir.len == 0 || len < 0) {
		LM_ERR("parameter \"%s\": \"%.*s\" cannot be made a path in the directory of \"%s\" (allowed: %d bytes)\n",
				name, from.len, from.s, cfg_file != NULL ? cfg_file : "", TLSG_PATH_SIZE - 1);
		return -1;
	}
	copy = pkg_malloc((size_t)len + 1);
	if(copy == NULL) {
		PKG_MEM_ERROR;
		return -1;
	}
	memcpy(copy, buf, (size_t)len + 1);
	path->s = copy;
	path->len = len;
	return 0;
}

/* The cfg group can be read by any RPC client: it shows where a key is, never its PIN. What was configured is kept apart. */
static void pins_hide(void)
{
	static char shown[3][PIN_FREE_SIZE];
	str *const paths[] = {&values.certificate, &values.private_key, &values.ca_list};
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
	if(path_convert("config", &values.config, NULL) < 0
			|| path_convert("certificate", &values.certificate, TLS_CERT_FILE) < 0
			/* a PKCS#12 file brings its key */
			|| path_convert("private_key", &values.private_key,
					   tlsg_key_file_name_is_pkcs12(&values.certificate) ? NULL : TLS_PKEY_FILE)
					   < 0
			|| path_convert("ca_list", &values.ca_list, TLS_CA_FILE) < 0
			|| path_convert("ca_path", &values.ca_path, TLS_CA_PATH) < 0
			|| path_convert("crl", &values.crl, TLS_CRL_FILE) < 0)
		return -1;
	if(path_convert("certificate2", &private.certificate2, NULL) < 0
			|| path_convert("private_key2", &private.private_key2, NULL) < 0
			|| (strncasecmp(private.engine_config.s, "NONE", 4) != 0
					&& path_convert("engine_config", &private.engine_config, NULL) < 0)
			|| path_convert("keylog_file", &private.keylog_file, NULL) < 0)
		return -1;
	return 0;
}

/* Seconds to ticks without overflow; negative is never. */
static int seconds_to_ticks(int seconds)
{
	int64_t ticks = (int64_t)seconds * TIMER_TICKS_HZ;

	if(seconds < 0)
		return TICKS_NEVER;
	if(ticks <= TICKS_NEVER)
		return (int)ticks;
	LM_WARN("connection_timeout: %d seconds are more than can be counted, taken as never\n", seconds);
	return TICKS_NEVER;
}

/* Runs at each change of `connection_timeout` at runtime. */
static int timeout_fixup(void *cfg, str *gname, str *name, void **val)
{
	(void)cfg;
	(void)gname;
	(void)name;
	*val = (void *)(long)seconds_to_ticks((int)(long)*val);
	return 0;
}

/* Runs at each change of `config` at runtime. The core copies the value at once, so one buffer will do. */
static int config_fixup(void *cfg, str *gname, str *name, void **val)
{
	static char buf[TLSG_PATH_SIZE];
	str *path = *val;
	str dir = config_dir();
	int len;

	(void)cfg;
	if(path == NULL || !tlsg_path_is_relative(path))
		return 0;
	len = tlsg_path_absolute(&dir, path, buf);
	if(dir.len == 0 || len < 0) {
		LM_ERR("%.*s.%.*s: \"%.*s\" cannot be made a path in the directory of \"%s\" (allowed: %d bytes)\n", gname->len,
				gname->s, name->len, name->s, path->len, path->s, cfg_file != NULL ? cfg_file : "", TLSG_PATH_SIZE - 1);
		return -1;
	}
	path->s = buf;
	path->len = len;
	return 0;
}

/* Remembers the name only: OpenSSL's generators are not replaced. */
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

/* Whoever is to ask later has the terminal only now. */
static int password_mode_set(modparam_t type, void *val)
{
	(void)type;
	private.key_password_mode = (int)(long)val;
	if(private.key_password_mode == 1)
		tlsg_terminal_open();
	return 0;
}

static int ranges_check(void)
{
	char also[32];
	size_t i;
	int v, bad = 0;

	for(i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		v = *ranges[i].value;
		if((v >= ranges[i].min && v <= ranges[i].max) || v == ranges[i].also)
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

/* Reads "30,7,1". @return 0, or -1 for anything else. */
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
	if(tlsg_method_parse(values.method.s, (size_t)values.method.len, &method, &err) != TLSG_OK) {
		LM_ERR("parameter \"tls_method\": %s\n", err.text);
		return -1;
	}
	if(!tlsg_value_is_set(&values.config) && method->id == TLSG_METHOD_TLSV1)
		LM_WARN("parameter \"tls_method\": \"%.*s\" means TLS 1.0 and nothing newer, which most peers refuse; write "
				"TLSv1.2+\n",
				values.method.len, values.method.s);
	return 0;
}

static int texts_check(void)
{
	enum tlsg_verify_client client;
	int bad = method_check();

	if(!tlsg_value_verify_client(&values.verify_client, &client)) {
		LM_ERR("parameter \"verify_client\": \"%.*s\" is not allowed (allowed: off, on, optional, optional_no_ca)\n",
				values.verify_client.len, values.verify_client.s);
		bad = -1;
	}
	if(tlsg_value_is_set(&private.certificate_warn_days) && warn_days_read(&private.certificate_warn_days) < 0) {
		LM_ERR("parameter \"certificate_warn_days\": \"%.*s\" is not allowed (allowed: up to %d numbers of days from 0 "
			   "to %d,"
			   " separated by commas)\n",
				private.certificate_warn_days.len, private.certificate_warn_days.s, TLSG_WARN_DAYS_MAX, WARN_DAY_MAX);
		bad = -1;
	}
	return bad;
}

static int keylog_check(void)
{
	int bad = 0;

	if((private.keylog_mode & TLSG_KEYLOG_FILE) && !tlsg_value_is_set(&private.keylog_file)) {
		LM_ERR("parameter \"keylog_file\" is missing: keylog_mode %d has bit %d\n", private.keylog_mode,
				TLSG_KEYLOG_FILE);
		bad = -1;
	}
	if((private.keylog_mode & TLSG_KEYLOG_PEER) && !tlsg_value_is_set(&private.keylog_peer)) {
		LM_ERR("parameter \"keylog_peer\" is missing: keylog_mode %d has bit %d\n", private.keylog_mode,
				TLSG_KEYLOG_PEER);
		bad = -1;
	}
	return bad;
}

/* One line for each setting that was changed and changes nothing here. */
static void without_effect_tell(void)
{
	size_t i;

	for(i = 0; i < sizeof(without_effect) / sizeof(without_effect[0]); i++)
		if(*without_effect[i].value != without_effect[i].unset)
			LM_INFO("parameter \"%s\": %d has no effect here: %s\n", without_effect[i].name, *without_effect[i].value,
					without_effect[i].why);
	for(i = 0; i < sizeof(texts_without_effect) / sizeof(texts_without_effect[0]); i++) {
		const str *v = texts_without_effect[i].value;
		const char *unset = texts_without_effect[i].unset;

		if(!tlsg_value_is_set(v)
				|| (unset != NULL && (size_t)v->len == strlen(unset) && strncasecmp(v->s, unset, (size_t)v->len) == 0))
			continue;
		LM_INFO("parameter \"%s\": \"%.*s\" has no effect here: %s\n", texts_without_effect[i].name, v->len, v->s,
				texts_without_effect[i].why);
	}
	if(private.send_timeout_s != NOT_SET)
		LM_WARN("parameter \"send_timeout\": %d has no effect: obsolete, use tcp_send_timeout of the core\n",
				private.send_timeout_s);
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
	without_effect_tell();
	values.connection_timeout = seconds_to_ticks(values.connection_timeout);
	if(cfg_declare("tls", definitions, &values, cfg_sizeof(tls), &handle) != 0) {
		LM_ERR("the configuration group \"tls\" cannot be declared: is another tls module loaded?\n");
		return -1;
	}
	return 0;
}

const struct cfg_group_tls *tlsg_params_cfg(void)
{
	return handle;
}

const struct tlsg_params_private *tlsg_params_private(void)
{
	return &private;
}

int tlsg_params_fill_settings(struct tlsg_prof_settings *s)
{
	const struct cfg_group_tls *cfg = tlsg_params_cfg();
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
	const struct cfg_group_tls *cfg = tlsg_params_cfg();

	memset(o, 0, sizeof(*o));
	o->session_id = cfg->session_id;
	o->session_cache = cfg->session_cache != 0;
	o->config_dir = config_dir();
}

int tlsg_params_init_thresholds(int count)
{
	uint64_t low1, low2;

	if(count <= 0) {
		LM_BUG("%d processes\n", count);
		return -1;
	}
	processes = count;
	memory_is_counted = shm_available() != (unsigned long)-1;
	if(!memory_is_counted)
		LM_WARN("the core does not count free shared memory: low_mem_threshold1 and 2 have no effect\n");
	low1 = tlsg_params_low_mem_bytes(TLSG_LOW_MEM_NEW);
	low2 = tlsg_params_low_mem_bytes(TLSG_LOW_MEM_EXISTING);
	LM_WARN("with less than %llu bytes of free shared memory no new TLS connection is taken, with less than %llu bytes "
			"nothing is"
			" done on existing ones (0: never refused)\n",
			(unsigned long long)low1, (unsigned long long)low2);
	if(low1 >= shm_mem_size || low2 >= shm_mem_size)
		LM_WARN("that is not less than all shared memory there is (%lu bytes): every TLS connection will be refused\n",
				(unsigned long)shm_mem_size);
	return 0;
}

uint64_t tlsg_params_low_mem_bytes(enum tlsg_low_mem which)
{
	int kb = which == TLSG_LOW_MEM_NEW ? TLSG_CFG(low_mem_threshold1) : TLSG_CFG(low_mem_threshold2);

	if(!memory_is_counted)
		return 0;
	if(kb >= 0)
		return (uint64_t)kb * 1024;
	return (uint64_t)processes * (which == TLSG_LOW_MEM_NEW ? 512 : 256) * 1024;
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
