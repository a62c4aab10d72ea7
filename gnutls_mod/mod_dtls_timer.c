/*
 * tls_gnutls - the timer of DTLS: retransmissions, handshakes that end late, idle associations
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a process of its own.  Memory: none.
 * Lock: that of an association; an association that another process has is left for the next round.
 */
#include "gnutls_mod/mod_dtls_timer.h"

#include "core/sr_module.h"
#include "core/timer_proc.h"

#include "gnutls_mod/mod_dtls_step.h"
#include "gnutls_mod/mod_params.h"
#include "transport/conn_datagram.h"
#include "transport/stats.h"

#define ROUND_US 100000
#define BATCH 64
/* Associations that do nothing are looked at once in that many rounds: every 5 s. */
#define ROUNDS_OF_IDLE 50
/* Lifetime of an association by which no message has come or gone: a client that was never meant to speak SIP. */
#define UNUSED_S 60

/* Runs the timer of one connection. @return false: it has failed. */
static bool run(struct tlsg_dtls_step *s, struct tlsg_conn *conn)
{
	enum tlsg_ret ret;

	if(conn == NULL || tlsg_conn_datagram_timeout_ms(conn) != 0)
		return true;
	ret = tlsg_conn_datagram_timer(conn, &s->io, &s->err);
	tlsg_dtls_step_send(s);
	if(ret < 0)
		tlsg_dtls_step_failed(s, conn, true);
	return ret >= 0;
}

static void visit_urgent(struct tlsg_assoc *a)
{
	struct tlsg_dtls_step s;

	if(!tlsg_dtls_step_try(&s, a))
		return;
	if(!run(&s, a->candidate)) {
		tlsg_conn_free(a->candidate);
		a->candidate = NULL;
	}
	tlsg_err_clear(&s.err);
	if(!run(&s, a->conn))
		s.is_over = true;
	tlsg_dtls_step_end(&s);
}

/* When an association ends if it is not used. */
static ticks_t end_of(const struct tlsg_assoc *a)
{
	int lifetime_s = tlsg_params_private()->dtls_lifetime_s;

	if(lifetime_s > UNUSED_S && __atomic_load_n(&a->is_used, __ATOMIC_RELAXED) == 0)
		lifetime_s = UNUSED_S;
	return __atomic_load_n(&a->used_at, __ATOMIC_RELAXED) + S_TO_TICKS((ticks_t)lifetime_s);
}

static bool is_idle(const struct tlsg_assoc *a)
{
	return TICKS_GE(get_ticks_raw(), end_of(a));
}

int tlsg_dtls_timer_left_s(const struct tlsg_assoc *a)
{
	s_ticks_t left = (s_ticks_t)(end_of(a) - get_ticks_raw());

	return left > 0 ? (int)TICKS_TO_S((ticks_t)left) : 0;
}

/* Ends an association that is idle. */
static void visit_idle(struct tlsg_assoc *a)
{
	struct tlsg_dtls_step s;

	if(!is_idle(a)) {
		tlsg_assoc_put(a);
		return;
	}
	if(!tlsg_dtls_step_try(&s, a))
		return;
	if(is_idle(a)) {
		tlsg_dtls_step_close(&s);
		tlsg_stats_dtls(TLSG_DTLS_IDLE);
	}
	tlsg_dtls_step_end(&s);
}

/* Visits the associations of a bucket. Those that end meanwhile make others be skipped until the next round. */
static void visit_bucket(unsigned bucket, bool all)
{
	struct tlsg_assoc *found[BATCH];
	unsigned from = 0;
	unsigned n;
	unsigned i;

	do {
		n = tlsg_assoc_collect(bucket, all, found, from, BATCH);
		for(i = 0; i < n; i++) {
			if(all)
				visit_idle(found[i]);
			else
				visit_urgent(found[i]);
		}
		from += n;
	} while(n == BATCH);
}

static void timer_cb(unsigned ticks_ms, void *param)
{
	static unsigned round;
	unsigned buckets = tlsg_assoc_buckets();
	unsigned i;

	(void)ticks_ms;
	(void)param;
	for(i = 0; i < buckets; i++)
		visit_bucket(i, false);
	round = (round + 1) % ROUNDS_OF_IDLE;
	for(i = round; i < buckets; i += ROUNDS_OF_IDLE)
		visit_bucket(i, true);
}

void tlsg_dtls_timer_init(void)
{
	register_basic_timers(1);
}

int tlsg_dtls_timer_start(void)
{
	if(fork_basic_utimer(PROC_TIMER, "tls: timer of DTLS", 1, timer_cb, NULL, ROUND_US) < 0) {
		LM_ERR("DTLS: the timer process cannot be started\n");
		return -1;
	}
	return 0;
}
