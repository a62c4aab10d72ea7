/*
 * tls_gnutls - bytes in DER, and a reader for the elements that GnuTLS has no function for
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none, everything points into the bytes read.  Lock: none.
 *
 * Definite lengths of up to four bytes and tags of one byte, which is all that certificates and CRLs use. Nothing
 * outside the given bytes is read, whatever they contain.
 */
#ifndef TLSG_PROFILES_VERIFY_DER_H
#define TLSG_PROFILES_VERIFY_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define TLSG_DER_BOOLEAN 0x01
#define TLSG_DER_INTEGER 0x02
#define TLSG_DER_BIT_STRING 0x03
#define TLSG_DER_UTC_TIME 0x17
#define TLSG_DER_GENERALIZED_TIME 0x18
#define TLSG_DER_SEQUENCE 0x30
#define TLSG_DER_SET 0x31
#define TLSG_DER_CONTEXT(n) (0x80 | (n))	 /**< [n] IMPLICIT of something primitive */
#define TLSG_DER_CONSTRUCTED(n) (0xa0 | (n)) /**< [n] of something constructed */

/** A certificate, a CRL or a name in DER. */
struct tlsg_der
{
	unsigned char *data;
	unsigned size; /**< bytes */
};

/** Whether two of them are equal byte by byte. */
static inline bool tlsg_der_is_same(const struct tlsg_der *a, const struct tlsg_der *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/** The unread rest of a constructed value: at <= end. */
struct tlsg_der_reader
{
	const unsigned char *at;
	const unsigned char *end;
};

/** One element: the whole and its contents. */
struct tlsg_der_element
{
	unsigned char tag;
	const unsigned char *all;
	const unsigned char *contents;
	size_t size; /**< of the contents */
};

/** @return a reader over bytes. @param data  NULL only when size is 0. */
static inline struct tlsg_der_reader tlsg_der_over(const void *data, size_t size)
{
	return (struct tlsg_der_reader){data, size > 0 ? (const unsigned char *)data + size : data};
}

/** @return a reader over the contents of an element. */
static inline struct tlsg_der_reader tlsg_der_inside(const struct tlsg_der_element *e)
{
	return tlsg_der_over(e->contents, e->size);
}

/** @return bytes of the whole element. */
static inline size_t tlsg_der_size(const struct tlsg_der_element *e)
{
	return (size_t)(e->contents - e->all) + e->size;
}

/** Whether everything has been read. */
static inline bool tlsg_der_is_end(const struct tlsg_der_reader *r)
{
	return r->at == r->end;
}

/** Whether there is a next element, with that tag. */
static inline bool tlsg_der_is_next(const struct tlsg_der_reader *r, unsigned char tag)
{
	return r->at != r->end && *r->at == tag;
}

/**
 * Reads a length field.
 * @return true; false: truncated, indefinite, or more than four bytes long.
 * Source: X.690 section 8.1.3.
 */
static inline bool tlsg_der_read_length(struct tlsg_der_reader *r, size_t *size)
{
	unsigned bytes;

	if(r->at == r->end)
		return false;
	*size = *r->at++;
	if(*size < 0x80)
		return true;
	bytes = (unsigned)*size & 0x7f;
	if(bytes == 0 || bytes > 4 || bytes > (size_t)(r->end - r->at))
		return false;
	for(*size = 0; bytes > 0; bytes--)
		*size = *size << 8 | *r->at++;
	return true;
}

/** Reads the next element. @param e  [out]. @return false at the end, and if it is longer than the rest. */
static inline bool tlsg_der_read(struct tlsg_der_reader *r, struct tlsg_der_element *e)
{
	if(r->at == r->end)
		return false;
	e->all = r->at;
	e->tag = *r->at++;
	if(!tlsg_der_read_length(r, &e->size) || e->size > (size_t)(r->end - r->at))
		return false;
	e->contents = r->at;
	r->at += e->size;
	return true;
}

/** Reads the next element. @return false at the end, if it is longer than the rest, and if it has another tag. */
static inline bool tlsg_der_read_tagged(struct tlsg_der_reader *r, unsigned char tag, struct tlsg_der_element *e)
{
	return tlsg_der_read(r, e) && e->tag == tag;
}

/** Whether two elements are equal byte by byte. */
static inline bool tlsg_der_equals(const struct tlsg_der_element *a, const struct tlsg_der_element *b)
{
	return a->tag == b->tag && a->size == b->size && memcmp(a->contents, b->contents, a->size) == 0;
}

#endif
