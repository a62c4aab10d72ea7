/*
 * tls_gnutls - UDP sockets that speak DTLS: the parameter dtls_listen
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: set while the configuration is parsed and in mod_init (attendant, before any fork); read by all processes.
 * Memory: static.  Lock: none.
 */
#include "gnutls_mod/mod_dtls_listen.h"

#include "core/socket_info.h"

#include "base/host.h"
#include "gnutls_mod/mod_udp.h"

#define NAMES_BYTES 1024

/* One value of the parameter. */
struct wanted
{
	struct ip_addr ip;
	unsigned short port;
	struct socket_info *si; /* NULL before tlsg_dtls_listen_resolve() */
};

static struct wanted sockets[TLSG_DTLS_SOCKETS_MAX];
static unsigned sockets_len;
static int (*on_first)(void);

void tlsg_dtls_listen_prepare(int (*cb)(void))
{
	on_first = cb;
}

int tlsg_dtls_listen_set(modparam_t type, void *val)
{
	const str *text = val;
	struct wanted w = {0};
	unsigned i;

	(void)type;
	if(!tlsg_udp_parse(text, &w.ip, &w.port)) {
		LM_ERR("parameter \"dtls_listen\": \"%.*s\" is not allowed (allowed: udp:ip:port, as in a listen= line)\n",
				text->len, text->s);
		return -1;
	}
	for(i = 0; i < sockets_len; i++) {
		if(sockets[i].port == w.port && ip_addr_cmp(&sockets[i].ip, &w.ip)) {
			LM_ERR("parameter \"dtls_listen\": \"%.*s\" is given twice; remove one\n", text->len, text->s);
			return -1;
		}
	}
	if(sockets_len == TLSG_DTLS_SOCKETS_MAX) {
		LM_ERR("parameter \"dtls_listen\": more than %d sockets; \"%.*s\" is one too many\n", TLSG_DTLS_SOCKETS_MAX,
				text->len, text->s);
		return -1;
	}
	sockets[sockets_len++] = w;
	return sockets_len == 1 && on_first != NULL ? on_first() : 0;
}

/* Writes the names of the core's UDP sockets, as far as there is room. */
static const char *names_of_udp(char *text, size_t size)
{
	const struct socket_info *si;
	size_t used = 0;

	text[0] = '\0';
	for(si = udp_listen; si != NULL; si = si->next) {
		int n = snprintf(text + used, size - used, "%s%.*s", used > 0 ? ", " : "", si->sock_str.len, si->sock_str.s);

		if(n < 0 || (size_t)n >= size - used)
			break;
		used += (size_t)n;
	}
	return used > 0 ? text : "none";
}

int tlsg_dtls_listen_resolve(void)
{
	char names[NAMES_BYTES];
	unsigned i;

	for(i = 0; i < sockets_len; i++) {
		struct wanted *w = &sockets[i];

		w->si = find_si(&w->ip, w->port, PROTO_UDP);
		if(w->si != NULL && (w->si->flags & SI_IS_MCAST)) {
			LM_ERR("parameter \"dtls_listen\": udp:%s:%d is a multicast address, DTLS has two ends; choose another "
				   "socket\n",
					ip_addr2a(&w->ip), w->port);
			return -1;
		}
		if(w->si != NULL)
			continue;
		LM_ERR("parameter \"dtls_listen\": no listen= line is for udp:%s:%d; the UDP sockets are: %s\n",
				ip_addr2a(&w->ip), w->port, names_of_udp(names, sizeof(names)));
		return -1;
	}
	return 0;
}

unsigned tlsg_dtls_listen_count(void)
{
	return sockets_len;
}

int tlsg_dtls_listen_find(const struct socket_info *si)
{
	unsigned i;

	if(si == NULL || si->proto != PROTO_UDP)
		return -1;
	for(i = 0; i < sockets_len; i++) {
		const struct socket_info *own = sockets[i].si;

		if(own == si || (own != NULL && own->socket != -1 && own->socket == si->socket))
			return (int)i;
	}
	return -1;
}

struct socket_info *tlsg_dtls_listen_socket(int number)
{
	return sockets[number].si;
}
