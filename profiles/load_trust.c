/*
 * tls_gnutls - reads the settings ca_list, ca_path and crl: files, directories and tokens with CA certificates and CRLs
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot.
 * Memory: the snapshot's arena (shm); what is read and parsed on the way, this process's heap.  Lock: none.
 */
#include "profiles/load_trust.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/plural.h"
#include "base/scope.h"
#include "profiles/keys/file.h"
#include "profiles/load_token.h"
#include "profiles/pem.h"
#include "profiles/source.h"
#include "profiles/value.h"
#include "profiles/verify/crt.h"
#include "profiles/verify/trusted.h"

#define HASH_DIGITS 8
#define GROW 64

/* What has been read so far: arrays on this process's heap, whose elements point into the arena. */
struct loader
{
	struct tlsg_set *set;
	struct tlsg_err *err;
	const char *setting; /* the one that is being read, for messages */
	unsigned seen;		 /* certificates and CRLs of that setting, also those that were there already */
	unsigned untrusted;	 /* certificates of a file that its trust settings exclude */
	struct tlsg_der *cas;
	unsigned cas_len;
	struct tlsg_crl *crls;
	unsigned crls_len;
};

/* Makes room for one more element. @return the array; NULL: no memory, the old one is still there. */
static void *grow(void *array, unsigned len, size_t size)
{
	return len % GROW == 0 ? gnutls_realloc(array, (len + GROW) * size) : array;
}

/* This process's heap is used up. */
static enum tlsg_ret out_of_memory(struct loader *l)
{
	return tlsg_err_set(l->err, TLSG_E_RESOURCE, "%s: out of memory", l->setting);
}

static enum tlsg_ret out_of_shared_memory(struct loader *l, size_t wanted)
{
	return tlsg_err_no_shm(l->err, l->setting, wanted);
}


static bool has_ca(const struct loader *l, const struct tlsg_der *der)
{
	unsigned i;

	for(i = 0; i < l->cas_len; i++)
		if(tlsg_der_is_same(&l->cas[i], der))
			return true;
	return false;
}

/* Keeps a certificate that GnuTLS can parse and that is not there yet. */
static enum tlsg_ret add_certificate(struct loader *l, const gnutls_datum_t *data, const char *file)
{
	const struct tlsg_der der = {data->data, data->size};
	char curve[TLSG_CRT_CURVE_SIZE];
	gnutls_x509_crt_t crt;
	struct tlsg_der *cas;
	int rc = tlsg_crt_parse(&der, &crt);

	if(rc < 0)
		return tlsg_err_set(l->err, rc == GNUTLS_E_MEMORY_ERROR ? TLSG_E_RESOURCE : TLSG_E_CONFIG,
				"%s: a certificate in \"%s\" is damaged: %s", l->setting, file, gnutls_strerror(rc));
	gnutls_x509_crt_deinit(crt);
	l->seen++;
	if(has_ca(l, &der))
		return TLSG_OK;
	if(tlsg_crt_has_unsupported_curve(&der, curve))
		LM_WARN("%s: a certificate in \"%s\" has a key on the elliptic curve %s, which GnuTLS does not support: what "
				"it issued will be refused\n",
				l->setting, file, curve);
	cas = grow(l->cas, l->cas_len, sizeof(*cas));
	if(cas == NULL)
		return out_of_memory(l);
	l->cas = cas;
	cas += l->cas_len++;
	cas->size = der.size;
	cas->data = tlsg_arena_keep_copy(l->set->arena, der.data, der.size);
	return cas->data == NULL ? out_of_shared_memory(l, der.size) : TLSG_OK;
}

static enum tlsg_ret add_crl(struct loader *l, const gnutls_datum_t *der, const char *file)
{
	struct tlsg_crl *crls = grow(l->crls, l->crls_len, sizeof(*crls));
	struct tlsg_err why;
	enum tlsg_ret ret;

	if(crls == NULL)
		return out_of_memory(l);
	l->crls = crls;
	tlsg_err_clear(&why);
	ret = tlsg_crl_parse(l->set->arena, der, &crls[l->crls_len], &why);
	if(ret != TLSG_OK)
		return tlsg_err_set(l->err, ret == TLSG_E_RESOURCE ? ret : TLSG_E_CONFIG, "%s: a CRL in \"%s\": %s", l->setting,
				file, why.text);
	if(!crls[l->crls_len].usable)
		LM_WARN("%s: a CRL in \"%s\" is not used: it is a delta CRL, indirect, or for some reasons only\n", l->setting,
				file);
	l->crls_len++;
	l->seen++;
	return TLSG_OK;
}

/* Adds one certificate or CRL. @param crls  whether CRLs count. */
static enum tlsg_ret add_block(struct loader *l, const struct tlsg_pem_block *b, const char *file, bool crls)
{
	if(b->kind == TLSG_PEM_CRL)
		return crls ? add_crl(l, &b->der, file) : TLSG_OK;
	if(tlsg_trusted_for_tls(&b->settings))
		return add_certificate(l, &b->der, file);
	l->untrusted++;
	return TLSG_OK;
}

/* Adds all certificates in a file, and CRLs if they count. @param data  with a zero byte after its end. */
static enum tlsg_ret add_blocks(struct loader *l, const gnutls_datum_t *data, const char *file, bool crls)
{
	struct tlsg_pem_block b;
	struct tlsg_pem pem;
	enum tlsg_ret ret;

	l->untrusted = 0;
	tlsg_pem_open(&pem, l->setting, file, data);
	while((ret = tlsg_pem_next(&pem, &b, l->err)) == TLSG_OK && b.der.size > 0) {
		ret = add_block(l, &b, file, crls);
		tlsg_pem_free(&b);
		if(ret != TLSG_OK)
			return ret;
	}
	if(l->untrusted > 0)
		LM_WARN("%s: %u certificate%s in \"%s\" %s not used: by OpenSSL's trust settings not for TLS servers and "
				"clients "
				"both; to use one, convert it with `openssl x509 -in … -out …`\n",
				l->setting, l->untrusted, tlsg_plural_s(l->untrusted), file, l->untrusted == 1 ? "is" : "are");
	return ret;
}

static enum tlsg_ret add_file(struct loader *l, const char *file, bool crls)
{
	gnutls_datum_t data = {NULL, 0};
	enum tlsg_ret ret;

	tlsg_source_note(l->set, file, false);
	ret = tlsg_file_read(l->setting, file, &data, l->err);

	if(ret != TLSG_OK)
		return ret;
	ret = add_blocks(l, &data, file, crls);
	tlsg_file_free(&data);
	return ret;
}

/* Adds the trust anchors on a token. */
static enum tlsg_ret add_token(struct loader *l, const str *uri)
{
	gnutls_datum_t pem = {NULL, 0};
	enum tlsg_ret ret = tlsg_load_token_anchors(l->set, uri, &pem, l->err);

	if(ret != TLSG_OK)
		return ret;
	ret = add_blocks(l, &pem, uri->s, false);
	gnutls_free(pem.data);
	return ret;
}

/* Whether a name is one of `openssl rehash`: eight hexadecimal digits, a dot, `r` for CRLs, a number. */
static bool is_hash_name(const char *name, bool *crl)
{
	unsigned i;

	for(i = 0; i < HASH_DIGITS; i++)
		if(!isxdigit((unsigned char)name[i]))
			return false;
	if(name[i++] != '.')
		return false;
	*crl = name[i] == 'r';
	if(*crl)
		i++;
	if(name[i] == '\0')
		return false;
	while(isdigit((unsigned char)name[i]))
		i++;
	return name[i] == '\0';
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(char **names, unsigned len)
{
	unsigned i;

	for(i = 0; i < len; i++)
		gnutls_free(names[i]);
	gnutls_free(names);
}

/* The names in a directory except hidden ones, sorted. */
static enum tlsg_ret read_directory(struct loader *l, const char *path, char ***out, unsigned *out_len)
{
	char **names = NULL, **more;
	unsigned len = 0;
	struct dirent *entry;
	DIR *dir = opendir(path);

	if(dir == NULL)
		return tlsg_file_unreadable(l->setting, path, true, errno, l->err);
	while((entry = readdir(dir)) != NULL) {
		if(entry->d_name[0] == '.')
			continue;
		more = grow(names, len, sizeof(*names));
		if(more != NULL)
			names = more;
		if(more == NULL || (names[len] = gnutls_strdup(entry->d_name)) == NULL)
			break;
		len++;
	}
	closedir(dir);
	if(entry != NULL) {
		names_free(names, len);
		return out_of_memory(l);
	}
	if(len > 0)
		qsort(names, len, sizeof(*names), name_cmp);
	*out = names;
	*out_len = len;
	return TLSG_OK;
}

static bool has_hash_names(char **names, unsigned len)
{
	bool crl;
	unsigned i;

	for(i = 0; i < len; i++)
		if(is_hash_name(names[i], &crl))
			return true;
	return false;
}

/* Adds a file of a directory. One that cannot be read or used is skipped with a warning: dangling links are common
 * there. */
static enum tlsg_ret add_directory_file(struct loader *l, const char *path, const char *name, bool crls)
{
	struct tlsg_err *outer = l->err;
	struct tlsg_err own;
	struct stat st;
	char file[PATH_MAX];
	enum tlsg_ret ret;
	int n = snprintf(file, sizeof(file), "%s/%s", path, name);

	if(n < 0 || (size_t)n >= sizeof(file))
		return tlsg_err_set(l->err, TLSG_E_CONFIG, "%s: a file name in \"%s\" is too long", l->setting, path);
	if(stat(file, &st) == 0 && !S_ISREG(st.st_mode))
		return TLSG_OK;
	tlsg_err_clear(&own);
	l->err = &own;
	ret = add_file(l, file, crls);
	l->err = outer;
	if(ret == TLSG_OK)
		return TLSG_OK;
	if(ret != TLSG_E_CONFIG)
		return tlsg_err_set(l->err, ret, "%s", own.text);
	LM_WARN("%s; the file is skipped\n", own.text);
	return TLSG_OK;
}

/* Adds a directory. @param crls  whether CRLs count. */
static enum tlsg_ret add_directory(struct loader *l, const char *path, bool crls)
{
	char **names = NULL;
	unsigned len = 0, i;
	bool hashed, crl = false;
	enum tlsg_ret ret;

	tlsg_source_note(l->set, path, true);
	ret = read_directory(l, path, &names, &len);

	if(ret != TLSG_OK)
		return ret;
	hashed = has_hash_names(names, len);
	for(i = 0; i < len && ret == TLSG_OK; i++) {
		if(hashed && !is_hash_name(names[i], &crl))
			continue;
		if(!crl || crls)
			ret = add_directory_file(l, path, names[i], crl);
	}
	names_free(names, len);
	if(ret == TLSG_OK && l->seen == 0)
		ret = tlsg_err_set(l->err, TLSG_E_CONFIG, "%s: no certificate in the directory \"%s\"", l->setting, path);
	return ret;
}

/* For these settings an empty value is the same as none. */
static bool is_same_setting(const str *a, const str *b)
{
	return tlsg_value_is_set(a) ? tlsg_value_is_same(a, b) : !tlsg_value_is_set(b);
}

static struct tlsg_trust *trust_find(const struct tlsg_set *set, const struct tlsg_prof_settings *s)
{
	struct tlsg_trust *t;

	for(t = set->trusts; t != NULL; t = t->next)
		if(is_same_setting(&t->ca_list, &s->ca_list) && is_same_setting(&t->ca_path, &s->ca_path)
				&& is_same_setting(&t->crl, &s->crl))
			return t;
	return NULL;
}

/* Reads ca_path. That there is nothing to read is kept in t: whether it matters depends on the profile. */
static enum tlsg_ret load_path(struct loader *l, const str *path, bool crls, struct tlsg_trust *t)
{
	struct tlsg_err *outer = l->err;
	struct tlsg_err own;
	enum tlsg_ret ret;

	tlsg_err_clear(&own);
	l->setting = "ca_path";
	l->seen = 0;
	l->err = &own;
	ret = add_directory(l, path->s, crls);
	l->err = outer;
	if(ret == TLSG_OK)
		return TLSG_OK;
	if(ret != TLSG_E_CONFIG)
		return tlsg_err_set(l->err, ret, "%s", own.text);
	t->path_fault = tlsg_arena_keep_copy(l->set->arena, own.text, strlen(own.text));
	return t->path_fault != NULL ? TLSG_OK : out_of_shared_memory(l, strlen(own.text) + 1);
}

static enum tlsg_ret load_list(struct loader *l, const str *list)
{
	enum tlsg_ret ret;

	l->setting = "ca_list";
	l->seen = 0;
	ret = tlsg_load_token_is_uri(list) ? add_token(l, list) : add_file(l, list->s, false);
	if(ret == TLSG_OK && l->seen == 0)
		ret = tlsg_err_set(l->err, TLSG_E_CONFIG, "ca_list: no certificate in \"%s\"", list->s);
	return ret;
}

static enum tlsg_ret load_crl(struct loader *l, const str *crl)
{
	enum tlsg_ret ret;

	l->setting = "crl";
	l->seen = 0;
	ret = add_file(l, crl->s, true);
	if(ret == TLSG_OK && l->seen == 0)
		ret = tlsg_err_set(l->err, TLSG_E_CONFIG, "crl: no CRL in \"%s\"", crl->s);
	if(ret == TLSG_OK && l->crls_len == 0)
		LM_WARN("crl: \"%s\" has certificates and no CRL: every certificate that is verified will be refused\n",
				crl->s);
	return ret;
}

/* Reads the three settings in order. */
static enum tlsg_ret load_all(struct loader *l, const struct tlsg_prof_settings *s, struct tlsg_trust *t)
{
	bool crls = tlsg_value_is_set(&s->crl);
	enum tlsg_ret ret = TLSG_OK;

	if(tlsg_value_is_set(&s->ca_list))
		ret = load_list(l, &s->ca_list);
	t->cas_listed = l->cas_len;
	if(ret == TLSG_OK && tlsg_value_is_set(&s->ca_path))
		ret = load_path(l, &s->ca_path, crls, t);
	if(ret == TLSG_OK && crls)
		ret = load_crl(l, &s->crl);
	return ret;
}

/* Moves what was read into the snapshot. */
static enum tlsg_ret trust_fill(struct tlsg_trust *t, struct loader *l)
{
	struct tlsg_arena *arena = l->set->arena;
	size_t cas_size = l->cas_len * sizeof(*l->cas), crls_size = l->crls_len * sizeof(*l->crls);
	struct tlsg_err why;
	enum tlsg_ret ret;

	t->cas = tlsg_arena_keep_copy(arena, l->cas, cas_size);
	t->cas_len = l->cas_len;
	t->crls = tlsg_arena_keep_copy(arena, l->crls, crls_size);
	t->crls_len = l->crls_len;
	if(t->cas == NULL || t->crls == NULL)
		return out_of_shared_memory(l, cas_size + crls_size);
	tlsg_err_clear(&why);
	ret = tlsg_trust_index(t, arena, &why);
	return ret == TLSG_OK ? TLSG_OK : tlsg_err_set(l->err, ret, "%s: %.200s", l->setting, why.text);
}

static bool keep_str(struct tlsg_arena *arena, const str *from, str *to)
{
	if(!tlsg_value_is_set(from))
		return true;
	to->s = tlsg_arena_keep_copy(arena, from->s, (size_t)from->len);
	to->len = from->len;
	return to->s != NULL;
}

/* Fills a new trust. */
static enum tlsg_ret trust_read(struct loader *l, const struct tlsg_prof_settings *s, struct tlsg_trust *t)
{
	struct tlsg_arena *arena = l->set->arena;
	enum tlsg_ret ret;

	l->setting = "ca_list";
	if(!keep_str(arena, &s->ca_list, &t->ca_list) || !keep_str(arena, &s->ca_path, &t->ca_path)
			|| !keep_str(arena, &s->crl, &t->crl))
		return out_of_shared_memory(l, (size_t)s->ca_list.len + (size_t)s->ca_path.len + (size_t)s->crl.len);
	t->has_crl = tlsg_value_is_set(&s->crl);
	ret = load_all(l, s, t);
	return ret == TLSG_OK ? trust_fill(t, l) : ret;
}

/* Whether a peer's certificate is looked at. */
static bool is_verifying(const struct tlsg_prof_settings *s)
{
	return s->verify_certificate > 0 || s->require_certificate > 0 || s->verify_client > TLSG_VERIFY_CLIENT_OFF;
}

/* A ca_path without certificates is refused where peers are verified and ca_list has no CA either. */
static enum tlsg_ret path_check(const struct tlsg_trust *t, const struct tlsg_prof_settings *s, struct tlsg_err *err)
{
	if(t->path_fault == NULL || t->cas_listed > 0 || !is_verifying(s))
		return TLSG_OK;
	return tlsg_err_set(err, TLSG_E_CONFIG, "%s", t->path_fault);
}

enum tlsg_ret tlsg_load_trust(
		struct tlsg_set *set, const struct tlsg_prof_settings *s, struct tlsg_trust **out, struct tlsg_err *err)
{
	struct tlsg_arena *previous;
	struct loader l = {.set = set, .err = err};
	struct tlsg_trust *t = trust_find(set, s);
	enum tlsg_ret ret;

	if(t != NULL) {
		*out = t;
		return path_check(t, s, err);
	}
	t = tlsg_arena_keep(set->arena, sizeof(*t));
	if(t == NULL)
		return tlsg_err_no_shm(err, "ca_list", sizeof(*t));
	/* what GnuTLS parses here is freed again, and must not take room in the snapshot's arena */
	previous = tlsg_scope_enter(NULL);
	ret = trust_read(&l, s, t);
	gnutls_free(l.cas);
	gnutls_free(l.crls);
	tlsg_scope_leave(previous);
	if(ret == TLSG_OK)
		ret = path_check(t, s, err);
	if(ret != TLSG_OK)
		return ret;
	if(t->path_fault != NULL)
		LM_WARN("%s: the setting has no effect\n", t->path_fault);
	t->index = set->trusts_len++;
	t->next = set->trusts;
	set->trusts = t;
	*out = t;
	return TLSG_OK;
}
