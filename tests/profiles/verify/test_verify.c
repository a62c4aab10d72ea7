/*
 * tls_gnutls - tests of profiles/verify/verify.c, chain.c and crl.c: chains, results, codes
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests.  Memory: heap, stand-in shared memory.  Lock: none.
 *
 * A row has what is sent, what is trusted, and the expected result. The codes are those that OpenSSL gives for the same
 * chains; tests/profiles/verify/verify_compare.py runs OpenSSL itself.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "profiles/load_trust.h"
#include "profiles/verify/verify.h"
#include "tests/lib/certs.h"

#define SIGNS GNUTLS_KEY_DIGITAL_SIGNATURE
#define CERTS (GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)
#define DAYS(n) ((n)*TLSG_CERTS_DAY)
#define BOTH                                               \
	{                                                      \
		GNUTLS_KP_TLS_WWW_CLIENT, GNUTLS_KP_TLS_WWW_SERVER \
	}

static const struct tlsg_cert_row certificates[] = {
		{"root", .flags = TLSG_CERT_CA, .usage = CERTS, .from_days = -900, .to_days = 900},
		{"int", "root", .flags = TLSG_CERT_CA, .usage = CERTS, .from_days = -800, .to_days = 800},
		{"int2", "int", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"int3", "int2", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"leaf-root", "root", .flags = TLSG_CERT_NOT_CA, .usage = SIGNS, .purposes = BOTH},
		{"leaf", "int", .flags = TLSG_CERT_NOT_CA, .usage = SIGNS, .purposes = BOTH},
		{"leaf2", "int2", .flags = TLSG_CERT_NOT_CA, .usage = SIGNS, .purposes = BOTH},
		{"leaf3", "int3", .flags = TLSG_CERT_NOT_CA, .usage = SIGNS, .purposes = BOTH},
		{"leaf-bare", .issuer = "int"},
		{"leaf-ca", "int", .flags = TLSG_CERT_CA, .usage = SIGNS | CERTS},
		/* purposes */
		{"client", "root", .flags = TLSG_CERT_NOT_CA, .purposes = {GNUTLS_KP_TLS_WWW_CLIENT}},
		{"server", "root", .flags = TLSG_CERT_NOT_CA, .purposes = {GNUTLS_KP_TLS_WWW_SERVER}},
		{"any", "root", .flags = TLSG_CERT_NOT_CA, .purposes = {GNUTLS_KP_ANY}},
		{"code", "root", .flags = TLSG_CERT_NOT_CA, .purposes = {GNUTLS_KP_CODE_SIGNING}},
		{"sgc", "root", .flags = TLSG_CERT_NOT_CA, .purposes = {"2.16.840.1.113730.4.1"}},
		{"encipher", "root", .flags = TLSG_CERT_NOT_CA, .usage = GNUTLS_KEY_KEY_ENCIPHERMENT},
		{"agree", "root", .flags = TLSG_CERT_NOT_CA, .usage = GNUTLS_KEY_KEY_AGREEMENT},
		{"crl-only", "root", .flags = TLSG_CERT_NOT_CA, .usage = GNUTLS_KEY_CRL_SIGN},
		{"int-client", "root", .flags = TLSG_CERT_CA, .usage = CERTS, .purposes = {GNUTLS_KP_TLS_WWW_CLIENT}},
		{"leaf-int-client", "int-client", .flags = TLSG_CERT_NOT_CA},
		/* who may issue */
		{"int-not-ca", "root", .flags = TLSG_CERT_NOT_CA, .usage = SIGNS},
		{"leaf-not-ca", "int-not-ca", .flags = TLSG_CERT_NOT_CA},
		{"int-bare", .issuer = "root"},
		{"leaf-int-bare", .issuer = "int-bare"},
		{"int-no-sign", "root", .flags = TLSG_CERT_CA, .usage = SIGNS},
		{"leaf-no-sign", .issuer = "int-no-sign"},
		{"int-v1", "root", .flags = TLSG_CERT_V1},
		{"leaf-int-v1", .issuer = "int-v1"},
		{"root-v1", .flags = TLSG_CERT_V1},
		{"leaf-root-v1", .issuer = "root-v1"},
		/* path lengths */
		{"root-p0", .flags = TLSG_CERT_CA, .usage = CERTS, .path_length = 1},
		{"leaf-p0", .issuer = "root-p0"},
		{"int-p0", "root-p0", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"leaf-int-p0", .issuer = "int-p0"},
		{"root-p1", .flags = TLSG_CERT_CA, .usage = CERTS, .path_length = 2},
		{"int-p1", "root-p1", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"leaf-int-p1", .issuer = "int-p1"},
		/* dates */
		{"leaf-old", "int", .from_days = -20, .to_days = -1},
		{"leaf-new", "int", .from_days = 1, .to_days = 20},
		{"int-old", "root", .flags = TLSG_CERT_CA, .usage = CERTS, .from_days = -20, .to_days = -1},
		{"leaf-int-old", .issuer = "int-old"},
		{"root-old", .flags = TLSG_CERT_CA, .usage = CERTS, .from_days = -20, .to_days = -1},
		{"leaf-root-old", .issuer = "root-old"},
		/* not trusted */
		{"self", .flags = TLSG_CERT_NOT_CA, .usage = SIGNS},
		{"self-old", .from_days = -20, .to_days = -1},
		{"stranger", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"leaf-stranger", .issuer = "stranger"},
		/* forged and weak */
		{"leaf-forged", "int", .flags = TLSG_CERT_FORGED},
		{"int-forged", "root", .flags = TLSG_CERT_FORGED | TLSG_CERT_CA, .usage = CERTS},
		{"leaf-int-forged", .issuer = "int-forged"},
		{"leaf-small", "root", .key = TLSG_KEY_RSA1024},
		{"leaf-sha1", "root", .flags = TLSG_CERT_SHA1},
		{"leaf-critical", "root", .flags = TLSG_CERT_CRITICAL},
		{"leaf-25519", "root", .key = TLSG_KEY_ED25519},
		{"leaf-rsa", "root", .key = TLSG_KEY_RSA2048},
		{"root-384", .key = TLSG_KEY_P384, .flags = TLSG_CERT_CA, .usage = CERTS},
		{"leaf-384", "root-384", .key = TLSG_KEY_P384, .flags = TLSG_CERT_SHA384},
		{"leaf-256", "root-384", .key = TLSG_KEY_P384},
		{"int-sha1", "root", .flags = TLSG_CERT_SHA1 | TLSG_CERT_CA, .usage = CERTS},
		{"leaf-int-sha1", .issuer = "int-sha1"},
};

/* Key roll-over, cross certificates, constraints. */
static const struct tlsg_cert_row more[] = {
		/* same name, other key; without key identifiers only the signature tells them apart */
		{"twin-a", .cn = "twin", .flags = TLSG_CERT_CA | TLSG_CERT_NO_KEY_IDS, .usage = CERTS},
		{"twin-b", .cn = "twin", .flags = TLSG_CERT_CA | TLSG_CERT_NO_KEY_IDS, .usage = CERTS},
		{"leaf-a", "twin-a", .flags = TLSG_CERT_NO_KEY_IDS},
		{"leaf-b", "twin-b", .flags = TLSG_CERT_NO_KEY_IDS},
		/* one intermediate, certified by a CA that is trusted and by one that is not */
		{"good", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"bad", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"cross-good", "good", .cn = "cross", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"cross-bad", "bad", .cn = "cross", .key_of = "cross-good", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"leaf-cross", .issuer = "cross-good"},
		/* a root renewed with the same key, the old certificate has expired */
		{"renew-old", .cn = "renewed", .flags = TLSG_CERT_CA, .usage = CERTS, .from_days = -90, .to_days = -1},
		{"renew-new", .cn = "renewed", .key_of = "renew-old", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"leaf-renew", .issuer = "renew-new"},
		/* two CAs that certify each other, and no root */
		{"loop-x-root", .cn = "loop-x", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"loop-y", "loop-x-root", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"loop-x", "loop-y", .cn = "loop-x", .key_of = "loop-x-root", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"leaf-loop", .issuer = "loop-x"},
		/* a CA's new key certified with its old one: does not count for path lengths, RFC 5280 section 4.2.1.9 */
		{"roll", .flags = TLSG_CERT_CA, .usage = CERTS, .path_length = 2},
		{"roll-int", "roll", .flags = TLSG_CERT_CA, .usage = CERTS, .path_length = 1},
		{"leaf-roll", .issuer = "roll-int"},
		/* names */
		{"names", .flags = TLSG_CERT_CA, .usage = CERTS, .permitted_dns = "example.org"},
		{"leaf-inside", "names", .sans = {{GNUTLS_SAN_DNSNAME, "sip.example.org", 0}}},
		{"leaf-outside", "names", .sans = {{GNUTLS_SAN_DNSNAME, "sip.example.com", 0}}},
		{"not-names", .flags = TLSG_CERT_CA, .usage = CERTS, .excluded_dns = "example.org"},
		{"leaf-excluded", "not-names", .sans = {{GNUTLS_SAN_DNSNAME, "sip.example.org", 0}}},
		{"leaf-allowed", "not-names", .sans = {{GNUTLS_SAN_DNSNAME, "sip.example.com", 0}}},
		/* CRLs */
		{"no-crl-sign", .flags = TLSG_CERT_CA, .usage = GNUTLS_KEY_KEY_CERT_SIGN},
		{"leaf-no-crl-sign", .issuer = "no-crl-sign"},
		{"leaf-revoked", .issuer = "root"},
		{"int-revoked", "root", .flags = TLSG_CERT_CA, .usage = CERTS},
		{"leaf-int-revoked", .issuer = "int-revoked"},
		{"leaf-revoked-old", "root", .from_days = -20, .to_days = -1},
		{"leaf-int-stranger-crl", .issuer = "stranger"},
		{"weak-root", .flags = TLSG_CERT_CA, .usage = CERTS, .key = TLSG_KEY_RSA1024},
		{"leaf-weak-root", .issuer = "weak-root"},
};

static const struct tlsg_crl_row lists[] = {
		{"root", "root", {"leaf-revoked", "int-revoked", "leaf-revoked-old"}, .filler = 100},
		{"root-empty", .issuer = "root"},
		{"root-old", "root", {"leaf-revoked"}, .from_days = -20, .to_days = -1},
		{"root-new", "root", .from_days = 1, .to_days = 20},
		{"root-endless", "root", {"leaf-revoked"}, .from_days = -20},
		{"root-forged", "root", .forged = true},
		{"root-forged-revoked", "root", {"leaf-root"}, .forged = true},
		{"root-no-id", "root", {"leaf-revoked"}, .no_key_id = true},
		{"int", .issuer = "int"},
		{"int-revoked", .issuer = "int-revoked"},
		{"no-crl-sign", .issuer = "no-crl-sign"},
};

static struct tlsg_certs certs;
static char folder[256];

enum
{
	KEEP_GOING = 1,
	NO_LIST = 2 /* without the process's parsed list */
};

struct row
{
	const char *what;
	const char *sent;	 /* leaf first */
	const char *trusted; /* NULL: no trust at all */
	const char *crl;	 /* NULL: not set */
	enum tlsg_verify_code code;
	unsigned at;	   /* depth of the code */
	const char *built; /* NULL: as sent */
	enum tlsg_role role;
	int depth; /* verify_depth plus 1; 0: 9 */
	unsigned flags;
	int days; /* clock */
	gnutls_certificate_verification_profiles_t profile;
};

static const struct row rows[] = {
		/* ---- valid chains ---- */
		{"leaf under a root", "leaf-root", "root", .built = "leaf-root root"},
		{"leaf under an intermediate", "leaf int", "root", .built = "leaf int root"},
		{"client role", "leaf int", "root", .built = "leaf int root", .role = TLSG_CLIENT},
		{"root sent too", "leaf int root", "root", .built = "leaf int root"},
		{"wrong order", "leaf3 root int int3 int2", "root", .built = "leaf3 int3 int2 int root"},
		{"sent twice", "leaf int int leaf", "root", .built = "leaf int root"},
		{"unneeded ones", "leaf stranger int2 int self", "root", .built = "leaf int root"},
		{"unneeded expired one", "leaf int int-old", "root", .built = "leaf int root"},
		{"many CAs", "leaf int", "stranger root-old root self", .built = "leaf int root"},
		{"intermediate known to us", "leaf", "int root", .built = "leaf int root"},
		{"without a parsed list", "leaf int", "root", .built = "leaf int root", .flags = NO_LIST},
		{"without extensions", "leaf-bare int", "root", .built = "leaf-bare int root"},
		{"leaf that is a CA", "leaf-ca int", "root", .built = "leaf-ca int root"},
		{"self-signed leaf that is trusted", "self", "root self", .built = "self"},
		{"version 1 root", "leaf-root-v1", "root-v1", .built = "leaf-root-v1 root-v1"},
		{"Ed25519", "leaf-25519", "root", .built = "leaf-25519 root"},
		{"RSA", "leaf-rsa", "root", .built = "leaf-rsa root"},
		/* ---- anchors ---- */
		{"no set", "leaf int", NULL, .code = TLSG_V_NO_LOCAL_ISSUER, .at = 1},
		{"nothing trusted", "leaf int", "", .code = TLSG_V_NO_LOCAL_ISSUER, .at = 1},
		{"another CA trusted", "leaf int", "stranger", .code = TLSG_V_NO_LOCAL_ISSUER, .at = 1},
		{"intermediate missing", "leaf", "root", .code = TLSG_V_NO_LOCAL_ISSUER, .at = 0},
		{"middle missing", "leaf3 int3 int", "root", .code = TLSG_V_NO_LOCAL_ISSUER, .at = 1, .built = "leaf3 int3"},
		{"unknown root sent", "leaf-stranger stranger", "root", .code = TLSG_V_SELF_SIGNED_IN_CHAIN, .at = 1},
		{"self-signed leaf", "self", "root", .code = TLSG_V_SELF_SIGNED, .at = 0},
		{"self-signed leaf and a trusted root", "self root", "root", .code = TLSG_V_SELF_SIGNED, .built = "self"},
		{"only the intermediate trusted", "leaf int", "int", .code = TLSG_V_NO_ISSUER, .at = 1},
		{"only the intermediate trusted, root sent", "leaf int root", "int", .code = TLSG_V_NO_ISSUER, .at = 1,
				.built = "leaf int"},
		{"only the leaf trusted", "leaf", "leaf", .code = TLSG_V_NO_LOCAL_ISSUER, .at = 0},
		/* ---- several possible issuers ---- */
		{"twins, first", "leaf-a", "twin-a twin-b", .built = "leaf-a twin-a"},
		{"twins, second", "leaf-b", "twin-a twin-b", .built = "leaf-b twin-b"},
		{"twins, wrong one only", "leaf-b", "twin-a", .code = TLSG_V_SIGNATURE, .built = "leaf-b twin-a"},
		{"cross certificates, good first", "leaf-cross cross-good cross-bad bad", "good",
				.built = "leaf-cross cross-good good"},
		{"cross certificates, bad first", "leaf-cross cross-bad bad cross-good", "good",
				.built = "leaf-cross cross-good good"},
		{"cross certificates, other CA", "leaf-cross cross-good cross-bad", "bad", .built = "leaf-cross cross-bad bad"},
		{"renewed root, both there", "leaf-renew", "renew-old renew-new", .built = "leaf-renew renew-new"},
		{"renewed root, old only", "leaf-renew", "renew-old", .code = TLSG_V_EXPIRED, .at = 1,
				.built = "leaf-renew renew-old"},
		{"loop", "leaf-loop loop-x loop-y", "root", .code = TLSG_V_NO_LOCAL_ISSUER, .at = 2},
		{"loop of configured CAs", "leaf-loop", "loop-x loop-y", .code = TLSG_V_NO_ISSUER, .at = 2,
				.built = "leaf-loop loop-x loop-y"},
		{"loop with a way out", "leaf-loop loop-x loop-y", "loop-x-root", .built = "leaf-loop loop-x-root"},
		/* ---- depth ---- */
		{"depth 0, no intermediate", "leaf-root", "root", .built = "leaf-root root", .depth = 1},
		{"depth 0, one intermediate", "leaf int", "root", .code = TLSG_V_CHAIN_TOO_LONG, .at = 1, .depth = 1},
		{"depth 0, self-signed", "self", "self", .built = "self", .depth = 1},
		{"depth 1, one intermediate", "leaf int", "root", .built = "leaf int root", .depth = 2},
		{"depth 1, two intermediates", "leaf2 int2 int", "root", .code = TLSG_V_CHAIN_TOO_LONG, .at = 2, .depth = 2},
		{"depth 1, root sent", "leaf int root", "root", .built = "leaf int root", .depth = 2},
		{"depth 3, three intermediates", "leaf3 int3 int2 int", "root", .built = "leaf3 int3 int2 int root",
				.depth = 4},
		{"depth 2, three intermediates", "leaf3 int3 int2 int", "root", .code = TLSG_V_CHAIN_TOO_LONG, .at = 3,
				.depth = 3},
		{"depth 0, configured intermediate", "leaf", "int root", .code = TLSG_V_CHAIN_TOO_LONG, .at = 1, .depth = 1,
				.built = "leaf int"},
		{"negative depth", "leaf int", "root", .code = TLSG_V_CHAIN_TOO_LONG, .at = 1, .depth = -1},
		/* ---- purposes ---- */
		{"client's for a client", "client", "root", .built = "client root"},
		{"client's for a server", "client", "root", .code = TLSG_V_PURPOSE, .built = "client root",
				.role = TLSG_CLIENT},
		{"server's for a client", "server", "root", .code = TLSG_V_PURPOSE, .built = "server root"},
		{"server's for a server", "server", "root", .built = "server root", .role = TLSG_CLIENT},
		{"any purpose is not enough", "any", "root", .code = TLSG_V_PURPOSE, .built = "any root"},
		{"code signing", "code", "root", .code = TLSG_V_PURPOSE, .built = "code root"},
		{"step-up for a server", "sgc", "root", .built = "sgc root", .role = TLSG_CLIENT},
		{"step-up for a client", "sgc", "root", .code = TLSG_V_PURPOSE, .built = "sgc root"},
		{"encipherment for a server", "encipher", "root", .built = "encipher root", .role = TLSG_CLIENT},
		{"encipherment for a client", "encipher", "root", .code = TLSG_V_PURPOSE, .built = "encipher root"},
		{"agreement for a client", "agree", "root", .built = "agree root"},
		{"agreement for a server", "agree", "root", .built = "agree root", .role = TLSG_CLIENT},
		{"CRL signing only, server", "crl-only", "root", .code = TLSG_V_PURPOSE, .built = "crl-only root",
				.role = TLSG_CLIENT},
		{"CRL signing only, client", "crl-only", "root", .code = TLSG_V_PURPOSE, .built = "crl-only root"},
		{"CA for clients, client", "leaf-int-client int-client", "root", .built = "leaf-int-client int-client root"},
		{"CA for clients, server", "leaf-int-client int-client", "root", .code = TLSG_V_PURPOSE, .at = 1,
				.built = "leaf-int-client int-client root", .role = TLSG_CLIENT},
		/* ---- who may issue ---- */
		{"issuer is no CA", "leaf-not-ca int-not-ca", "root", .code = TLSG_V_INVALID_CA, .at = 1,
				.built = "leaf-not-ca int-not-ca root"},
		{"issuer does not say", "leaf-int-bare int-bare", "root", .code = TLSG_V_INVALID_CA, .at = 1,
				.built = "leaf-int-bare int-bare root"},
		{"issuer may not sign certificates", "leaf-no-sign int-no-sign", "root", .code = TLSG_V_INVALID_CA, .at = 1,
				.built = "leaf-no-sign int-no-sign root"},
		{"version 1 intermediate", "leaf-int-v1 int-v1", "root", .code = TLSG_V_INVALID_CA, .at = 1,
				.built = "leaf-int-v1 int-v1 root"},
		{"leaf issued by a leaf", "leaf-forged leaf", "root", .code = TLSG_V_NO_LOCAL_ISSUER, .built = "leaf-forged"},
		{"path length 0, leaf", "leaf-p0", "root-p0", .built = "leaf-p0 root-p0"},
		{"path length 0, intermediate", "leaf-int-p0 int-p0", "root-p0", .code = TLSG_V_PATH_LENGTH, .at = 2,
				.built = "leaf-int-p0 int-p0 root-p0"},
		{"path length 1, intermediate", "leaf-int-p1 int-p1", "root-p1", .built = "leaf-int-p1 int-p1 root-p1"},
		{"path lengths that go down", "leaf-roll roll-int", "roll", .built = "leaf-roll roll-int roll"},
		/* ---- dates ---- */
		{"leaf expired", "leaf-old int", "root", .code = TLSG_V_EXPIRED, .built = "leaf-old int root"},
		{"leaf expired, two days ago it had not", "leaf-old int", "root", .built = "leaf-old int root", .days = -2},
		{"leaf not yet valid", "leaf-new int", "root", .code = TLSG_V_NOT_YET_VALID, .built = "leaf-new int root"},
		{"leaf not yet valid, in two days it is", "leaf-new int", "root", .built = "leaf-new int root", .days = 2},
		{"intermediate expired", "leaf-int-old int-old", "root", .code = TLSG_V_EXPIRED, .at = 1,
				.built = "leaf-int-old int-old root"},
		{"root expired", "leaf-root-old", "root-old", .code = TLSG_V_EXPIRED, .at = 1,
				.built = "leaf-root-old root-old"},
		{"trusted self-signed leaf expired", "self-old", "self-old", .code = TLSG_V_EXPIRED, .built = "self-old"},
		/* ---- signatures and strength ---- */
		{"leaf forged", "leaf-forged int", "root", .code = TLSG_V_SIGNATURE, .built = "leaf-forged int root"},
		{"intermediate forged", "leaf-int-forged int-forged", "root", .code = TLSG_V_SIGNATURE, .at = 1,
				.built = "leaf-int-forged int-forged root"},
		{"small key", "leaf-small", "root", .code = TLSG_V_WEAK, .built = "leaf-small root"},
		{"small key of a CA", "leaf-weak-root", "weak-root", .code = TLSG_V_WEAK_CA, .at = 1,
				.built = "leaf-weak-root weak-root"},
		{"SHA-1", "leaf-sha1", "root", .code = TLSG_V_WEAK_HASH, .built = "leaf-sha1 root"},
		{"strong profile", "leaf-rsa", "root", .code = TLSG_V_WEAK, .built = "leaf-rsa root",
				.profile = GNUTLS_PROFILE_HIGH},
		{"strong profile, strong key", "leaf-25519", "root", .built = "leaf-25519 root",
				.profile = GNUTLS_PROFILE_HIGH},
		{"level 0, SHA-1", "leaf-sha1", "root", .built = "leaf-sha1 root", .profile = GNUTLS_PROFILE_VERY_WEAK},
		{"level 0, SHA-1 of an intermediate", "leaf-int-sha1 int-sha1", "root", .built = "leaf-int-sha1 int-sha1 root",
				.profile = GNUTLS_PROFILE_VERY_WEAK},
		{"level 0, forged all the same", "leaf-forged int", "root", .code = TLSG_V_SIGNATURE,
				.built = "leaf-forged int root", .profile = GNUTLS_PROFILE_VERY_WEAK},
		{"level 1, SHA-1", "leaf-sha1", "root", .code = TLSG_V_WEAK_HASH, .built = "leaf-sha1 root",
				.profile = GNUTLS_PROFILE_LOW},
		{"level 2, SHA-1 of an intermediate", "leaf-int-sha1 int-sha1", "root", .code = TLSG_V_WEAK_HASH, .at = 1,
				.built = "leaf-int-sha1 int-sha1 root"},
		{"level 0, small key", "leaf-small", "root", .built = "leaf-small root", .profile = GNUTLS_PROFILE_VERY_WEAK},
		{"level 1, small key", "leaf-small", "root", .built = "leaf-small root", .profile = GNUTLS_PROFILE_LOW},
		{"level 3, SHA-256", "leaf-256", "root-384", .built = "leaf-256 root-384", .profile = GNUTLS_PROFILE_HIGH},
		{"level 4, SHA-256", "leaf-256", "root-384", .code = TLSG_V_WEAK_HASH, .built = "leaf-256 root-384",
				.profile = GNUTLS_PROFILE_ULTRA},
		{"level 4, SHA-384", "leaf-384", "root-384", .built = "leaf-384 root-384", .profile = GNUTLS_PROFILE_ULTRA},
		{"level 5, SHA-384", "leaf-384", "root-384", .code = TLSG_V_WEAK, .built = "leaf-384 root-384",
				.profile = GNUTLS_PROFILE_FUTURE},
		{"unknown critical extension", "leaf-critical", "root", .code = TLSG_V_CRITICAL_EXTENSION,
				.built = "leaf-critical root"},
		/* ---- name constraints ---- */
		{"permitted name", "leaf-inside", "names", .built = "leaf-inside names"},
		{"name not permitted", "leaf-outside", "names", .code = TLSG_V_NAME_CONSTRAINT, .built = "leaf-outside names"},
		{"excluded name", "leaf-excluded", "not-names", .code = TLSG_V_NAME_CONSTRAINT,
				.built = "leaf-excluded not-names"},
		{"name not excluded", "leaf-allowed", "not-names", .built = "leaf-allowed not-names"},
		/* ---- revocation ---- */
		{"not revoked", "leaf-root", "root", "crl:root", .built = "leaf-root root"},
		{"revoked", "leaf-revoked", "root", "crl:root", .code = TLSG_V_REVOKED, .built = "leaf-revoked root"},
		{"revoked, but no CRLs are asked for", "leaf-revoked", "root", .built = "leaf-revoked root"},
		{"revoked, by a list without key identifier", "leaf-revoked", "root", "crl:root-no-id", .code = TLSG_V_REVOKED,
				.built = "leaf-revoked root"},
		{"revoked, by a list without end", "leaf-revoked", "root", "crl:root-endless", .code = TLSG_V_REVOKED,
				.built = "leaf-revoked root"},
		{"not revoked, by a list without end", "leaf-root", "root", "crl:root-endless", .built = "leaf-root root"},
		{"list for the intermediate missing", "leaf int", "root", "crl:root", .code = TLSG_V_NO_CRL,
				.built = "leaf int root"},
		{"list for the root missing", "leaf int", "root", "crl:int", .code = TLSG_V_NO_CRL, .at = 1,
				.built = "leaf int root"},
		{"lists for both", "leaf int", "root", "crl:int crl:root", .built = "leaf int root"},
		{"lists for both, without a parsed list", "leaf int", "root", "crl:int crl:root", .built = "leaf int root",
				.flags = NO_LIST},
		{"intermediate revoked", "leaf-int-revoked int-revoked", "root", "crl:int-revoked crl:root",
				.code = TLSG_V_REVOKED, .at = 1, .built = "leaf-int-revoked int-revoked root"},
		{"list expired", "leaf-root", "root", "crl:root-old", .code = TLSG_V_CRL_EXPIRED, .built = "leaf-root root"},
		{"list expired, two days ago it had not", "leaf-root", "root", "crl:root-old", .built = "leaf-root root",
				.days = -2},
		{"list not yet valid", "leaf-root", "root", "crl:root-new", .code = TLSG_V_CRL_NOT_YET_VALID,
				.built = "leaf-root root"},
		{"expired list beside a current one", "leaf-root", "root", "crl:root-old crl:root-empty",
				.built = "leaf-root root"},
		{"the latest of two current ones counts", "leaf-revoked", "root", "crl:root-endless crl:root-empty",
				.built = "leaf-revoked root"},
		{"the latest of two current ones counts, other order", "leaf-revoked", "root",
				"crl:root-empty crl:root-endless", .built = "leaf-revoked root"},
		{"list forged", "leaf-root", "root", "crl:root-forged", .code = TLSG_V_CRL_SIGNATURE,
				.built = "leaf-root root"},
		{"entries of a forged list do not count", "leaf-root", "root", "crl:root-forged-revoked",
				.code = TLSG_V_CRL_SIGNATURE, .built = "leaf-root root"},
		{"issuer may not sign lists", "leaf-no-crl-sign", "no-crl-sign", "crl:no-crl-sign", .code = TLSG_V_CRL_SIGN,
				.built = "leaf-no-crl-sign no-crl-sign"},
		{"list of a stranger only", "leaf-stranger", "stranger", "crl:root", .code = TLSG_V_NO_CRL,
				.built = "leaf-stranger stranger"},
		{"CA in the crl file is trusted", "leaf-root", "stranger", "root crl:root", .built = "leaf-root root"},
		{"self-signed leaf without a list", "self", "self", "crl:root", .code = TLSG_V_NO_CRL, .built = "self"},
		/* ---- several failures: the first is reported ---- */
		{"unknown CA before dates", "leaf-old int", "stranger", .code = TLSG_V_NO_LOCAL_ISSUER, .at = 1},
		{"purpose before dates", "leaf-old int-client", "root", .code = TLSG_V_NO_LOCAL_ISSUER, .built = "leaf-old"},
		{"revoked before expired", "leaf-revoked-old", "root", "crl:root", .code = TLSG_V_REVOKED,
				.built = "leaf-revoked-old root"},
		{"expired list before revoked", "leaf-revoked", "root", "crl:root-old", .code = TLSG_V_CRL_EXPIRED,
				.built = "leaf-revoked root"},
		/* ---- keep_going: the gravest failure is reported ---- */
		{"going on: all right", "leaf int", "root", .built = "leaf int root", .flags = KEEP_GOING},
		{"going on: unknown CA, chain of one", "leaf", "stranger", .code = TLSG_V_LEAF_UNVERIFIABLE,
				.flags = KEEP_GOING},
		{"going on: unknown CA, chain of two", "leaf int", "stranger", .code = TLSG_V_NO_LOCAL_ISSUER, .at = 1,
				.flags = KEEP_GOING},
		{"going on: unknown CA and expired", "leaf-old int", "stranger", .code = TLSG_V_EXPIRED, .flags = KEEP_GOING},
		{"going on: self-signed", "self", "root", .code = TLSG_V_SELF_SIGNED, .flags = KEEP_GOING},
		{"going on: self-signed and expired", "self-old", "root", .code = TLSG_V_EXPIRED, .flags = KEEP_GOING},
		{"going on: self-signed and no CRL", "self", "root", "crl:root", .code = TLSG_V_SELF_SIGNED,
				.flags = KEEP_GOING},
		{"going on: expired list and revoked", "leaf-revoked", "root", "crl:root-old", .code = TLSG_V_REVOKED,
				.built = "leaf-revoked root", .flags = KEEP_GOING},
		{"going on: revoked and expired", "leaf-revoked-old", "root", "crl:root", .code = TLSG_V_REVOKED,
				.built = "leaf-revoked-old root", .flags = KEEP_GOING},
		{"going on: forged", "leaf-forged int", "root", .code = TLSG_V_SIGNATURE, .built = "leaf-forged int root",
				.flags = KEEP_GOING},
		{"going on: forged under an unknown CA", "leaf-int-forged int-forged stranger", "stranger",
				.code = TLSG_V_NO_LOCAL_ISSUER, .at = 1, .built = "leaf-int-forged int-forged", .flags = KEEP_GOING},
};

static char *file_of(const char *name)
{
	static char path[2][512];
	static unsigned next;

	next = !next;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

/* Loads what a row trusts, as the module does. */
static const struct tlsg_trust *trust_load(struct tlsg_set *set, const char *trusted, const char *crl)
{
	struct tlsg_prof_settings s;
	struct tlsg_trust *t = NULL;
	struct tlsg_err err;
	enum tlsg_ret ret;

	memset(&s, 0, sizeof(s));
	tlsg_err_clear(&err);
	if(trusted[0] != '\0') {
		s.ca_list.s = file_of("ca.pem");
		s.ca_list.len = (int)strlen(s.ca_list.s);
		tlsg_certs_write(&certs, s.ca_list.s, trusted);
	}
	if(crl != NULL) {
		s.crl.s = file_of("crl.pem");
		s.crl.len = (int)strlen(s.crl.s);
		tlsg_certs_write(&certs, s.crl.s, crl);
	}
	ret = tlsg_load_trust(set, &s, &t, &err);
	if(ret != TLSG_OK)
		fail_msg("trust: %s", err.text);
	return t;
}

static unsigned ders_of(const char *names, struct tlsg_der *out)
{
	char name[64];
	int used;
	unsigned n = 0;

	for(; sscanf(names, " %63s%n", name, &used) == 1; names += used) {
		const struct tlsg_cert *c = tlsg_certs_get(&certs, name);

		assert_true(n < TLSG_CHAIN_MAX);
		out[n].data = c->der.data;
		out[n++].size = c->der.size;
	}
	return n;
}

/* The names of the chain that was built. */
static void names_of(const struct tlsg_verify_result *r, char *out, size_t size)
{
	size_t at = 0;
	unsigned i, k;

	out[0] = '\0';
	for(i = 0; i < r->built_len; i++) {
		for(k = 0; k < certs.len; k++)
			if(certs.certs[k].der.size == r->built[i].size
					&& memcmp(certs.certs[k].der.data, r->built[i].data, r->built[i].size) == 0)
				break;
		at += (size_t)snprintf(
				out + at, size - at, "%s%s", i > 0 ? " " : "", k < certs.len ? certs.certs[k].row->name : "?");
	}
}

static void check_row(const struct row *row)
{
	struct tlsg_set set = {.arena = tlsg_arena_new(0)};
	struct tlsg_der sent[TLSG_CHAIN_MAX];
	struct tlsg_verify_result r;
	struct tlsg_verify_input in = {.chain = sent};
	char built[512];

	assert_non_null(set.arena);
	in.chain_len = ders_of(row->sent, sent);
	if(row->trusted != NULL) {
		in.trust = trust_load(&set, row->trusted, row->crl);
		in.list = (row->flags & NO_LIST) ? NULL : tlsg_trust_parse(in.trust);
	}
	in.check_crl = row->crl != NULL;
	in.keep_going = (row->flags & KEEP_GOING) != 0;
	in.profile = row->profile;
	in.depth = row->depth == 0 ? 9 : row->depth - 1;
	in.role = row->role;
	in.now = TLSG_CERTS_NOW + DAYS(row->days);
	assert_int_equal(tlsg_verify_chain(&in, &r), TLSG_OK);
	names_of(&r, built, sizeof(built));
	if(r.code != row->code || r.depth != row->at || strcmp(built, row->built != NULL ? row->built : row->sent) != 0)
		fail_msg("%s: code %d (%s) at %u, status %#x, built \"%s\"; wanted code %d at %u, built \"%s\"", row->what,
				r.code, tlsg_verify_code_reason(r.code), r.depth, r.status, built, row->code, row->at,
				row->built != NULL ? row->built : row->sent);
	assert_int_equal(r.alert, tlsg_verify_code_alert(r.code));
	tlsg_verify_result_free(&r);
	tlsg_verify_result_free(&r);
	if(in.list != NULL)
		gnutls_x509_trust_list_deinit(in.list, 1);
	tlsg_arena_drop(set.arena);
}

static void test_rows(void **state)
{
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

static void expect_failure(const struct tlsg_der *sent, unsigned len, enum tlsg_ret ret, enum tlsg_verify_code code)
{
	struct tlsg_verify_input in = {.chain = sent, .chain_len = len, .depth = 9, .now = TLSG_CERTS_NOW};
	struct tlsg_verify_result r;

	assert_int_equal(tlsg_verify_chain(&in, &r), ret);
	assert_int_equal(r.code, code);
	assert_int_equal(r.built_len, 0);
	tlsg_verify_result_free(&r);
}

/* Input that cannot be verified at all never yields TLSG_V_OK. */
static void test_not_verifiable(void **state)
{
	static unsigned char huge[TLSG_VERIFY_CERT_MAX_BYTES + 1];
	static unsigned char junk[] = {0x30, 0x03, 0x02, 0x01, 0x00};
	struct tlsg_der sent[TLSG_CHAIN_MAX + 1];
	unsigned i;

	(void)state;
	for(i = 0; i <= TLSG_CHAIN_MAX; i++)
		ders_of("leaf", &sent[i]);
	expect_failure(sent, 0, TLSG_E_INTERNAL, TLSG_V_UNSPECIFIED);
	expect_failure(sent, TLSG_CHAIN_MAX + 1, TLSG_E_PEER, TLSG_V_CHAIN_TOO_LONG);
	sent[1] = (struct tlsg_der){junk, sizeof(junk)};
	expect_failure(sent, 2, TLSG_E_PEER, TLSG_V_REJECTED);
	sent[1] = (struct tlsg_der){huge, sizeof(huge)};
	expect_failure(sent, 2, TLSG_E_PEER, TLSG_V_REJECTED);
	/* truncated by one byte */
	ders_of("leaf", &sent[0]);
	sent[0].size--;
	expect_failure(sent, 1, TLSG_E_PEER, TLSG_V_REJECTED);
}

/* A leaf with any one byte changed is never accepted. */
static void test_changed_bytes(void **state)
{
	struct tlsg_set set = {.arena = tlsg_arena_new(0)};
	const struct tlsg_cert *leaf = tlsg_certs_get(&certs, "leaf-root");
	struct tlsg_der sent = {gnutls_malloc(leaf->der.size), leaf->der.size};
	struct tlsg_verify_input in = {.chain = &sent, .chain_len = 1, .depth = 9, .now = TLSG_CERTS_NOW};
	struct tlsg_verify_result r;
	unsigned i;

	(void)state;
	in.trust = trust_load(&set, "root", NULL);
	for(i = 0; i < leaf->der.size; i++) {
		memcpy(sent.data, leaf->der.data, leaf->der.size);
		sent.data[i] ^= 0x01;
		if(tlsg_verify_chain(&in, &r) == TLSG_OK && r.code == TLSG_V_OK)
			fail_msg("byte %u changed, and still valid", i);
		tlsg_verify_result_free(&r);
	}
	memcpy(sent.data, leaf->der.data, leaf->der.size);
	assert_int_equal(tlsg_verify_chain(&in, &r), TLSG_OK);
	assert_int_equal(r.code, TLSG_V_OK);
	tlsg_verify_result_free(&r);
	gnutls_free(sent.data);
	tlsg_arena_drop(set.arena);
}

#define MAZE 32

/* 31 certificates of two names that issued each other, without key identifiers, so that each can follow each.
 * Building ends, and nothing is trusted. */
static void test_maze(void **state)
{
	static struct tlsg_cert_row maze_rows[MAZE];
	static struct tlsg_certs maze;
	struct tlsg_der sent[TLSG_CHAIN_MAX];
	struct tlsg_verify_input in = {.chain = sent, .depth = 100, .now = TLSG_CERTS_NOW};
	struct tlsg_verify_result r;
	char names[MAZE][16];
	unsigned i;

	(void)state;
	for(i = 0; i < MAZE; i++) {
		snprintf(names[i], sizeof(names[i]), "maze-%u", i);
		maze_rows[i].name = names[i];
		maze_rows[i].cn = i % 2 ? "this way" : "that way";
		maze_rows[i].issuer = i > 0 ? names[i - 1] : NULL;
		maze_rows[i].flags = TLSG_CERT_CA | TLSG_CERT_NO_KEY_IDS;
	}
	tlsg_certs_make(&maze, maze_rows, MAZE);
	/* all but the root */
	for(i = 0; i < MAZE - 1; i++)
		sent[i] = (struct tlsg_der){maze.certs[MAZE - 1 - i].der.data, maze.certs[MAZE - 1 - i].der.size};
	in.chain_len = MAZE - 1;
	assert_int_equal(tlsg_verify_chain(&in, &r), TLSG_OK);
	assert_int_equal(r.code, TLSG_V_NO_LOCAL_ISSUER);
	assert_true(r.built_len > 2);
	tlsg_verify_result_free(&r);
	tlsg_certs_free(&maze);
}

/* The name is checked if verify_name is set, and only then. */
static void test_name(void **state)
{
	static const struct
	{
		const char *name;
		int verify_name;
		enum tlsg_role role;
		enum tlsg_verify_code code;
	} cases[] = {
			{"sip.example.org", 1, TLSG_CLIENT, TLSG_V_OK},
			{"sip.example.com", 1, TLSG_CLIENT, TLSG_V_NAME_MISMATCH},
			{"sip.example.com", 0, TLSG_CLIENT, TLSG_V_OK},
			{NULL, 1, TLSG_CLIENT, TLSG_V_NAME_MISMATCH},
			{NULL, 1, TLSG_SERVER, TLSG_V_OK},
			{"sip.example.com", 1, TLSG_SERVER, TLSG_V_NAME_MISMATCH},
	};
	struct tlsg_set set = {.arena = tlsg_arena_new(0)};
	struct tlsg_der sent[TLSG_CHAIN_MAX];
	struct tlsg_verify_input in = {.chain = sent, .depth = 9, .now = TLSG_CERTS_NOW};
	struct tlsg_verify_result r;
	size_t i;

	(void)state;
	in.chain_len = ders_of("leaf-inside", sent);
	in.trust = trust_load(&set, "names", NULL);
	for(i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		in.verify_name = cases[i].verify_name;
		in.role = cases[i].role;
		in.name.s = (char *)cases[i].name;
		in.name.len = cases[i].name != NULL ? (int)strlen(cases[i].name) : 0;
		assert_int_equal(tlsg_verify_chain(&in, &r), TLSG_OK);
		if(r.code != cases[i].code)
			fail_msg("case %zu: code %d", i, r.code);
		tlsg_verify_result_free(&r);
	}
	tlsg_arena_drop(set.arena);
}

/* Each code has a reason and an alert; an unknown code has a reason as well. */
static void test_codes(void **state)
{
	static const struct
	{
		enum tlsg_verify_code code;
		int alert;
		const char *reason;
	} known[] = {
			{TLSG_V_NO_ISSUER, GNUTLS_A_UNKNOWN_CA, "unable to get issuer certificate"},
			{TLSG_V_NO_CRL, GNUTLS_A_UNKNOWN_CA, "unable to get certificate CRL"},
			{TLSG_V_SIGNATURE, GNUTLS_A_DECRYPT_ERROR, "certificate signature failure"},
			{TLSG_V_NOT_YET_VALID, GNUTLS_A_BAD_CERTIFICATE, "certificate is not yet valid"},
			{TLSG_V_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, "certificate has expired"},
			{TLSG_V_CRL_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, "CRL has expired"},
			{TLSG_V_SELF_SIGNED, GNUTLS_A_UNKNOWN_CA, "self signed certificate"},
			{TLSG_V_SELF_SIGNED_IN_CHAIN, GNUTLS_A_UNKNOWN_CA, "self signed certificate in certificate chain"},
			{TLSG_V_NO_LOCAL_ISSUER, GNUTLS_A_UNKNOWN_CA, "unable to get local issuer certificate"},
			{TLSG_V_REVOKED, GNUTLS_A_CERTIFICATE_REVOKED, "certificate revoked"},
			{TLSG_V_PURPOSE, GNUTLS_A_UNSUPPORTED_CERTIFICATE, "unsupported certificate purpose"},
			{TLSG_V_INVALID_CA, GNUTLS_A_UNKNOWN_CA, "invalid CA certificate"},
			{(enum tlsg_verify_code)12345, GNUTLS_A_CERTIFICATE_UNKNOWN, "unknown error"},
	};
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_string_equal(tlsg_verify_code_reason(known[i].code), known[i].reason);
		assert_int_equal(tlsg_verify_code_alert(known[i].code), known[i].alert);
	}
}

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/verify-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if(mkdtemp(folder) == NULL || tlsg_arena_global_init() != TLSG_OK)
		return -1;
	tlsg_certs_make(&certs, certificates, sizeof(certificates) / sizeof(certificates[0]));
	tlsg_certs_make(&certs, more, sizeof(more) / sizeof(more[0]));
	tlsg_certs_make_crls(&certs, lists, sizeof(lists) / sizeof(lists[0]));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(file_of("ca.pem"));
	unlink(file_of("crl.pem"));
	rmdir(folder);
	tlsg_certs_free(&certs);
	tlsg_arena_global_deinit();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_rows),
			cmocka_unit_test(test_not_verifiable),
			cmocka_unit_test(test_changed_bytes),
			cmocka_unit_test(test_maze),
			cmocka_unit_test(test_name),
			cmocka_unit_test(test_codes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
