/*
 * tls_gnutls - feeds arbitrary files to the parser of tls.cfg, on the core's own lexer, and checks what comes out
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: a fuzzing process.   Memory: the stand-in's region, stack.   Lock: none.
 */
#define _GNU_SOURCE /* memfd_create */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/arena_pool.h"
#include "profiles/build.h"
#include "profiles/match.h"
#include "profiles/cipher/method.h"
#include "profiles/tlscfg_file.h"

#define CHECK(what)           \
	do {                      \
		if(!(what))           \
			__builtin_trap(); \
	} while(0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static int fd;
static char path[32];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	CHECK(tlsg_arena_pool_global_init() == TLSG_OK);
	CHECK(tlsg_set_global_init() == TLSG_OK);
	fd = memfd_create("tls.cfg", 0);
	CHECK(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return 0;
}

/* @return the snapshot, NULL when the file was refused. */
static struct tlsg_set *parse(const void *data, size_t size, struct tlsg_err *err)
{
	struct tlsg_set_options o = {.config_dir = STR_STATIC_INIT("/nowhere/")};
	struct tlsg_set *set = tlsg_set_new(&o);

	CHECK(set != NULL);
	CHECK(ftruncate(fd, 0) == 0);
	CHECK(pwrite(fd, data, size, 0) == (ssize_t)size);
	tlsg_err_clear(err);
	if(tlsg_tlscfg_file_parse(set, path, err) == TLSG_OK) {
		CHECK(err->class == TLSG_CLASS_NONE);
		return set;
	}
	CHECK(err->class == TLSG_CLASS_LOCAL);
	CHECK(strncmp(err->text, path, strlen(path)) == 0);
	tlsg_set_drop(set);
	return NULL;
}

static void check_str(const str *s)
{
	if(s->s == NULL) {
		CHECK(s->len == 0);
		return;
	}
	CHECK(tlsg_host_in_shm(s->s));
	CHECK(s->len >= 0 && strlen(s->s) == (size_t)s->len);
}

static void check_prof(struct tlsg_set *set, struct tlsg_prof *p)
{
	const str *texts[] = {&p->s.certificate, &p->s.private_key, &p->s.private_key_password, &p->s.certificate2,
			&p->s.private_key2, &p->s.private_key_password2, &p->s.ca_list, &p->s.ca_path, &p->s.crl, &p->s.cipher_list,
			&p->s.server_name, &p->s.server_id, &p->file};
	struct tlsg_err err;
	enum tlsg_ret ret;

	CHECK(p->set == set && p->index < set->profs_len && p->line > 0);
	CHECK(p->kind == TLSG_PROF_ADDR ? p->addr.len == 4 || p->addr.len == 16 : p->addr.len == 0);
	CHECK(p->kind != TLSG_PROF_ANY || p->s.server_name.len > 0 || p->s.server_id.len > 0);
	tlsg_err_clear(&err);
	/* The URI of an object on a token may be refused, with an error text. */
	ret = tlsg_build_prof(p, tlsg_prof_defaults(p->role), &err);
	CHECK(ret == TLSG_OK || (ret == TLSG_E_CONFIG && err.text[0] != '\0'));
	if(ret != TLSG_OK)
		return;
	for(size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_str(texts[i]);
	check_str(&p->id);
	CHECK(tlsg_method_by_id(p->s.method) != NULL);
	CHECK(p->s.verify_certificate == 0 || p->s.verify_certificate == 1);
	CHECK(p->s.require_certificate == 0 || p->s.require_certificate == 1);
	CHECK(p->s.verify_client >= TLSG_VERIFY_CLIENT_OFF && p->s.verify_client <= TLSG_VERIFY_CLIENT_OPTIONAL_NO_CA);
	CHECK(p->s.server_name_mode >= 0 && p->s.server_name_mode <= 2);
	CHECK(p->s.verify_name >= 0 && p->s.verify_name <= 2);
	CHECK(p->s.verify_depth >= 0);
}

/* A profile that is looked up by its own settings is found, or one later in the file. */
static void check_lookup(struct tlsg_set *set, const struct tlsg_prof *p)
{
	const struct tlsg_match_query q = {
			.role = p->role,
			.addr = p->addr,
			.port = p->port,
			.server_name = p->s.server_name_mode == 2 ? (str)STR_NULL : p->s.server_name,
			.server_id = p->s.server_id,
	};
	const struct tlsg_prof *found = tlsg_match_find(set, &q);

	if(p->kind == TLSG_PROF_DEFAULT || (p->kind == TLSG_PROF_ANY && q.server_name.len == 0 && q.server_id.len == 0))
		return;
	for(; found != NULL && found != p; found = found->next)
		;
	CHECK(found == p);
}

/* Nothing of the input may be left in the lexer. */
static void check_next_file(void)
{
	static const char text[] = "[c:any]\nserver_id=i\nverify_depth=4";
	struct tlsg_err err;
	struct tlsg_set *set = parse(text, sizeof(text) - 1, &err);

	CHECK(set != NULL && set->profs_len == 1);
	CHECK(set->list[TLSG_CLIENT]->line == 1 && set->list[TLSG_CLIENT]->s.verify_depth == 4);
	tlsg_set_drop(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlsg_set *set;
	struct tlsg_err err;
	int role;

	if(size > 16384)
		return 0;
	tlsg_stub_log_clear();
	set = parse(data, size, &err);
	for(role = 0; role < TLSG_ROLES && set != NULL; role++) {
		struct tlsg_prof *p;

		if(set->defaults[role] != NULL)
			check_prof(set, set->defaults[role]);
		for(p = set->list[role]; p != NULL; p = p->next)
			check_prof(set, p);
		for(p = set->list[role]; p != NULL; p = p->next)
			check_lookup(set, p);
	}
	tlsg_set_drop(set);
	check_next_file();
	return 0;
}
