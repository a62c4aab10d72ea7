/*
 * tls_gnutls - the entries of a loaded library through which it calls a function of another one
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process; entries are set before the first fork, with a single thread.  Memory: the caller's; nothing
 * is allocated. Lock: none.
 *
 * A shared object calls what it imports through a pointer that the dynamic linker fills in, its "slot": R_*_JUMP_SLOT
 * in DT_JMPREL, or R_*_GLOB_DAT in DT_REL or DT_RELA (built with -fno-plt). Which function of libgnutls is set to what,
 * and why, is in base/scope.c.
 */
#ifndef TLSG_BASE_IMPORT_H
#define TLSG_BASE_IMPORT_H

#include <stdbool.h>

#include "base/err.h"

struct dl_phdr_info; /* link.h, with _GNU_SOURCE */

/** A function has one slot, or two when its address is taken as well. */
#define TLSG_IMPORT_SLOTS 4

/** The function that a slot holds, in the form in which it is compared and called. */
typedef void (*tlsg_import_function)(void);

/** One slot. */
struct tlsg_import_slot
{
	unsigned char *at; /**< in the library's data, sizeof(void *) bytes */
	int protection[2]; /**< PROT_* of the pages of its first and of its last byte, as the dynamic linker left them */
	tlsg_import_function before; /**< what it held before tlsg_import_set() */
};

/** The slots of one function in one library. Plain data. */
struct tlsg_import
{
	unsigned count; /**< 0: the library does not import the function */
	struct tlsg_import_slot slot[TLSG_IMPORT_SLOTS];
};

/**
 * Whether an address lies in a loaded object: in one of its PT_LOAD segments.
 * @param object  as dl_iterate_phdr() describes it; only dlpi_addr, dlpi_phdr and dlpi_phnum are read.
 */
bool tlsg_import_is_inside(const struct dl_phdr_info *object, const void *address);

/**
 * Finds the slots of a function in a loaded object. Every address that the object's tables give is checked against its
 * PT_LOAD segments.
 * @param object  as dl_iterate_phdr() describes it; only dlpi_addr, dlpi_phdr and dlpi_phnum are read.
 * @param name    name of the symbol, any version of it. A symbol that the object itself defines does not count.
 * @param import  [out] the slots; count is 0 when there are none.
 * @param err     [in,out] the reason of a failure, NULL allowed.
 * @return TLSG_OK, also without a slot; TLSG_E_INTERNAL when the tables are not as expected, there are more than
 *         TLSG_IMPORT_SLOTS, or this kind of machine is not supported.
 * Source: System V ABI, "Dynamic Linking", and the processor supplements; elf.h, link.h.
 */
enum tlsg_ret tlsg_import_find(const struct dl_phdr_info *object, const char *name, struct tlsg_import *import,
		struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Sets all slots. Pages that are read-only (RELRO) are made writable for the moment of writing.
 * @param import    [in,out] as found; what the slots held is remembered for tlsg_import_restore().
 * @param function  what the library calls from now on.
 * @return TLSG_OK; TLSG_E_INTERNAL when a page cannot be made writable, or not be protected again: no slot is changed
 *         then.
 */
enum tlsg_ret tlsg_import_set(
		struct tlsg_import *import, tlsg_import_function function, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Gives all slots back what they held. @return as tlsg_import_set(). */
enum tlsg_ret tlsg_import_restore(struct tlsg_import *import, struct tlsg_err *err);

/** Whether there is a slot and all of them hold a function. */
bool tlsg_import_holds(const struct tlsg_import *import, tlsg_import_function function);

#endif
