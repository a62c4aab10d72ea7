/*
 * tls_gnutls - loaded libraries, found by an address inside them
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the caller's; nothing is allocated.  Lock: that of the dynamic linker, while it lists
 * its libraries.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dl_iterate_phdr */
#endif
#include "base/object.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

#include "base/host.h"

/* ---- slots ---- */

struct search
{
	const void *inside;
	const char *name;
	struct tlsg_import *import;
	struct tlsg_err *err;
	enum tlsg_ret ret;
};

static int search_import(struct dl_phdr_info *object, size_t size, void *arg)
{
	struct search *s = arg;

	(void)size;
	if(!tlsg_import_is_inside(object, s->inside))
		return 0;
	if(tlsg_import_is_inside(object, (const void *)(uintptr_t)search_import))
		s->ret = tlsg_err_set(s->err, TLSG_E_INTERNAL, "it is linked statically");
	else
		s->ret = tlsg_import_find(object, s->name, s->import, s->err);
	return 1;
}

enum tlsg_ret tlsg_object_import(const void *inside, const char *name, struct tlsg_import *import, struct tlsg_err *err)
{
	struct search s = {.inside = inside, .name = name, .import = import, .err = err, .ret = TLSG_E_INTERNAL};

	memset(import, 0, sizeof(*import));
	if(dl_iterate_phdr(search_import, &s) == 0)
		return tlsg_err_set(err, TLSG_E_INTERNAL, "the dynamic linker does not list it");
	return s.ret;
}

/* ---- variables ---- */

/** What search_value() looks for. */
struct value
{
	const void *inside;
	tlsg_import_function function;
	tlsg_import_function *at;
	unsigned count;
};

static void range_search(uintptr_t start, uintptr_t end, struct value *v)
{
	uintptr_t at = (start + sizeof(v->function) - 1) & ~(uintptr_t)(sizeof(v->function) - 1);

	for(; at < end && end - at >= sizeof(v->function); at += sizeof(v->function)) {
		if(memcmp((const void *)at, &v->function, sizeof(v->function)) != 0)
			continue;
		v->at = (tlsg_import_function *)at;
		v->count++;
	}
}

static int search_value(struct dl_phdr_info *object, size_t size, void *arg)
{
	const unsigned writable = PF_R | PF_W;
	struct value *v = arg;
	unsigned i;

	(void)size;
	if(!tlsg_import_is_inside(object, v->inside))
		return 0;
	for(i = 0; i < object->dlpi_phnum; i++) {
		uintptr_t start = (uintptr_t)object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;

		if(object->dlpi_phdr[i].p_type == PT_LOAD && (object->dlpi_phdr[i].p_flags & writable) == writable)
			range_search(start, start + object->dlpi_phdr[i].p_memsz, v);
	}
	return 1;
}

tlsg_import_function *tlsg_object_locate(const void *inside, tlsg_import_function function)
{
	struct value v = {.inside = inside, .function = function};

	(void)dl_iterate_phdr(search_value, &v);
	return v.count == 1 ? v.at : NULL;
}

/* ---- where a function is from ---- */

/** What search_name() looks for. */
struct origin
{
	const void *inside;
	const char *name;
};

static int search_name(struct dl_phdr_info *object, size_t size, void *arg)
{
	struct origin *o = arg;

	(void)size;
	if(!tlsg_import_is_inside(object, o->inside))
		return 0;
	o->name = object->dlpi_name != NULL ? object->dlpi_name : "";
	return 1;
}

void tlsg_object_say_replaced(const char *what, tlsg_import_function by)
{
	struct origin o = {(const void *)(uintptr_t)by, NULL};

	(void)dl_iterate_phdr(search_name, &o);
	if(o.name != NULL && o.name[0] != '\0')
		(void)dlopen(o.name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
	LM_WARN("%s were replaced by %s; they are set again, and the others are called outside of TLS sessions. Load the "
			"module that needs it before tls_gnutls.so\n",
			what,
			o.name == NULL		? "unknown code"
			: o.name[0] == '\0' ? "the program"
								: o.name);
}
