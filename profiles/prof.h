/*
 * tls_gnutls - one profile: what is configured for a server address or a class of outgoing connections
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: built by one process (start-up or the RPC process that reloads), read by all.
 * Memory: arena of its snapshot (shm).  Lock: none, immutable once its snapshot is published.
 */
#ifndef TLSG_PROFILES_PROF_H
#define TLSG_PROFILES_PROF_H

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "base/err.h"
#include "base/host.h"
#include "base/role.h"
#include "profiles/addr.h"
#include "profiles/set.h"
#include "profiles/verify/verify_mode.h"

enum tlsg_prof_kind
{
	TLSG_PROF_DEFAULT, /**< [server:default], [client:default], or the module parameters */
	TLSG_PROF_ANY,	   /**< [server:any]: found by server_name or server_id only */
	TLSG_PROF_ADDR	   /**< [server:ip:port] */
};

/**
 * The settings of a profile as written. Strings: {NULL, 0} is "not set"; {non-NULL, 0} is "set, empty"; all are
 * zero-terminated. Numbers: -1 is "not set". Paths are already absolute (or a URI) when the parser hands them over.
 */
struct tlsg_prof_settings
{
	int method; /**< enum tlsg_method_id (cipher/method.h); 0 not set */
	str certificate;
	str private_key;
	str private_key_password;
	str certificate2;
	str private_key2;
	str private_key_password2;
	str ca_list;
	str ca_path;
	str crl;
	str cipher_list;
	str server_name;
	int server_name_mode; /**< 0 exact, 1 exact or sub-domain, 2 sub-domain only */
	str server_id;
	int verify_certificate; /**< 0, 1 */
	int require_certificate;
	int verify_client; /**< enum tlsg_verify_client */
	int verify_depth;
	int verify_name; /**< 0 off, 1 RFC 5922, 2 RFC 5922 and wildcards */
};

/** How a setting is written in tls.cfg, and what it means. Numbers come first. */
enum tlsg_prof_field_kind
{
	TLSG_PROF_FIELD_METHOD, /**< name of a TLS method */
	TLSG_PROF_FIELD_BOOL,
	TLSG_PROF_FIELD_NUMBER,
	TLSG_PROF_FIELD_MODE, /**< number; an unknown one means 0 */
	TLSG_PROF_FIELD_VERIFY_CLIENT,
	TLSG_PROF_FIELD_TEXT,
	TLSG_PROF_FIELD_PATH,	/**< relative to the directory of the main configuration file */
	TLSG_PROF_FIELD_OBJECT, /**< the same, or the URI of an object on a token; a list of them */
	TLSG_PROF_FIELD_SECRET	/**< never logged, wiped when the snapshot is built */
};

/** One setting of a profile. */
struct tlsg_prof_field
{
	const char *name;
	const char *alias; /**< another name; NULL: none */
	enum tlsg_prof_field_kind kind;
	size_t offset;	/**< in struct tlsg_prof_settings, of an int or a str */
	int max;		/**< of a number in a file */
	bool is_logged; /**< at INFO, when its profile is built */
};

/** Length of the table of settings. */
#define TLSG_PROF_FIELDS 19

/** A certificate chain and its key. */
struct tlsg_pair
{
	gnutls_pcert_st *chain; /**< [arena] leaf first */
	unsigned chain_len;
	unsigned own_len;		  /**< of chain: those of the source; the others were found among the profile's CAs */
	str source;				  /**< borrowed from the profile: the certificate setting that it was loaded for */
	struct tlsg_key *key;	  /**< [arena] */
	gnutls_pk_algorithm_t pk; /**< of the leaf */
	unsigned bits;			  /**< of the leaf's key */
	time_t not_after;		  /**< of the leaf */
	time_t not_before;		  /**< of the leaf */
};

#define TLSG_PAIRS_MAX 8
#define TLSG_TICKET_CONTEXT_SIZE 32
#define TLSG_TICKET_KEY_SIZE 64 /* as gnutls_session_ticket_key_generate() makes them */

struct tlsg_prof
{
	struct tlsg_prof *next; /**< in lookup order: last section of the file first */
	struct tlsg_set *set;	/**< the snapshot it belongs to */
	enum tlsg_role role;
	enum tlsg_prof_kind kind;
	struct tlsg_addr addr; /**< TLSG_PROF_ADDR only */
	uint16_t port;		   /**< host order, 0 any port */
	unsigned index;		   /**< position in the snapshot, for per-process tables */
	str id;				   /**< for messages and logs: TLSs<default>, TLSc<any:name>, TLSs<ip:port> */
	str file;			   /**< where it was configured, {NULL,0} for module parameters */
	int line;			   /**< of its header, 0 for module parameters */
	struct tlsg_prof_settings s;

	/* compiled by tlsg_build_set() */
	enum tlsg_verify_mode verify_mode;
	bool verify_no_ca;	/**< optional_no_ca: verified, recorded, never enforced */
	bool without_tls13; /**< no key of the profile makes a signature for TLS 1.3: its versions end with TLS 1.2 */
	struct tlsg_pair *pairs;
	unsigned pairs_len;
	struct tlsg_trust
			*trust; /**< CA certificates and CRLs, shared by profiles that name the same files; may be empty */
	const struct tlsg_priority *priority; /**< method and cipher_list compiled, shared by profiles that set the same */
	const struct tlsg_priority *datagram; /**< the same for DTLS; NULL: not built, or nothing is left of them */
	/**
	 * tells sessions of this profile from those of others: hash over session_id, names, suites, certificates, trust and
	 * verification, the same on every host that is configured the same
	 */
	unsigned char ticket_context[TLSG_TICKET_CONTEXT_SIZE];
	unsigned char (
			*ticket_keys)[TLSG_TICKET_KEY_SIZE]; /**< [arena] one for each master of ticket_key_file; NULL: not set */
	struct tlsg_ticket_names
			*ticket_names; /**< [arena] names of these keys; changes, under the lock of ticket.c; NULL: a client */
};

/** @return the compiled-in settings that fill what profiles of a role leave open, static. */
const struct tlsg_prof_settings *tlsg_prof_defaults(enum tlsg_role role);

/** @return the table of all settings, TLSG_PROF_FIELDS long. */
const struct tlsg_prof_field *tlsg_prof_fields(void);

/** @return where settings have the value of a field: an int or a str, by its kind. */
static inline void *tlsg_prof_value(struct tlsg_prof_settings *s, const struct tlsg_prof_field *f)
{
	return (char *)s + f->offset;
}

/** Settings with nothing set. @param s [out]. */
void tlsg_prof_settings_clear(struct tlsg_prof_settings *s);

/**
 * Appends a profile with nothing set to a snapshot that is being built, in front of its list (default profiles replace
 * the one before).
 * @param set   snapshot, not yet published.
 * @param addr  NULL unless kind is TLSG_PROF_ADDR.
 * @return the profile, owned by the snapshot; NULL: out of shared memory.
 */
struct tlsg_prof *tlsg_prof_add(struct tlsg_set *set, enum tlsg_role role, enum tlsg_prof_kind kind,
		const struct tlsg_addr *addr, uint16_t port);

/** @return name of the algorithm of a pair's certificate, as GnuTLS writes it, e.g. "RSA", "EC/ECDSA"; static. */
const char *tlsg_prof_pair_algorithm(const struct tlsg_pair *pair);

/** Overwrites the passwords in the settings of a profile; they are "not set" then. */
void tlsg_prof_passwords_wipe(struct tlsg_prof *p);

/**
 * Computes the id and fills what is not set.
 * @param defaults  what fills the gaps; strings are copied.
 * @return TLSG_OK; TLSG_E_CONFIG: a path that is too long; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_prof_complete(
		struct tlsg_prof *p, const struct tlsg_prof_settings *defaults, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Logs the settings of a completed profile, without passwords, one line each at INFO. PINs must be moved out of them
 * before.
 */
void tlsg_prof_log(const struct tlsg_prof *p);

#endif
