/*
 * tls_gnutls - key isolation: a child of the key process that reads one key file
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the key process and these children.  Memory: heap; messages with keys are wiped.  Lock: none.
 */
#include "profiles/isolate/key_loader.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "base/buf.h"
#include "pkcs11/p11_probe.h"
#include "profiles/isolate/wire.h"

/* Payload of a result: this, then the key, the public key and the certificates. */
struct result
{
	uint32_t pk;
	uint32_t bits;
	uint32_t is_encrypted;
	uint32_t pkcs8_len;
	uint32_t spki_len;
	uint32_t certs_len;
	uint32_t cert_len[TLSG_KEY_FILE_CERTS_MAX];
	unsigned char digest[TLSG_KEY_FILE_DIGEST_SIZE];
};

static struct tlsg_wire_message message;

/* ---- the child ---- */

static bool content_write(const struct tlsg_key_file_content *c)
{
	struct result r = {.pk = (uint32_t)c->pk,
			.bits = c->bits,
			.is_encrypted = c->is_encrypted,
			.pkcs8_len = c->pkcs8.size,
			.spki_len = c->spki.size,
			.certs_len = c->certs_len};
	struct tlsg_buf b;
	bool fits;
	unsigned i;

	for(i = 0; i < c->certs_len; i++)
		r.cert_len[i] = c->certs[i].size;
	memcpy(r.digest, c->digest, sizeof(r.digest));
	tlsg_buf_init(&b, message.payload, sizeof(message.payload));
	fits = tlsg_buf_put(&b, &r, sizeof(r)) && tlsg_buf_put(&b, c->pkcs8.data, c->pkcs8.size)
		   && tlsg_buf_put(&b, c->spki.data, c->spki.size);
	for(i = 0; i < c->certs_len && fits; i++)
		fits = tlsg_buf_put(&b, c->certs[i].data, c->certs[i].size);
	message.head.size = (uint32_t)b.wr;
	return fits;
}

/* @return 0; 1: the key process is gone. */
static int child_run(int fd, const struct tlsg_key_file_request *r, tlsg_key_file_known_f known, void *param)
{
	struct tlsg_key_file_content c;
	struct tlsg_err err;
	enum tlsg_ret ret;

	tlsg_p11_probe_signals();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* no PKCS#11 module is used here */
	(void)setpriority(PRIO_PROCESS, 0, 5);	/* a third of the share of a worker, enough on a busy host too */
	tlsg_err_clear(&err);
	memset(&c, 0, sizeof(c));
	memset(&message.head, 0, sizeof(message.head));
	ret = tlsg_key_file_load(r, known, param, &c, &err);
	if(ret == TLSG_OK && !content_write(&c))
		ret = tlsg_err_set(&err, TLSG_E_CONFIG, "%s: key and certificates in \"%s\" have more than %d KB", r->setting,
				r->file->s, TLSG_WIRE_MESSAGE_BYTES / 1024);
	message.head.code = ret;
	if(ret != TLSG_OK)
		tlsg_wire_payload_set(&message, err.text, strlen(err.text));
	ret = tlsg_wire_send(fd, &message, 0);
	tlsg_wire_payload_wipe(&message);
	tlsg_key_file_content_free(&c);
	return ret == TLSG_OK ? 0 : 1;
}

/* ---- the key process ---- */

enum tlsg_ret tlsg_key_loader_start(
		const struct tlsg_key_file_request *r, tlsg_key_file_known_f known, void *param, struct tlsg_key_loader *l)
{
	int pair[2];

	if(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return TLSG_E_RESOURCE;
	l->pid = fork();
	if(l->pid == 0) {
		close(pair[0]);
		_exit(child_run(pair[1], r, known, param));
	}
	close(pair[1]);
	l->fd = pair[0];
	if(l->pid > 0)
		return TLSG_OK;
	close(pair[0]);
	return TLSG_E_RESOURCE;
}

static bool take(struct tlsg_buf *b, size_t size, gnutls_datum_t *out)
{
	if(size == 0)
		return true;
	if(size > tlsg_buf_filled(b))
		return false;
	out->data = gnutls_malloc(size);
	if(out->data == NULL)
		return false;
	out->size = (unsigned)tlsg_buf_take(b, out->data, size);
	return true;
}

static bool content_read(struct tlsg_key_file_content *out)
{
	struct result r;
	struct tlsg_buf b;
	bool is_good;
	unsigned i;

	tlsg_buf_init_filled(&b, message.payload, message.head.size);
	if(tlsg_buf_take(&b, &r, sizeof(r)) != sizeof(r) || r.certs_len > TLSG_KEY_FILE_CERTS_MAX)
		return false;
	out->pk = (gnutls_pk_algorithm_t)r.pk;
	out->bits = r.bits;
	out->is_encrypted = r.is_encrypted != 0;
	memcpy(out->digest, r.digest, sizeof(out->digest));
	is_good = take(&b, r.pkcs8_len, &out->pkcs8) && take(&b, r.spki_len, &out->spki);
	for(i = 0; i < r.certs_len && is_good; i++) {
		is_good = take(&b, r.cert_len[i], &out->certs[i]);
		out->certs_len = i + 1;
	}
	return is_good;
}

static void child_end(struct tlsg_key_loader *l)
{
	close(l->fd);
	(void)kill(l->pid, SIGKILL);
	while(waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

enum tlsg_ret tlsg_key_loader_finish(struct tlsg_key_loader *l, const char *setting, const char *file,
		struct tlsg_key_file_content *out, struct tlsg_err *err)
{
	enum tlsg_ret ret = tlsg_wire_recv(l->fd, &message, MSG_DONTWAIT);

	child_end(l);
	if(ret != TLSG_OK)
		return tlsg_err_set(err, TLSG_E_RESOURCE, "%s: \"%s\": %s", setting, file,
				ret == TLSG_AGAIN ? "the key process was still reading it when its time was up"
								  : "the child of the key process that read it has crashed");
	if(message.head.code != TLSG_OK) {
		ret = message.head.code == TLSG_E_RESOURCE ? TLSG_E_RESOURCE : TLSG_E_CONFIG;
		tlsg_err_set(err, ret, "%.*s", (int)message.head.size, (const char *)message.payload);
	} else if(!content_read(out)) {
		tlsg_key_file_content_free(out);
		ret = tlsg_err_set(err, TLSG_E_RESOURCE, "%s: the key process is out of memory", setting);
	}
	tlsg_wire_payload_wipe(&message);
	return ret;
}
