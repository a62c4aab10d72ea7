/*
 * tls_gnutls - compiles the core's lexer and parser of configuration files for tests, on the stand-in host
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests and fuzz targets.  Memory: malloc() behind pkg_malloc().  Lock: none.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "core/cfg_parser.h"

/* Headers of the core that the stand-in replaces. */
#define mem_h
#define shm_mem_h
#define dprint_h
#define trim_h
#define TRIM_H
#define ut_h

#define ERR(...) LM_ERR(__VA_ARGS__)
#define BUG(...) LM_BUG(__VA_ARGS__)
#define SYS_MEM_ERROR LM_ERR("no memory\n")

static char *as_asciiz(str *s)
{
	char *p = pkg_malloc((size_t)s->len + 1);

	if(p == NULL)
		return NULL;
	memcpy(p, s->s, (size_t)s->len);
	p[s->len] = '\0';
	return p;
}

/* Only for callers that give a base directory; those in this project give none. */
static char *get_abs_pathname(str *base, str *file)
{
	(void)base;
	return as_asciiz(file);
}

/* Used by value functions of the core that this project replaces. */
static int str2sint(str *s, int *out)
{
	char text[16];
	char *end;
	long n;

	if(s->len <= 0 || (size_t)s->len >= sizeof(text))
		return -1;
	memcpy(text, s->s, (size_t)s->len);
	text[s->len] = '\0';
	errno = 0;
	n = strtol(text, &end, 10);
	if(errno != 0 || *end != '\0' || n < INT_MIN || n > INT_MAX)
		return -1;
	*out = (int)n;
	return 0;
}

#include "core/cfg_parser.c"
