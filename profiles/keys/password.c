/*
 * tls_gnutls - passwords of encrypted keys: from the setting, a file or the environment, or typed
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot, the key process, the token process.  Memory: the caller's.  Lock: none.
 */
#include "profiles/keys/password.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <gnutls/crypto.h>

#include "base/secret_file.h"
#include "profiles/keys/file.h"
#include "profiles/keys/path.h"

#define FROM_FILE "file:"
#define FROM_ENVIRONMENT "env:"

static bool mode_asks;
static tlsg_password_ask_f mode_ask;

void tlsg_password_mode_set(bool asks, tlsg_password_ask_f ask)
{
	mode_asks = asks;
	mode_ask = ask;
}

bool tlsg_password_is_asked(void)
{
	return mode_asks;
}

bool tlsg_password_is_out_of_reach(void)
{
	return mode_asks && mode_ask == NULL;
}

void tlsg_password_wipe(struct tlsg_password *p)
{
	gnutls_memset(p, 0, sizeof(*p));
}

bool tlsg_password_setting(const str *dir, const str *setting, char *buf, str *out)
{
	size_t prefix = strlen(FROM_FILE);
	str path;
	int len;

	*out = *setting;
	if(setting->s == NULL || strncmp(setting->s, FROM_FILE, prefix) != 0)
		return true;
	path.s = setting->s + prefix;
	path.len = setting->len - (int)prefix;
	memcpy(buf, FROM_FILE, prefix + 1);
	len = tlsg_path_absolute(dir, &path, buf + prefix);
	if(len < 0)
		return false;
	out->s = buf;
	out->len = len + (int)prefix;
	return true;
}

static enum tlsg_ret password_set(const char *text, size_t len, struct tlsg_password *out, struct tlsg_err *err)
{
	if(len >= sizeof(out->text) || memchr(text, 0, len) != NULL)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"private_key_password: the password is longer than %d bytes or holds a zero byte",
				TLSG_PASSWORD_SIZE - 1);
	memcpy(out->text, text, len);
	out->text[len] = '\0';
	out->is_set = true;
	return TLSG_OK;
}

/* The password is the first line. */
static enum tlsg_ret from_file(const char *path, struct tlsg_password *out, struct tlsg_err *err)
{
	gnutls_datum_t data = {NULL, 0};
	struct stat info;
	size_t len = 0;
	enum tlsg_ret ret = tlsg_file_read("private_key_password", path, &data, err);

	if(ret != TLSG_OK)
		return ret;
	while(len < data.size && data.data[len] != '\n' && data.data[len] != '\r')
		len++;
	if(len == 0)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "private_key_password: the first line of \"%s\" is empty", path);
	else
		ret = password_set((const char *)data.data, len, out, err);
	tlsg_file_free(&data);
	if(ret == TLSG_OK && stat(path, &info) == 0)
		tlsg_secret_file_warn(path, "a password", info.st_mode);
	return ret;
}

static enum tlsg_ret from_environment(const char *name, struct tlsg_password *out, struct tlsg_err *err)
{
	const char *value = getenv(name);

	if(value == NULL)
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "private_key_password: the environment variable \"%s\" is not set", name);
	return password_set(value, strlen(value), out, err);
}

static enum tlsg_ret from_person(const char *file, struct tlsg_password *out, struct tlsg_err *err)
{
	enum tlsg_ret ret;

	out->is_asked = true;
	if(mode_ask == NULL)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"private_key: \"%s\" is encrypted and its password can be typed at start only (key_password_mode is 1)",
				file);
	ret = mode_ask(file, out->text, sizeof(out->text), err);
	out->is_set = ret == TLSG_OK;
	return ret;
}

enum tlsg_ret tlsg_password_get(const str *setting, const char *file, struct tlsg_password *out, struct tlsg_err *err)
{
	memset(out, 0, sizeof(*out));
	if(mode_asks)
		return from_person(file, out, err);
	if(setting == NULL || setting->s == NULL)
		return TLSG_OK;
	if(strncmp(setting->s, FROM_FILE, strlen(FROM_FILE)) == 0)
		return from_file(setting->s + strlen(FROM_FILE), out, err);
	if(strncmp(setting->s, FROM_ENVIRONMENT, strlen(FROM_ENVIRONMENT)) == 0)
		return from_environment(setting->s + strlen(FROM_ENVIRONMENT), out, err);
	return password_set(setting->s, (size_t)setting->len, out, err);
}
