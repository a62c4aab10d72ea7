/*
 * tls_gnutls - CA certificates and CRLs of profiles, shared as bytes, parsed once per process that needs them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: loaded by the builder of a snapshot; parsed by each process at its first handshake that verifies.
 * Memory: bytes in the snapshot's arena (shm); parsed lists on this process's heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_PROF_TRUST_H
#define TLSG_PROFILES_PROF_TRUST_H

#include "profiles/prof_set.h"

struct tlsg_trust
{
	struct tlsg_trust *next;
	unsigned index; /**< number in the snapshot */
	str ca_list;	/**< the three settings that name it */
	str ca_path;
	str crl;
	struct tlsg_der *cas; /**< [arena] from ca_list first, then from ca_path, then certificates found in crl */
	unsigned cas_len;
	unsigned cas_announced; /**< how many of cas, from the start, a server announces: those of ca_list */
	struct tlsg_der *crls;
	unsigned crls_len;
	bool has_crl;	   /**< the setting crl is set: coverage of the whole chain is demanded */
	time_t crl_next_update; /**< earliest nextUpdate, 0 none */
};

/**
 * Finds or loads the CAs and CRLs for three settings.
 * @param ca_list  file of PEM certificates, {NULL,0} or empty: none.
 * @param ca_path  directory of PEM certificates (hashed or plain), {NULL,0} or empty: none.
 * @param crl      file of PEM CRLs and certificates, {NULL,0}: none.
 * @param out      [out] owned by the snapshot.
 * @return TLSG_OK; TLSG_E_CONFIG: unreadable, empty, or no certificate in it (err names setting and file);
 *         TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_trust_load(struct tlsg_set *set, const struct tlsg_prof_settings *s, struct tlsg_trust **out,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Parses into a list of this process. Call without a scope.
 * @return new list [heap], with the announced CAs marked for CertificateRequest; NULL when memory is exhausted.
 */
gnutls_x509_trust_list_t tlsg_trust_parse(const struct tlsg_trust *t);

#endif
