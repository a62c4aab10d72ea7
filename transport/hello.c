/*
 * tls_gnutls - reads the ClientHello before GnuTLS does: server name, versions, suites, what it offers
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a server handshake.  Memory: none; results point into the message.  Lock: none.
 */
#include "transport/hello.h"

#include <string.h>

#define EXT_SERVER_NAME 0
#define EXT_SUPPORTED_GROUPS 10
#define EXT_SIGNATURE_ALGORITHMS 13
#define EXT_PROTOCOLS 16
#define EXT_SESSION_TICKET 35
#define EXT_PRE_SHARED_KEY 41
#define EXT_SUPPORTED_VERSIONS 43
#define NAME_TYPE_HOST 0
#define NAME_MAX_BYTES 255
#define RANDOM_BYTES 32
#define AGE_BYTES 4
#define SESSION_ID_MAX 32
#define DTLS_MAJOR 0xfe
#define DTLS1_2 0xfefd

/* Bytes not read yet. */
struct cursor
{
	const unsigned char *at;
	size_t left;
};

static bool skip(struct cursor *c, size_t n)
{
	if(c->left < n)
		return false;
	c->at += n;
	c->left -= n;
	return true;
}

/* A big-endian number of 1 or 2 bytes. */
static bool number(struct cursor *c, unsigned bytes, size_t *out)
{
	const unsigned char *p = c->at;

	if(!skip(c, bytes))
		return false;
	*out = bytes == 1 ? p[0] : ((size_t)p[0] << 8 | p[1]);
	return true;
}

/* A vector behind a length of 1 or 2 bytes. */
static bool vector(struct cursor *c, unsigned bytes, struct cursor *out)
{
	size_t n;

	if(!number(c, bytes, &n) || c->left < n)
		return false;
	out->at = c->at;
	out->left = n;
	return skip(c, n);
}

/* Whether all bytes are visible ASCII. Others are not allowed in a host name and must not get into a log line. */
static bool is_visible(const struct cursor *c)
{
	size_t i;

	for(i = 0; i < c->left; i++)
		if(c->at[i] <= ' ' || c->at[i] > '~')
			return false;
	return true;
}

static bool read_name(struct cursor ext, struct tlsg_hello *hello)
{
	struct cursor list;
	struct cursor name;
	size_t type;

	if(!vector(&ext, 2, &list) || ext.left != 0)
		return false;
	while(list.left > 0) {
		if(!number(&list, 1, &type) || !vector(&list, 2, &name) || (type == NAME_TYPE_HOST && name.left == 0))
			return false;
		if(type != NAME_TYPE_HOST)
			continue;
		hello->illegal = name.left > NAME_MAX_BYTES || hello->name != NULL;
		if(hello->illegal)
			return false;
		hello->name_is_visible = is_visible(&name);
		hello->name = name.at;
		hello->name_len = name.left;
	}
	return true;
}

/* An extension that is one list of two-byte numbers behind a length of 1 or 2 bytes. None of them may be empty. */
static bool read_numbers(struct cursor ext, unsigned bytes, const unsigned char **at, size_t *len)
{
	struct cursor list;

	if(!vector(&ext, bytes, &list) || ext.left != 0 || list.left == 0 || list.left % 2 != 0)
		return false;
	*at = list.at;
	*len = list.left / 2;
	return true;
}

/*
 * Application protocols: none is negotiated, and GnuTLS then does not look into the extension. Malformed ones are
 * refused as OpenSSL does. RFC 7301 section 3.1: the list and its names are not empty.
 */
static bool check_protocols(struct cursor ext)
{
	struct cursor list;
	struct cursor name;

	if(!vector(&ext, 2, &list) || ext.left != 0 || list.left == 0)
		return false;
	while(list.left > 0)
		if(!vector(&list, 1, &name) || name.left == 0)
			return false;
	return true;
}

/* Identities of pre_shared_key. What is malformed is left to GnuTLS, as it depends on the version. RFC 8446 4.2.11. */
static void read_psks(struct cursor ext, struct tlsg_hello *hello)
{
	struct cursor list;
	struct cursor one;

	if(!vector(&ext, 2, &list))
		return;
	while(hello->psks_len < TLSG_HELLO_TICKETS && vector(&list, 2, &one) && skip(&list, AGE_BYTES))
		hello->psks[hello->psks_len++] = (struct tlsg_der){(unsigned char *)one.at, (unsigned)one.left};
}

static bool read_extensions(struct cursor c, struct tlsg_hello *hello)
{
	struct cursor list;
	struct cursor ext;
	size_t type;

	if(c.left == 0)
		return true;
	if(!vector(&c, 2, &list) || c.left != 0)
		return false;
	while(list.left > 0) {
		if(!number(&list, 2, &type) || !vector(&list, 2, &ext))
			return false;
		if(type == EXT_SERVER_NAME && !read_name(ext, hello))
			return false;
		if(type == EXT_PROTOCOLS && !check_protocols(ext))
			return false;
		if(type == EXT_SUPPORTED_VERSIONS && !read_numbers(ext, 1, &hello->versions, &hello->versions_len))
			return false;
		if(type == EXT_SUPPORTED_GROUPS && !read_numbers(ext, 2, &hello->groups, &hello->groups_len))
			return false;
		if(type == EXT_SIGNATURE_ALGORITHMS && !read_numbers(ext, 2, &hello->sigs, &hello->sigs_len))
			return false;
		if(type == EXT_SESSION_TICKET)
			hello->ticket = (struct tlsg_der){(unsigned char *)ext.at, (unsigned)ext.left};
		if(type == EXT_PRE_SHARED_KEY)
			read_psks(ext, hello);
	}
	return true;
}

enum tlsg_ret tlsg_hello_read(const unsigned char *data, size_t size, bool datagram, struct tlsg_hello *hello)
{
	struct cursor c = {data, size};
	struct cursor session;
	struct cursor cookie;
	struct cursor suites;
	struct cursor compression;
	size_t version;

	memset(hello, 0, sizeof(*hello));
	if(!number(&c, 2, &version) || !skip(&c, RANDOM_BYTES) || !vector(&c, 1, &session)
			|| (datagram && !vector(&c, 1, &cookie)) || !vector(&c, 2, &suites) || !vector(&c, 1, &compression)
			|| suites.left % 2 != 0 || session.left > SESSION_ID_MAX)
		return TLSG_E_PEER;
	hello->version = (uint16_t)version;
	hello->datagram = datagram;
	hello->suites = suites.at;
	hello->suites_len = suites.left / 2;
	return read_extensions(c, hello) ? TLSG_OK : TLSG_E_PEER;
}

/* Versions of DTLS count down: 0xfeff is 1.0, which is TLS 1.1, 0xfefd is 1.2. */
static unsigned datagram_versions_of(const struct tlsg_hello *h)
{
	unsigned versions = 0;

	if(h->version >> 8 == DTLS_MAJOR)
		versions |= TLSG_VERSION_BIT(TLSG_TLS1_0) | TLSG_VERSION_BIT(TLSG_TLS1_1);
	if(h->version >> 8 == DTLS_MAJOR && h->version <= DTLS1_2)
		versions |= TLSG_VERSION_BIT(TLSG_TLS1_2);
	return versions;
}

/* Versions that the client supports: supported_versions, else all up to legacy_version. */
static unsigned versions_of(const struct tlsg_hello *h)
{
	unsigned versions = 0;
	unsigned v;
	size_t i;

	if(h->datagram)
		return datagram_versions_of(h);
	for(i = 0; i < h->versions_len; i++) {
		v = (unsigned)(h->versions[2 * i] << 8 | h->versions[2 * i + 1]);
		if(v >= TLSG_TLS1_0 && v <= TLSG_TLS1_3)
			versions |= TLSG_VERSION_BIT(v);
	}
	for(v = TLSG_TLS1_0; h->versions == NULL && v <= h->version && v <= TLSG_TLS1_2; v++)
		versions |= TLSG_VERSION_BIT(v);
	return versions;
}

/* RFC 8422 section 5.1.1. */
static unsigned curves_of(const struct tlsg_hello *h)
{
	unsigned curves = TLSG_CIPHER_GROUP_SENT;
	size_t i;

	if(h->groups == NULL)
		return 0;
	for(i = 0; i < h->groups_len; i++)
		if(h->groups[2 * i] == 0 && h->groups[2 * i + 1] < 32)
			curves |= TLSG_CIPHER_GROUP(h->groups[2 * i + 1]);
	return curves;
}

/* RFC 7919 section 4. */
static unsigned dh_groups_of(const struct tlsg_hello *h)
{
	unsigned groups = 0;
	size_t i;

	for(i = 0; i < h->groups_len; i++) {
		if(h->groups[2 * i] != 1)
			continue;
		groups |= TLSG_CIPHER_DH_SENT;
		if(h->groups[2 * i + 1] < 31)
			groups |= TLSG_CIPHER_DH_GROUP(256 + h->groups[2 * i + 1]);
	}
	return groups;
}

/* Kinds of keys whose signatures the client accepts. RFC 5246 section 7.4.1.4.1, RFC 8446 section 4.2.3. */
static unsigned keys_of(const struct tlsg_hello *h)
{
	unsigned keys = 0;
	size_t i;

	for(i = 0; i < h->sigs_len; i++) {
		unsigned hash = h->sigs[2 * i], sig = h->sigs[2 * i + 1];

		if(hash == 8) /* RSA-PSS, and EdDSA as 7 and 8 */
			keys |= sig == 7 || sig == 8 ? TLSG_CIPHER_KEY_ECDSA : TLSG_CIPHER_KEY_RSA;
		else if(sig >= 1 && sig <= 3)
			keys |= sig == 1 ? TLSG_CIPHER_KEY_RSA : sig == 2 ? TLSG_CIPHER_KEY_DSA : TLSG_CIPHER_KEY_ECDSA;
	}
	return h->sigs != NULL ? keys : TLSG_CIPHER_KEY_ALL;
}

void tlsg_hello_offer(const struct tlsg_hello *h, unsigned allowed, struct tlsg_cipher_offer *offer)
{
	*offer = (struct tlsg_cipher_offer){.ids = h->suites,
			.ids_bytes = h->suites_len * 2,
			.versions = versions_of(h),
			.keys = keys_of(h),
			.curves = curves_of(h),
			.dh_groups = dh_groups_of(h),
			.group_numbers = h->groups,
			.group_numbers_len = h->groups_len};
	/* Curves that an ECDSA key may be on: RFC 8422 section 5.1. In TLS 1.3 the signature algorithms name the curve. */
	if(!(offer->versions & allowed & TLSG_VERSION_BIT(TLSG_TLS1_3)))
		offer->groups = offer->curves;
}

const struct tlsg_der *tlsg_hello_tickets(const struct tlsg_hello *h, unsigned allowed, unsigned *len)
{
	if(versions_of(h) & allowed & TLSG_VERSION_BIT(TLSG_TLS1_3)) {
		*len = h->psks_len;
		return h->psks;
	}
	*len = h->ticket.size > 0 ? 1 : 0;
	return &h->ticket;
}
