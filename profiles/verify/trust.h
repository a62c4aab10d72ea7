/*
 * tls_gnutls - CA certificates and CRLs that chains are verified with: shared as bytes, parsed once per process that
 * needs them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: indexed by the builder of a snapshot; parsed by each process at its first handshake that verifies.
 * Memory: bytes in the snapshot's arena (shm); parsed lists on this process's heap.  Lock: none.
 *
 * Files are read in profiles/load_trust.c, the process's parsed lists are kept in profiles/creds.c.
 */
#ifndef TLSG_PROFILES_VERIFY_TRUST_H
#define TLSG_PROFILES_VERIFY_TRUST_H

#include <gnutls/x509.h>

#include "base/err.h"
#include "base/host.h"
#include "profiles/verify/crl.h"
#include "profiles/verify/der.h"

struct tlsg_arena; /* base/arena.h */

/** Finds a CA by its name. */
struct tlsg_trust_name
{
	struct tlsg_der dn; /**< DER of the subject, points into the certificate */
	unsigned ca;		/**< index in cas */
};

/** Bytes of names that a server announces at most: the list has 16 bits of length, as have all extensions together. */
#define TLSG_TRUST_NAMES_MAX 65000

struct tlsg_trust
{
	struct tlsg_trust *next;
	unsigned index; /**< number in the snapshot */
	str ca_list;	/**< the three settings that it was loaded for */
	str ca_path;
	str crl;
	struct tlsg_der *cas; /**< [arena] those of ca_list first, then of ca_path, then certificates in the file of crl */
	unsigned cas_len;
	unsigned cas_listed; /**< how many of cas, from the start, are those of ca_list */
	unsigned
			cas_announced; /**< how many of these a server names in its request: all, or 0 if names_bytes is too much */
	size_t names_bytes;	   /**< of the list of their names in that request */
	struct tlsg_trust_name *names; /**< [arena] cas_len of them, sorted by name, then by index */
	struct tlsg_crl *crls;		   /**< [arena] those of crl, and with crl set those of a hashed ca_path */
	unsigned crls_len;
	const char *path_fault;	  /**< [arena] why ca_path has no certificate, a sentence; NULL: it has, or is not set */
	bool has_crl;			  /**< crl is set: every certificate of a chain needs a current CRL */
	time_t crl_next_update;	  /**< earliest nextUpdate, 0 none */
	bool has_digest;		  /**< digest is set */
	unsigned char digest[32]; /**< of the bytes of cas and crls, whatever their order: profiles/ticket.c */
};

/**
 * Builds the index: names of the CAs, how many are announced, the certificates that signed the CRLs, the earliest
 * nextUpdate.
 * @param t      [in,out] cas, cas_listed and crls are complete.
 * @param arena  holds the names; that of the CAs.
 * @param err    [out] the cause; the caller adds the setting.
 * @return TLSG_OK; TLSG_E_RESOURCE.
 * Process: the builder of a snapshot, without a scope, since what GnuTLS parses here is freed again.
 */
enum tlsg_ret tlsg_trust_index(struct tlsg_trust *t, struct tlsg_arena *arena, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Parses the CAs into a list of this process. Call without a scope. The list has no CRLs: they are used
 * where they are, in the snapshot.
 * @return new list [heap], with the announced CAs marked for CertificateRequest messages; to be freed with
 *         gnutls_x509_trust_list_deinit(list, 1); NULL: no memory.
 * Source: gnutls_x509_trust_list_add_cas(), GNUTLS_TL_USE_IN_TLS.
 */
gnutls_x509_trust_list_t tlsg_trust_parse(const struct tlsg_trust *t);

/**
 * Finds the CAs with a name.
 * @param dn     DER of a name.
 * @param first  [out] position in t->names of the first one.
 * @return how many there are, one after the other in t->names; 0: none.
 */
unsigned tlsg_trust_find(const struct tlsg_trust *t, const gnutls_datum_t *dn, unsigned *first);

#endif
