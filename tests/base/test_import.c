/*
 * tls_gnutls - tests of finding and setting what a library imports
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: one process.  Memory: hand-made images of libraries, in pages of their own.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "base/object.h"

#if defined(__x86_64__)
#define JUMP_SLOT R_X86_64_JUMP_SLOT
#define GLOB_DAT R_X86_64_GLOB_DAT
#elif defined(__i386__)
#define JUMP_SLOT R_386_JMP_SLOT
#define GLOB_DAT R_386_GLOB_DAT
#elif defined(__aarch64__)
#define JUMP_SLOT R_AARCH64_JUMP_SLOT
#define GLOB_DAT R_AARCH64_GLOB_DAT
#endif

/** A hand-made library: what is found in it, and where. Offsets from its base. */
#define IMAGE_PAGES 4
#define DYNAMIC_AT 0x100
#define SYMBOLS_AT 0x400
#define STRINGS_AT 0x600
#define JMPREL_AT 0x700
#define OTHERS_AT 0x900
#define RELRO_AT (page)	   /* one page */
#define DATA_AT (2 * page) /* two pages, writable */
#define STRINGS "\0free\0freeze\0mine\0"

enum symbol
{
	SYMBOL_NONE,
	SYMBOL_FREE,
	SYMBOL_FREEZE,
	SYMBOL_MINE, /* defined in the library itself */
	SYMBOLS
};

struct row
{
	unsigned type, symbol;
	size_t offset;
};

struct image
{
	unsigned char *base;
	ElfW(Phdr) headers[5];
	struct dl_phdr_info info;
	bool absolute; /* pointers of the dynamic section include the base */
	size_t dyn;	   /* entries so far */
};

static size_t page;

static void target_a(void)
{
}

static void target_b(void)
{
}

static void dynamic_put(struct image *m, ElfW(Sxword) tag, size_t value)
{
	ElfW(Dyn) *d = (ElfW(Dyn) *)(void *)(m->base + DYNAMIC_AT) + m->dyn++;

	d->d_tag = tag;
	d->d_un.d_val = value;
}

static void dynamic_put_address(struct image *m, ElfW(Sxword) tag, size_t offset)
{
	dynamic_put(m, tag, m->absolute ? (uintptr_t)m->base + offset : offset);
}

static size_t rows_write(struct image *m, size_t at, const struct row *rows, size_t count, bool rela)
{
	const size_t entry = rela ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
	size_t i;

	for(i = 0; i < count; i++) {
		ElfW(Rela) r = {.r_offset = rows[i].offset};

#if UINTPTR_MAX > 0xffffffffu
		r.r_info = ELF64_R_INFO((ElfW(Xword))rows[i].symbol, rows[i].type);
#else
		r.r_info = ELF32_R_INFO(rows[i].symbol, rows[i].type);
#endif
		memcpy(m->base + at + i * entry, &r, entry);
	}
	return count * entry;
}

static void header_put(struct image *m, ElfW(Word) type, ElfW(Word) flags, size_t at, size_t bytes)
{
	m->headers[m->info.dlpi_phnum++] = (ElfW(Phdr)){.p_type = type, .p_flags = flags, .p_vaddr = at, .p_memsz = bytes};
}

/** An image without relocations. The dynamic section is open: dynamic_put() adds to it. */
static void image_new(struct image *m, bool absolute)
{
	static const ElfW(Word) names[SYMBOLS] = {0, 1, 6, 13};
	ElfW(Sym) * symbols;
	int i;

	memset(m, 0, sizeof(*m));
	m->absolute = absolute;
	m->base = mmap(NULL, IMAGE_PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(m->base, MAP_FAILED);
	symbols = (ElfW(Sym) *)(void *)(m->base + SYMBOLS_AT);
	for(i = 0; i < SYMBOLS; i++) {
		symbols[i].st_name = names[i];
		symbols[i].st_shndx = i == SYMBOL_MINE ? 5 : SHN_UNDEF;
	}
	memcpy(m->base + STRINGS_AT, STRINGS, sizeof(STRINGS));
	m->info.dlpi_addr = (ElfW(Addr))(uintptr_t)m->base;
	m->info.dlpi_phdr = m->headers;
	header_put(m, PT_LOAD, PF_R, 0, page);
	header_put(m, PT_LOAD, PF_R | PF_W, page, (IMAGE_PAGES - 1) * page);
	header_put(m, PT_DYNAMIC, PF_R, DYNAMIC_AT, SYMBOLS_AT - DYNAMIC_AT);
	header_put(m, PT_GNU_RELRO, PF_R, RELRO_AT, page + 64); /* ends within a page, which stays writable */
	dynamic_put_address(m, DT_SYMTAB, SYMBOLS_AT);
	dynamic_put(m, DT_SYMENT, sizeof(ElfW(Sym)));
	dynamic_put_address(m, DT_STRTAB, STRINGS_AT);
	dynamic_put(m, DT_STRSZ, sizeof(STRINGS));
}

/** @param rela  the kind of both tables. */
static void image_with(
		struct image *m, const struct row *calls, size_t n, const struct row *others, size_t k, bool rela)
{
	size_t bytes = rows_write(m, JMPREL_AT, calls, n, rela);

	if(n > 0) {
		dynamic_put_address(m, DT_JMPREL, JMPREL_AT);
		dynamic_put(m, DT_PLTRELSZ, bytes);
		dynamic_put(m, DT_PLTREL, rela ? DT_RELA : DT_REL);
	}
	bytes = rows_write(m, OTHERS_AT, others, k, rela);
	if(k > 0) {
		dynamic_put_address(m, rela ? DT_RELA : DT_REL, OTHERS_AT);
		dynamic_put(m, rela ? DT_RELASZ : DT_RELSZ, bytes);
		dynamic_put(m, rela ? DT_RELAENT : DT_RELENT, rela ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel)));
	}
	assert_int_equal(mprotect(m->base + RELRO_AT, page, PROT_READ), 0);
}

static void image_free(struct image *m)
{
	assert_int_equal(munmap(m->base, IMAGE_PAGES * page), 0);
}

static tlsg_import_function held(const struct image *m, size_t offset)
{
	tlsg_import_function f;

	memcpy(&f, m->base + offset, sizeof(f));
	return f;
}

/** What the kernel says of a page: 'r' or '-', 'w' or '-'. */
static void assert_protection(const struct image *m, size_t offset, const char *wanted)
{
	uintptr_t address = (uintptr_t)m->base + offset;
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	char line[512], flags[8];
	bool found = false;

	assert_non_null(f);
	while(fgets(line, sizeof(line), f) != NULL)
		if(sscanf(line, "%lx-%lx %4s", &start, &end, flags) == 3 && address >= start && address < end) {
			assert_memory_equal(flags, wanted, strlen(wanted));
			found = true;
		}
	assert_int_equal(fclose(f), 0);
	assert_true(found);
}

static enum tlsg_ret find(const struct image *m, struct tlsg_import *import)
{
	struct tlsg_err err;
	enum tlsg_ret ret;

	tlsg_err_clear(&err);
	ret = tlsg_import_find(&m->info, "free", import, &err);
	assert_int_equal(ret == TLSG_OK, err.text[0] == '\0');
	return ret;
}

/* ---- hand-made images ---- */

/** REL and RELA, JUMP_SLOT and GLOB_DAT, addresses with and without the base, read-only and writable pages. */
static void test_every_kind(void **state)
{
	const struct row calls[] = {{JUMP_SLOT, SYMBOL_FREEZE, RELRO_AT}, {JUMP_SLOT, SYMBOL_FREE, RELRO_AT + 8},
			{JUMP_SLOT, SYMBOL_MINE, DATA_AT + 80}};
	const struct row others[] = {{GLOB_DAT, SYMBOL_FREEZE, DATA_AT + 72}, {GLOB_DAT, SYMBOL_FREE, DATA_AT + 64},
			{JUMP_SLOT, SYMBOL_FREE, RELRO_AT + 8} /* again: some linkers put one table into the other */};
	unsigned kind;

	(void)state;
	for(kind = 0; kind < 4; kind++) {
		struct tlsg_import import;
		struct image m;

		image_new(&m, (kind & 1) != 0);
		image_with(&m, calls, 3, others, 3, (kind & 2) != 0);
		assert_int_equal(find(&m, &import), TLSG_OK);
		assert_int_equal(import.count, 2);
		assert_false(tlsg_import_holds(&import, target_a));
		assert_int_equal(tlsg_import_set(&import, target_a, NULL), TLSG_OK);
		assert_true(tlsg_import_holds(&import, target_a));
		assert_false(tlsg_import_holds(&import, target_b));
		assert_ptr_equal(held(&m, RELRO_AT + 8), target_a);
		assert_ptr_equal(held(&m, DATA_AT + 64), target_a);
		assert_null(held(&m, RELRO_AT));
		assert_null(held(&m, DATA_AT + 72));
		assert_protection(&m, RELRO_AT, "r-");
		assert_protection(&m, DATA_AT, "rw"); /* lazy binding goes on writing there */
		assert_int_equal(tlsg_import_restore(&import, NULL), TLSG_OK);
		assert_null(held(&m, RELRO_AT + 8));
		assert_null(held(&m, DATA_AT + 64));
		assert_protection(&m, RELRO_AT, "r-");
		image_free(&m);
	}
}

static void test_only_got(void **state)
{
	const struct row others[] = {{GLOB_DAT, SYMBOL_FREE, RELRO_AT + 16}};
	struct tlsg_import import;
	struct image m;

	(void)state;
	image_new(&m, true);
	image_with(&m, NULL, 0, others, 1, true);
	assert_int_equal(find(&m, &import), TLSG_OK);
	assert_int_equal(import.count, 1);
	assert_int_equal(tlsg_import_set(&import, target_a, NULL), TLSG_OK);
	assert_ptr_equal(held(&m, RELRO_AT + 16), target_a);
	assert_protection(&m, RELRO_AT, "r-");
	image_free(&m);
}

/** The last bytes of the read-only page and the first ones of the writable one. */
static void test_slot_across_pages(void **state)
{
	const struct row calls[] = {{JUMP_SLOT, SYMBOL_FREE, DATA_AT - 4}};
	struct tlsg_import import;
	struct image m;

	(void)state;
	image_new(&m, false);
	image_with(&m, calls, 1, NULL, 0, true);
	assert_int_equal(find(&m, &import), TLSG_OK);
	assert_int_equal(tlsg_import_set(&import, target_a, NULL), TLSG_OK);
	assert_ptr_equal(held(&m, DATA_AT - 4), target_a);
	assert_protection(&m, RELRO_AT, "r-");
	assert_protection(&m, DATA_AT, "rw");
	image_free(&m);
}

static void test_absent(void **state)
{
	const struct row calls[] = {{JUMP_SLOT, SYMBOL_FREEZE, RELRO_AT}, {JUMP_SLOT, SYMBOL_MINE, RELRO_AT + 8}};
	struct tlsg_import import;
	struct image m;

	(void)state;
	image_new(&m, true);
	image_with(&m, calls, 2, NULL, 0, true);
	assert_int_equal(find(&m, &import), TLSG_OK);
	assert_int_equal(import.count, 0);
	assert_false(tlsg_import_holds(&import, NULL));
	/* One that the library defines does not count either. */
	assert_int_equal(tlsg_import_find(&m.info, "mine", &import, NULL), TLSG_OK);
	assert_int_equal(import.count, 0);
	assert_int_equal(tlsg_import_set(&import, target_a, NULL), TLSG_OK);
	image_free(&m);
	/* No relocations at all. */
	image_new(&m, true);
	image_with(&m, NULL, 0, NULL, 0, true);
	assert_int_equal(find(&m, &import), TLSG_OK);
	assert_int_equal(import.count, 0);
	image_free(&m);
}

/**
 * mprotect() refuses: the page is a shared mapping of a file that may only be read. No slot is changed, the other one
 * neither.
 */
static void test_mprotect_refused(void **state)
{
	const struct row calls[] = {{JUMP_SLOT, SYMBOL_FREE, DATA_AT + 8}, {JUMP_SLOT, SYMBOL_FREE, RELRO_AT + 8}};
	char path[] = "/tmp/tlsg-import-XXXXXX";
	struct tlsg_import import;
	struct tlsg_err err;
	struct image m;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)page), 0);
	assert_int_equal(close(fd), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	image_new(&m, true);
	image_with(&m, calls, 2, NULL, 0, true);
	assert_ptr_equal(mmap(m.base + RELRO_AT, page, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0), m.base + RELRO_AT);
	tlsg_err_clear(&err);
	assert_int_equal(find(&m, &import), TLSG_OK);
	assert_int_equal(import.count, 2);
	assert_int_equal(tlsg_import_set(&import, target_a, &err), TLSG_E_INTERNAL);
	assert_non_null(strstr(err.text, "mprotect: "));
	assert_null(held(&m, DATA_AT + 8));
	assert_null(held(&m, RELRO_AT + 8));
	assert_protection(&m, RELRO_AT, "r-");
	image_free(&m);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
}

/** Tables that point out of the library, or have another form. */
static void test_malformed(void **state)
{
	static const struct
	{
		ElfW(Sxword) tag;
		size_t value;
	} all[] = {
			{DT_PLTRELSZ, 1 << 20},
			{DT_JMPREL, (size_t)1 << 30},
			{DT_PLTREL, 99},
			{DT_RELENT, 3},
			{DT_RELAENT, 3},
			{DT_SYMENT, 3},
			{DT_SYMTAB, 0},
			{DT_SYMTAB, (size_t)1 << 30},
			{DT_STRTAB, (size_t)1 << 30},
			{DT_STRSZ, (size_t)1 << 30},
			{DT_STRSZ, 0},
	};
	const struct row good[] = {{JUMP_SLOT, SYMBOL_FREE, RELRO_AT + 8}};
	const struct row outside[] = {{JUMP_SLOT, SYMBOL_FREE, IMAGE_PAGES * page - 4}};
	const struct row unknown[] = {{JUMP_SLOT, 0xffffff, RELRO_AT + 8}};
	const struct row *rows[] = {outside, unknown};
	struct row many[TLSG_IMPORT_SLOTS + 1];
	struct tlsg_import import;
	struct image m;
	size_t i;

	(void)state;
	for(i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		image_new(&m, false);
		image_with(&m, good, 1, NULL, 0, true);
		dynamic_put(&m, all[i].tag, all[i].value); /* the last one counts */
		if(find(&m, &import) != TLSG_E_INTERNAL)
			fail_msg("row %zu was accepted", i);
		assert_int_equal(import.count, 0);
		image_free(&m);
	}
	for(i = 0; i < 2; i++) {
		image_new(&m, false);
		image_with(&m, rows[i], 1, NULL, 0, true);
		assert_int_equal(find(&m, &import), TLSG_E_INTERNAL);
		image_free(&m);
	}
	for(i = 0; i <= TLSG_IMPORT_SLOTS; i++)
		many[i] = (struct row){JUMP_SLOT, SYMBOL_FREE, RELRO_AT + 8 * i};
	image_new(&m, false);
	image_with(&m, many, TLSG_IMPORT_SLOTS + 1, NULL, 0, true);
	assert_int_equal(find(&m, &import), TLSG_E_INTERNAL);
	/* Without a dynamic section, and with one outside. */
	m.headers[2].p_vaddr = IMAGE_PAGES * page;
	assert_int_equal(find(&m, &import), TLSG_E_INTERNAL);
	m.headers[2].p_type = PT_NOTE;
	assert_int_equal(find(&m, &import), TLSG_E_INTERNAL);
	image_free(&m);
}

/* ---- loaded libraries ---- */

static void test_libgnutls(void **state)
{
	const void *inside = (const void *)(uintptr_t)gnutls_handshake;
	struct tlsg_import import;

	(void)state;
	assert_int_equal(tlsg_object_import(inside, "free", &import, NULL), TLSG_OK);
	assert_true(import.count > 0);
	assert_int_equal(tlsg_object_import(inside, "no_such_function", &import, NULL), TLSG_OK);
	assert_int_equal(import.count, 0);
}

/** An address of this program stands for a libgnutls that was linked statically; one on the stack is in no library. */
static void test_wrong_addresses(void **state)
{
	struct tlsg_import import;
	struct tlsg_err err;

	(void)state;
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_object_import((const void *)(uintptr_t)target_a, "free", &import, &err), TLSG_E_INTERNAL);
	assert_non_null(strstr(err.text, "statically"));
	tlsg_err_clear(&err);
	assert_int_equal(tlsg_object_import(&err, "free", &import, &err), TLSG_E_INTERNAL);
	assert_non_null(strstr(err.text, "does not list it"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef JUMP_SLOT
			cmocka_unit_test(test_every_kind),
			cmocka_unit_test(test_only_got),
			cmocka_unit_test(test_slot_across_pages),
			cmocka_unit_test(test_absent),
			cmocka_unit_test(test_mprotect_refused),
			cmocka_unit_test(test_malformed),
#endif
			cmocka_unit_test(test_libgnutls),
			cmocka_unit_test(test_wrong_addresses),
	};

	page = (size_t)sysconf(_SC_PAGESIZE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
