/*
 * tls_gnutls - PINs of tokens: read from files, given to tokens, never twice
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: read by the builder of a snapshot; given to a token by any process that opens a key.
 * Memory: the caller's, wiped on failure.  Lock: none.
 */
#include "pkcs11/p11_pin.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/pkcs11.h>

#include "base/secret_file.h"

const char *tlsg_p11_pin_path(const char *source)
{
	if(strncasecmp(source, "file:", 5) != 0)
		return strncmp(source, "/", 1) == 0 || strchr(source, ':') == NULL ? source : NULL;
	source += 5;
	if(strncmp(source, "//", 2) != 0)
		return source;
	source = strchr(source + 2, '/');
	return source;
}

static enum tlsg_ret read_line(int fd, const char *path, char *out, struct tlsg_err *err)
{
	char buf[TLSG_P11_PIN_SIZE + 2];
	ssize_t n = read(fd, buf, sizeof(buf) - 1);
	enum tlsg_ret ret = TLSG_OK;
	size_t len;

	if(n < 0) {
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "the PIN file \"%s\" cannot be read: %s", path, strerror(errno));
		n = 0;
	}
	buf[n] = '\0';
	len = strcspn(buf, "\r\n");
	if(ret == TLSG_OK && len == 0)
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "the PIN file \"%s\" has an empty first line", path);
	if(ret == TLSG_OK && len >= TLSG_P11_PIN_SIZE)
		ret = tlsg_err_set(
				err, TLSG_E_CONFIG, "the PIN in \"%s\" is longer than %d bytes", path, TLSG_P11_PIN_SIZE - 1);
	if(ret == TLSG_OK) {
		memcpy(out, buf, len);
		out[len] = '\0';
	}
	gnutls_memset(buf, 0, sizeof(buf));
	return ret;
}

enum tlsg_ret tlsg_p11_pin_read(const char *source, char *out, struct tlsg_err *err)
{
	const char *path = tlsg_p11_pin_path(source);
	struct stat st;
	enum tlsg_ret ret;
	int fd;

	out[0] = '\0';
	if(path == NULL || path[0] == '\0')
		return tlsg_err_set(
				err, TLSG_E_CONFIG, "pin-source is not a file: write pin-source=file:/path or pin-source=/path");
	if(path[0] == '|')
		return tlsg_err_set(err, TLSG_E_CONFIG, "pin-source names a program: only files are read");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if(fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		ret = tlsg_err_set(err, TLSG_E_CONFIG, "the PIN file \"%s\" cannot be read as user id %d: %s", path,
				(int)geteuid(), fd < 0 ? strerror(errno) : "it is not a regular file");
		if(fd >= 0)
			close(fd);
		return ret;
	}
	tlsg_secret_file_warn(path, "a PIN", st.st_mode);
	ret = read_line(fd, path, out, err);
	close(fd);
	return ret;
}

static __thread enum tlsg_p11_pin_verdict verdict;

int tlsg_p11_pin_cb(void *userdata, int attempt, const char *token_url, const char *token_label, unsigned flags,
		char *pin, size_t pin_max)
{
	const struct tlsg_p11_secret *secret = userdata;
	size_t len;

	(void)token_url;
	(void)token_label;
	verdict = TLSG_P11_PIN_WRONG;
	if(attempt > 0 || (flags & GNUTLS_PIN_WRONG))
		return -1;
	verdict = TLSG_P11_PIN_FINAL;
	if(flags & GNUTLS_PIN_FINAL_TRY)
		return -1;
	verdict = TLSG_P11_PIN_MISSING;
	if(secret == NULL || !secret->is_set || (flags & GNUTLS_PIN_SO))
		return -1;
	len = strlen(secret->value);
	if(len >= pin_max)
		return -1;
	memcpy(pin, secret->value, len + 1);
	verdict = TLSG_P11_PIN_GIVEN;
	return 0;
}

void tlsg_p11_pin_begin(void)
{
	verdict = TLSG_P11_PIN_UNUSED;
}

void tlsg_p11_pin_set_wrong(void)
{
	verdict = TLSG_P11_PIN_WRONG;
}

enum tlsg_p11_pin_verdict tlsg_p11_pin_verdict(int gnutls_code)
{
	/* a token that finds the PIN malformed (length, characters) does not ask for it again */
	if(gnutls_code == GNUTLS_E_PKCS11_PIN_ERROR && verdict == TLSG_P11_PIN_GIVEN)
		verdict = TLSG_P11_PIN_WRONG;
	return gnutls_code < 0 ? verdict : TLSG_P11_PIN_UNUSED;
}

bool tlsg_p11_pin_is_final(void)
{
	return verdict > TLSG_P11_PIN_GIVEN;
}

const char *tlsg_p11_pin_reason(enum tlsg_p11_pin_verdict v)
{
	switch(v) {
		case TLSG_P11_PIN_MISSING:
			return "the token asks for a PIN and none is configured: add pin-source=file:/path to the URI";
		case TLSG_P11_PIN_WRONG:
			return "the PIN is wrong; it is not tried again until the next tls.reload";
		case TLSG_P11_PIN_FINAL:
			return "the PIN was not tried: another failure would lock the token; log in once with another program to "
				   "reset its counter";
		default:
			return NULL;
	}
}
