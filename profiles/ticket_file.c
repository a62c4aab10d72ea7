/*
 * tls_gnutls - ticket_key_file: reads the master keys of session tickets
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot; at start before root's privileges are dropped.
 * Memory: the snapshot's arena (shm), wiped with it.  Lock: none.
 */
#include "profiles/ticket_file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/secret_file.h"
#include "base/wipe.h"
#include "profiles/keys/file.h"
#include "profiles/keys/path.h"
#include "profiles/list.h"
#include "profiles/source.h"
#include "profiles/value.h"

#define SETTING "ticket_key_file"
/* 64 random bytes have about 57 different values; fewer than 32 are no accident. */
#define DIFFERENT_MIN 32

/* Whether the bytes may be random: text that is repeated, or a file of zeros, is not. */
static bool is_random(const unsigned char *key)
{
	bool seen[256] = {false};
	unsigned different = 0;
	unsigned i;

	for(i = 0; i < TLSG_TICKET_MASTER_SIZE; i++) {
		different += !seen[key[i]];
		seen[key[i]] = true;
	}
	return different >= DIFFERENT_MIN;
}

/* Who can read the file, and who can replace what is in it. */
static enum tlsg_ret rights_check(const char *file, struct tlsg_err *err)
{
	struct stat st;

	if(stat(file, &st) < 0)
		return tlsg_file_unreadable(SETTING, file, false, errno, err);
	if(st.st_mode & S_IWOTH)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				SETTING ": \"%s\" can be written by everybody, who could then read sessions: chmod o-w it", file);
	tlsg_secret_file_warn(file, "a key of session tickets", st.st_mode);
	return TLSG_OK;
}

static enum tlsg_ret content_check(const char *file, const gnutls_datum_t *content, struct tlsg_err *err)
{
	if(content->size != TLSG_TICKET_MASTER_SIZE)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				SETTING ": \"%s\" has %u bytes, a key has %d; make one with: head -c %d /dev/urandom", file,
				content->size, TLSG_TICKET_MASTER_SIZE, TLSG_TICKET_MASTER_SIZE);
	if(!is_random(content->data))
		return tlsg_err_set(err, TLSG_E_CONFIG,
				SETTING ": the bytes of \"%s\" are not random; make a key with: head -c %d /dev/urandom", file,
				TLSG_TICKET_MASTER_SIZE);
	return TLSG_OK;
}

/* Reads one file to the end of the list. @param names  of all files, for the message about two that are the same. */
static enum tlsg_ret master_read(struct tlsg_ticket_masters *m, const str *names, struct tlsg_err *err)
{
	const char *file = names[m->len].s;
	gnutls_datum_t content;
	enum tlsg_ret ret;
	unsigned i;

	if(tlsg_path_is_uri(&names[m->len]))
		return tlsg_err_set(err, TLSG_E_CONFIG, SETTING ": name %u is a URI; only files are supported", m->len + 1);
	ret = rights_check(file, err);
	if(ret == TLSG_OK)
		ret = tlsg_file_read(SETTING, file, &content, err);
	if(ret != TLSG_OK)
		return ret;
	ret = content_check(file, &content, err);
	for(i = 0; ret == TLSG_OK && i < m->len; i++)
		if(memcmp(m->key[i], content.data, TLSG_TICKET_MASTER_SIZE) == 0)
			ret = tlsg_err_set(err, TLSG_E_CONFIG, SETTING ": \"%s\" and \"%s\" have the same key", names[i].s, file);
	if(ret == TLSG_OK)
		memcpy(m->key[m->len++], content.data, TLSG_TICKET_MASTER_SIZE);
	tlsg_file_free(&content);
	return ret;
}

enum tlsg_ret tlsg_ticket_file_load(struct tlsg_set *set, const str *setting, struct tlsg_err *err)
{
	struct tlsg_ticket_masters *m;
	str names[TLSG_TICKET_MASTERS_MAX];
	enum tlsg_ret ret;
	int n = 0;

	if(!tlsg_value_is_set(setting))
		return TLSG_OK;
	ret = tlsg_list_split(set, SETTING, setting, names, &n, err);
	if(ret != TLSG_OK)
		return ret;
	m = tlsg_arena_keep(set->arena, sizeof(*m));
	if(m == NULL)
		return tlsg_err_no_shm(err, SETTING, sizeof(*m));
	while(ret == TLSG_OK && (int)m->len < n) {
		if(!tlsg_path_is_uri(&names[m->len]))
			tlsg_source_note(set, names[m->len].s, false);
		ret = master_read(m, names, err);
	}
	if(ret == TLSG_OK)
		set->ticket_masters = m;
	return ret;
}

void tlsg_ticket_file_warn(struct tlsg_set *set, const str *setting)
{
	str names[TLSG_TICKET_MASTERS_MAX];
	int n = 0;
	int i;

	if(!tlsg_value_is_set(setting) || tlsg_list_split(set, SETTING, setting, names, &n, NULL) != TLSG_OK)
		return;
	for(i = 0; i < n; i++)
		if(access(names[i].s, R_OK) != 0 && errno == EACCES)
			LM_WARN("\"%s\" was read as root, and user %d cannot read it: tls.reload will fail; give that user's group "
					"the right to read it\n",
					names[i].s, (int)getuid());
}
