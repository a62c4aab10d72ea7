/*
 * tls_gnutls - reads records and fragments of DTLS, and says which ones a session may get
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's.  Lock: the owner's.
 */
#include "transport/dgram_record.h"

#define RECORD_BYTES_MAX (16384 + 2048) /* RFC 6347 section 4.1 */
#define ALERT_BYTES 2
#define CCS_BYTES 1

static uint32_t number(const unsigned char *p, unsigned bytes)
{
	uint32_t n = 0;

	while(bytes-- > 0)
		n = n << 8 | *p++;
	return n;
}

bool tlsg_dgram_record_read(const unsigned char *data, size_t size, struct tlsg_dgram_record *r)
{
	if(size < TLSG_DGRAM_HEAD)
		return false;
	r->type = data[0];
	r->version = (uint16_t)number(data + 1, 2);
	r->epoch = (uint16_t)number(data + 3, 2);
	r->body = data + TLSG_DGRAM_HEAD;
	r->size = number(data + 11, 2);
	r->whole = TLSG_DGRAM_HEAD + r->size;
	return data[1] == 0xfe && r->size > 0 && r->size <= RECORD_BYTES_MAX && r->whole <= size;
}

bool tlsg_dgram_record_fragment(struct tlsg_dgram_record *r, struct tlsg_dgram_fragment *f)
{
	const unsigned char *p = r->body;

	if(r->size < TLSG_DGRAM_MESSAGE_HEAD)
		return false;
	f->type = p[0];
	f->length = number(p + 1, 3);
	f->number = (uint16_t)number(p + 4, 2);
	f->offset = number(p + 6, 3);
	f->size = number(p + 9, 3);
	f->body = p + TLSG_DGRAM_MESSAGE_HEAD;
	if(f->size > r->size - TLSG_DGRAM_MESSAGE_HEAD || f->offset > f->length || f->size > f->length - f->offset
			|| (f->size == 0 && f->length > 0))
		return false;
	r->body += TLSG_DGRAM_MESSAGE_HEAD + f->size;
	r->size -= TLSG_DGRAM_MESSAGE_HEAD + f->size;
	return true;
}

/* Bytes of the messages that were begun and that GnuTLS has not taken. */
static size_t pending(const struct tlsg_dgram_messages *m)
{
	size_t sum = 0;
	unsigned i;

	for(i = m->done; i < TLSG_DGRAM_WINDOW; i++)
		if(m->known >> i & 1)
			sum += m->length[i];
	return sum;
}

/*
 * Messages that GnuTLS has taken before: it allocates them once more and drops them when the record is read.
 * @param old  [in,out] bytes of such messages in this record.
 */
static bool admit_fragment(
		struct tlsg_dgram_messages *m, const struct tlsg_dgram_fragment *f, size_t limit, size_t *old)
{
	uint16_t i = (uint16_t)(f->number - m->first);
	bool is_old = i < m->done || (i != 0 && (uint16_t)-i <= TLSG_DGRAM_WINDOW);

	if(!is_old && i >= TLSG_DGRAM_WINDOW)
		return false;
	if(!is_old && m->known >> i & 1)
		return m->type[i] == f->type && m->length[i] == f->length;
	if(f->length > limit || *old + pending(m) + f->length > limit)
		return false;
	if(is_old) {
		*old += f->length;
		return true;
	}
	m->known |= (uint16_t)(1u << i);
	m->type[i] = f->type;
	m->length[i] = f->length;
	return true;
}

static bool admit_fragments(struct tlsg_dgram_messages *m, struct tlsg_dgram_record r, size_t limit)
{
	struct tlsg_dgram_fragment f;
	size_t old = 0;

	while(r.size > 0)
		if(!tlsg_dgram_record_fragment(&r, &f) || !admit_fragment(m, &f, limit, &old))
			return false;
	return true;
}

bool tlsg_dgram_record_admit(struct tlsg_dgram_messages *m, const struct tlsg_dgram_record *r, size_t limit)
{
	struct tlsg_dgram_messages after = *m;
	bool good;

	switch(r->type) {
		case TLSG_DGRAM_CCS:
			good = r->size == CCS_BYTES && m->ccs < TLSG_DGRAM_CCS_MAX;
			after.ccs++;
			break;
		case TLSG_DGRAM_ALERT:
			good = r->size == ALERT_BYTES;
			break;
		case TLSG_DGRAM_HANDSHAKE:
			good = admit_fragments(&after, *r, limit);
			break;
		default: /* application data is never clear text */
			return false;
	}
	if(good)
		*m = after;
	return good;
}

void tlsg_dgram_record_done(struct tlsg_dgram_messages *m)
{
	m->ccs = 0;
	if(m->done < TLSG_DGRAM_WINDOW)
		m->done++;
}
