#!/usr/bin/python3
# tls_gnutls - benchmark: associations of DTLS beside connections of TLS 1.2, in one Kamailio
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Prints a Markdown table.

full handshake + OPTIONS   CPU of all processes of Kamailio for a handshake (P-256) and one request, each
OPTIONS                    CPU for one more request on open connections
memory                     shared memory in use with --count idle connections, less that without, for each

The two carriers are loaded in turn, --repetitions times; figures are medians. Clients are OpenSSL's.
"""

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))
sys.path.insert(0, str(TOP / "tests" / "bench"))

# pylint: disable=wrong-import-position
from bench_host import cpu_ns_of, family_of
from e2e.lib.dtls import DtlsClient
from e2e.lib.kamailio import Kamailio, Settings
from e2e.lib.pki import Pki
from e2e.lib.tls import TlsClient, client_context

SETTLE_S = 1


def _cpu_ns(kam):
	return sum(cpu_ns_of(pid) for pid in family_of(kam._process.pid))


def _open(kam, carrier, stack):
	if carrier == "DTLS 1.2":
		return stack.enter_context(DtlsClient(kam.address("dtls"))).handshake()
	return stack.enter_context(TlsClient(kam.address("tls"), client_context(version="TLSv1.2")))


def _measure(kam, carrier, count, requests):
	"""CPU in µs for a handshake with a request, and for a request; bytes of shared memory for a connection."""
	before_bytes = kam.shm_used()
	with contextlib.ExitStack() as stack:
		started = _cpu_ns(kam)
		clients = [_open(kam, carrier, stack) for _ in range(count)]
		for client in clients:
			assert client.ask().status == 200
		time.sleep(SETTLE_S)
		opened = _cpu_ns(kam)
		held = kam.shm_used() - before_bytes
		asked = _cpu_ns(kam)
		for number in range(requests):
			assert clients[number % count].ask().status == 200
		done = _cpu_ns(kam)
	time.sleep(SETTLE_S)
	return (opened - started) / count / 1000, (done - asked) / requests / 1000, held / count


def main():
	parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	parser.add_argument("--count", type=int, default=200)
	parser.add_argument("--requests", type=int, default=2000)
	parser.add_argument("--repetitions", type=int, default=5)
	parser.add_argument("--module", default=str(TOP / "build" / "tls_gnutls.so"))
	args = parser.parse_args()
	figures = {"TLS 1.2": [], "DTLS 1.2": []}
	with tempfile.TemporaryDirectory() as folder:
		pki = Pki(Path(folder))
		settings = Settings(module=os.path.abspath(args.module), listen=("tls", "dtls"), shm_mb=256, modparams={
			"tls_method": "TLSv1.2", "certificate": pki.cert("server-ec"), "private_key": pki.key("server-ec")})
		with Kamailio(settings) as kam:
			for carrier in figures:        # what each process makes once
				_measure(kam, carrier, 20, 100)
			for _ in range(args.repetitions):
				for carrier, found in figures.items():
					found.append(_measure(kam, carrier, args.count, args.requests))
	print("| carrier | full handshake + OPTIONS, µs of CPU | OPTIONS, µs of CPU | shared memory, bytes |")
	print("| --- | --- | --- | --- |")
	for carrier, found in figures.items():
		print(f"| {carrier} | " + " | ".join(f"{statistics.median(column):.0f}" for column in zip(*found)) + " |")
	return 0


if __name__ == "__main__":
	sys.exit(main())
