/*
 * tls_gnutls - reads records and fragments of DTLS, and says which ones a session may get
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's.  Lock: the owner's.
 *
 * GnuTLS allocates a message of the handshake when its first fragment arrives, as long as that says, up to 16 MB and
 * six of them; and it keeps each ChangeCipherSpec that it does not expect, 17 KB of memory for 14 bytes. So these are
 * bounded before: by the window, the lengths and the number that an ordinary handshake has. What is checked here can be
 * read in records that are not encrypted.
 */
#ifndef TLSG_TRANSPORT_DGRAM_RECORD_H
#define TLSG_TRANSPORT_DGRAM_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLSG_DGRAM_HEAD 13		   /* type, version, epoch, number and length of a record: RFC 6347 section 4.1 */
#define TLSG_DGRAM_MESSAGE_HEAD 12 /* type, length, number, offset and length of a fragment: section 4.2.2 */
#define TLSG_DGRAM_WINDOW 16	   /* messages of one side in a handshake; certificates, key, status, ... are 8 */
#define TLSG_DGRAM_CCS_MAX 2	   /* ChangeCipherSpec records without a complete message in between */

/** Types of records. */
enum tlsg_dgram_type
{
	TLSG_DGRAM_CCS = 20,
	TLSG_DGRAM_ALERT = 21,
	TLSG_DGRAM_HANDSHAKE = 22,
	TLSG_DGRAM_DATA = 23
};

/** One record. */
struct tlsg_dgram_record
{
	uint8_t type;
	uint16_t version;
	uint16_t epoch;
	const unsigned char *body; /**< borrowed */
	size_t size;			   /**< bytes of body */
	size_t whole;			   /**< with the header */
};

/** One fragment of a message. */
struct tlsg_dgram_fragment
{
	uint8_t type;
	uint32_t length; /**< of the message */
	uint16_t number;
	uint32_t offset;
	const unsigned char *body; /**< borrowed */
	uint32_t size;			   /**< bytes of body */
};

/** The messages of the peer's handshake so far. All zero at its beginning, first excepted. */
struct tlsg_dgram_messages
{
	uint16_t first;						/**< number of the first message of this handshake */
	uint16_t done;						/**< messages that GnuTLS has taken */
	uint8_t ccs;						/**< ChangeCipherSpec records since then */
	uint16_t known;						/**< one bit each: a fragment of the message was given to GnuTLS */
	uint8_t type[TLSG_DGRAM_WINDOW];	/**< of a known message */
	uint32_t length[TLSG_DGRAM_WINDOW]; /**< of a known message */
};

/**
 * Reads the header of a record.
 * @param data  a datagram, or the rest of one. @param size  bytes of it.
 * @return true; false: not a whole record of DTLS, the rest of the datagram is useless.
 * Source: RFC 6347 section 4.1.
 */
bool tlsg_dgram_record_read(const unsigned char *data, size_t size, struct tlsg_dgram_record *r);

/**
 * Reads the next fragment of a handshake record that is not encrypted.
 * @param r   [in,out] body and size are moved behind the fragment.
 * @return true; false: malformed.
 * Source: RFC 6347 section 4.2.2.
 */
bool tlsg_dgram_record_fragment(struct tlsg_dgram_record *r, struct tlsg_dgram_fragment *f);

/**
 * Whether a session that has no keys yet may get a record, and notes the messages that begin in it.
 * @param m      [in,out] unchanged when the result is false.
 * @param r      a record of epoch 0.
 * @param limit  bytes of messages that may be incomplete at the same time.
 */
bool tlsg_dgram_record_admit(struct tlsg_dgram_messages *m, const struct tlsg_dgram_record *r, size_t limit);

/** Notes that GnuTLS has taken the next message of the handshake. */
void tlsg_dgram_record_done(struct tlsg_dgram_messages *m);

#endif
