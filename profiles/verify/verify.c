/*
 * tls_gnutls - verifies the certificate chain of a peer
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a handshake.
 * Memory: this process's heap while it runs; the caller copies results.  Lock: none.
 *
 * A chain must pass two verifications: the checks below, made in OpenSSL's order so that the code is the one that
 * OpenSSL would give, and GnuTLS's verification of exactly the chain that was built.
 */
#include "profiles/verify/verify.h"

#include <gnutls/abstract.h>

#include "profiles/verify/chain.h"
#include "profiles/verify/constraints.h"
#include "profiles/verify/crl.h"
#include "profiles/verify/crt.h"
#include "profiles/verify/name.h"
#include "profiles/verify/trust.h"
#include "profiles/verify/usage.h"

#define SERIAL_MAX 128
#define NOWHERE TLSG_CHAIN_MAX
#define SHA1_BITS 63 /* as OpenSSL counts since 3.0 */

/* The state of one verification. */
struct verification
{
	const struct tlsg_verify_input *in;
	struct tlsg_verify_result *out;
	struct tlsg_chain chain;
	unsigned bad_signature; /* position, NOWHERE if all are good */
};

/* How grave a failure is: with keep_going the gravest is the result. */
static int rank(enum tlsg_verify_code code)
{
	switch(code) {
		case TLSG_V_OK:
			return 0;
		case TLSG_V_REVOKED:
			return 4;
		case TLSG_V_EXPIRED:
			return 3;
		case TLSG_V_SELF_SIGNED:
			return 2;
		default:
			return 1;
	}
}

/* Records a failure. @return whether to go on with the checks. */
static bool fail(struct verification *v, enum tlsg_verify_code code, unsigned depth)
{
	if(rank(code) >= rank(v->out->code)) {
		v->out->code = code;
		v->out->depth = depth;
	}
	return v->in->keep_going;
}

static gnutls_x509_crt_t crt_at(const struct verification *v, unsigned i)
{
	return v->chain.certs[i].crt;
}

/* ---- purposes, CA flags, path lengths ---- */

static bool fits_purpose(const struct verification *v, unsigned i)
{
	unsigned bits = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_AGREEMENT;

	if(!tlsg_usage_has_purpose(crt_at(v, i), v->in->role))
		return false;
	if(v->in->role == TLSG_CLIENT)
		bits |= GNUTLS_KEY_KEY_ENCIPHERMENT;
	return i > 0 || tlsg_usage_has_bits(crt_at(v, i), bits);
}

/* Whether a certificate may issue others. One of version 1 has no extension that says so: it may only as the anchor. */
static bool is_ca(const struct verification *v, unsigned i, int *path_length)
{
	gnutls_x509_crt_t crt = crt_at(v, i);
	unsigned ca = 0;
	int rc = gnutls_x509_crt_get_basic_constraints(crt, NULL, &ca, path_length);

	if(rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
		*path_length = -1;
		return v->chain.is_anchored && i == v->chain.len - 1 && gnutls_x509_crt_get_version(crt) == 1;
	}
	return rc >= 0 && ca != 0 && tlsg_usage_has_bits(crt, GNUTLS_KEY_KEY_CERT_SIGN);
}

/* Critical extensions, CA flags, purposes and path lengths, from the leaf up. */
static bool check_extensions(struct verification *v)
{
	int below = 0; /* intermediates so far that count for path lengths, RFC 5280 section 4.2.1.9 */
	unsigned i;

	for(i = 0; i < v->chain.len; i++) {
		int path_length = -1;

		if(tlsg_usage_has_unknown_critical(crt_at(v, i)) && !fail(v, TLSG_V_CRITICAL_EXTENSION, i))
			return false;
		if(i > 0 && !is_ca(v, i, &path_length) && !fail(v, TLSG_V_INVALID_CA, i))
			return false;
		if(!fits_purpose(v, i) && !fail(v, TLSG_V_PURPOSE, i))
			return false;
		if(path_length >= 0 && below > path_length && !fail(v, TLSG_V_PATH_LENGTH, i))
			return false;
		if(i > 0 && !tlsg_usage_is_self_issued(crt_at(v, i)))
			below++;
	}
	return true;
}

/* ---- strength of keys ---- */

/* The strength that keys must have at least. */
static gnutls_sec_param_t least_strength(const struct verification *v)
{
	switch(v->in->profile) {
		case GNUTLS_PROFILE_VERY_WEAK:
			return GNUTLS_SEC_PARAM_VERY_WEAK;
		case GNUTLS_PROFILE_LOW:
			return GNUTLS_SEC_PARAM_LOW;
		case GNUTLS_PROFILE_LEGACY:
			return GNUTLS_SEC_PARAM_LEGACY;
		case GNUTLS_PROFILE_HIGH:
		case GNUTLS_PROFILE_SUITEB128:
			return GNUTLS_SEC_PARAM_HIGH;
		case GNUTLS_PROFILE_ULTRA:
		case GNUTLS_PROFILE_SUITEB192:
			return GNUTLS_SEC_PARAM_ULTRA;
		case GNUTLS_PROFILE_FUTURE:
			return GNUTLS_SEC_PARAM_FUTURE;
		default:
			return GNUTLS_SEC_PARAM_MEDIUM;
	}
}

static bool is_weak_key(const struct verification *v, unsigned i)
{
	unsigned bits = 0;
	int pk = gnutls_x509_crt_get_pk_algorithm(crt_at(v, i), &bits);

	return pk < 0 || gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)pk, bits) < least_strength(v);
}

/* OpenSSL checks the leaf's key before anything else. */
static bool check_leaf_key(struct verification *v)
{
	return !is_weak_key(v, 0) || fail(v, TLSG_V_WEAK, 0);
}

/* ---- GnuTLS's verification ---- */

static unsigned gnutls_flags(const struct verification *v)
{
	gnutls_certificate_verification_profiles_t profile = v->in->profile;
	unsigned sha1 = profile == GNUTLS_PROFILE_VERY_WEAK ? GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1 : 0;

	if(profile == GNUTLS_PROFILE_UNKNOWN)
		profile = GNUTLS_PROFILE_MEDIUM;
	/* dates and CRLs are checked here, against the caller's clock */
	return sha1 | GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS
		   | GNUTLS_VERIFY_DISABLE_CRL_CHECKS | (unsigned)GNUTLS_PROFILE_TO_VFLAGS(profile);
}

/* Which certificate's signature is wrong, after GnuTLS has found that one is. */
static unsigned find_bad_signature(const struct verification *v)
{
	unsigned i, status;

	for(i = v->chain.len - 1; i > 0; i--) {
		gnutls_x509_crt_t crt = crt_at(v, i - 1), issuer = crt_at(v, i);

		status = 0;
		if(gnutls_x509_crt_list_verify(&crt, 1, &issuer, 1, NULL, 0, gnutls_flags(v), &status) < 0
				|| (status & GNUTLS_CERT_SIGNATURE_FAILURE))
			return i - 1;
	}
	return 0;
}

/* Has GnuTLS verify the chain that was built and no other: the only CA that it gets is the last certificate. */
static bool check_with_gnutls(struct verification *v)
{
	gnutls_x509_crt_t list[TLSG_CHAIN_MAX];
	gnutls_x509_crt_t anchor = crt_at(v, v->chain.len - 1);
	unsigned len = v->chain.len > 1 ? v->chain.len - 1 : 1;
	unsigned i;

	for(i = 0; i < len; i++)
		list[i] = crt_at(v, i);
	if(gnutls_x509_crt_list_verify(list, len, &anchor, 1, NULL, 0, gnutls_flags(v), &v->out->status) < 0) {
		v->out->status |= GNUTLS_CERT_INVALID;
		return fail(v, TLSG_V_UNSPECIFIED, 0);
	}
	if(!v->chain.is_anchored)
		v->out->status |= GNUTLS_CERT_INVALID | GNUTLS_CERT_SIGNER_NOT_FOUND;
	if(v->out->status & GNUTLS_CERT_SIGNATURE_FAILURE)
		v->bad_signature = find_bad_signature(v);
	return true;
}

/* Strength of the hash of a signature, in bits as OpenSSL counts them; 0: refused at every level. */
static unsigned hash_bits(gnutls_sign_algorithm_t algo)
{
	if(algo == GNUTLS_SIGN_EDDSA_ED25519)
		return 128;
	if(algo == GNUTLS_SIGN_EDDSA_ED448)
		return 224;
	switch(gnutls_sign_get_hash_algorithm(algo)) {
		case GNUTLS_DIG_SHA1:
			return SHA1_BITS;
		case GNUTLS_DIG_SHA224:
		case GNUTLS_DIG_SHA3_224:
			return 112;
		case GNUTLS_DIG_SHA256:
		case GNUTLS_DIG_SHA3_256:
			return 128;
		case GNUTLS_DIG_SHA384:
		case GNUTLS_DIG_SHA3_384:
			return 192;
		case GNUTLS_DIG_SHA512:
		case GNUTLS_DIG_SHA3_512:
			return 256;
		default:
			return 0;
	}
}

/* Bits that hashes must have at least. At level 0 SHA-1 is enough. */
static unsigned least_hash_bits(const struct verification *v)
{
	gnutls_sec_param_t strength = least_strength(v);

	return strength == GNUTLS_SEC_PARAM_VERY_WEAK ? SHA1_BITS : gnutls_sec_param_to_symmetric_bits(strength);
}

static bool is_weak_signature(const struct verification *v, unsigned i)
{
	int algo = gnutls_x509_crt_get_signature_algorithm(crt_at(v, i));
	unsigned bits = algo < 0 ? 0 : hash_bits((gnutls_sign_algorithm_t)algo);

	if(bits == 0 || bits < least_hash_bits(v))
		return true;
	return bits > SHA1_BITS
		   && !gnutls_sign_is_secure2((gnutls_sign_algorithm_t)algo, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS);
}

/* Keys, and hashes of signatures that count. GnuTLS reports only that something is weak, and not in every case. */
static bool check_strength(struct verification *v)
{
	unsigned i;

	for(i = 0; i < v->chain.len; i++) {
		if(is_weak_key(v, i) && !fail(v, i == 0 ? TLSG_V_WEAK : TLSG_V_WEAK_CA, i))
			return false;
		if(i + 1 < v->chain.len && is_weak_signature(v, i) && !fail(v, TLSG_V_WEAK_HASH, i))
			return false;
	}
	return !(v->out->status & GNUTLS_CERT_INSECURE_ALGORITHM) || v->out->code != TLSG_V_OK
		   || fail(v, TLSG_V_WEAK_HASH, 0);
}

static bool has_constraints(const struct verification *v)
{
	unsigned i;

	for(i = 1; i < v->chain.len; i++)
		if(tlsg_constraints_exist(crt_at(v, i)))
			return true;
	return false;
}

/* What GnuTLS found besides signatures and strength and the checks here did not: for path lengths it counts
 * certificates that a CA issued to itself, and it refuses some name constraints that it cannot compare. */
static bool check_rest(struct verification *v)
{
	const unsigned known = GNUTLS_CERT_INVALID | GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_INSECURE_ALGORITHM;
	unsigned status = v->out->status & ~known;

	if(status & GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS)
		return fail(v, TLSG_V_CRITICAL_EXTENSION, 0);
	if(status & GNUTLS_CERT_SIGNER_NOT_CA)
		return fail(v, TLSG_V_INVALID_CA, 1);
	if(status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE)
		return fail(v, has_constraints(v) ? TLSG_V_NAME_CONSTRAINT : TLSG_V_PATH_LENGTH, 0);
	if((status & GNUTLS_CERT_SIGNER_NOT_FOUND) && v->chain.is_anchored)
		return fail(v, TLSG_V_UNTRUSTED, 0);
	if(v->out->status != 0 && v->out->code == TLSG_V_OK)
		return fail(v, TLSG_V_UNSPECIFIED, 0);
	return true;
}

/* ---- revocation ---- */

/* The CRL that decides about one certificate. */
struct finding
{
	const struct tlsg_crl *crl; /* NULL: none found */
	unsigned signer;			/* position in the chain of the certificate that must have signed it */
	bool out_of_scope;			/* the issuer has one that does not cover such a certificate */
};

/* Position of the certificate that signed a list for an issuer: the issuer, or one above it with its name (a CA that
 * has changed its key). */
static unsigned crl_signer(
		const struct verification *v, const struct tlsg_crl *crl, unsigned issuer, const gnutls_datum_t *dn)
{
	unsigned i;

	for(i = issuer; i < v->chain.len; i++)
		if(tlsg_crl_is_of(crl, crt_at(v, i), dn) && tlsg_usage_has_subject(crt_at(v, i), dn))
			return i;
	return NOWHERE;
}

/* Finds the CRL for a certificate: of those that cover it, a current one if there is one, the latest of them. */
static void crl_find(const struct verification *v, unsigned i, unsigned issuer, struct finding *f)
{
	const struct tlsg_trust *trust = v->in->trust;
	gnutls_datum_t dn = {NULL, 0};
	bool ca = gnutls_x509_crt_get_ca_status(crt_at(v, i), NULL) > 0;
	unsigned k, signer;

	if(trust == NULL || gnutls_x509_crt_get_raw_dn(crt_at(v, issuer), &dn) < 0)
		return;
	for(k = 0; k < trust->crls_len; k++) {
		const struct tlsg_crl *crl = &trust->crls[k];

		if(!crl->usable || (signer = crl_signer(v, crl, issuer, &dn)) == NOWHERE)
			continue;
		if(!tlsg_crl_covers(crl, crt_at(v, i), ca))
			f->out_of_scope = true;
		else if(tlsg_crl_is_better(crl, f->crl, v->in->now)) {
			f->crl = crl;
			f->signer = signer;
		}
	}
	gnutls_free(dn.data);
}

/* If the issuer of a list is a configured CA, the signature was checked when the list was loaded. */
static bool crl_is_authentic(const struct verification *v, const struct finding *f)
{
	const struct tlsg_der *der = v->chain.certs[f->signer].der;

	if(f->crl->signer >= 0 && tlsg_der_is_same(&v->in->trust->cas[f->crl->signer], der))
		return true;
	return tlsg_crl_is_signed_by(f->crl, crt_at(v, f->signer));
}

static bool check_serial(struct verification *v, const struct tlsg_crl *crl, unsigned i)
{
	unsigned char serial[SERIAL_MAX];
	size_t size = sizeof(serial);

	if(gnutls_x509_crt_get_serial(crt_at(v, i), serial, &size) < 0 || size == 0)
		return fail(v, TLSG_V_REJECTED, i);
	return !tlsg_crl_has(crl, serial, size) || fail(v, TLSG_V_REVOKED, i);
}

static bool check_revoked(struct verification *v, unsigned i)
{
	struct finding f = {.crl = NULL};
	time_t now = v->in->now;

	crl_find(v, i, i + 1 < v->chain.len ? i + 1 : i, &f);
	if(f.crl == NULL)
		return fail(v, f.out_of_scope ? TLSG_V_CRL_SCOPE : TLSG_V_NO_CRL, i);
	if(!tlsg_usage_has_bits(crt_at(v, f.signer), GNUTLS_KEY_CRL_SIGN) && !fail(v, TLSG_V_CRL_SIGN, i))
		return false;
	if(tlsg_crl_is_too_early(f.crl, now) && !fail(v, TLSG_V_CRL_NOT_YET_VALID, i))
		return false;
	if(tlsg_crl_has_expired(f.crl, now) && !fail(v, TLSG_V_CRL_EXPIRED, i))
		return false;
	/* the entries of a forged list mean nothing */
	if(!crl_is_authentic(v, &f))
		return fail(v, TLSG_V_CRL_SIGNATURE, i);
	if(f.crl->has_critical && !fail(v, TLSG_V_CRL_CRITICAL_EXTENSION, i))
		return false;
	return check_serial(v, f.crl, i);
}

/* Every certificate of the chain, the anchor too, needs a CRL of its issuer, as with OpenSSL's
 * X509_V_FLAG_CRL_CHECK_ALL. */
static bool check_revocation(struct verification *v)
{
	unsigned i;

	if(!v->in->check_crl)
		return true;
	for(i = 0; i < v->chain.len; i++) {
		if(!v->chain.is_anchored && i == v->chain.len - 1)
			break;
		if(!check_revoked(v, i))
			return false;
	}
	return true;
}

/* ---- dates, signatures, name ---- */

static bool check_dates(struct verification *v, unsigned i)
{
	time_t from = gnutls_x509_crt_get_activation_time(crt_at(v, i));
	time_t to = gnutls_x509_crt_get_expiration_time(crt_at(v, i));

	if((from == (time_t)-1 || from > v->in->now) && !fail(v, TLSG_V_NOT_YET_VALID, i))
		return false;
	return !(to == (time_t)-1 || to < v->in->now) || fail(v, TLSG_V_EXPIRED, i);
}

/* From the anchor down. */
static bool check_signatures(struct verification *v)
{
	unsigned i;

	for(i = v->chain.len; i-- > 0;) {
		if(i == v->bad_signature && !fail(v, TLSG_V_SIGNATURE, i))
			return false;
		if(!check_dates(v, i))
			return false;
	}
	return true;
}

/* The constraints of one CA for all certificates below it. Those that a CA issues to itself are exempt, except the
 * leaf. */
static bool check_constraints_of(struct verification *v, unsigned ca)
{
	unsigned i;

	for(i = 0; i < ca; i++) {
		if(i > 0 && tlsg_usage_is_self_issued(crt_at(v, i)))
			continue;
		if(!tlsg_constraints_hold(crt_at(v, ca), crt_at(v, i), i == 0) && !fail(v, TLSG_V_NAME_CONSTRAINT, i))
			return false;
	}
	return true;
}

static bool check_constraints(struct verification *v)
{
	unsigned i;

	for(i = v->chain.len - 1; i > 0; i--)
		if(tlsg_constraints_exist(crt_at(v, i)) && !check_constraints_of(v, i))
			return false;
	return true;
}

static bool check_name(struct verification *v)
{
	const struct tlsg_verify_input *in = v->in;

	if(in->verify_name == 0 || (in->role == TLSG_SERVER && (in->name.s == NULL || in->name.len == 0)))
		return true;
	return tlsg_name_is_of(crt_at(v, 0), &in->name, in->verify_name == 2) || fail(v, TLSG_V_NAME_MISMATCH, 0);
}

/* ---- all together ---- */

static bool check_built(struct verification *v)
{
	if(v->chain.is_anchored)
		return true;
	if(!fail(v, v->chain.why, v->chain.len - 1))
		return false;
	/* the second failure that OpenSSL reports here when it goes on */
	return v->chain.why != TLSG_V_NO_LOCAL_ISSUER || v->chain.len > 1 || fail(v, TLSG_V_LEAF_UNVERIFIABLE, 0);
}

static void run_checks(struct verification *v)
{
	static bool (*const checks[])(struct verification *) = {check_leaf_key, check_built, check_extensions,
			check_with_gnutls, check_strength, check_revocation, check_signatures, check_constraints, check_rest,
			check_name};
	size_t i;

	for(i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if(!checks[i](v))
			return;
}

static bool copy_built(const struct tlsg_chain *chain, struct tlsg_verify_result *out)
{
	unsigned i;

	for(i = 0; i < chain->len; i++) {
		const struct tlsg_der *der = chain->certs[i].der;

		out->built[i].data = gnutls_malloc(der->size);
		if(out->built[i].data == NULL)
			return false;
		memcpy(out->built[i].data, der->data, der->size);
		out->built[i].size = der->size;
		out->built_len = i + 1;
	}
	return true;
}

static enum tlsg_ret check_sizes(const struct tlsg_verify_input *in, struct tlsg_verify_result *out)
{
	unsigned i;

	if(in->chain_len == 0) {
		out->code = TLSG_V_UNSPECIFIED;
		return TLSG_E_INTERNAL;
	}
	if(in->chain_len > TLSG_CHAIN_MAX) {
		out->code = TLSG_V_CHAIN_TOO_LONG;
		return TLSG_E_PEER;
	}
	for(i = 0; i < in->chain_len; i++)
		if(in->chain[i].size > TLSG_VERIFY_CERT_MAX_BYTES) {
			out->code = TLSG_V_REJECTED;
			out->refuse = i == 0 && !tlsg_verify_key_is_usable(&in->chain[0]);
			out->depth = i;
			return TLSG_E_PEER;
		}
	return TLSG_OK;
}

enum tlsg_ret tlsg_verify_chain(const struct tlsg_verify_input *in, struct tlsg_verify_result *out)
{
	struct verification v = {.in = in, .out = out, .bad_signature = NOWHERE};
	const struct tlsg_chain_input chain_in = {.chain = in->chain,
			.chain_len = in->chain_len,
			.trust = in->trust,
			.list = in->list,
			.depth = in->depth,
			.now = in->now};
	enum tlsg_ret ret;

	memset(out, 0, sizeof(*out));
	ret = check_sizes(in, out);
	if(ret != TLSG_OK)
		goto done;
	ret = tlsg_chain_build(&chain_in, &v.chain);
	if(ret == TLSG_OK && !copy_built(&v.chain, out))
		ret = TLSG_E_RESOURCE;
	if(ret == TLSG_OK)
		run_checks(&v);
	else
		out->code = ret == TLSG_E_RESOURCE ? TLSG_V_OUT_OF_MEMORY : TLSG_V_REJECTED;
	out->refuse = v.chain.has_costly_key;
	tlsg_chain_free(&v.chain);
done:
	out->alert = tlsg_verify_code_alert(out->code);
	return ret;
}

void tlsg_verify_result_free(struct tlsg_verify_result *out)
{
	while(out->built_len > 0) {
		struct tlsg_der *der = &out->built[--out->built_len];

		gnutls_free(der->data);
		der->data = NULL;
		der->size = 0;
	}
}

bool tlsg_verify_key_is_usable(const struct tlsg_der *cert)
{
	gnutls_x509_crt_t crt;
	int rc = tlsg_crt_parse(cert, &crt);
	bool usable;

	if(rc < 0)
		return rc != GNUTLS_E_MEMORY_ERROR;
	usable = tlsg_usage_has_usable_key(crt);
	gnutls_x509_crt_deinit(crt);
	return usable;
}
