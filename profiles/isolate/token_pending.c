/*
 * tls_gnutls - key isolation: requests that the token process has not replied to yet
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap.  Lock: none.
 */
#include "profiles/isolate/token_pending.h"

#include <stdio.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "pkcs11/p11_probe.h"

static struct tlsg_token_pending *pending;
static uint32_t last_serial;

struct tlsg_token_pending *tlsg_token_pending_add(
		struct tlsg_token_source *client, struct tlsg_token_keys_entry *entry, const struct tlsg_wire_head *head)
{
	struct tlsg_token_pending *p = gnutls_calloc(1, sizeof(*p));

	if(p == NULL)
		return NULL;
	if(++last_serial == 0)
		last_serial = 1; /* 0 stands for any */
	p->serial = last_serial;
	p->client = client;
	p->entry = entry;
	p->head = *head;
	p->since_ms = tlsg_p11_probe_clock();
	p->next = pending;
	pending = p;
	client->waiting++;
	return p;
}

void tlsg_token_pending_remove(struct tlsg_token_pending *p)
{
	struct tlsg_token_pending **at;

	for(at = &pending; *at != p; at = &(*at)->next)
		;
	*at = p->next;
	p->client->waiting--;
	gnutls_free(p);
}

struct tlsg_token_pending *tlsg_token_pending_find(const struct tlsg_token_keys_entry *entry, uint32_t serial)
{
	struct tlsg_token_pending *p;

	for(p = pending; p != NULL; p = p->next)
		if(p->entry == entry && (serial == 0 || p->serial == serial))
			return p;
	return NULL;
}

const struct tlsg_token_pending *tlsg_token_pending_first(void)
{
	return pending;
}

void tlsg_token_pending_refuse(struct tlsg_token_source *client, const struct tlsg_wire_head *head, const char *uri,
		int code, const char *text)
{
	struct tlsg_wire_head reply = *head;
	char named[TLSG_ERR_TEXT];

	if(head->request == TLSG_WIRE_OP) {
		snprintf(named, sizeof(named), "private_key \"%.200s\": %.280s", uri, text);
		text = named;
	}
	reply.code = code;
	tlsg_token_source_send(client, &reply, text, strlen(text));
}

void tlsg_token_pending_refuse_all(const struct tlsg_token_keys_entry *entry, const char *uri, const char *text)
{
	struct tlsg_token_pending *p, *next;

	for(p = pending; p != NULL; p = next) {
		next = p->next;
		if(p->entry != entry)
			continue;
		tlsg_token_pending_refuse(p->client, &p->head, uri,
				p->head.request == TLSG_WIRE_OP ? GNUTLS_E_PKCS11_ERROR : TLSG_E_CONFIG, text);
		tlsg_token_pending_remove(p);
	}
}
