/*
 * tls_gnutls - stand-in for base/host.h in unit tests: the same names without Kamailio
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests, also after fork().  Memory: a region shared by all processes of a test.
 * Lock: a spin lock of its own.
 *
 * Must offer what base/host.h offers to the folders below rpc. Functions named tlsg_stub_* belong to the stand-in
 * alone: tests use them to make allocations fail, to set the clock, to read the log.
 */
#ifndef TLSG_BASE_HOST_H
#define TLSG_BASE_HOST_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- str ---- */
typedef struct _str
{
	char *s;
	int len;
} str;

#define STR_STATIC_INIT(v) \
	{                      \
		(v), sizeof(v) - 1 \
	}
#define str_init(v) STR_STATIC_INIT(v)
#define STR_NULL \
	{            \
		0, 0     \
	}
#define STR_FMT(p) ((p) != NULL ? (p)->len : 0), ((p) != NULL ? (p)->s : "")
#define STR_EQ(x, y) ((x).len == (y).len && memcmp((x).s, (y).s, (x).len) == 0)

/* ---- shared memory ---- */
/** Allocates in the shared region. Filled with 0xA5, aligned to 8 and never to 16 (as bad as the core may be). */
void *tlsg_stub_shm_malloc(size_t bytes);
/** As tlsg_stub_shm_malloc(), filled with zeroes. */
void *tlsg_stub_shm_mallocxz(size_t bytes);
/** As realloc(), in the shared region. */
void *tlsg_stub_shm_realloc(void *p, size_t bytes);
/** Frees; a wrong pointer, a second free or bytes written beyond the block end the test with a message. */
void tlsg_stub_shm_free(void *p);
/** @return bytes that may still be allocated. */
size_t tlsg_stub_shm_available(void);
/** @return bytes asked for by live blocks, of all processes of the test. */
size_t tlsg_stub_shm_in_use(void);
/** @return number of live blocks, of all processes of the test. */
size_t tlsg_stub_shm_blocks(void);
/** @return calls of malloc, mallocxz and realloc so far, of all processes of the test. */
size_t tlsg_stub_shm_calls(void);
/** Sets how many bytes may be in use at once. @param bytes  0 for the default of 512 MB. */
void tlsg_stub_shm_limit_set(size_t bytes);
/** Lets n more allocations succeed and then all fail. @param n  negative: none fails. */
void tlsg_stub_shm_fail_after(long n);
/** Lets n more allocations succeed, the next one fail, and those after it succeed again. */
void tlsg_stub_shm_fail_once(long n);
/** Sets a function that is called with each block just before it is freed, in this process. @param cb  NULL to stop. */
void tlsg_stub_shm_free_hook(void (*cb)(const void *p, size_t bytes));
/** @return whether the address lies in the shared region. */
bool tlsg_stub_shm_has(const void *p);
/** @return how often some bytes are in shared memory, in live and in freed blocks. @param len  1 or more. */
unsigned tlsg_stub_shm_count(const void *bytes, size_t len);

#define shm_malloc(s) tlsg_stub_shm_malloc(s)
#define shm_mallocxz(s) tlsg_stub_shm_mallocxz(s)
#define shm_realloc(p, s) tlsg_stub_shm_realloc(p, s)
#define shm_free(p) tlsg_stub_shm_free(p)
#define shm_available() tlsg_stub_shm_available()
#define shm_available_safe() tlsg_stub_shm_available()
#define SHM_MEM_ERROR LM_ERR("could not allocate shared memory from shm pool\n")
#define SHM_MEM_ERROR_FMT(...) LM_ERR("could not allocate shared memory from shm pool" __VA_ARGS__)

/* ---- private memory ---- */
#define pkg_malloc(s) malloc(s)
#define pkg_mallocxz(s) calloc(1, s)
#define pkg_realloc(p, s) realloc(p, s)
#define pkg_free(p) free(p)
#define PKG_MEM_ERROR LM_ERR("could not allocate private memory from pkg pool\n")
#define PKG_MEM_ERROR_FMT(...) LM_ERR("could not allocate private memory from pkg pool" __VA_ARGS__)

/* ---- locks: work between processes and threads ---- */
typedef volatile int gen_lock_t;

static inline gen_lock_t *tlsg_stub_lock_init(gen_lock_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
	return lock;
}

/** @return 0 when the lock was taken, -1 when it is held. */
static inline int tlsg_stub_lock_try(gen_lock_t *lock)
{
	return __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) == 0 ? 0 : -1;
}

/** Set in a child: it ends with the next lock that lock_get() takes, as a process of the host does at SIGTERM. */
extern bool tlsg_stub_lock_is_last;

static inline void tlsg_stub_lock_get(gen_lock_t *lock)
{
	while(tlsg_stub_lock_try(lock) != 0)
		sched_yield();
	if(tlsg_stub_lock_is_last)
		_exit(0);
}

/** Called once, after the next lock_release() of this process: what another process does at that moment. */
extern void (*tlsg_stub_released_cb)(void);

static inline void tlsg_stub_lock_release(gen_lock_t *lock)
{
	void (*cb)(void) = tlsg_stub_released_cb;

	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
	if(cb == NULL)
		return;
	tlsg_stub_released_cb = NULL;
	cb();
}

#define lock_init(l) tlsg_stub_lock_init(l)
#define lock_try(l) tlsg_stub_lock_try(l)
#define lock_get(l) tlsg_stub_lock_get(l)
#define lock_release(l) tlsg_stub_lock_release(l)
#define lock_destroy(l) ((void)(l))
#define lock_alloc() ((gen_lock_t *)tlsg_stub_shm_malloc(sizeof(gen_lock_t)))
#define lock_dealloc(l) tlsg_stub_shm_free((void *)(l))

/* ---- log ---- */
#define L_ALERT -5
#define L_BUG -4
#define L_CRIT2 -3
#define L_CRIT -2
#define L_ERR -1
#define L_WARN 0
#define L_NOTICE 1
#define L_INFO 2
#define L_DBG 3

/** Appends a line to the log of this process. Goes to stderr too when TLSG_TEST_VERBOSE is in the environment. */
void tlsg_stub_log(int level, const char *function, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** @return what was logged since the start or tlsg_stub_log_clear(): "<level>:<function>: <text>" per line. */
const char *tlsg_stub_log_text(void);
/** Clears the log. */
void tlsg_stub_log_clear(void);
/** @return how many lines of a level were logged since tlsg_stub_log_clear(). @param level  L_ALERT to L_DBG. */
unsigned tlsg_stub_log_count(int level);
/** Sets the level up to which is_printable() says yes. @param level  L_ALERT to L_DBG; L_DBG at the start. */
void tlsg_stub_log_level_set(int level);
/** @return the level set. */
int tlsg_stub_log_level(void);

#define is_printable(level) (tlsg_stub_log_level() >= (level))
#define LOG(level, ...) tlsg_stub_log(level, __func__, __VA_ARGS__)
#define LM_GEN1(level, ...) tlsg_stub_log(level, __func__, __VA_ARGS__)
#define LM_GEN2(facility, level, ...) ((void)(facility), tlsg_stub_log(level, __func__, __VA_ARGS__))
#define LM_ALERT(...) tlsg_stub_log(L_ALERT, __func__, __VA_ARGS__)
#define LM_BUG(...) tlsg_stub_log(L_BUG, __func__, __VA_ARGS__)
#define LM_CRIT(...) tlsg_stub_log(L_CRIT, __func__, __VA_ARGS__)
#define LM_ERR(...) tlsg_stub_log(L_ERR, __func__, __VA_ARGS__)
#define LM_WARN(...) tlsg_stub_log(L_WARN, __func__, __VA_ARGS__)
#define LM_NOTICE(...) tlsg_stub_log(L_NOTICE, __func__, __VA_ARGS__)
#define LM_INFO(...) tlsg_stub_log(L_INFO, __func__, __VA_ARGS__)
#define LM_DBG(...) tlsg_stub_log(L_DBG, __func__, __VA_ARGS__)

/* ---- time: stands still until a test moves it; shared by all processes of the test ---- */
typedef unsigned int ticks_t;
typedef signed int s_ticks_t;

#define TIMER_TICKS_HZ 16U
#define MS_TO_TICKS(m) (((m)*TIMER_TICKS_HZ + 999U) / 1000U)
#define S_TO_TICKS(s) ((s)*TIMER_TICKS_HZ)
#define TICKS_TO_S(t) ((t) / TIMER_TICKS_HZ)
#define TICKS_TO_MS(t) (((t)*1000U) / TIMER_TICKS_HZ)
#define TICKS_CMP_OP(t1, t2, OP) (((s_ticks_t)((ticks_t)(t1) - (ticks_t)(t2))) OP(s_ticks_t) 0)
#define TICKS_LT(t1, t2) TICKS_CMP_OP(t1, t2, <)
#define TICKS_LE(t1, t2) TICKS_CMP_OP(t1, t2, <=)
#define TICKS_GT(t1, t2) TICKS_CMP_OP(t1, t2, >)
#define TICKS_GE(t1, t2) TICKS_CMP_OP(t1, t2, >=)

/** As the core's: sleeps in real time. */
void sleep_us(unsigned us);
/** @return how often this process has called sleep_us(). */
unsigned tlsg_stub_sleeps(void);
/** @return the test's clock in ticks of 1/16 s. */
ticks_t get_ticks_raw(void);
/** @return the test's clock in seconds. */
ticks_t get_ticks(void);
/** Sets the clock. @param ticks  1/16 s, any value (wraps at 2^32). */
void tlsg_stub_ticks_set(ticks_t ticks);

/* ---- processes ---- */
extern int process_no;

/** @return the number given to tlsg_stub_process_set(), 16 at the start. */
int get_max_procs(void);
/** Sets the number of this process. @param number  from 0. @param processes  how many there are, shared by all. */
void tlsg_stub_process_set(int number, int processes);

/** As in base/host.h. */
static inline bool tlsg_host_in_shm(const void *p)
{
	return tlsg_stub_shm_has(p);
}

/** As in base/host.h. */
static inline int tlsg_host_process(void)
{
	return process_no;
}

#endif
