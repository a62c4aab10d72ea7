/*
 * tls_gnutls - a PKCS#11 module for tests, on top of SoftHSM, with faults set in a control file
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process of a test.  Memory: heap.  Lock: none.
 *
 * The file that P11_FAULT names is read at each call. Its lines, "word value":
 *   init crash|hang|fail      what C_Initialize does
 *   flags N                   or-ed to the flags of each token
 *   login N                   what C_Login returns
 *   epoch N                   sessions that were opened while the file had another number are invalid
 *   gone N                    each call on a session returns this
 *   sign N                    what C_Sign returns
 *   absent 1                  no slot has a token
 *   nopss 1                   RSA-PSS is not supported
 *   slow N                    duration of a signature in milliseconds
 * Calls of C_Login and C_Sign are appended to <file>.log, one line each: "login <pid>", "sign <pid>".
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#ifndef SOFTHSM
#error "name the library of SoftHSM"
#endif
#define SESSIONS 4096

static CK_FUNCTION_LIST own;
static CK_FUNCTION_LIST *real;
static long epoch_of[SESSIONS];

static long control(const char *word, char *text, size_t size)
{
	const char *path = getenv("P11_FAULT");
	FILE *file = path != NULL ? fopen(path, "r") : NULL;
	char line[256], name[64], value[128];
	long found = -1;

	while(file != NULL && fgets(line, sizeof(line), file) != NULL)
		if(sscanf(line, "%63s %127s", name, value) == 2 && strcmp(name, word) == 0) {
			found = strtol(value, NULL, 0);
			if(text != NULL)
				snprintf(text, size, "%s", value);
		}
	if(file != NULL)
		fclose(file);
	return found;
}

static void log_call(const char *what)
{
	char path[4096], line[64];
	int n = snprintf(line, sizeof(line), "%s %d\n", what, (int)getpid());
	int fd;

	snprintf(path, sizeof(path), "%s.log", getenv("P11_FAULT"));
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
	if(fd < 0 || write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

/* @return the error of a session, CKR_OK for none. */
static CK_RV session_error(CK_SESSION_HANDLE session)
{
	long gone = control("gone", NULL, 0);

	if(gone > 0)
		return (CK_RV)gone;
	return epoch_of[session % SESSIONS] == control("epoch", NULL, 0) ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

static CK_RV initialize(void *args)
{
	char how[16] = "";

	(void)control("init", how, sizeof(how));
	if(strcmp(how, "crash") == 0)
		*(volatile int *)0 = 1;
	while(strcmp(how, "hang") == 0)
		pause();
	return strcmp(how, "fail") == 0 ? CKR_GENERAL_ERROR : real->C_Initialize(args);
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
	if(control("absent", NULL, 0) != 1)
		return real->C_GetSlotList(present, list, count);
	*count = 0;
	return CKR_OK;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv = control("absent", NULL, 0) == 1 ? CKR_TOKEN_NOT_PRESENT : real->C_GetTokenInfo(slot, info);
	long flags = control("flags", NULL, 0);

	if(rv == CKR_OK && flags > 0)
		info->flags |= (CK_FLAGS)flags;
	return rv;
}

static CK_RV get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	if(type == CKM_RSA_PKCS_PSS && control("nopss", NULL, 0) == 1)
		return CKR_MECHANISM_INVALID;
	return real->C_GetMechanismInfo(slot, type, info);
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
	CK_RV rv = real->C_OpenSession(slot, flags, app, notify, session);

	if(rv == CKR_OK)
		epoch_of[*session % SESSIONS] = control("epoch", NULL, 0);
	return rv;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG len)
{
	long rv = control("login", NULL, 0);

	log_call("login");
	return rv > 0 ? (CK_RV)rv : real->C_Login(session, user, pin, len);
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = session_error(session);

	if(rv == CKR_OK && mechanism->mechanism == CKM_RSA_PKCS_PSS && control("nopss", NULL, 0) == 1)
		rv = CKR_MECHANISM_INVALID;
	return rv != CKR_OK ? rv : real->C_SignInit(session, mechanism, key);
}

static CK_RV sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len, unsigned char *out, CK_ULONG *out_len)
{
	CK_RV rv = session_error(session);
	long slow = control("slow", NULL, 0);

	if(rv == CKR_OK && control("sign", NULL, 0) > 0)
		rv = (CK_RV)control("sign", NULL, 0);
	if(rv != CKR_OK)
		return rv;
	if(out != NULL) {
		log_call("sign");
		if(slow > 0)
			usleep((useconds_t)slow * 1000);
	}
	return real->C_Sign(session, data, len, out, out_len);
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *list, CK_ULONG count)
{
	CK_RV rv = session_error(session);

	return rv != CKR_OK ? rv : real->C_FindObjectsInit(session, list, count);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	void *library = dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList get = NULL;

	if(library != NULL)
		*(void **)&get = dlsym(library, "C_GetFunctionList");
	if(get == NULL || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	own = *real;
	own.C_Initialize = initialize;
	own.C_GetFunctionList = C_GetFunctionList;
	own.C_GetSlotList = get_slot_list;
	own.C_GetTokenInfo = get_token_info;
	own.C_GetMechanismInfo = get_mechanism_info;
	own.C_OpenSession = open_session;
	own.C_Login = login;
	own.C_SignInit = sign_init;
	own.C_Sign = sign;
	own.C_FindObjectsInit = find_init;
	*list = &own;
	return CKR_OK;
}
