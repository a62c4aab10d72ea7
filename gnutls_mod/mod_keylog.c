/*
 * tls_gnutls - writes the key log: to the log, to a file, by UDP
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs a step of a handshake.  Memory: static buffers of this process, wiped after use.
 * Lock: none may be held; each step appends to the file with one write().
 */
#include "gnutls_mod/mod_keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host.h"
#include "base/wipe.h"

#include "core/ip_addr.h"

#include "gnutls_mod/mod_log.h"
#include "gnutls_mod/mod_params.h"
#include "gnutls_mod/mod_udp.h"
#include "transport/keylog.h"

#define TEXT_BYTES 8192

static bool active;
static union sockaddr_union peer;
static int udp_socket = -1; /* of this process, opened at first use */
static bool warned;			/* this process has warned about the mode of the file */

int tlsg_mod_keylog_init(void)
{
	const struct tlsg_params_private *p = tlsg_params_private();
	const int on = TLSG_KEYLOG_INIT | TLSG_KEYLOG_ACTIVE;
	struct ip_addr ip;
	unsigned short port;

	if((p->keylog_mode & on) != on)
		return 0;
	if((p->keylog_mode & TLSG_KEYLOG_PEER)
			&& (!tlsg_udp_parse(&p->keylog_peer, &ip, &port) || init_su(&peer, &ip, port) < 0)) {
		LM_ERR("parameter \"keylog_peer\": \"%.*s\" is not allowed (allowed: udp:ip:port)\n", p->keylog_peer.len,
				p->keylog_peer.s);
		return -1;
	}
	LM_WARN("keylog_mode is %d: the keys of all TLS connections are written, and who reads them can decrypt the "
			"traffic; "
			"set it to 0 when done\n",
			p->keylog_mode);
	active = true;
	tlsg_keylog_enable((p->keylog_mode & TLSG_KEYLOG_FILTER) != 0);
	return 0;
}

/* Names the connection that the following lines belong to; readers of key logs skip comments. */
static void put_comment(struct tlsg_buf *out, const struct tlsg_log_ends *e)
{
	struct ip_addr src = e->rcv->src_ip;
	struct ip_addr dst = e->rcv->dst_ip;
	char text[256];
	int n = snprintf(text, sizeof(text), "# connection %d %s", e->id, ip_addr2a(&src));

	n += snprintf(text + n, sizeof(text) - (size_t)n, " %d %s %d %s\n", e->rcv->src_port, ip_addr2a(&dst),
			e->rcv->dst_port, e->is_server ? "server" : "client");
	(void)tlsg_buf_put(out, text, (size_t)n);
}

/*
 * Checks who can read the keys: the owner of the file, and users of a second name of it.
 * @return why the file is refused; NULL: it may be written.
 */
static const char *refusal_of(const struct stat *st)
{
	if(!S_ISREG(st->st_mode))
		return "it is not a regular file";
	if(st->st_uid != geteuid() && st->st_uid != 0)
		return "it belongs to another user, who could read the keys: remove it or chown it";
	if(st->st_nlink > 1)
		return "it has another name (a hard link): remove it";
	return NULL;
}

/*
 * Opens a regular file of this user or of root, without blocking.
 * @param why  [out] the reason after -1, else NULL.
 * @return descriptor; -1.
 */
static int file_open(const char *name, const char **why)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat st;

	if(fd < 0) {
		*why = errno == ELOOP ? "it is a symbolic link, which is not followed" : strerror(errno);
		return -1;
	}
	*why = fstat(fd, &st) < 0 ? strerror(errno) : refusal_of(&st);
	if(*why != NULL) {
		close(fd);
		return -1;
	}
	if((st.st_mode & (S_IRWXG | S_IRWXO)) != 0 && !warned) {
		LM_WARN("the key log \"%s\" is accessible to users other than its owner (mode %04o), who can then decrypt the "
				"traffic: chmod 600 it\n",
				name, (unsigned)(st.st_mode & 07777));
		warned = true;
	}
	return fd;
}

static void to_file(const struct tlsg_buf *text)
{
	const char *name = tlsg_params_private()->keylog_file.s;
	const char *why;
	int fd = file_open(name, &why);

	if(fd >= 0 && write(fd, text->data, text->wr) != (ssize_t)text->wr)
		why = strerror(errno);
	if(why != NULL)
		LM_ERR("keylog_file: cannot write to \"%s\": %s\n", name, why);
	if(fd >= 0)
		close(fd);
}

static void to_peer(const char *line, size_t size)
{
	if(udp_socket < 0)
		udp_socket = socket(peer.s.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if(udp_socket < 0 || sendto(udp_socket, line, size, 0, &peer.s, sockaddru_len(peer)) < 0)
		LM_DBG("keylog_peer: cannot send: %s\n", strerror(errno));
}

/* Writes to the log and to the peer line by line, without the newline. */
static void to_lines(const struct tlsg_buf *text, int mode)
{
	const char *at = (const char *)text->data;
	const char *end = at + text->wr;

	while(at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((newline != NULL ? newline : end) - at);

		if(mode & TLSG_KEYLOG_LOG)
			LM_NOTICE("tlskeylog: %.*s\n", (int)n, at);
		if(mode & TLSG_KEYLOG_PEER)
			to_peer(at, n);
		at += n + 1;
	}
}

void tlsg_mod_keylog_flush(const struct tlsg_log_ends *e)
{
	static unsigned char bytes[TEXT_BYTES];
	int mode = tlsg_params_private()->keylog_mode;
	struct tlsg_buf text;

	if(!active || !tlsg_keylog_has_lines())
		return;
	tlsg_buf_init(&text, bytes, sizeof(bytes));
	put_comment(&text, e);
	tlsg_keylog_take(&text);
	if(mode & TLSG_KEYLOG_FILE)
		to_file(&text);
	if(mode & (TLSG_KEYLOG_LOG | TLSG_KEYLOG_PEER))
		to_lines(&text, mode);
	tlsg_wipe(bytes, text.wr);
}
