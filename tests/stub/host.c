/*
 * tls_gnutls - implementation of tests/stub/base/host.h: shared memory, log, clock
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests, also after fork().  Memory: one anonymous region, mapped before main().  Lock: a spin lock.
 */
#include "base/host.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#define REGION_BYTES ((size_t)1 << 30) /* address space only: pages are mapped when touched */
#define DEFAULT_LIMIT ((size_t)512 << 20)
#define ROUND ((size_t)64)
#define EXACT_BINS 2048 /* blocks up to 128 KB have a list for their rounded size */
#define BINS (EXACT_BINS + 1)
#define MAGIC_LIVE 0x6c697665u
#define MAGIC_FREE 0x66726565u
#define FRESH 0xA5
#define STALE 0xDB
#define CANARY 0xC5
#define CANARY_BYTES 8

/* Header of a block; payload follows, then the canary. 40 bytes: the payload is aligned to 8 and not to 16. */
struct block
{
	size_t total; /* header, payload, canary, rounded up */
	size_t bytes; /* what was asked for */
	struct block *next;
	size_t pad;
	uint32_t magic;
	uint32_t unused;
};

/* First bytes of the region. */
struct region
{
	gen_lock_t lock;
	size_t top; /* offset of the part that was never used */
	size_t in_use;
	size_t blocks;
	size_t calls;
	size_t limit;
	long fail_after;
	bool fail_once;
	ticks_t ticks;
	int processes;
	struct block *bin[BINS];
};

int process_no = 0;
bool tlsg_stub_lock_is_last;
void (*tlsg_stub_released_cb)(void);
static struct region *region;
static void (*free_hook)(const void *, size_t);
static int log_level = L_DBG;
static char log_buf[256 * 1024];
static size_t log_len;
static unsigned log_lines[L_DBG - L_ALERT + 1];

__attribute__((constructor(101))) static void region_map(void)
{
	void *p = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if(p == MAP_FAILED) {
		perror("tests/stub: mmap");
		abort();
	}
	region = p;
	region->top = (sizeof(*region) + ROUND - 1) & ~(ROUND - 1);
	region->limit = DEFAULT_LIMIT;
	region->fail_after = -1;
	region->processes = 16;
}

static size_t bin_of(size_t total)
{
	size_t n = total / ROUND;

	return n < EXACT_BINS ? n : EXACT_BINS;
}

/* Takes a block of at least that size off its list. Lock held. */
static struct block *bin_take(size_t total)
{
	struct block **at = &region->bin[bin_of(total)];
	struct block *b;

	while((b = *at) != NULL && b->total < total)
		at = &b->next;
	if(b != NULL)
		*at = b->next;
	return b;
}

/* Lock held. */
static struct block *block_get(size_t total)
{
	struct block *b = bin_take(total);

	if(b != NULL)
		return b;
	if(region->top + total > REGION_BYTES)
		return NULL;
	b = (struct block *)((char *)region + region->top);
	region->top += total;
	b->total = total;
	return b;
}

/* Lock held. Counts one call. */
static bool refused(size_t bytes)
{
	region->calls++;
	if(region->fail_after == 0) {
		if(region->fail_once)
			region->fail_after = -1;
		return true;
	}
	if(region->fail_after > 0)
		region->fail_after--;
	return bytes > tlsg_stub_shm_available();
}

void *tlsg_stub_shm_malloc(size_t bytes)
{
	size_t total = (sizeof(struct block) + bytes + CANARY_BYTES + ROUND - 1) & ~(ROUND - 1);
	struct block *b = NULL;

	if(bytes > REGION_BYTES)
		return NULL;
	lock_get(&region->lock);
	if(!refused(bytes))
		b = block_get(total);
	if(b != NULL) {
		region->in_use += bytes;
		region->blocks++;
		b->bytes = bytes;
		b->magic = MAGIC_LIVE;
	}
	lock_release(&region->lock);
	if(b == NULL)
		return NULL;
	memset(b + 1, FRESH, bytes);
	memset((char *)(b + 1) + bytes, CANARY, CANARY_BYTES);
	return b + 1;
}

void *tlsg_stub_shm_mallocxz(size_t bytes)
{
	void *p = tlsg_stub_shm_malloc(bytes);

	if(p != NULL)
		memset(p, 0, bytes);
	return p;
}

/* Ends the test when the block is not a live one or something was written beyond it. */
static struct block *block_check(void *p)
{
	struct block *b = (struct block *)p - 1;
	const unsigned char *tail;
	size_t i;

	if(!tlsg_stub_shm_has(p) || b->magic != MAGIC_LIVE) {
		fprintf(stderr, "tests/stub: %p is not a live block of shared memory%s\n", p,
				tlsg_stub_shm_has(p) && b->magic == MAGIC_FREE ? " (freed before)" : "");
		abort();
	}
	tail = (unsigned char *)p + b->bytes;
	for(i = 0; i < CANARY_BYTES; i++)
		if(tail[i] != CANARY) {
			fprintf(stderr, "tests/stub: byte %zu beyond the block %p of %zu bytes was overwritten\n", i, p, b->bytes);
			abort();
		}
	return b;
}

void tlsg_stub_shm_free(void *p)
{
	struct block *b;
	size_t bin;

	if(p == NULL)
		return;
	b = block_check(p);
	if(free_hook != NULL)
		free_hook(p, b->bytes);
	memset(p, STALE, b->bytes);
	lock_get(&region->lock);
	b->magic = MAGIC_FREE;
	region->in_use -= b->bytes;
	region->blocks--;
	bin = bin_of(b->total);
	b->next = region->bin[bin];
	region->bin[bin] = b;
	lock_release(&region->lock);
}

void *tlsg_stub_shm_realloc(void *p, size_t bytes)
{
	struct block *b;
	void *q;

	if(p == NULL)
		return tlsg_stub_shm_malloc(bytes);
	b = block_check(p);
	q = tlsg_stub_shm_malloc(bytes);
	if(q == NULL)
		return NULL;
	memcpy(q, p, bytes < b->bytes ? bytes : b->bytes);
	tlsg_stub_shm_free(p);
	return q;
}

size_t tlsg_stub_shm_available(void)
{
	return region->limit > region->in_use ? region->limit - region->in_use : 0;
}

size_t tlsg_stub_shm_in_use(void)
{
	return region->in_use;
}

size_t tlsg_stub_shm_blocks(void)
{
	return region->blocks;
}

size_t tlsg_stub_shm_calls(void)
{
	return region->calls;
}

void tlsg_stub_shm_limit_set(size_t bytes)
{
	region->limit = bytes != 0 ? bytes : DEFAULT_LIMIT;
}

void tlsg_stub_shm_fail_after(long n)
{
	region->fail_after = n;
	region->fail_once = false;
}

void tlsg_stub_shm_fail_once(long n)
{
	region->fail_after = n;
	region->fail_once = true;
}

void tlsg_stub_shm_free_hook(void (*cb)(const void *p, size_t bytes))
{
	free_hook = cb;
}

bool tlsg_stub_shm_has(const void *p)
{
	return (uintptr_t)p - (uintptr_t)region < REGION_BYTES;
}

unsigned tlsg_stub_shm_count(const void *bytes, size_t len)
{
	const char *at = (const char *)region;
	const char *end = at + region->top;
	unsigned found = 0;

	for(; (size_t)(end - at) >= len; at++)
		found += memcmp(at, bytes, len) == 0;
	return found;
}

void tlsg_stub_log(int level, const char *function, const char *fmt, ...)
{
	char text[4096];
	va_list args;
	int n;

	if(level < L_ALERT || level > L_DBG)
		level = level < L_ALERT ? L_ALERT : L_DBG;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if(getenv("TLSG_TEST_VERBOSE") != NULL)
		fprintf(stderr, "%d:%s: %s", level, function, text);
	log_lines[level - L_ALERT]++;
	n = snprintf(log_buf + log_len, sizeof(log_buf) - log_len, "%d:%s: %s", level, function, text);
	if(n > 0)
		log_len += (size_t)n < sizeof(log_buf) - log_len ? (size_t)n : sizeof(log_buf) - log_len - 1;
}

const char *tlsg_stub_log_text(void)
{
	return log_buf;
}

void tlsg_stub_log_clear(void)
{
	log_len = 0;
	log_buf[0] = '\0';
	memset(log_lines, 0, sizeof(log_lines));
}

unsigned tlsg_stub_log_count(int level)
{
	return level >= L_ALERT && level <= L_DBG ? log_lines[level - L_ALERT] : 0;
}

void tlsg_stub_log_level_set(int level)
{
	log_level = level;
}

int tlsg_stub_log_level(void)
{
	return log_level;
}

static unsigned sleeps;

unsigned tlsg_stub_sleeps(void)
{
	return sleeps;
}

void sleep_us(unsigned us)
{
	sleeps++;
	poll(NULL, 0, (int)(us + 999) / 1000);
}

ticks_t get_ticks_raw(void)
{
	return region->ticks;
}

ticks_t get_ticks(void)
{
	return TICKS_TO_S(region->ticks);
}

void tlsg_stub_ticks_set(ticks_t ticks)
{
	region->ticks = ticks;
}

int get_max_procs(void)
{
	return region->processes;
}

void tlsg_stub_process_set(int number, int processes)
{
	process_no = number;
	region->processes = processes;
}
