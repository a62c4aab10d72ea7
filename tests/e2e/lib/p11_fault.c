/*
 * tls_gnutls - a PKCS#11 module for tests, on top of SoftHSM, with faults set in a control file
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process of a test.  Memory: heap.  Lock: none.
 *
 * The control file, CONTROL, is read at each call. Its lines, "word value":
 *   init crash|hang|fail      what C_Initialize does
 *   threads 1                 C_Initialize fails for callers that forbid threads
 *   once 1                    C_Initialize fails in a process that has called it before
 *   flags N                   or-ed to the flags of each token
 *   login N                   what C_Login returns
 *   enter N                   duration of C_Login in milliseconds
 *   epoch N                   sessions that were opened while the file had another number are invalid
 *   gone N                    each call on a session returns this
 *   sign N                    what C_Sign returns
 *   decrypt N                 what C_Decrypt returns
 *   absent 1                  no slot has a token
 *   nopss 1                   RSA-PSS is not supported
 *   slow N                    duration of a signature in milliseconds
 *   op crash|hang             what a signature does
 *   finds LABEL               a search for any label finds the objects with this one, whatever their id
 *   sessions N                all processes together can have so many sessions
 *   says N                    what the token says about its number of sessions (0: as many as you like)
 *   library TEXT              description of the library (CK_INFO)
 * Calls of C_Login, C_Sign and C_Initialize are appended to <file>.log before they do anything, one line each:
 * "login <pid> <PIN>", "sign <pid>", "init <pid>"; and when the token has accepted a login: "entered <pid>".
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* F_OFD_SETLK */
#endif

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#if !defined(SOFTHSM) || !defined(CONTROL)
#error "name the library of SoftHSM and the control file"
#endif
#define SESSIONS 4096

static CK_FUNCTION_LIST own;
static CK_FUNCTION_LIST *real;
static long epoch_of[SESSIONS];
static int lock_of[SESSIONS]; /* byte of the file of sessions, from 1; 0: none */
static pid_t initialized;

static long control(const char *word, char *text, size_t size)
{
	FILE *file = fopen(CONTROL, "r");
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

/* @param more  after the process id; "": nothing. @param len  of more, in bytes. */
static void log_call(const char *what, const char *more, CK_ULONG len)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%s %d%s%.*s\n", what, (int)getpid(), len > 0 ? " " : "",
			len < 400 ? (int)len : 400, more);
	int fd = open(CONTROL ".log", O_WRONLY | O_APPEND | O_CREAT, 0666);

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

/* Locks or unlocks a byte of the file of sessions. A lock ends with its process. */
static int session_lock(short type, int byte)
{
	static int fd = -1;
	static pid_t owner;
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	if(owner != getpid())
		fd = open(CONTROL ".sessions", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	owner = getpid();
	return fcntl(fd, F_OFD_SETLK, &lock);
}

static int is_taken(int byte)
{
	int i;

	for(i = 0; i < SESSIONS; i++)
		if(lock_of[i] == byte)
			return 1;
	return 0;
}

/* Takes one of the sessions that there are. @return its byte, from 1; 0: none is left. */
static int session_take(long most)
{
	int i;

	for(i = 1; i <= most && i < SESSIONS; i++)
		if(!is_taken(i) && session_lock(F_WRLCK, i) == 0)
			return i;
	return 0;
}

static void session_give(int i)
{
	if(lock_of[i] != 0)
		(void)session_lock(F_UNLCK, lock_of[i]);
	lock_of[i] = 0;
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
	session_give(session % SESSIONS);
	return real->C_CloseSession(session);
}

static CK_RV close_all_sessions(CK_SLOT_ID slot)
{
	int i;

	for(i = 0; i < SESSIONS; i++)
		session_give(i);
	return real->C_CloseAllSessions(slot);
}

static CK_RV finalize(void *args)
{
	int i;

	for(i = 0; i < SESSIONS; i++)
		session_give(i);
	return real->C_Finalize(args);
}

static CK_RV get_info(CK_INFO *info)
{
	CK_RV rv = real->C_GetInfo(info);
	char text[128] = "";

	(void)control("library", text, sizeof(text));
	if(rv == CKR_OK && text[0] != '\0') {
		memset(info->libraryDescription, ' ', sizeof(info->libraryDescription));
		memcpy(info->libraryDescription, text, strnlen(text, sizeof(info->libraryDescription)));
	}
	return rv;
}

static CK_RV initialize(void *args)
{
	const CK_C_INITIALIZE_ARGS *wish = args;
	char how[16] = "";

	log_call("init", "", 0);
	if(control("threads", NULL, 0) == 1 && wish != NULL && (wish->flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS))
		return CKR_NEED_TO_CREATE_THREADS;
	if(initialized == getpid() && control("once", NULL, 0) == 1)
		return CKR_GENERAL_ERROR;
	initialized = getpid();
#ifdef SOFTHSM_CONF
	setenv("SOFTHSM2_CONF", SOFTHSM_CONF, 1);
#endif
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
	long says = control("says", NULL, 0);

	if(rv == CKR_OK && flags > 0)
		info->flags |= (CK_FLAGS)flags;
	if(rv == CKR_OK && says >= 0)
		info->ulMaxSessionCount = (CK_ULONG)says;
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
	long most = control("sessions", NULL, 0);
	int byte = most > 0 ? session_take(most) : 0;
	CK_RV rv = most > 0 && byte == 0 ? CKR_SESSION_COUNT : real->C_OpenSession(slot, flags, app, notify, session);

	if(rv == CKR_OK)
		lock_of[*session % SESSIONS] = byte;
	else if(byte > 0)
		(void)session_lock(F_UNLCK, byte);
	if(rv == CKR_OK)
		epoch_of[*session % SESSIONS] = control("epoch", NULL, 0);
	return rv;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG len)
{
	long rv = control("login", NULL, 0);

	log_call("login", pin != NULL ? (const char *)pin : "", pin != NULL ? len : 0);
	rv = rv > 0 ? rv : (long)real->C_Login(session, user, pin, len);
	if(control("enter", NULL, 0) > 0)
		usleep((useconds_t)control("enter", NULL, 0) * 1000);
	if(rv == (long)CKR_OK)
		log_call("entered", "", 0);
	return (CK_RV)rv;
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

	if(rv == CKR_OK && control("sign", NULL, 0) > 0) {
		unsigned char unused[1024];
		CK_ULONG unused_len = sizeof(unused);

		(void)real->C_Sign(session, data, len, unused, &unused_len); /* a failure ends the operation */
		rv = (CK_RV)control("sign", NULL, 0);
	}
	if(rv != CKR_OK)
		return rv;
	if(out != NULL) {
		char how[16] = "";

		log_call("sign", "", 0);
		(void)control("op", how, sizeof(how));
		if(strcmp(how, "crash") == 0)
			*(volatile int *)0 = 1;
		while(strcmp(how, "hang") == 0)
			pause();
		if(slow > 0)
			usleep((useconds_t)slow * 1000);
	}
	return real->C_Sign(session, data, len, out, out_len);
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *list, CK_ULONG count)
{
	CK_RV rv = session_error(session);
	CK_ATTRIBUTE own_list[16];
	CK_ULONG i, n = 0;
	char label[128] = "";

	(void)control("finds", label, sizeof(label));
	if(rv != CKR_OK || label[0] == '\0' || count > 16)
		return rv != CKR_OK ? rv : real->C_FindObjectsInit(session, list, count);
	for(i = 0; i < count; i++) {
		if(list[i].type == CKA_ID)
			continue;
		own_list[n] = list[i];
		if(list[i].type == CKA_LABEL) {
			own_list[n].pValue = label;
			own_list[n].ulValueLen = strlen(label);
		}
		n++;
	}
	return real->C_FindObjectsInit(session, own_list, n);
}

static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_RV rv = session_error(session);

	return rv != CKR_OK ? rv : real->C_DecryptInit(session, mechanism, key);
}

static CK_RV decrypt(CK_SESSION_HANDLE session, unsigned char *in, CK_ULONG len, unsigned char *out, CK_ULONG *out_len)
{
	CK_RV rv = session_error(session);

	if(rv != CKR_OK)
		return rv;
	rv = real->C_Decrypt(session, in, len, out, out_len);
	return control("decrypt", NULL, 0) > 0 ? (CK_RV)control("decrypt", NULL, 0) : rv;
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
	own.C_Finalize = finalize;
	own.C_GetInfo = get_info;
	own.C_CloseSession = close_session;
	own.C_CloseAllSessions = close_all_sessions;
	own.C_DecryptInit = decrypt_init;
	own.C_Decrypt = decrypt;
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
