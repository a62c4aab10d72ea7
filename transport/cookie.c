/*
 * tls_gnutls - the cookie exchange of DTLS: proves that a sender receives at its address, before anything is kept of it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: one secret in shm, made before the forks; nothing for each sender.
 * Lock: none, the secret is constant.
 */
#include "transport/cookie.h"

#include <gnutls/crypto.h>

#include "base/host.h"
#include "base/wipe.h"
#include "transport/dgram_record.h"

#define SECRET_BYTES 32
#define KEY_BYTES 32
#define COOKIE_BYTES 16 /* gnutls_dtls_cookie_verify() accepts no other length */
#define RANDOM_BYTES 32
#define SESSION_ID_MAX 32
#define TYPE_CLIENT_HELLO 1

static unsigned char *secret; /* [shm] */

/* Whom a cookie is for, without padding. */
struct client
{
	uint8_t bytes[2 * (1 + 16 + 2)];
	size_t size;
};

enum tlsg_ret tlsg_cookie_global_init(void)
{
	if(secret != NULL)
		return TLSG_OK;
	secret = shm_malloc(SECRET_BYTES);
	if(secret == NULL)
		return TLSG_E_RESOURCE;
	if(gnutls_rnd(GNUTLS_RND_KEY, secret, SECRET_BYTES) >= 0)
		return TLSG_OK;
	shm_free(secret);
	secret = NULL;
	return TLSG_E_RESOURCE;
}

void tlsg_cookie_global_deinit(void)
{
	if(secret == NULL)
		return;
	tlsg_wipe(secret, SECRET_BYTES);
	shm_free(secret);
	secret = NULL;
}

static int key_of(uint64_t period, unsigned char key[KEY_BYTES])
{
	static const char label[] = "tls_gnutls DTLS cookie";
	unsigned char text[sizeof(label) + sizeof(period)];

	memcpy(text, label, sizeof(label));
	memcpy(text + sizeof(label), &period, sizeof(period));
	return gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret, SECRET_BYTES, text, sizeof(text), key);
}

static void client_add(struct client *c, const struct tlsg_addr *a, uint16_t port)
{
	c->bytes[c->size++] = a->len;
	memcpy(c->bytes + c->size, a->bytes, a->len);
	c->size += a->len;
	c->bytes[c->size++] = (uint8_t)(port >> 8);
	c->bytes[c->size++] = (uint8_t)port;
}

/*
 * Whether a record begins a ClientHello and has all of it up to the cookie.
 * @param number       [out] of the message.
 * @param cookie_size  [out] bytes of the cookie.
 */
static bool is_hello(struct tlsg_dgram_record r, uint16_t *number, size_t *cookie_size)
{
	struct tlsg_dgram_fragment f;
	size_t at = 2 + RANDOM_BYTES;

	if(r.type != TLSG_DGRAM_HANDSHAKE || r.epoch != 0 || !tlsg_dgram_record_fragment(&r, &f)
			|| f.type != TYPE_CLIENT_HELLO || f.offset != 0 || f.size < at + 1 || f.body[at] > SESSION_ID_MAX)
		return false;
	at += 1 + f.body[at];
	if(f.size < at + 1 || f.size < at + 1 + f.body[at] + 1)
		return false;
	*number = f.number;
	*cookie_size = f.body[at];
	return true;
}

static bool is_good(struct client *client, uint64_t period, const struct tlsg_dgram_record *r,
		const unsigned char *record, gnutls_dtls_prestate_st *start)
{
	unsigned char bytes[KEY_BYTES];
	gnutls_datum_t key = {bytes, sizeof(bytes)};
	bool good = key_of(period, bytes) >= 0
				&& gnutls_dtls_cookie_verify(&key, client->bytes, client->size, (void *)record, r->whole, start) >= 0;

	tlsg_wipe(bytes, sizeof(bytes));
	return good;
}

static ssize_t reply_cb(gnutls_transport_ptr_t ptr, const void *data, size_t size)
{
	if(size != TLSG_COOKIE_REPLY_BYTES)
		return -1;
	memcpy(ptr, data, size);
	return (ssize_t)size;
}

/* The reply has the numbers of the hello: no state is kept of how many there were (RFC 6347 section 4.2.1). */
static bool ask(
		struct client *client, uint64_t period, const unsigned char *record, uint16_t number, unsigned char *reply)
{
	gnutls_dtls_prestate_st numbers = {.record_seq = record[TLSG_DGRAM_HEAD - 3], .hsk_write_seq = number};
	unsigned char bytes[KEY_BYTES];
	gnutls_datum_t key = {bytes, sizeof(bytes)};
	bool done = key_of(period, bytes) >= 0
				&& gnutls_dtls_cookie_send(&key, client->bytes, client->size, &numbers, reply, reply_cb) >= 0;

	tlsg_wipe(bytes, sizeof(bytes));
	return done;
}

enum tlsg_cookie_result tlsg_cookie_check(const struct tlsg_buf *datagram, const struct tlsg_cookie_ends *ends,
		time_t now, unsigned char reply[TLSG_COOKIE_REPLY_BYTES], gnutls_dtls_prestate_st *start)
{
	const unsigned char *record = datagram->data + datagram->rd;
	uint64_t period = (uint64_t)now / TLSG_COOKIE_PERIOD_S;
	struct tlsg_dgram_record r;
	struct client client = {.size = 0};
	uint16_t number;
	size_t cookie;

	if(secret == NULL || tlsg_buf_filled(datagram) < TLSG_COOKIE_REPLY_BYTES
			|| !tlsg_dgram_record_read(record, tlsg_buf_filled(datagram), &r) || !is_hello(r, &number, &cookie)
			|| number > UINT8_MAX) /* GnuTLS continues from the low byte */
		return TLSG_COOKIE_NOT_HELLO;
	client_add(&client, &ends->peer, ends->peer_port);
	client_add(&client, &ends->local, ends->local_port);
	if(cookie == COOKIE_BYTES
			&& (is_good(&client, period, &r, record, start) || is_good(&client, period - 1, &r, record, start))) {
		start->hsk_write_seq = number - 1u; /* GnuTLS adds 1: the ServerHello has the number of the hello */
		return TLSG_COOKIE_GOOD;
	}
	return ask(&client, period, record, number, reply) ? TLSG_COOKIE_ASK : TLSG_COOKIE_NOT_HELLO;
}
