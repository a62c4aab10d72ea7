/*
 * tls_gnutls - name constraints of CAs: whether the certificates below keep to them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.  Memory: this process's heap while it runs.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif

#include "profiles/verify/constraints.h"

#include <ctype.h>

#include <gnutls/x509-ext.h>

#include "profiles/verify/der.h"

#define OID_NAME_CONSTRAINTS "2.5.29.30"
#define OID_SAN "2.5.29.17"

#define NAME_DIRECTORY TLSG_DER_CONSTRUCTED(4) /* directoryName of GeneralName; explicit, X.680 section 31.2.7 */
#define NAME_DNS TLSG_DER_CONTEXT(2)
#define NAME_URI TLSG_DER_CONTEXT(6)

/* A name, and what comparing it with the subtrees of one extension has shown. */
struct comparison
{
	struct tlsg_der_element name; /* a GeneralName of the certificate */
	bool restricted;			  /* there are permitted subtrees of its kind */
	bool permitted;				  /* it lies in one */
	bool excluded;				  /* it lies in an excluded one */
};

static bool is_text(unsigned char tag)
{
	/* UTF8String, PrintableString, TeletexString, IA5String */
	return tag == 0x0c || tag == 0x13 || tag == 0x14 || tag == 0x16;
}

/* Next character to compare: in lower case, without spaces at the ends, several spaces as one. -1 at the end. */
static int next_char(const unsigned char **at, const unsigned char *begin, const unsigned char *end)
{
	const unsigned char *p = *at;

	if(p < end && *p == ' ') {
		while(p < end && *p == ' ')
			p++;
		if(*at != begin && p < end) {
			*at = p;
			return ' ';
		}
	}
	if(p == end) {
		*at = p;
		return -1;
	}
	*at = p + 1;
	return tolower(*p);
}

/* RFC 5280 section 7.1, with case folding for ASCII only. */
static bool text_equals(const struct tlsg_der_element *a, const struct tlsg_der_element *b)
{
	const unsigned char *pa = a->contents, *pb = b->contents;
	int ca, cb;

	do {
		ca = next_char(&pa, a->contents, a->contents + a->size);
		cb = next_char(&pb, b->contents, b->contents + b->size);
		if(ca != cb)
			return false;
	} while(ca >= 0);
	return true;
}

/* AttributeTypeAndValue. */
static bool attribute_equals(const struct tlsg_der_element *a, const struct tlsg_der_element *b)
{
	struct tlsg_der_reader ra = tlsg_der_inside(a), rb = tlsg_der_inside(b);
	struct tlsg_der_element oid_a, oid_b, value_a, value_b;

	if(!tlsg_der_read(&ra, &oid_a) || !tlsg_der_read(&rb, &oid_b) || !tlsg_der_equals(&oid_a, &oid_b))
		return false;
	if(!tlsg_der_read(&ra, &value_a) || !tlsg_der_read(&rb, &value_b))
		return false;
	if(is_text(value_a.tag) && is_text(value_b.tag))
		return text_equals(&value_a, &value_b);
	return tlsg_der_equals(&value_a, &value_b);
}

/* RelativeDistinguishedName: a set, in DER's order. */
static bool rdn_equals(const struct tlsg_der_element *a, const struct tlsg_der_element *b)
{
	struct tlsg_der_reader ra = tlsg_der_inside(a), rb = tlsg_der_inside(b);
	struct tlsg_der_element x, y;

	while(!tlsg_der_is_end(&ra) && !tlsg_der_is_end(&rb))
		if(!tlsg_der_read_tagged(&ra, TLSG_DER_SEQUENCE, &x) || !tlsg_der_read_tagged(&rb, TLSG_DER_SEQUENCE, &y)
				|| !attribute_equals(&x, &y))
			return false;
	return tlsg_der_is_end(&ra) && tlsg_der_is_end(&rb);
}

/* Whether a directory name begins with the whole of another. Both are contents of [4]: one SEQUENCE. */
static bool directory_is_in(const struct tlsg_der_element *name, const struct tlsg_der_element *base)
{
	struct tlsg_der_reader rn = tlsg_der_inside(name), rb = tlsg_der_inside(base);
	struct tlsg_der_element n, b, x, y;

	if(!tlsg_der_read_tagged(&rn, TLSG_DER_SEQUENCE, &n) || !tlsg_der_read_tagged(&rb, TLSG_DER_SEQUENCE, &b))
		return false;
	rn = tlsg_der_inside(&n);
	rb = tlsg_der_inside(&b);
	while(!tlsg_der_is_end(&rb))
		if(!tlsg_der_read_tagged(&rb, TLSG_DER_SET, &y) || !tlsg_der_read_tagged(&rn, TLSG_DER_SET, &x)
				|| !rdn_equals(&x, &y))
			return false;
	return true;
}

static bool ends_with(const unsigned char *text, size_t size, const unsigned char *end, size_t end_size)
{
	size_t i;

	if(size < end_size)
		return false;
	for(i = 0; i < end_size; i++)
		if(tolower(text[size - end_size + i]) != tolower(end[i]))
			return false;
	return true;
}

/* The host of a URI that has an authority without user information. @return its size; 0: not such a URI. */
static size_t uri_host(const struct tlsg_der_element *uri, const unsigned char **host)
{
	const unsigned char *end = uri->contents + uri->size, *at, *port;
	size_t size = 0;

	at = memmem(uri->contents, uri->size, "://", 3);
	if(at == NULL || memchr(uri->contents, ':', uri->size) != at)
		return 0;
	at += 3;
	while(at + size < end && at[size] != '/' && at[size] != '?' && at[size] != '#')
		size++;
	if(memchr(at, '@', size) != NULL)
		return 0;
	*host = at;
	port = memchr(at, ':', size);
	return port != NULL ? (size_t)(port - at) : size;
}

/* A base that begins with a dot stands for all hosts below it, any other for the host itself. */
static bool uri_is_in(const struct tlsg_der_element *uri, const struct tlsg_der_element *base)
{
	const unsigned char *host;
	size_t size = uri_host(uri, &host);

	if(size == 0)
		return false;
	if(base->size > 0 && base->contents[0] == '.')
		return size > base->size && ends_with(host, size, base->contents, base->size);
	return size == base->size && ends_with(host, size, base->contents, base->size);
}

static bool name_is_in(const struct tlsg_der_element *name, const struct tlsg_der_element *base)
{
	return name->tag == NAME_DIRECTORY ? directory_is_in(name, base) : uri_is_in(name, base);
}

/* Compares a name with the GeneralSubtrees of one side. @return false: malformed. */
static bool compare_side(struct comparison *c, const struct tlsg_der_element *side, bool is_permitted)
{
	struct tlsg_der_reader r = tlsg_der_inside(side), in;
	struct tlsg_der_element subtree, base;

	while(!tlsg_der_is_end(&r)) {
		if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &subtree))
			return false;
		in = tlsg_der_inside(&subtree);
		if(!tlsg_der_read(&in, &base))
			return false;
		if(base.tag != c->name.tag)
			continue;
		if(is_permitted) {
			c->restricted = true;
			c->permitted = c->permitted || name_is_in(&c->name, &base);
		} else
			/* a URI without a host may lie inside: refused */
			c->excluded = c->excluded || name_is_in(&c->name, &base)
						  || (base.tag == NAME_URI && uri_host(&c->name, &(const unsigned char *){NULL}) == 0);
	}
	return true;
}

/* Whether one GeneralName of a certificate keeps to the constraints. */
static bool name_holds(const gnutls_datum_t *constraints, const struct tlsg_der_element *name)
{
	struct tlsg_der_reader r = tlsg_der_over(constraints->data, constraints->size);
	struct comparison c = {.name = *name};
	struct tlsg_der_element list, side;

	if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &list) || !tlsg_der_is_end(&r))
		return false;
	r = tlsg_der_inside(&list);
	while(!tlsg_der_is_end(&r))
		if(!tlsg_der_read(&r, &side) || !compare_side(&c, &side, side.tag == TLSG_DER_CONSTRUCTED(0)))
			return false;
	return !c.excluded && (!c.restricted || c.permitted);
}

/* The names of subjectAltName. */
static bool sans_hold(const gnutls_datum_t *constraints, const gnutls_datum_t *san)
{
	struct tlsg_der_reader r = tlsg_der_over(san->data, san->size);
	struct tlsg_der_element list, name;

	if(!tlsg_der_read_tagged(&r, TLSG_DER_SEQUENCE, &list))
		return false;
	r = tlsg_der_inside(&list);
	while(!tlsg_der_is_end(&r)) {
		if(!tlsg_der_read(&r, &name))
			return false;
		if((name.tag == NAME_DIRECTORY || name.tag == NAME_URI) && !name_holds(constraints, &name))
			return false;
	}
	return true;
}

/* The subject, taken as a directoryName. An empty one does not count. */
static bool subject_holds(const gnutls_datum_t *constraints, gnutls_x509_crt_t crt)
{
	struct tlsg_der_element name = {.tag = NAME_DIRECTORY}, sequence;
	gnutls_datum_t dn = {NULL, 0};
	struct tlsg_der_reader r;
	bool good;

	if(gnutls_x509_crt_get_raw_dn(crt, &dn) < 0)
		return false;
	name.contents = dn.data;
	name.size = dn.size;
	r = tlsg_der_inside(&name);
	good = tlsg_der_read(&r, &sequence) && (sequence.size == 0 || name_holds(constraints, &name));
	gnutls_free(dn.data);
	return good;
}

static bool has_name(const gnutls_datum_t *san, unsigned char tag)
{
	struct tlsg_der_reader r = tlsg_der_over(san->data, san->size);
	struct tlsg_der_element list, name;

	if(!tlsg_der_read(&r, &list))
		return false;
	r = tlsg_der_inside(&list);
	while(tlsg_der_read(&r, &name))
		if(name.tag == tag)
			return true;
	return false;
}

/* The kinds that GnuTLS compares. It rejects an extension with constraints of a kind that it does not know. */
static bool gnutls_holds(gnutls_x509_crt_t ca, gnutls_x509_crt_t crt, bool dns)
{
	gnutls_x509_name_constraints_t nc = NULL;
	bool good = false;

	if(gnutls_x509_name_constraints_init(&nc) < 0)
		return false;
	if(gnutls_x509_crt_get_name_constraints(ca, nc, 0, NULL) >= 0)
		good = (!dns || gnutls_x509_name_constraints_check_crt(nc, GNUTLS_SAN_DNSNAME, crt) != 0)
			   && gnutls_x509_name_constraints_check_crt(nc, GNUTLS_SAN_RFC822NAME, crt) != 0
			   && gnutls_x509_name_constraints_check_crt(nc, GNUTLS_SAN_IPADDRESS, crt) != 0;
	gnutls_x509_name_constraints_deinit(nc);
	return good;
}

bool tlsg_constraints_exist(gnutls_x509_crt_t ca)
{
	char oid[1];
	size_t size = 0;
	int rc = gnutls_x509_crt_get_extension_by_oid(ca, OID_NAME_CONSTRAINTS, 0, oid, &size, NULL);

	return rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

bool tlsg_constraints_hold(gnutls_x509_crt_t ca, gnutls_x509_crt_t crt, bool leaf)
{
	gnutls_datum_t constraints = {NULL, 0}, san = {NULL, 0};
	bool good = false;
	int rc = gnutls_x509_crt_get_extension_by_oid2(ca, OID_NAME_CONSTRAINTS, 0, &constraints, NULL);

	if(rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return true;
	if(rc < 0)
		return false;
	rc = gnutls_x509_crt_get_extension_by_oid2(crt, OID_SAN, 0, &san, NULL);
	if(rc < 0 && rc != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		goto done;
	good = subject_holds(&constraints, crt) && (rc < 0 || sans_hold(&constraints, &san))
		   && gnutls_holds(ca, crt, leaf || has_name(&san, NAME_DNS));
done:
	gnutls_free(constraints.data);
	gnutls_free(san.data);
	return good;
}
