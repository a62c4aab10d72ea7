/*
 * tls_gnutls - finds the certificates and CRLs in a file
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.  Memory: what GnuTLS allocates in the caller's scope.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif

#include "profiles/pem.h"

#include <string.h>

#include "profiles/verify/der.h"

#define BEGIN "-----BEGIN "
#define BEGIN_LEN (sizeof(BEGIN) - 1)
#define DASHES "-----"

/* A certificate, a CRL, or a certificate with OpenSSL's trust settings after it. */
static const struct
{
	const char *label;
	enum tlsg_pem_kind kind;
	bool has_settings;
} labels[] = {
		{"CERTIFICATE", TLSG_PEM_CERTIFICATE, false},
		{"X509 CERTIFICATE", TLSG_PEM_CERTIFICATE, false},
		{"TRUSTED CERTIFICATE", TLSG_PEM_CERTIFICATE, true},
		{"X509 CRL", TLSG_PEM_CRL, false},
};

#define LABELS (sizeof(labels) / sizeof(labels[0]))

/* Which label a block that begins at text has. @return LABELS: none of them. */
static size_t label_of(const char *text)
{
	size_t i;

	text += BEGIN_LEN;
	for(i = 0; i < LABELS; i++) {
		size_t len = strlen(labels[i].label);

		if(strncmp(text, labels[i].label, len) == 0 && strncmp(text + len, DASHES, strlen(DASHES)) == 0)
			break;
	}
	return i;
}

/* Whether the file ends in the first line of a block. */
static bool is_cut(const char *begin, const char *end)
{
	return memchr(begin, '\n', (size_t)(end - begin)) == NULL && strstr(begin + BEGIN_LEN, DASHES) == NULL;
}

/* Separates the certificate from the settings that follow it. @return false: not DER. */
static bool settings_split(struct tlsg_pem_block *b)
{
	struct tlsg_der_reader r = tlsg_der_over(b->memory.data, b->memory.size);
	struct tlsg_der_element cert;

	if(!tlsg_der_read(&r, &cert))
		return false;
	b->der.size = (unsigned)tlsg_der_size(&cert);
	b->settings.data = b->memory.data + b->der.size;
	b->settings.size = b->memory.size - b->der.size;
	return true;
}

static enum tlsg_ret block_decode(
		const struct tlsg_pem *p, size_t label, const char *begin, struct tlsg_pem_block *b, struct tlsg_err *err)
{
	gnutls_datum_t pem = {(unsigned char *)begin, (unsigned)(p->end - begin)};
	int rc = gnutls_pem_base64_decode2(labels[label].label, &pem, &b->memory);

	b->kind = labels[label].kind;
	if(rc >= 0) {
		b->der = b->memory;
		if(!labels[label].has_settings || settings_split(b))
			return TLSG_OK;
		tlsg_pem_free(b);
		rc = GNUTLS_E_ASN1_DER_ERROR;
	}
	return tlsg_err_set(err, rc == GNUTLS_E_MEMORY_ERROR ? TLSG_E_RESOURCE : TLSG_E_CONFIG,
			"%s: a PEM block %s in \"%s\" is damaged: %s", p->setting, labels[label].label, p->file,
			gnutls_strerror(rc));
}

void tlsg_pem_open(struct tlsg_pem *p, const char *setting, const char *file, const gnutls_datum_t *data)
{
	p->setting = setting;
	p->file = file;
	p->at = (const char *)data->data;
	p->end = p->at + data->size;
	p->is_der = data->size > 2 && data->data[0] == TLSG_DER_SEQUENCE && data->data[1] >= 0x80;
}

enum tlsg_ret tlsg_pem_next(struct tlsg_pem *p, struct tlsg_pem_block *b, struct tlsg_err *err)
{
	const char *begin;
	size_t label;

	memset(b, 0, sizeof(*b));
	if(p->is_der) {
		p->is_der = false;
		b->der.data = (unsigned char *)p->at;
		b->der.size = (unsigned)(p->end - p->at);
		p->at = p->end;
		return TLSG_OK;
	}
	while((begin = memmem(p->at, (size_t)(p->end - p->at), BEGIN, BEGIN_LEN)) != NULL) {
		p->at = begin + BEGIN_LEN;
		label = label_of(begin);
		if(label < LABELS)
			return block_decode(p, label, begin, b, err);
		if(is_cut(begin, p->end))
			return tlsg_err_set(
					err, TLSG_E_CONFIG, "%s: \"%s\" ends within the first line of a PEM block", p->setting, p->file);
	}
	p->at = p->end;
	return TLSG_OK;
}

void tlsg_pem_free(struct tlsg_pem_block *b)
{
	gnutls_free(b->memory.data);
	memset(b, 0, sizeof(*b));
}
