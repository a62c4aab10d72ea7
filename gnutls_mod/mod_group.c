/*
 * tls_gnutls - the group `tls` of the core's configuration framework: settings that can be read and changed at runtime
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: declared in mod_init (attendant); read by all processes.
 * Memory: static until it is declared, then the core's block (shm).  Lock: none of its own.
 */
#include "gnutls_mod/mod_group.h"

#include <limits.h>
#include <stdint.h>

#include "base/host.h"
#include "gnutls_mod/mod_path.h"
#include "profiles/keys/path.h"

#define TICKS_NEVER INT_MAX

struct cfg_group_tls tlsg_group_defaults = {
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
		.connection_timeout = 600, /* seconds until tlsg_group_declare() */
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

static void *handle = &tlsg_group_defaults;

/* Converts seconds to ticks without overflow. Negative: never. */
static int seconds_to_ticks(int seconds)
{
	int64_t ticks = (int64_t)seconds * TIMER_TICKS_HZ;

	if(seconds < 0)
		return TICKS_NEVER;
	if(ticks <= TICKS_NEVER)
		return (int)ticks;
	LM_WARN("connection_timeout: %d seconds is too large, connections never time out\n", seconds);
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

/* Runs at each change of `config` at runtime. The core copies the value at once, so one buffer is enough. */
static int config_fixup(void *cfg, str *gname, str *name, void **val)
{
	static char buf[TLSG_PATH_SIZE];
	str *path = *val;
	int len;

	(void)cfg;
	(void)gname;
	(void)name;
	if(path == NULL || !tlsg_path_is_relative(path))
		return 0;
	len = tlsg_mod_path_make("config", path, buf);
	if(len < 0)
		return -1;
	path->s = buf;
	path->len = len;
	return 0;
}

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

int tlsg_group_declare(void)
{
	tlsg_group_defaults.connection_timeout = seconds_to_ticks(tlsg_group_defaults.connection_timeout);
	if(cfg_declare("tls", definitions, &tlsg_group_defaults, cfg_sizeof(tls), &handle) == 0)
		return 0;
	LM_ERR("cannot declare the configuration group \"tls\": is another TLS module loaded? Load only one\n");
	return -1;
}

const struct cfg_group_tls *tlsg_group_get(void)
{
	return handle;
}
