/*
 * tls_gnutls - CA certificates and CRLs that chains are verified with: shared as bytes, parsed once per process that
 * needs them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: indexed by the builder of a snapshot; parsed by each process at its first handshake that verifies.
 * Memory: bytes in the snapshot's arena (shm); parsed lists on this process's heap.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif

#include "profiles/verify/trust.h"

#include <stdlib.h>

#include "base/arena.h"
#include "profiles/verify/crt.h"

#define NAME_LENGTH 2 /* bytes before each name of the list: RFC 5246, section 7.4.4; RFC 8446, section 4.2.4 */

static int trust_name_cmp(const void *pa, const void *pb)
{
	const struct tlsg_trust_name *a = pa;
	const struct tlsg_trust_name *b = pb;
	int cmp;

	if(a->dn.size != b->dn.size)
		return a->dn.size < b->dn.size ? -1 : 1;
	cmp = memcmp(a->dn.data, b->dn.data, a->dn.size);
	if(cmp != 0)
		return cmp;
	return a->ca < b->ca ? -1 : a->ca > b->ca;
}

/* Finds the configured CA that signed a list, so that handshakes need not check the signature again. */
static void find_signer(const struct tlsg_trust *t, struct tlsg_crl *crl)
{
	gnutls_datum_t dn = {crl->issuer.data, crl->issuer.size};
	unsigned first, n, i;

	n = tlsg_trust_find(t, &dn, &first);
	for(i = 0; i < n && crl->signer < 0; i++) {
		unsigned ca = t->names[first + i].ca;
		gnutls_x509_crt_t crt;

		if(tlsg_crt_parse(&t->cas[ca], &crt) < 0)
			return;
		if(tlsg_crl_is_of(crl, crt, &dn) && tlsg_crl_is_signed_by(crl, crt))
			crl->signer = (int)ca;
		gnutls_x509_crt_deinit(crt);
	}
}

/* The subject's bytes inside a certificate. */
static bool name_of(const struct tlsg_der *ca, struct tlsg_der *out)
{
	gnutls_datum_t dn = {NULL, 0};
	gnutls_x509_crt_t crt;
	bool found = false;

	if(tlsg_crt_parse(ca, &crt) < 0)
		return false;
	if(gnutls_x509_crt_get_raw_dn(crt, &dn) == 0) {
		out->data = memmem(ca->data, ca->size, dn.data, dn.size);
		out->size = dn.size;
		found = out->data != NULL;
		gnutls_free(dn.data);
	}
	gnutls_x509_crt_deinit(crt);
	return found;
}

enum tlsg_ret tlsg_trust_index(struct tlsg_trust *t, struct tlsg_arena *arena, struct tlsg_err *err)
{
	size_t size = t->cas_len * sizeof(*t->names);
	unsigned i;

	t->names = tlsg_arena_keep(arena, size);
	if(t->names == NULL)
		return tlsg_err_no_shm(err, NULL, size);
	for(i = 0; i < t->cas_len; i++) {
		t->names[i].ca = i;
		if(!name_of(&t->cas[i], &t->names[i].dn))
			return tlsg_err_set(err, TLSG_E_RESOURCE, "out of memory");
		if(i < t->cas_listed)
			t->names_bytes += NAME_LENGTH + t->names[i].dn.size;
	}
	t->cas_announced = t->names_bytes <= TLSG_TRUST_NAMES_MAX ? t->cas_listed : 0;
	qsort(t->names, t->cas_len, sizeof(*t->names), trust_name_cmp);
	for(i = 0; i < t->crls_len; i++) {
		struct tlsg_crl *crl = &t->crls[i];

		find_signer(t, crl);
		if(crl->next_update != 0 && (t->crl_next_update == 0 || crl->next_update < t->crl_next_update))
			t->crl_next_update = crl->next_update;
	}
	return TLSG_OK;
}

gnutls_x509_trust_list_t tlsg_trust_parse(const struct tlsg_trust *t)
{
	gnutls_x509_trust_list_t list = NULL;
	unsigned i;

	if(gnutls_x509_trust_list_init(&list, 0) < 0)
		return NULL;
	for(i = 0; i < t->cas_len; i++) {
		gnutls_x509_crt_t crt;

		if(tlsg_crt_parse(&t->cas[i], &crt) < 0
				|| gnutls_x509_trust_list_add_cas(list, &crt, 1, i < t->cas_announced ? GNUTLS_TL_USE_IN_TLS : 0)
						   != 1) {
			if(crt != NULL)
				gnutls_x509_crt_deinit(crt);
			gnutls_x509_trust_list_deinit(list, 1);
			return NULL;
		}
	}
	return list;
}

unsigned tlsg_trust_find(const struct tlsg_trust *t, const gnutls_datum_t *dn, unsigned *first)
{
	struct tlsg_trust_name key = {.dn = {dn->data, dn->size}, .ca = 0};
	unsigned low = 0, high = t->cas_len, n;

	while(low < high) {
		unsigned middle = low + (high - low) / 2;

		if(trust_name_cmp(&t->names[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	for(n = 0; low + n < t->cas_len; n++) {
		key.ca = t->names[low + n].ca;
		if(trust_name_cmp(&t->names[low + n], &key) != 0)
			break;
	}
	return n;
}
