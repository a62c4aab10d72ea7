/*
 * tls_gnutls - the entries of a loaded library through which it calls a function of another one
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; entries are set before the first fork, with a single thread.  Memory: the caller's; nothing
 * is allocated. Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dl_iterate_phdr */
#endif
#include "base/import.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * What fills a slot, by machine. On RISC-V and LoongArch an entry for a function's address has the same type as a
 * pointer in data, so only calls by way of the PLT are looked for. MIPS has no entries of this kind.
 */
#if defined(__x86_64__)
#define JUMP_SLOT R_X86_64_JUMP_SLOT
#define GLOB_DAT R_X86_64_GLOB_DAT
#elif defined(__i386__)
#define JUMP_SLOT R_386_JMP_SLOT
#define GLOB_DAT R_386_GLOB_DAT
#elif defined(__aarch64__)
#define JUMP_SLOT R_AARCH64_JUMP_SLOT
#define GLOB_DAT R_AARCH64_GLOB_DAT
#elif defined(__arm__)
#define JUMP_SLOT R_ARM_JUMP_SLOT
#define GLOB_DAT R_ARM_GLOB_DAT
#elif defined(__powerpc64__) && defined(_CALL_ELF) && _CALL_ELF == 2
#define JUMP_SLOT R_PPC64_JMP_SLOT
#define GLOB_DAT R_PPC64_GLOB_DAT
#elif defined(__s390x__)
#define JUMP_SLOT R_390_JMP_SLOT
#define GLOB_DAT R_390_GLOB_DAT
#elif defined(__riscv)
#define JUMP_SLOT R_RISCV_JUMP_SLOT
#elif defined(__loongarch__)
#define JUMP_SLOT R_LARCH_JUMP_SLOT
#endif
#ifndef GLOB_DAT
#define GLOB_DAT 0
#endif

/* As ElfW() in link.h says. */
#if UINTPTR_MAX > 0xffffffffu
typedef Elf64_Addr elf_addr;
typedef Elf64_Phdr elf_phdr;
typedef Elf64_Dyn elf_dyn;
typedef Elf64_Sxword elf_tag;
typedef Elf64_Sym elf_sym;
typedef Elf64_Rel elf_rel;
typedef Elf64_Rela elf_rela;
#define SYMBOL_OF(info) ((size_t)((info) >> 32))
#define TYPE_OF(info) ((unsigned)((info)&0xffffffffu))
#else
typedef Elf32_Addr elf_addr;
typedef Elf32_Phdr elf_phdr;
typedef Elf32_Dyn elf_dyn;
typedef Elf32_Sword elf_tag;
typedef Elf32_Sym elf_sym;
typedef Elf32_Rel elf_rel;
typedef Elf32_Rela elf_rela;
#define SYMBOL_OF(info) ((size_t)((info) >> 8))
#define TYPE_OF(info) ((unsigned)((info)&0xffu))
#endif

/** One table of relocations. */
struct table
{
	const unsigned char *at;
	size_t bytes;
	size_t entry; /**< sizeof(elf_rel) or sizeof(elf_rela); the fields that are read are the same */
};

/** What the dynamic section says; addresses as they stand there. */
struct dynamic
{
	elf_addr symbols, strings, jmprel, rel, rela;
	size_t strings_bytes, jmprel_bytes, rel_bytes, rela_bytes;
	size_t rel_entry, rela_entry, symbol_entry;
	elf_tag jmprel_kind;
};

/* ---- addresses in an object ---- */

static const elf_phdr *segment_of(const struct dl_phdr_info *object, uintptr_t address, size_t bytes)
{
	unsigned i;

	for(i = 0; i < object->dlpi_phnum; i++) {
		const elf_phdr *p = &object->dlpi_phdr[i];
		uintptr_t offset = address - ((uintptr_t)object->dlpi_addr + p->p_vaddr);

		if(p->p_type == PT_LOAD && offset < p->p_memsz && bytes <= p->p_memsz - offset)
			return p;
	}
	return NULL;
}

bool tlsg_import_is_inside(const struct dl_phdr_info *object, const void *address)
{
	return segment_of(object, (uintptr_t)address, 1) != NULL;
}

/**
 * An address of the dynamic section: some dynamic linkers have added the base by now, others leave it. @return NULL
 * if outside.
 */
static const void *table_at(const struct dl_phdr_info *object, elf_addr value, size_t bytes)
{
	uintptr_t absolute = (uintptr_t)value, relative = (uintptr_t)object->dlpi_addr + value;

	if(value == 0)
		return NULL;
	if(segment_of(object, absolute, bytes) != NULL)
		return (const void *)absolute;
	return segment_of(object, relative, bytes) != NULL ? (const void *)relative : NULL;
}

/** PROT_* that the dynamic linker gave the page of an address: as the segment, but RELRO pages are read-only. */
static int protection_of(const struct dl_phdr_info *object, uintptr_t address)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const elf_phdr *segment = segment_of(object, address, 1);
	int protection = 0;
	unsigned i;

	for(i = 0; i < object->dlpi_phnum; i++) {
		const elf_phdr *p = &object->dlpi_phdr[i];
		uintptr_t start = (uintptr_t)object->dlpi_addr + p->p_vaddr;

		/* Whole pages only: the one in which RELRO ends stays writable. */
		if(p->p_type == PT_GNU_RELRO && address >= (start & ~(page - 1))
				&& address < ((start + p->p_memsz) & ~(page - 1)))
			return PROT_READ;
	}
	if(segment == NULL)
		return PROT_READ;
	protection |= (segment->p_flags & PF_R) != 0 ? PROT_READ : 0;
	protection |= (segment->p_flags & PF_W) != 0 ? PROT_WRITE : 0;
	protection |= (segment->p_flags & PF_X) != 0 ? PROT_EXEC : 0;
	return protection;
}

/* ---- its tables ---- */

static void dynamic_entry(struct dynamic *d, const elf_dyn *dyn)
{
	switch(dyn->d_tag) {
		case DT_SYMTAB:
			d->symbols = dyn->d_un.d_ptr;
			break;
		case DT_SYMENT:
			d->symbol_entry = dyn->d_un.d_val;
			break;
		case DT_STRTAB:
			d->strings = dyn->d_un.d_ptr;
			break;
		case DT_STRSZ:
			d->strings_bytes = dyn->d_un.d_val;
			break;
		case DT_JMPREL:
			d->jmprel = dyn->d_un.d_ptr;
			break;
		case DT_PLTRELSZ:
			d->jmprel_bytes = dyn->d_un.d_val;
			break;
		case DT_PLTREL:
			d->jmprel_kind = (elf_tag)dyn->d_un.d_val;
			break;
		case DT_REL:
			d->rel = dyn->d_un.d_ptr;
			break;
		case DT_RELSZ:
			d->rel_bytes = dyn->d_un.d_val;
			break;
		case DT_RELENT:
			d->rel_entry = dyn->d_un.d_val;
			break;
		case DT_RELA:
			d->rela = dyn->d_un.d_ptr;
			break;
		case DT_RELASZ:
			d->rela_bytes = dyn->d_un.d_val;
			break;
		case DT_RELAENT:
			d->rela_entry = dyn->d_un.d_val;
			break;
		default:
			break;
	}
}

/** @return whether there is a dynamic section that can be read. */
static bool dynamic_read(const struct dl_phdr_info *object, struct dynamic *d)
{
	unsigned i;

	memset(d, 0, sizeof(*d));
	for(i = 0; i < object->dlpi_phnum; i++) {
		const elf_phdr *p = &object->dlpi_phdr[i];
		uintptr_t start = (uintptr_t)object->dlpi_addr + p->p_vaddr;
		const elf_dyn *dyn = (const void *)start;
		size_t left;

		if(p->p_type != PT_DYNAMIC)
			continue;
		if(segment_of(object, start, p->p_memsz) == NULL || start % _Alignof(elf_dyn) != 0)
			return false;
		for(left = p->p_memsz / sizeof(*dyn); left > 0 && dyn->d_tag != DT_NULL; left--, dyn++)
			dynamic_entry(d, dyn);
		return d->symbols != 0 && d->strings != 0 && (d->symbol_entry == 0 || d->symbol_entry == sizeof(elf_sym));
	}
	return false;
}

static bool symbol_is(
		const struct dl_phdr_info *object, const struct dynamic *d, size_t number, const char *name, bool *malformed)
{
	const size_t bytes = strlen(name) + 1;
	const unsigned char *symbols = table_at(object, d->symbols, sizeof(elf_sym));
	const char *strings = table_at(object, d->strings, d->strings_bytes);
	elf_sym symbol;

	*malformed = strings == NULL || symbols == NULL || number > SIZE_MAX / sizeof(symbol)
				 || segment_of(object, (uintptr_t)symbols + number * sizeof(symbol), sizeof(symbol)) == NULL;
	if(*malformed)
		return false;
	memcpy(&symbol, symbols + number * sizeof(symbol), sizeof(symbol));
	*malformed = symbol.st_name >= d->strings_bytes;
	return !*malformed && symbol.st_shndx == SHN_UNDEF && bytes <= d->strings_bytes - symbol.st_name
		   && memcmp(strings + symbol.st_name, name, bytes) == 0;
}

static bool slot_known(const struct tlsg_import *import, const unsigned char *at)
{
	unsigned i;

	for(i = 0; i < import->count; i++)
		if(import->slot[i].at == at)
			return true;
	return false;
}

/** @return NULL, or what is wrong. */
static const char *slot_add(const struct dl_phdr_info *object, struct tlsg_import *import, elf_addr offset)
{
	const uintptr_t at = (uintptr_t)object->dlpi_addr + offset;
	struct tlsg_import_slot *slot;

	if(segment_of(object, at, sizeof(void *)) == NULL)
		return "a slot lies outside of the library";
	if(slot_known(import, (const unsigned char *)at))
		return NULL;
	if(import->count == TLSG_IMPORT_SLOTS)
		return "too many slots";
	slot = &import->slot[import->count++];
	slot->at = (unsigned char *)at;
	slot->protection[0] = protection_of(object, at);
	slot->protection[1] = protection_of(object, at + sizeof(void *) - 1);
	slot->before = NULL;
	return NULL;
}

/** @return NULL, or what is wrong. */
static const char *table_search(const struct dl_phdr_info *object, const struct dynamic *d, const struct table *t,
		const char *name, struct tlsg_import *import)
{
	size_t i;

	for(i = 0; i < t->bytes / t->entry; i++) {
		const char *problem = NULL;
		bool malformed = false;
		elf_rel r; /* the beginning of elf_rela */

		memcpy(&r, t->at + i * t->entry, sizeof(r));
		if(TYPE_OF(r.r_info) == 0 || (TYPE_OF(r.r_info) != JUMP_SLOT && TYPE_OF(r.r_info) != GLOB_DAT))
			continue;
		if(symbol_is(object, d, SYMBOL_OF(r.r_info), name, &malformed))
			problem = slot_add(object, import, r.r_offset);
		if(malformed)
			problem = "its symbols cannot be read";
		if(problem != NULL)
			return problem;
	}
	return NULL;
}

/** @return NULL, or what is wrong. */
static const char *tables_search(const struct dl_phdr_info *object, const char *name, struct tlsg_import *import)
{
	struct dynamic d;
	struct table tables[3];
	size_t i;

	if(!dynamic_read(object, &d))
		return "its dynamic section cannot be read";
	if(d.jmprel_bytes != 0 && d.jmprel_kind != DT_REL && d.jmprel_kind != DT_RELA)
		return "DT_PLTREL is neither REL nor RELA";
	if((d.rel_entry != 0 && d.rel_entry != sizeof(elf_rel)) || (d.rela_entry != 0 && d.rela_entry != sizeof(elf_rela)))
		return "its relocations have an unknown size";
	tables[0].bytes = d.jmprel_bytes;
	tables[0].entry = d.jmprel_kind == DT_REL ? sizeof(elf_rel) : sizeof(elf_rela);
	tables[0].at = table_at(object, d.jmprel, d.jmprel_bytes);
	tables[1] = (struct table){table_at(object, d.rel, d.rel_bytes), d.rel_bytes, sizeof(elf_rel)};
	tables[2] = (struct table){table_at(object, d.rela, d.rela_bytes), d.rela_bytes, sizeof(elf_rela)};
	for(i = 0; i < 3; i++) {
		const char *problem;

		if(tables[i].bytes == 0)
			continue;
		if(tables[i].at == NULL)
			return "its relocations lie outside of it";
		problem = table_search(object, &d, &tables[i], name, import);
		if(problem != NULL)
			return problem;
	}
	return NULL;
}

enum tlsg_ret tlsg_import_find(
		const struct dl_phdr_info *object, const char *name, struct tlsg_import *import, struct tlsg_err *err)
{
	const char *problem;

	memset(import, 0, sizeof(*import));
#ifdef JUMP_SLOT
	problem = tables_search(object, name, import);
#else
	problem = "this kind of machine is not supported";
#endif
	if(problem == NULL)
		return TLSG_OK;
	memset(import, 0, sizeof(*import));
	return tlsg_err_set(err, TLSG_E_INTERNAL, "%s", problem);
}

/* ---- writing ---- */

static tlsg_import_function slot_get(const struct tlsg_import_slot *slot)
{
	tlsg_import_function f;

	memcpy(&f, slot->at, sizeof(f));
	return f;
}

/** At once where it is aligned, as it always is: another thread may call through it. */
static void slot_put(const struct tlsg_import_slot *slot, tlsg_import_function function)
{
	if((uintptr_t)slot->at % sizeof(function) == 0)
		__atomic_store_n((tlsg_import_function *)(void *)slot->at, function, __ATOMIC_RELEASE);
	else
		memcpy(slot->at, &function, sizeof(function));
}

/** Makes a slot's read-only pages writable, or read-only again. @return 0, -1. */
static int slot_protect(const struct tlsg_import_slot *slot, bool writable)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t pages[2] = {
			(uintptr_t)slot->at & ~(page - 1), ((uintptr_t)slot->at + sizeof(void *) - 1) & ~(page - 1)};
	int result = 0;
	size_t i;

	for(i = 0; i < (pages[0] == pages[1] ? 1 : 2); i++) {
		const int wanted = slot->protection[i] | (writable ? PROT_WRITE : 0);

		if((slot->protection[i] & PROT_WRITE) == 0 && mprotect((void *)pages[i], page, wanted) != 0)
			result = -1;
	}
	return result;
}

static enum tlsg_ret slot_write(
		const struct tlsg_import_slot *slot, tlsg_import_function function, struct tlsg_err *err)
{
	const tlsg_import_function old = slot_get(slot);
	enum tlsg_ret ret;

	if(slot_protect(slot, true) != 0) {
		ret = tlsg_err_set(err, TLSG_E_INTERNAL, "mprotect: %s", strerror(errno));
		(void)slot_protect(slot, false);
		return ret;
	}
	slot_put(slot, function);
	if(slot_protect(slot, false) == 0)
		return TLSG_OK;
	ret = tlsg_err_set(err, TLSG_E_INTERNAL, "mprotect to read-only: %s", strerror(errno));
	if(slot_protect(slot, true) == 0)
		slot_put(slot, old);
	(void)slot_protect(slot, false);
	return ret;
}

enum tlsg_ret tlsg_import_set(struct tlsg_import *import, tlsg_import_function function, struct tlsg_err *err)
{
	enum tlsg_ret ret;
	unsigned i;

	for(i = 0; i < import->count; i++) {
		import->slot[i].before = slot_get(&import->slot[i]);
		ret = slot_write(&import->slot[i], function, err);
		if(ret == TLSG_OK)
			continue;
		while(i-- > 0)
			(void)slot_write(&import->slot[i], import->slot[i].before, NULL);
		return ret;
	}
	return TLSG_OK;
}

enum tlsg_ret tlsg_import_restore(struct tlsg_import *import, struct tlsg_err *err)
{
	enum tlsg_ret ret = TLSG_OK;
	unsigned i;

	for(i = 0; i < import->count; i++)
		if(slot_write(&import->slot[i], import->slot[i].before, err) != TLSG_OK)
			ret = TLSG_E_INTERNAL;
	return ret;
}

bool tlsg_import_holds(const struct tlsg_import *import, tlsg_import_function function)
{
	unsigned i;

	for(i = 0; i < import->count; i++)
		if(slot_get(&import->slot[i]) != function)
			return false;
	return import->count > 0;
}
