# tls_gnutls - benchmark: what grows with idle connections, workers and profiles
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Each part gives one table: a line for each figure and contestant, a column for each size, and the growth."""

import contextlib
import itertools
import os
import resource
import time

import startup
from bench_host import BenchError, Client, Crowd, Kamailio, Options
from bench_report import GrowthRow
from bench_work import CLIENT, CROWD, say

MB = 1 << 20
IDLE = (0, 1000, 5000, 10000)
WORKERS = (1, 2, 4, 8)
PROFILES = (1, 100, 1000)
IDLE_S = 3.0
HANDSHAKES = 200
CROWD_CLIENTS = 400
CROWD_WIDTH = 16
SHARED_MB = 3072
FILES_SPARE = 100  # open files of a process beside its connections
ENDS_MAX = 3  # how often tls.so may end unexpectedly under one load


def _host(bench, name, memory, part, **options):
	bench.stages += 1
	return Kamailio(bench.folder, f"{bench.stages}-{part}-{name}", bench.contestants[name], memory, bench.certificates,
		"ecdsa", Options(shared_mb=SHARED_MB, params=bench.params(name), **options))


def _handshake_us(bench, host, server_name=None):
	"""Server CPU of one full handshake with a request."""
	client = Client(CLIENT, host, "full", version="1.3", count=bench.scaled(HANDSHAKES, 20), warmup=20,
		server_name=server_name)
	host.settle()
	before = host.cpu_ns()
	account = client.work()
	host.settle()
	cost = (host.cpu_ns() - before) / 1000 / account["ops"]
	client.close()
	return cost


def _quietly(bench, row, measure):
	"""Adds one figure to a row, repeated while others disturb it."""
	value, others = bench.quiet.sample(measure)
	row.values.append(value)
	row.noise.append(others)


def _idle_ms(host):
	before = host.cpu_ns()
	time.sleep(IDLE_S)
	return (host.cpu_ns() - before) / 1e6 / IDLE_S


def _idle_of(bench, memory, name, sizes):
	title = bench.title(name)
	held = GrowthRow("shared memory of a connection, KB", title)
	idle = GrowthRow("CPU of idling, ms in a second", title)
	cost = GrowthRow("full handshake + OPTIONS, µs", title)
	count = 0
	with contextlib.ExitStack() as stack:
		host = _host(bench, name, memory, "idle")
		stack.callback(host.close)
		_handshake_us(bench, host)  # what each process makes once
		empty = host.shared_bytes()
		for size in sizes:
			if size > count:
				client = Client(CLIENT, host, "idle", version="1.3", connections=size - count)
				stack.callback(client.close)
				client.work()
				count = size
			time.sleep(1)
			held.values.append((host.shared_bytes() - empty) / size / 1000 if size else None)
			_quietly(bench, idle, lambda: _idle_ms(host))
			_quietly(bench, cost, lambda: _handshake_us(bench, host))
			say(f"  {size} idle connections, {title}: {cost.values[-1]:.0f} µs")
	return [held, idle, cost]


def _crowd(bench, host):
	"""Server CPU of one handshake with others at the same time, and how many are done in a second."""
	crowd = Crowd(CROWD, host, "1.3", bench.scaled(CROWD_CLIENTS, 40), width=CROWD_WIDTH)
	host.settle()
	before = host.cpu_ns()
	account = crowd.work()
	host.settle()
	cost = (host.cpu_ns() - before) / 1000 / account["ops"]
	crowd.close()
	return cost, account["ops"] / account["seconds"]


def _repeated(bench, name, note, measure):
	"""The result of measure(); None when tls.so ended three times, each with a note of where and why."""
	for _ in range(ENDS_MAX):
		try:
			return measure()
		except BenchError as error:
			if name == "ours":
				raise
			bench.notes.append(note.format(str(error).splitlines()[0]))
	return None


def _crowds(bench, memory, name, size):
	with contextlib.ExitStack() as stack:
		host = _host(bench, name, memory, "workers", workers=size)
		stack.callback(host.close)
		_crowd(bench, host)  # what each process makes once
		return bench.quiet.sample(lambda: _crowd(bench, host))


def _with_workers(bench, memory, name, size):
	"""((µs of a handshake, handshakes in a second), share of others); Nones when tls.so ended three times."""
	return _repeated(bench, name, f"{size} workers: {bench.title(name)} ended: {{}}",
		lambda: _crowds(bench, memory, name, size)) or ((None, None), 0)


def _workers_of(bench, memory, name, sizes):
	title = bench.title(name)
	cost = GrowthRow("full handshake + OPTIONS, µs", title)
	rate = GrowthRow("full handshakes in a second", title)
	for size in sizes:
		found, others = _with_workers(bench, memory, name, size)
		for row, value in zip((cost, rate), found):
			row.values.append(value)
			row.noise.append(others)
		say(f"  {size} workers, {title}: {found[0] or 0:.0f} µs")
	return [cost, rate]


def _profiles_of(bench, memory, name, sizes):
	title = bench.title(name)
	start = GrowthRow("CPU of the start, s", title)
	shared = GrowthRow("shared memory after the start, MB", title)
	cost = GrowthRow("full handshake + OPTIONS with a name, µs", title)
	for size in sizes:
		files = bench.profile_files(size)
		with contextlib.ExitStack() as stack:
			host = _host(bench, name, memory, "profiles", profiles=files.config)
			stack.callback(host.close)
			host.ca = files.ca
			start.values.append(host.cpu_ns() / 1e9)
			shared.values.append(host.shared_bytes() / MB)
			_quietly(bench, cost,
				lambda: _handshake_us(bench, host, files.names[-1]))  # pylint: disable=cell-var-from-loop
			say(f"  {size} profiles, {title}: {cost.values[-1]:.0f} µs, start {start.values[-1]:.1f} s of CPU")
	return [start, shared, cost]


def files_make(folder, size):
	"""Certificates and a tls.cfg with that many profiles by name, one CA."""
	path = os.path.join(folder, f"profiles-{size}")
	os.makedirs(path)
	return startup.Files(path, size, 1)


def _tried(bench, name, measure, memory, sizes):
	"""The rows of one contestant; none when tls.so ended too often."""
	return _repeated(bench, name, "growth: {}; once more", lambda: measure(bench, memory, name, sizes)) or []


def tables(bench, memory):
	"""{title of the first column: (sizes, rows)} for each part."""
	found = {}
	for title, sizes, measure in (("idle connections", IDLE, _idle_of), ("workers", WORKERS, _workers_of),
			("profiles", PROFILES, _profiles_of)):
		if measure is not _workers_of:
			sizes = tuple(dict.fromkeys(bench.scaled(size, 1) if size > 1 else size for size in sizes))
		if measure is _idle_of:
			sizes = tuple(size for size in sizes if size + FILES_SPARE <= resource.getrlimit(resource.RLIMIT_NOFILE)[0])
		by_name = [_tried(bench, name, measure, memory, sizes) for name in ("stock", "ours")]
		found[title] = (sizes, [row for rows in itertools.zip_longest(*by_name) for row in rows if row is not None])
	return found
