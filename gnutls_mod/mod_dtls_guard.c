/*
 * tls_gnutls - keeps other modules from sending clear text from a socket that speaks DTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: installed in mod_init (attendant); called in any process.  Memory: none.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gnutls_mod/mod_dtls_guard.h"

#include <link.h>

#include "core/socket_info.h"
#include "core/sr_module.h"
#include "core/udp_server.h"

#include "base/host.h"
#include "base/import.h"
#include "gnutls_mod/mod_dtls_listen.h"
#include "gnutls_mod/mod_dtls_out.h"

/* What modules call in place of udp_send(). */
static int udp_send_guarded(struct dest_info *dst, char *buf, unsigned len)
{
	str text = {buf, (int)len};
	int sent = -1;

	if(tlsg_dtls_listen_find(dst->send_sock) < 0 || tlsg_dtls_out_is_record(buf, len))
		return udp_send(dst, buf, len);
	text.s = pkg_malloc(len + 1);
	if(text.s == NULL) {
		PKG_MEM_ERROR;
		return -1;
	}
	memcpy(text.s, buf, len);
	text.s[len] = '\0';
	tlsg_dtls_out_encrypt(&text, dst);
	if(text.s == NULL)
		return -1;
	if(udp_send(dst, text.s, (unsigned)text.len) >= 0)
		sent = (int)len;
	pkg_free(text.s);
	return sent;
}

/* Redirects the calls of one loaded object. @return 0 to go on; -1: failed. */
static int redirect(struct dl_phdr_info *object, size_t size, void *param)
{
	struct tlsg_import import;
	struct tlsg_err err;

	(void)size;
	(void)param;
	/* The executable itself raises the event for all that it sends; this module is the one that calls the original. */
	if(object->dlpi_name == NULL || object->dlpi_name[0] == '\0'
			|| tlsg_import_is_inside(object, (const void *)(uintptr_t)redirect))
		return 0;
	tlsg_err_clear(&err);
	if(tlsg_import_find(object, "udp_send", &import, &err) == TLSG_OK
			&& (import.count == 0 || tlsg_import_set(&import, (tlsg_import_function)udp_send_guarded, &err) == TLSG_OK))
		return 0;
	LM_ERR("DTLS: the calls of udp_send() in \"%s\" cannot be redirected (%s), so it could send clear text from a "
		   "socket "
		   "of dtls_listen; unload that module, or remove dtls_listen\n",
			object->dlpi_name, err.text);
	return -1;
}

/* Reads a parameter of another module. @return its address; NULL: the module is not loaded or has no such parameter. */
static const void *param_find(char *module, char *name, modparam_t type)
{
	struct sr_module *m = find_module_by_name(module);
	modparam_t found;

	return m != NULL ? find_param_export(m, name, type, &found) : NULL;
}

/* sipcapture takes datagrams from the same event, which has room for one module. */
static int refuse_sipcapture(void)
{
	const int *on = param_find("sipcapture", "hep_capture_on", PARAM_INT);

	if(on == NULL || *on == 0)
		return 0;
	LM_ERR("DTLS: sipcapture's hep_capture_on uses the core's event for datagrams, which dtls_listen needs; remove one "
		   "of them\n");
	return -1;
}

/* nathelper can send pings from a raw socket, in the name of any address. */
static int refuse_natping_socket(void)
{
	char *const *set = param_find("nathelper", "natping_socket", PARAM_STRING);
	int port = 0;
	int proto = PROTO_NONE;
	str host;

	if(set == NULL || *set == NULL || parse_phostport(*set, &host.s, &host.len, &port, &proto) != 0)
		return 0; /* nathelper says what is wrong */
	if(tlsg_dtls_listen_find(grep_sock_info(&host, port != 0 ? (unsigned short)port : SIP_PORT, PROTO_UDP)) < 0)
		return 0;
	LM_ERR("DTLS: nathelper's natping_socket \"%s\" is a socket of dtls_listen, pings would leave it as clear text; "
		   "choose another socket\n",
			*set);
	return -1;
}

int tlsg_dtls_guard_init(void)
{
	if(refuse_sipcapture() < 0 || refuse_natping_socket() < 0)
		return -1;
	return dl_iterate_phdr(redirect, NULL) != 0 ? -1 : 0;
}
