/*
 * tls_gnutls - counters of what happens on connections: handshakes, alerts, failed verifications
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: shm, one block made before the forks.  Lock: none (relaxed atomics).
 */
#include "transport/stats.h"

#define CACHE_LINE 64
#define VERSIONS 7 /* TLS 1.0 to 1.3, DTLS 1.0 and 1.2, others */
#define VERSION_OTHER 6
#define RESUMED 2
#define DIRECTIONS 2 /* received, sent */

/** A counter that is written often has a cache line for itself. */
struct cell
{
	uint64_t n;
	unsigned char pad[CACHE_LINE - sizeof(uint64_t)];
};

/** X(code, name): the alerts of the TLS registry that have a name in RFC 5246, 8446, 6066, 4279, 7301. */
#define ALERTS(X)                    \
	X(0, close_notify)               \
	X(10, unexpected_message)        \
	X(20, bad_record_mac)            \
	X(21, decryption_failed)         \
	X(22, record_overflow)           \
	X(30, decompression_failure)     \
	X(40, handshake_failure)         \
	X(41, no_certificate)            \
	X(42, bad_certificate)           \
	X(43, unsupported_certificate)   \
	X(44, certificate_revoked)       \
	X(45, certificate_expired)       \
	X(46, certificate_unknown)       \
	X(47, illegal_parameter)         \
	X(48, unknown_ca)                \
	X(49, access_denied)             \
	X(50, decode_error)              \
	X(51, decrypt_error)             \
	X(60, export_restriction)        \
	X(70, protocol_version)          \
	X(71, insufficient_security)     \
	X(80, internal_error)            \
	X(86, inappropriate_fallback)    \
	X(90, user_canceled)             \
	X(100, no_renegotiation)         \
	X(109, missing_extension)        \
	X(110, unsupported_extension)    \
	X(111, certificate_unobtainable) \
	X(112, unrecognized_name)        \
	X(113, bad_certificate_status)   \
	X(115, unknown_psk_identity)     \
	X(116, certificate_required)     \
	X(120, no_application_protocol)

/** X(code, name, description of the counter): the codes of enum tlsg_verify_code that a verification can end with. */
#define VERIFIES(X)                                                             \
	X(TLSG_V_NO_ISSUER, no_issuer, "issuer certificate not found")              \
	X(TLSG_V_NO_CRL, no_crl, "no CRL for an issuer")                            \
	X(TLSG_V_SIGNATURE, signature, "certificate signature wrong")               \
	X(TLSG_V_CRL_SIGNATURE, crl_signature, "CRL signature wrong")               \
	X(TLSG_V_NOT_YET_VALID, not_yet_valid, "certificate not yet valid")         \
	X(TLSG_V_EXPIRED, expired, "certificate expired")                           \
	X(TLSG_V_CRL_NOT_YET_VALID, crl_not_yet_valid, "CRL not yet valid")         \
	X(TLSG_V_CRL_EXPIRED, crl_expired, "CRL expired")                           \
	X(TLSG_V_OUT_OF_MEMORY, out_of_memory, "out of memory")                     \
	X(TLSG_V_SELF_SIGNED, self_signed, "self-signed certificate")               \
	X(TLSG_V_SELF_SIGNED_IN_CHAIN, self_signed_in_chain, "unknown root sent")   \
	X(TLSG_V_NO_LOCAL_ISSUER, no_local_issuer, "issuer is not configured")      \
	X(TLSG_V_LEAF_UNVERIFIABLE, leaf_unverifiable, "chain of one, not trusted") \
	X(TLSG_V_CHAIN_TOO_LONG, chain_too_long, "verify_depth exceeded")           \
	X(TLSG_V_REVOKED, revoked, "certificate revoked")                           \
	X(TLSG_V_INVALID_CA, invalid_ca, "issuer is no CA")                         \
	X(TLSG_V_PATH_LENGTH, path_length, "path length constraint exceeded")       \
	X(TLSG_V_PURPOSE, purpose, "certificate not made for this use")             \
	X(TLSG_V_UNTRUSTED, untrusted, "certificate not trusted")                   \
	X(TLSG_V_REJECTED, rejected, "certificate rejected")                        \
	X(TLSG_V_NAME_CONSTRAINT, name_constraint, "name constraint violated")      \
	X(TLSG_V_APPLICATION, application, "refused for another reason")            \
	X(TLSG_V_NAME_MISMATCH, name_mismatch, "name does not match")               \
	X(TLSG_V_WEAK, weak, "key or digest too weak")

#define ONE(...) +1
#define ALERT_KINDS (0 ALERTS(ONE)) /* without "other" */
#define VERIFY_KINDS (0 VERIFIES(ONE))

#define CODE(code, ...) code,
static const unsigned char alert_code[ALERT_KINDS] = {ALERTS(CODE)};
static const unsigned char verify_code[VERIFY_KINDS] = {VERIFIES(CODE)};

struct counters
{
	struct cell done[TLSG_ROLES][VERSIONS][RESUMED];
	struct cell failed[TLSG_FAILURES];
	struct cell limits[TLSG_LIMITS];
	struct cell tickets[TLSG_TICKET_REFUSALS];
	struct cell dtls[TLSG_DTLS_FIGURES];
	uint64_t alerts[DIRECTIONS][ALERT_KINDS + 1] __attribute__((aligned(CACHE_LINE))); /* last: other */
	uint64_t verify[VERIFY_KINDS + 1] __attribute__((aligned(CACHE_LINE)));			   /* last: other */
};

static struct counters *counters; /* [shm] aligned inside block */
static void *block;				  /* [shm] from shm_malloc */

enum figure_kind
{
	DONE_ALL,
	DONE_ROLE,
	DONE_VERSION,
	DONE_RESUMED,
	DONE_CELL, /* resumed, by role and version: CELL() */
	TICKETS_ALL,
	TICKETS_ONE,
	FAILED_ALL,
	FAILED_ONE,
	LIMIT_ONE,
	DTLS_ONE,
	ALERTS_ALL,
	ALERTS_ONE_RECEIVED,
	ALERTS_ONE_SENT,
	VERIFY_ALL,
	VERIFY_ONE
};

/** One figure that can be read. */
struct figure
{
	const char *name;
	const char *doc;
	enum figure_kind kind;
	unsigned index; /* among figures of its kind */
};

enum alert_index
{
#define ALERT_INDEX(code, name) AI_##name,
	ALERTS(ALERT_INDEX) AI_other
};
enum verify_index
{
#define VERIFY_INDEX(code, name, doc) VI_##name,
	VERIFIES(VERIFY_INDEX) VI_other
};

#define ALERT_RECEIVED(code, name) \
	{"alerts_received_" #name, "alerts " #name " received", ALERTS_ONE_RECEIVED, AI_##name},
#define ALERT_SENT(code, name) {"alerts_sent_" #name, "alerts " #name " sent", ALERTS_ONE_SENT, AI_##name},
#define VERIFY_FIGURE(code, name, doc) {"verify_failed_" #name, "peers refused or marked: " doc, VERIFY_ONE, VI_##name},

#define CELL(role, version) ((unsigned)(role)*VERSIONS + (version))
#define RESUMED_FIGURE(name, role, version, text) \
	{"handshakes_resumed_" name, "resumed sessions, " text, DONE_CELL, CELL(role, version)},

static const struct figure figures[] = {
		{"handshakes_done", "handshakes that ended well", DONE_ALL, 0},
		{"handshakes_done_server", "the same on accepted connections", DONE_ROLE, TLSG_SERVER},
		{"handshakes_done_client", "the same on connections opened by this host", DONE_ROLE, TLSG_CLIENT},
		{"handshakes_done_full", "the same with a new certificate exchange", DONE_RESUMED, 0},
		{"handshakes_done_resumed", "the same from a session ticket", DONE_RESUMED, 1},
		{"handshakes_done_tls1_0", "the same with TLS 1.0", DONE_VERSION, 0},
		{"handshakes_done_tls1_1", "the same with TLS 1.1", DONE_VERSION, 1},
		{"handshakes_done_tls1_2", "the same with TLS 1.2", DONE_VERSION, 2},
		{"handshakes_done_tls1_3", "the same with TLS 1.3", DONE_VERSION, 3},
		{"handshakes_done_dtls1_0", "the same with DTLS 1.0", DONE_VERSION, 4},
		{"handshakes_done_dtls1_2", "the same with DTLS 1.2", DONE_VERSION, 5},
		{"handshakes_done_other_version", "the same with another version", DONE_VERSION, VERSION_OTHER},
		RESUMED_FIGURE("server_tls1_0", TLSG_SERVER, 0, "accepted connections, TLS 1.0") RESUMED_FIGURE(
				"server_tls1_1", TLSG_SERVER, 1, "accepted connections, TLS 1.1") RESUMED_FIGURE("server_tls1_2",
				TLSG_SERVER, 2, "accepted connections, TLS 1.2") RESUMED_FIGURE("server_tls1_3", TLSG_SERVER, 3,
				"accepted connections, TLS 1.3") RESUMED_FIGURE("client_tls1_0", TLSG_CLIENT, 0,
				"outgoing connections, TLS 1.0") RESUMED_FIGURE("client_tls1_1", TLSG_CLIENT, 1,
				"outgoing connections, TLS 1.1") RESUMED_FIGURE("client_tls1_2", TLSG_CLIENT, 2,
				"outgoing connections, TLS 1.2") RESUMED_FIGURE("client_tls1_3", TLSG_CLIENT, 3,
				"outgoing connections, TLS 1.3") RESUMED_FIGURE("server_dtls1_0", TLSG_SERVER, 4,
				"accepted associations, DTLS 1.0")
				RESUMED_FIGURE("server_dtls1_2", TLSG_SERVER, 5, "accepted associations, DTLS 1.2") RESUMED_FIGURE(
						"client_dtls1_0", TLSG_CLIENT, 4, "outgoing associations, DTLS 1.0")
						RESUMED_FIGURE("client_dtls1_2", TLSG_CLIENT, 5, "outgoing associations, DTLS 1.2"){
								"tickets_refused", "sessions that were offered and not resumed", TICKETS_ALL, 0},
		{"tickets_refused_unknown_key", "made with a key that the profile does not have", TICKETS_ONE,
				TLSG_TICKET_NO_KEY},
		{"tickets_refused_invalid", "expired, damaged, or the suite or version is not offered", TICKETS_ONE,
				TLSG_TICKET_INVALID},
		{"tickets_refused_certificate", "the client's certificate is not acceptable any more", TICKETS_ONE,
				TLSG_TICKET_CERTIFICATE},
		{"tickets_refused_by_server", "outgoing connections: the server did not resume", TICKETS_ONE,
				TLSG_TICKET_BY_SERVER},
		{"handshakes_failed", "handshakes that did not end well", FAILED_ALL, 0},
		{"handshakes_failed_protocol", "the peer broke the protocol", FAILED_ONE, TLSG_FAIL_PROTOCOL},
		{"handshakes_failed_no_common", "no version, suite or group in common", FAILED_ONE, TLSG_FAIL_NO_COMMON},
		{"handshakes_failed_verify", "the peer's certificate was refused", FAILED_ONE, TLSG_FAIL_VERIFY},
		{"handshakes_failed_no_certificate", "a required certificate did not come", FAILED_ONE, TLSG_FAIL_NO_CERT},
		{"handshakes_failed_alert", "the peer sent a fatal alert", FAILED_ONE, TLSG_FAIL_ALERT},
		{"handshakes_failed_closed", "the peer closed the connection", FAILED_ONE, TLSG_FAIL_CLOSED},
		{"handshakes_failed_timeout", "handshake_timeout was over", FAILED_ONE, TLSG_FAIL_TIMEOUT},
		{"handshakes_failed_memory", "out of memory or a limit reached", FAILED_ONE, TLSG_FAIL_MEMORY},
		{"handshakes_failed_local", "a key, file or setting of this host", FAILED_ONE, TLSG_FAIL_LOCAL},
		{"handshakes_failed_internal", "a defect of the module", FAILED_ONE, TLSG_FAIL_INTERNAL},
		{"limit_memory", "ended: the peer made one connection hold too much memory", LIMIT_ONE, TLSG_LIMIT_MEMORY},
		{"limit_idle_records", "ended: too many records without data", LIMIT_ONE, TLSG_LIMIT_IDLE},
		{"limit_stalled", "ended: a record or message began and did not go on", LIMIT_ONE, TLSG_LIMIT_STALLED},
		{"limit_handshakes", "refused: handshakes_max", LIMIT_ONE, TLSG_LIMIT_HANDSHAKES},
		{"limit_handshakes_per_address", "refused: handshakes_per_address", LIMIT_ONE, TLSG_LIMIT_ADDRESS},
		{"dtls_malformed", "datagrams that are not DTLS", DTLS_ONE, TLSG_DTLS_MALFORMED},
		{"dtls_unknown", "datagrams without an association", DTLS_ONE, TLSG_DTLS_UNKNOWN},
		{"dtls_cookies_sent", "first hellos answered with a cookie", DTLS_ONE, TLSG_DTLS_COOKIE},
		{"dtls_refused", "associations refused: dtls_max_connections", DTLS_ONE, TLSG_DTLS_FULL},
		{"dtls_refused_per_address", "the same: dtls_max_per_address", DTLS_ONE, TLSG_DTLS_ADDRESS},
		{"dtls_restarted", "associations that their peer replaced by a new one", DTLS_ONE, TLSG_DTLS_RESTARTED},
		{"dtls_idle", "associations ended: dtls_lifetime", DTLS_ONE, TLSG_DTLS_IDLE},
		{"dtls_not_sip", "decrypted texts dropped, not SIP", DTLS_ONE, TLSG_DTLS_NOT_SIP},
		{"dtls_busy", "datagrams and messages dropped, their handshake was in use", DTLS_ONE, TLSG_DTLS_BUSY},
		{"dtls_unsent", "messages that DTLS did not send", DTLS_ONE, TLSG_DTLS_UNSENT},
		{"alerts_received", "alerts received", ALERTS_ALL, 0},
		ALERTS(ALERT_RECEIVED){
				"alerts_received_other", "alerts received that have no name", ALERTS_ONE_RECEIVED, AI_other},
		{"alerts_sent", "alerts sent", ALERTS_ALL, 1},
		ALERTS(ALERT_SENT){"alerts_sent_other", "alerts sent that have no name", ALERTS_ONE_SENT, AI_other},
		{"verify_failed", "peer certificates that failed verification, enforced or not", VERIFY_ALL, 0},
		VERIFIES(VERIFY_FIGURE){"verify_failed_other", "peers refused or marked: another reason", VERIFY_ONE, VI_other},
};
#define FIGURES (sizeof(figures) / sizeof(figures[0]))

static void count(uint64_t *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static uint64_t value(const uint64_t *n)
{
	return __atomic_load_n(n, __ATOMIC_RELAXED);
}

/** Position of a code in a table. @return len: not found. */
static unsigned find_code(const unsigned char *table, unsigned len, unsigned code)
{
	unsigned i = 0;

	while(i < len && table[i] != code)
		i++;
	return i;
}

static unsigned version_index(int version)
{
	switch(version) {
		case GNUTLS_TLS1_0:
			return 0;
		case GNUTLS_TLS1_1:
			return 1;
		case GNUTLS_TLS1_2:
			return 2;
		case GNUTLS_TLS1_3:
			return 3;
		case GNUTLS_DTLS1_0:
			return 4;
		case GNUTLS_DTLS1_2:
			return 5;
		default:
			return VERSION_OTHER;
	}
}

enum tlsg_ret tlsg_stats_init(void)
{
	if(counters != NULL)
		return TLSG_OK;
	block = shm_mallocxz(sizeof(*counters) + CACHE_LINE);
	if(block == NULL)
		return TLSG_E_RESOURCE;
	counters = (struct counters *)(((uintptr_t)block + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1));
	return TLSG_OK;
}

void tlsg_stats_deinit(void)
{
	counters = NULL;
	if(block != NULL)
		shm_free(block);
	block = NULL;
}

void tlsg_stats_handshake_done(int version, bool resumed, enum tlsg_role role)
{
	if(counters == NULL)
		return;
	count(&counters->done[role == TLSG_CLIENT ? TLSG_CLIENT : TLSG_SERVER][version_index(version)][resumed].n);
}

void tlsg_stats_handshake_failed(enum tlsg_stats_failure why)
{
	if(counters == NULL)
		return;
	count(&counters->failed[(unsigned)why < TLSG_FAILURES ? why : TLSG_FAIL_INTERNAL].n);
}

void tlsg_stats_limit(enum tlsg_stats_limit which)
{
	if(counters != NULL && (unsigned)which < TLSG_LIMITS)
		count(&counters->limits[which].n);
}

void tlsg_stats_ticket_refused(enum tlsg_stats_ticket why)
{
	if(counters != NULL && (unsigned)why < TLSG_TICKET_REFUSALS)
		count(&counters->tickets[why].n);
}

void tlsg_stats_dtls(enum tlsg_stats_dtls which)
{
	if(counters != NULL && (unsigned)which < TLSG_DTLS_FIGURES)
		count(&counters->dtls[which].n);
}

void tlsg_stats_alert(bool sent, unsigned code)
{
	if(counters == NULL)
		return;
	count(&counters->alerts[sent][find_code(alert_code, ALERT_KINDS, code)]);
}

void tlsg_stats_verify_failed(enum tlsg_verify_code code)
{
	if(counters == NULL || code == TLSG_V_OK)
		return;
	count(&counters->verify[find_code(verify_code, VERIFY_KINDS, code)]);
}

unsigned tlsg_stats_len(void)
{
	return FIGURES;
}

const char *tlsg_stats_name(unsigned index)
{
	return index < FIGURES ? figures[index].name : NULL;
}

const char *tlsg_stats_doc(unsigned index)
{
	return index < FIGURES ? figures[index].doc : NULL;
}

/** Whether a cell of the table of finished handshakes belongs to a figure. */
static bool done_belongs(const struct figure *f, unsigned role, unsigned version, unsigned resumed)
{
	switch(f->kind) {
		case DONE_ALL:
			return true;
		case DONE_ROLE:
			return f->index == role;
		case DONE_VERSION:
			return f->index == version;
		case DONE_RESUMED:
			return f->index == resumed;
		case DONE_CELL:
			return resumed && f->index == CELL(role, version);
		default:
			return false;
	}
}

static uint64_t done_sum(const struct figure *f)
{
	uint64_t sum = 0;
	unsigned i, role, version, resumed;

	for(i = 0; i < TLSG_ROLES * VERSIONS * RESUMED; i++) {
		resumed = i % RESUMED;
		version = i / RESUMED % VERSIONS;
		role = i / RESUMED / VERSIONS;
		if(done_belongs(f, role, version, resumed))
			sum += value(&counters->done[role][version][resumed].n);
	}
	return sum;
}

static uint64_t cells_sum(const struct cell *cells, unsigned len)
{
	uint64_t sum = 0;

	while(len-- > 0)
		sum += value(&cells[len].n);
	return sum;
}

static uint64_t sum_of(const uint64_t *n, unsigned len)
{
	uint64_t sum = 0;

	while(len-- > 0)
		sum += value(&n[len]);
	return sum;
}

uint64_t tlsg_stats_value(unsigned index)
{
	const struct figure *f = &figures[index];

	if(index >= FIGURES || counters == NULL)
		return 0;
	switch(f->kind) {
		case FAILED_ALL:
			return cells_sum(counters->failed, TLSG_FAILURES);
		case FAILED_ONE:
			return value(&counters->failed[f->index].n);
		case TICKETS_ALL:
			return cells_sum(counters->tickets, TLSG_TICKET_REFUSALS);
		case TICKETS_ONE:
			return value(&counters->tickets[f->index].n);
		case LIMIT_ONE:
			return value(&counters->limits[f->index].n);
		case DTLS_ONE:
			return value(&counters->dtls[f->index].n);
		case ALERTS_ALL:
			return sum_of(counters->alerts[f->index], ALERT_KINDS + 1);
		case ALERTS_ONE_RECEIVED:
			return value(&counters->alerts[0][f->index]);
		case ALERTS_ONE_SENT:
			return value(&counters->alerts[1][f->index]);
		case VERIFY_ALL:
			return sum_of(counters->verify, VERIFY_KINDS + 1);
		case VERIFY_ONE:
			return value(&counters->verify[f->index]);
		default:
			return done_sum(f);
	}
}
