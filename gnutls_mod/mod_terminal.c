/*
 * tls_gnutls - asks for the passwords of keys on the terminal where Kamailio is started
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: attendant, from loadmodule to PROC_INIT.  Memory: none.  Lock: none.
 */
#include "gnutls_mod/mod_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define FIRST_FD 256		  /* daemonize() closes the low ones */
#define WAIT_DS 10			  /* timeout of one read, in tenths of a second */
#define WAITS_MAX 120		  /* timeouts in all */
#define CANCEL "\003\004\032" /* Ctrl-C, Ctrl-D, Ctrl-Z */

static int terminal = -1;

void tlsg_terminal_open(void)
{
	int fd;

	if(terminal >= 0)
		return;
	fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if(fd < 0)
		return;
	terminal = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	close(fd);
}

void tlsg_terminal_close(void)
{
	if(terminal >= 0)
		close(terminal);
	terminal = -1;
}

static void say(const char *text)
{
	if(write(terminal, text, strlen(text)) < 0)
		return; /* reading will fail as well */
}

/* Reads a character. @return it; 0: none was typed in time; -1: the terminal is gone. */
static int key_get(void)
{
	unsigned char c;
	ssize_t n = read(terminal, &c, 1);

	if(n == 1)
		return c;
	return n == 0 || errno == EINTR ? 0 : -1;
}

/* Reads up to the end of the line. @return what went wrong; NULL: nothing. */
static const char *line_get(char *buf, size_t size)
{
	size_t len = 0;
	int waits = 0;

	for(;;) {
		int c = key_get();

		if(c < 0)
			return "the terminal is gone";
		if(c == 0 && ++waits == WAITS_MAX)
			return "no input for 2 minutes";
		if(c == 0)
			continue;
		if(c == '\n' || c == '\r')
			break;
		if(strchr(CANCEL, c) != NULL)
			return "cancelled";
		if(c == '\b' || c == 0x7f)
			len -= len > 0;
		else if(len + 1 < size)
			buf[len++] = (char)c;
		else
			return "the password is too long";
	}
	buf[len] = '\0';
	return len > 0 ? NULL : "nothing was typed";
}

enum tlsg_ret tlsg_terminal_ask(const char *file, char *buf, size_t size, struct tlsg_err *err)
{
	struct termios before, quiet;
	const char *wrong;

	if(terminal < 0 || tcgetattr(terminal, &before) != 0)
		return tlsg_err_set(err, TLSG_E_CONFIG,
				"private_key: \"%s\" is encrypted and there is no terminal to ask for its password (key_password_mode "
				"is 1)",
				file);
	quiet = before;
	/* Ctrl-C would end the shell's process and leave this one asking: it is read as a character */
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
	quiet.c_cc[VMIN] = 0;
	quiet.c_cc[VTIME] = WAIT_DS;
	tcsetattr(terminal, TCSAFLUSH, &quiet);
	say("Password of \"");
	say(file);
	say("\": ");
	wrong = line_get(buf, size);
	say("\r\n");
	tcsetattr(terminal, TCSAFLUSH, &before);
	if(wrong == NULL)
		return TLSG_OK;
	return tlsg_err_set(
			err, TLSG_E_CONFIG, "private_key: \"%s\" is encrypted and its password was asked for: %s", file, wrong);
}
