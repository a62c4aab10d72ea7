/*
 * tls_gnutls - reads what the server side needs to know from a ClientHello before GnuTLS negotiates
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a server handshake.  Memory: none; results point into the message.  Lock: none.
 */
#include "transport/hello.h"

#include <stdbool.h>
#include <string.h>

#define EXT_SERVER_NAME 0
#define EXT_SUPPORTED_GROUPS 10
#define EXT_SIGNATURE_ALGORITHMS 13
#define EXT_SUPPORTED_VERSIONS 43
#define NAME_TYPE_HOST 0
#define NAME_MAX_BYTES 255
#define RANDOM_BYTES 32

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

/* Whether all bytes are visible ASCII. What is not can be no host name, and must not get into a log line. */
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
		if(!number(&list, 1, &type) || !vector(&list, 2, &name))
			return false;
		if(type != NAME_TYPE_HOST)
			continue;
		if(name.left == 0 || name.left > NAME_MAX_BYTES || hello->name != NULL)
			return false;
		hello->name_is_visible = is_visible(&name);
		hello->name = name.at;
		hello->name_len = name.left;
	}
	return true;
}

/* An extension that is one list of two-byte numbers behind a length of 1 or 2 bytes. */
static bool read_numbers(struct cursor ext, unsigned bytes, const unsigned char **at, size_t *len)
{
	struct cursor list;

	if(!vector(&ext, bytes, &list) || ext.left != 0 || list.left % 2 != 0)
		return false;
	*at = list.at;
	*len = list.left / 2;
	return true;
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
		if(type == EXT_SUPPORTED_VERSIONS && !read_numbers(ext, 1, &hello->versions, &hello->versions_len))
			return false;
		if(type == EXT_SUPPORTED_GROUPS && !read_numbers(ext, 2, &hello->groups, &hello->groups_len))
			return false;
		if(type == EXT_SIGNATURE_ALGORITHMS && !read_numbers(ext, 2, &hello->sigs, &hello->sigs_len))
			return false;
	}
	return true;
}

enum tlsg_ret tlsg_hello_read(const unsigned char *data, size_t size, struct tlsg_hello *hello)
{
	struct cursor c = {data, size};
	struct cursor session;
	struct cursor suites;
	struct cursor compression;
	size_t version;

	memset(hello, 0, sizeof(*hello));
	if(!number(&c, 2, &version) || !skip(&c, RANDOM_BYTES) || !vector(&c, 1, &session) || !vector(&c, 2, &suites)
			|| !vector(&c, 1, &compression) || suites.left % 2 != 0)
		return TLSG_E_PEER;
	hello->version = (uint16_t)version;
	hello->suites = suites.at;
	hello->suites_len = suites.left / 2;
	return read_extensions(c, hello) ? TLSG_OK : TLSG_E_PEER;
}
