# tls_gnutls - benchmark: starts and ends bench_floor, the least that a server with GnuTLS costs
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Class Floor is measured like class Kamailio of bench_host.py."""

import os
import select
import subprocess

from bench_host import BenchError, Server
from bench_work import PROGRAMS

START_TIMEOUT_S = 60
# What the client chooses, and nothing else; one server for both versions.
PRIORITY = ("NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-GROUP-ALL:+GROUP-X25519:-CIPHER-ALL:+AES-256-GCM")


class Floor(Server):
	"""One running bench_floor.

	kind: of the certificate, None for plain TCP. wrapper: a command to run it under (a profiler), or empty.
	"""

	def __init__(self, certificates, kind=None, wrapper=()):
		self.label = "bench_floor"
		self.memory = "private"
		self.tls = kind is not None
		self.ca = certificates.ca
		command = [*wrapper, os.path.join(PROGRAMS, "bench_floor")]
		if self.tls:
			command += [certificates.cert(kind), certificates.key(kind), PRIORITY]
		self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
			stderr=subprocess.DEVNULL, text=True)
		ready, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
		line = self.process.stdout.readline() if ready else ""
		if not line:
			self.close()
			raise BenchError("bench_floor does not start")
		self.port = int(line)

	def log_lines_new(self):
		return 0

	def close(self):
		"""Ends it; returns its exit code."""
		self.process.stdin.close()
		try:
			code = self.process.wait(timeout=START_TIMEOUT_S)
		except subprocess.TimeoutExpired:
			self.process.kill()
			code = self.process.wait()
		self.process.stdout.close()
		return code
