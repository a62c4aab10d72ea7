/*
 * tls_gnutls - PINs of tokens: read from files, given to tokens, never twice
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: read by the builder of a snapshot; given to a token by any process that opens a key.
 * Memory: the caller's, wiped on failure.  Lock: none.
 */
#include "pkcs11/p11_pin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/pkcs11.h>

#include "base/secret_file.h"
#include "pkcs11/p11_refused.h"

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

/* The login of this thread. */
static __thread struct
{
	enum tlsg_p11_pin_verdict verdict;
	const struct tlsg_p11_secret *given; /* NULL: none */
	char token[TLSG_P11_URI_SIZE];		 /* that asked */
	bool was_accepted;					 /* when the snapshot of the key was built */
	uint64_t *passed;					 /* stamp of a record that is of another PIN; NULL: not known */
	unsigned flags;						 /* of the last question */
	unsigned tries;						 /* of a PIN that was refused; 0: unknown */
	int cause;							 /* why that is not remembered: errno */
} login;

/* Whether what is remembered speaks against the PIN. */
static bool is_refused(const char *pin)
{
	enum tlsg_p11_refused found;
	uint64_t stamp;

	if(!tlsg_p11_refused_is_asked())
		return false;
	stamp = tlsg_p11_refused_stamp(login.token);
	if(login.passed != NULL && stamp != 0 && stamp == *login.passed)
		return false;
	found = tlsg_p11_refused_find(login.token, pin, &login.tries);
	if(login.passed != NULL && found == TLSG_P11_REFUSED_NOT)
		*login.passed = stamp;
	return found == TLSG_P11_REFUSED_BEFORE || (found == TLSG_P11_REFUSED_DAMAGED && !login.was_accepted);
}

/* Whether the PIN may be given, and why not. */
static enum tlsg_p11_pin_verdict question(const struct tlsg_p11_secret *secret, size_t pin_max)
{
	if(login.flags & GNUTLS_PIN_FINAL_TRY)
		return TLSG_P11_PIN_FINAL;
	if(secret == NULL || !secret->is_set || (login.flags & GNUTLS_PIN_SO) || strlen(secret->value) >= pin_max)
		return TLSG_P11_PIN_MISSING;
	if(is_refused(secret->value))
		return TLSG_P11_PIN_REFUSED;
	return TLSG_P11_PIN_GIVEN;
}

/* The token has refused the PIN. */
static void note_wrong(void)
{
	const struct tlsg_p11_secret *given = login.given;

	login.verdict = TLSG_P11_PIN_WRONG;
	login.given = NULL;
	if(given == NULL)
		return;
	login.cause = 0;
	if(tlsg_p11_refused_add(login.token, given->value, &login.tries) != TLSG_OK)
		login.cause = errno;
}

int tlsg_p11_pin_cb(void *userdata, int attempt, const char *token_url, const char *token_label, unsigned flags,
		char *pin, size_t pin_max)
{
	const struct tlsg_p11_secret *secret = userdata;

	(void)token_label;
	snprintf(login.token, sizeof(login.token), "%s", token_url != NULL ? token_url : "");
	login.flags = flags;
	if(attempt > 0 || (flags & GNUTLS_PIN_WRONG)) {
		note_wrong();
		return -1;
	}
	login.verdict = question(secret, pin_max);
	if(login.verdict != TLSG_P11_PIN_GIVEN)
		return -1;
	memcpy(pin, secret->value, strlen(secret->value) + 1);
	login.given = secret;
	return 0;
}

void tlsg_p11_pin_begin(void)
{
	memset(&login, 0, sizeof(login));
}

void tlsg_p11_pin_set_accepted(uint64_t *passed)
{
	login.was_accepted = true;
	login.passed = passed;
}

void tlsg_p11_pin_set_wrong(void)
{
	login.verdict = TLSG_P11_PIN_WRONG;
}

enum tlsg_p11_pin_verdict tlsg_p11_pin_verdict(int gnutls_code)
{
	/* a token that finds the PIN malformed (length, characters) does not ask for it again */
	if(gnutls_code == GNUTLS_E_PKCS11_PIN_ERROR && login.verdict == TLSG_P11_PIN_GIVEN)
		note_wrong();
	if(gnutls_code == GNUTLS_E_PKCS11_PIN_LOCKED)
		login.verdict = TLSG_P11_PIN_LOCKED;
	return gnutls_code < 0 ? login.verdict : TLSG_P11_PIN_UNUSED;
}

bool tlsg_p11_pin_is_final(void)
{
	return login.verdict > TLSG_P11_PIN_GIVEN;
}

void tlsg_p11_pin_accept(void)
{
	if(login.verdict == TLSG_P11_PIN_GIVEN && login.given != NULL)
		tlsg_p11_refused_remove(login.token, login.given->value);
	login.given = NULL;
}

/* Writes what is known about a PIN that the token has refused. */
static void describe_wrong(char *out, size_t size)
{
	const char *path = tlsg_p11_refused_path(login.token);
	const char *left = "";
	int at = snprintf(out, size, "the PIN is wrong; it is not tried again until the next tls.reload");

	if(login.tries == 0)
		return;
	if(login.flags & GNUTLS_PIN_FINAL_TRY)
		left = "; the token reports that the next failure locks it";
	else if(login.flags & GNUTLS_PIN_COUNT_LOW)
		left = "; the token reports failed logins";
	if(login.cause != 0)
		snprintf(out + at, size - (size_t)at, ", but by each restart and by auto_reload: %s%s%s (tries so far: %u%s)",
				path[0] != '\0' ? path : "there is no folder for files at runtime", path[0] != '\0' ? ": " : "",
				path[0] != '\0' ? strerror(login.cause) : "", login.tries, left);
	else
		snprintf(out + at, size - (size_t)at,
				", nor by a restart until it changes or %s is removed (tries so far: %u%s%s)", path, login.tries, left,
				tlsg_p11_refused_is_in_unit() ? "; keep it with RuntimeDirectoryPreserve=yes" : "");
}

static void describe_refused(char *out, size_t size)
{
	const char *path = tlsg_p11_refused_path(login.token);

	if(login.tries == 0)
		snprintf(out, size, "the PIN was not tried: %s is damaged, remove it", path);
	else if(login.was_accepted) /* the gate of this snapshot stays closed: pkcs11/p11_gate.h */
		snprintf(out, size,
				"the PIN was not tried: the token has refused it before (tries so far: %u); correct it and run "
				"tls.reload",
				login.tries);
	else
		snprintf(out, size,
				"the PIN was not tried: the token has refused it before (tries so far: %u); correct it; if it is right "
				"now, remove %s, or run tls.reload if Kamailio is running",
				login.tries, path);
}

const char *tlsg_p11_pin_reason(enum tlsg_p11_pin_verdict v)
{
	static __thread char text[TLSG_ERR_TEXT];

	switch(v) {
		case TLSG_P11_PIN_MISSING:
			return "the token asks for a PIN and none is configured: add pin-source=file:/path to the URI";
		case TLSG_P11_PIN_WRONG:
			describe_wrong(text, sizeof(text));
			return text;
		case TLSG_P11_PIN_FINAL:
			return "the PIN was not tried: another failure would lock the token; log in once with another program to "
				   "reset its counter";
		case TLSG_P11_PIN_REFUSED:
			describe_refused(text, sizeof(text));
			return text;
		case TLSG_P11_PIN_LOCKED:
			return "the token has locked its PIN: the security officer must unlock it (a TPM: tpm2_dictionarylockout "
				   "-c)";
		default:
			return NULL;
	}
}
