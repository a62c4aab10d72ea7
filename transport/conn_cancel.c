/*
 * tls_gnutls - the alert user_canceled of TLS 1.3, which is ignored
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm) until the call returns.
 * Lock: write_lock, held by the step's caller.
 */
#include "transport/conn_cancel.h"

#include <string.h>

#include <gnutls/crypto.h>

#include "base/wipe.h"
#include "transport/conn_state.h"
#include "transport/stats.h"

#define TYPE_APPLICATION_DATA 23
#define TYPE_ALERT 21
#define INNER_BYTES 3 /* level, description, content type */
#define TAG_MIN 8
#define NONCE_BYTES 12
#define SEQUENCE_BYTES 8

bool tlsg_conn_cancel_fits(const struct tlsg_conn *c, unsigned char first, size_t size)
{
	return first == TYPE_APPLICATION_DATA && size >= TLSG_RECORD_HEAD + INNER_BYTES + TAG_MIN
		   && size <= TLSG_CANCEL_RECORD_MAX && gnutls_protocol_get_version(c->session) == GNUTLS_TLS1_3;
}

/* Decrypts a record with the keys of a session. @param inner  INNER_BYTES. */
static bool decrypt(gnutls_cipher_algorithm_t cipher, const gnutls_datum_t *key, const unsigned char *nonce,
		const unsigned char *record, size_t size, unsigned char *inner)
{
	gnutls_aead_cipher_hd_t aead;
	size_t got = INNER_BYTES;
	int rc;

	if(gnutls_aead_cipher_init(&aead, cipher, key) < 0)
		return false;
	rc = gnutls_aead_cipher_decrypt(aead, nonce, NONCE_BYTES, record, TLSG_RECORD_HEAD,
			gnutls_cipher_get_tag_size(cipher), record + TLSG_RECORD_HEAD, size - TLSG_RECORD_HEAD, inner, &got);
	gnutls_aead_cipher_deinit(aead);
	return rc >= 0 && got == INNER_BYTES;
}

/* The number of the next record, big-endian. @return false: it would wrap, for which GnuTLS has its own answer. */
static bool increment(unsigned char *sequence)
{
	int i;

	for(i = SEQUENCE_BYTES - 1; i >= 0; i--)
		if(++sequence[i] != 0)
			return true;
	return false;
}

bool tlsg_conn_cancel_skip(struct tlsg_conn *c, const unsigned char *record, size_t size)
{
	gnutls_cipher_algorithm_t cipher = gnutls_cipher_get(c->session);
	gnutls_datum_t key;
	gnutls_datum_t iv;
	unsigned char sequence[SEQUENCE_BYTES];
	unsigned char nonce[NONCE_BYTES];
	unsigned char inner[INNER_BYTES];
	bool is_cancel;
	size_t i;

	if(size != TLSG_RECORD_HEAD + INNER_BYTES + gnutls_cipher_get_tag_size(cipher)
			|| gnutls_record_get_state(c->session, 1, NULL, &iv, &key, sequence) < 0 || iv.size != NONCE_BYTES)
		return false;
	memcpy(nonce, iv.data, NONCE_BYTES);
	for(i = 0; i < SEQUENCE_BYTES; i++)
		nonce[NONCE_BYTES - SEQUENCE_BYTES + i] ^= sequence[i];
	is_cancel = decrypt(cipher, &key, nonce, record, size, inner) && inner[1] == GNUTLS_A_USER_CANCELED
				&& inner[2] == TYPE_ALERT;
	tlsg_wipe(nonce, sizeof(nonce));
	tlsg_wipe(inner, sizeof(inner));
	if(!is_cancel || !increment(sequence) || gnutls_record_set_state(c->session, 1, sequence) < 0)
		return false;
	tlsg_stats_alert(false, GNUTLS_A_USER_CANCELED);
	return true;
}
