/*
 * tls_gnutls - CA certificates and CRLs of profiles, shared as bytes, parsed once per process that needs them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: loaded by the builder of a snapshot; parsed by each process at its first handshake that verifies.
 * Memory: bytes in the snapshot's arena (shm); parsed lists on this process's heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_VERIFY_TRUST_H
#define TLSG_PROFILES_VERIFY_TRUST_H

#include <gnutls/x509.h>

#include "profiles/verify/crl.h"
#include "profiles/set.h"

/** Finds a CA by its name. */
struct tlsg_trust_name
{
	struct tlsg_der dn; /**< DER of the subject, points into the certificate */
	unsigned ca;		/**< index in cas */
};

struct tlsg_trust
{
	struct tlsg_trust *next;
	unsigned index; /**< number in the snapshot */
	str ca_list;	/**< the three settings that name it */
	str ca_path;
	str crl;
	struct tlsg_der *cas; /**< [arena] from ca_list first, then from ca_path, then certificates found in crl */
	unsigned cas_len;
	unsigned cas_announced;		   /**< how many of cas, from the start, a server announces: those of ca_list */
	struct tlsg_trust_name *names; /**< [arena] cas_len of them, sorted by name, then by index */
	struct tlsg_crl *crls;		   /**< [arena] from crl, and lists of a hashed ca_path when crl is set */
	unsigned crls_len;
	bool has_crl;			/**< the setting crl is set: coverage of the whole chain is demanded */
	time_t crl_next_update; /**< earliest nextUpdate, 0 none */
};

/**
 * Finds or loads the CAs and CRLs for three settings: ca_list (file of PEM certificates), ca_path (directory of PEM
 * certificates: when it holds names like 1a2b3c4d.0 only those count, otherwise all files), crl (file of PEM CRLs and
 * certificates). {NULL,0} or empty: none. Certificates that appear twice are kept once.
 * @param set  snapshot that is being built.
 * @param s    settings, of which ca_list, ca_path and crl are read.
 * @param out  [out] owned by the snapshot; without any setting one without CAs.
 * @param err  [out] names setting and file, and for files that cannot be read the user.
 * @return TLSG_OK; TLSG_E_CONFIG: unreadable, empty, damaged, or nothing of use in it; TLSG_E_RESOURCE.
 * Source: `tls` load_ca_list(), load_crl(); spec 1.2, 6.4.
 */
enum tlsg_ret tlsg_load_trust(struct tlsg_set *set, const struct tlsg_prof_settings *s, struct tlsg_trust **out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Parses the CAs into a list of this process. Call without a scope. CRLs are not put in: they are used from the snapshot.
 * @return new list [heap], with the announced CAs marked for CertificateRequest; to be freed with
 *         gnutls_x509_trust_list_deinit(list, 1); NULL when memory is exhausted.
 * Source: gnutls_x509_trust_list_add_cas(), GNUTLS_TL_USE_IN_TLS.
 */
gnutls_x509_trust_list_t tlsg_trust_parse(const struct tlsg_trust *t);

/**
 * Finds the CAs with a name.
 * @param dn     DER of a name.
 * @param first  [out] position in t->names of the first one.
 * @return how many there are, one after the other in t->names; 0 none.
 */
unsigned tlsg_trust_find(const struct tlsg_trust *t, const gnutls_datum_t *dn, unsigned *first);

#endif
