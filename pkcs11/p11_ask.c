/*
 * tls_gnutls - why a PKCS#11 module cannot be initialised, in its own words
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: workers, and children that look at a token, after a module has failed to start.
 * Memory: static, of this process.  Lock: none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif

#include "pkcs11/p11_ask.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <p11-kit/p11-kit.h>

#include "pkcs11/p11_probe.h"

#define AGAIN_MS 10000
#define PRINTED_SIZE 160
#define TEXT_SIZE 1024

#define RV(rv)  \
	{           \
		rv, #rv \
	}
static const struct
{
	CK_RV rv;
	const char *name;
} names[] = {RV(CKR_HOST_MEMORY), RV(CKR_SLOT_ID_INVALID), RV(CKR_GENERAL_ERROR), RV(CKR_FUNCTION_FAILED),
		RV(CKR_ARGUMENTS_BAD), RV(CKR_NEED_TO_CREATE_THREADS), RV(CKR_CANT_LOCK), RV(CKR_DEVICE_ERROR),
		RV(CKR_DEVICE_MEMORY), RV(CKR_DEVICE_REMOVED), RV(CKR_FUNCTION_CANCELED), RV(CKR_FUNCTION_NOT_SUPPORTED),
		RV(CKR_OPERATION_ACTIVE), RV(CKR_SESSION_COUNT), RV(CKR_TOKEN_NOT_PRESENT), RV(CKR_TOKEN_NOT_RECOGNIZED),
		RV(CKR_TOKEN_WRITE_PROTECTED), RV(CKR_CRYPTOKI_ALREADY_INITIALIZED), RV(CKR_CRYPTOKI_NOT_INITIALIZED),
		RV(CKR_MUTEX_BAD), RV(CKR_LIBRARY_LOAD_FAILED), RV(CKR_FIPS_SELF_TEST_FAILED), RV(CKR_FUNCTION_REJECTED)};
#undef RV

/* The last answer. */
static struct
{
	pid_t pid;
	long at_ms;
	char path[TLSG_P11_PATH_SIZE];
	char text[TLSG_ERR_TEXT];
} last;

static void result_name(CK_RV rv, char *out, size_t size)
{
	size_t i;

	for(i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if(names[i].rv == rv) {
			snprintf(out, size, "%s", names[i].name);
			return;
		}
	snprintf(out, size, "%s0x%lx", rv >= CKR_VENDOR_DEFINED ? "the vendor's result " : "result ", (unsigned long)rv);
}

static CK_RV initialise(const char *path)
{
	CK_FUNCTION_LIST *module = p11_kit_module_load(path, P11_KIT_MODULE_CRITICAL);
	CK_RV rv;

	if(module == NULL)
		return CKR_LIBRARY_LOAD_FAILED;
	rv = p11_kit_module_initialize(module);
	if(rv == CKR_OK)
		(void)p11_kit_module_finalize(module);
	p11_kit_module_release(module);
	return rv;
}

/* Finds the first line in what was printed, the cause of those that follow. @param out  [out] PRINTED_SIZE bytes. */
static void first_line(const char *text, size_t len, char *out)
{
	size_t i, at = 0;

	while(at < len && isspace((unsigned char)text[at]))
		at++;
	for(i = 0; at < len && text[at] != '\n' && i < PRINTED_SIZE - 1; i++, at++)
		out[i] = text[at] >= ' ' && text[at] <= '~' ? text[at] : '.';
	out[i] = '\0';
}

/* @param printed  [out] PRINTED_SIZE bytes: the first line that went to standard error. */
static CK_RV initialise_and_listen(const char *path, char *printed)
{
	int own = dup(STDERR_FILENO);
	int file = own >= 0 ? memfd_create("stderr", MFD_CLOEXEC) : -1;
	bool swapped = file >= 0 && dup2(file, STDERR_FILENO) >= 0;
	char text[TEXT_SIZE];
	CK_RV rv = initialise(path);
	ssize_t n = 0;

	(void)fflush(stderr);
	printed[0] = '\0';
	if(swapped) {
		(void)dup2(own, STDERR_FILENO);
		n = pread(file, text, sizeof(text), 0);
	}
	if(n > 0)
		first_line(text, (size_t)n, printed);
	if(file >= 0)
		close(file);
	if(own >= 0)
		close(own);
	return rv;
}

const char *tlsg_p11_ask_why(const char *path)
{
	char name[64], printed[PRINTED_SIZE];
	long now = tlsg_p11_probe_clock();
	CK_RV rv;

	if(strlen(path) >= sizeof(last.path))
		return NULL;
	if(last.pid == getpid() && now - last.at_ms < AGAIN_MS && strcmp(last.path, path) == 0)
		return last.text[0] != '\0' ? last.text : NULL;
	last.pid = getpid();
	memcpy(last.path, path, strlen(path) + 1);
	last.text[0] = '\0';
	rv = initialise_and_listen(path, printed);
	last.at_ms = tlsg_p11_probe_clock();
	if(rv == CKR_OK)
		return NULL;
	result_name(rv, name, sizeof(name));
	snprintf(last.text, sizeof(last.text),
			"%s; run as user id %d: p11tool --provider %.200s --list-tokens; it printed%s%s", name, (int)geteuid(),
			path, printed[0] != '\0' ? ": " : " nothing, see syslog", printed);
	return last.text;
}
