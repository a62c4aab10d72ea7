/*
 * tls_gnutls - loaded libraries, found by an address inside them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: that of the dynamic linker, while it lists
 * its libraries.
 *
 * Libraries are told apart by address, not by file name: a second copy of a library, loaded by others, is left alone.
 */
#ifndef TLSG_BASE_OBJECT_H
#define TLSG_BASE_OBJECT_H

#include "base/err.h"
#include "base/import.h"

/**
 * Finds the slots of a function in the library that contains an address.
 * @param inside  address of a function of the library.
 * @param name    as for tlsg_import_find().
 * @param import  [out] as for tlsg_import_find().
 * @param err     [in,out] the reason of a failure, NULL allowed.
 * @return as tlsg_import_find(); TLSG_E_INTERNAL also when no loaded library contains the address, or when it is the
 *         object that contains this function (a library that was linked statically).
 * Source: dl_iterate_phdr(3).
 */
enum tlsg_ret tlsg_object_import(
		const void *inside, const char *name, struct tlsg_import *import, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Finds the variable of a library that holds a function, also a hidden one.
 * @param inside    address of a function of the library.
 * @param function  not in any other variable of the library.
 * @return the variable; NULL: no variable holds the function, or several do.
 */
tlsg_import_function *tlsg_object_locate(const void *inside, tlsg_import_function function);

/**
 * Says at WARNING that another library has replaced functions, with its path, and keeps that library loaded: its
 * functions will be called.
 * @param what  which ones, plural.
 * @param by    one of its functions.
 */
void tlsg_object_say_replaced(const char *what, tlsg_import_function by);

#endif
