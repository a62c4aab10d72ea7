#!/usr/bin/python3
# tls_gnutls - benchmark: the same Kamailio with tls.so and with tls_gnutls.so, paired and repeated, in one run
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Usage: see --help. doc/benchmarks.md explains what is measured, and how.

Within a stage, one Kamailio per contestant runs; they are loaded one after the other, in an order that is reversed
with every repetition, so that other load of the machine affects both alike.
"""

import argparse
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

import bench_count
import bench_host
import bench_machine
import bench_report
import bench_scale
import bench_scenario
from bench_floor import Floor
from bench_host import BenchError, Certificates, Client, Kamailio, Options, run_tool
from bench_noise import Quiet, Watch
from bench_report import Row
from bench_work import (BUILD, CLIENT, IDLE_GOAL, MANAGERS, PROGRAMS, ROOT, WORKS, ended, programs_build, say)

DOCUMENT = os.path.join(ROOT, "doc", "benchmarks.md")
IDLE_VERSIONS = ("1.3", "1.2")
IDLE_S = 1.0
ENDS_MAX = 5
BUSY_PERCENT = 15  # of the machine's CPU time; above it a report carries a warning
BARE_PRIORITY = "NORMAL:-VERS-ALL:+VERS-TLS{version}:-GROUP-ALL:+GROUP-X25519:-CIPHER-ALL:+AES-256-GCM"
PARTS = ("idle", "restart", "day", "growth", "count")
TITLES = {"plain": "plain TCP", "floor_tcp": "small server, TCP", "floor": "small server", "stock": "tls.so"}


class Bench:
	"""All the samples of one run."""

	def __init__(self, args, folder):
		self.args = args
		self.folder = folder
		self.certificates = Certificates(folder)
		self.contestants = {"plain": None, "stock": bench_host.STOCK, "ours": args.module}
		self.works = [work for work in WORKS if self._is_wanted(work)]
		self.rows = {(memory, work.key): Row(work.label, memory, goal=work.goal(memory), goal_floor=work.goal_floor)
			for memory in args.memory for work in self.works}
		self.quiet = Quiet(left=len(self.rows) * args.repetitions + 20)
		self.watch = Watch()
		self.idle_rows = []
		self.scenario_rows = []
		self.growth = {}
		self.resumed = {}
		self.negotiated = {}
		self.notes = []
		self.stages = 0
		self.files = {}
		self.ends = 0  # how often tls.so ended unexpectedly

	def _is_wanted(self, work):
		if self.args.only:
			return any(work.key.startswith(name) for name in self.args.only)
		return work.in_quick or not self.args.quick

	def scaled(self, count, least):
		return max(int(count * self.args.scale), least)

	def params(self, name):
		return tuple(self.args.param) if name == "ours" else ()

	def profile_files(self, size):
		if size not in self.files:
			self.files[size] = bench_scale.files_make(self.folder, size)
		return self.files[size]

	def _start(self, stack, name, memory, kind):
		self.stages += 1
		if name.startswith("floor"):
			host = Floor(self.certificates, kind if name == "floor" else None)
		else:
			host = Kamailio(self.folder, f"{self.stages}-{name}", self.contestants[name], memory, self.certificates,
				kind, Options(params=self.params(name)))
		stack.callback(self._stop, host, name)
		return host

	def _stop(self, host, name):
		lines = host.log_lines_new()
		if lines > 0:
			self.notes.append(f"{self.title(name)} ({host.memory}) wrote {lines} lines to its log while it was loaded;"
				f" the last: {host.log_tail().splitlines()[-1]}".replace(self.folder, "..."))
		code = host.close()
		if code != 0:
			self.notes.append(f"{self.title(name)} ({host.memory}) ended with exit status {code}")

	def title(self, name):
		return TITLES.get(name, self.args.title)

	def sample(self, host, work):
		"""Server CPU of one load, in µs per operation; and the client's report."""
		count = self.scaled(work.count, 50)
		mode = work.mode if host.tls or work.mode != "resumed" else "full"
		client = Client(CLIENT, host, mode, version=work.version, count=count, warmup=max(count // 20, 20),
			connections=work.connections, body=work.body, keeps_first=work.keeps_first and host.tls)
		host.settle()
		before = host.cpu_ns()
		account = client.work()
		if work.mode != "open":
			host.settle()
		after = host.cpu_ns()
		client.close()
		host.settle()
		return (after - before) / 1000 / account["ops"], account

	def bare(self, work):
		program = os.path.join(PROGRAMS, "bench_bare")
		priority = BARE_PRIORITY.format(version=work.version)
		output = run_tool([program, self.certificates.cert(work.kind), self.certificates.key(work.kind), priority,
			str(max(self.scaled(work.count, 50) // 4, 50))])
		return json.loads(output)["us"]

	def _account(self, memory, work, name, account):
		if work.mode == "resumed":
			done = self.resumed.setdefault((memory, work.key, name), [0, 0])
			done[0] += account["resumed"]
			done[1] += account["ops"]
		facts = " ".join(account[fact] for fact in ("version", "suite", "group", "key"))
		self.negotiated.setdefault(work.key, {}).setdefault(name, facts)

	def _has_own_plain(self, work):
		return work.plain == work.key or not any(other.key == work.plain for other in self.works)

	def _sample_again(self, stack, hosts, name, work):
		"""A sample; tls.so is started again when it has ended."""
		while True:
			try:
				return self.sample(hosts[name], work)
			except BenchError as error:
				if name != "stock" or self.ends == ENDS_MAX:
					raise
				self.ends += 1
				self.notes.append(f"{work.key}: {str(error).splitlines()[0]}; it was started again")
				hosts[name] = self._start(stack, name, hosts[name].memory, work.kind)

	def _pair(self, stack, hosts, work, names):
		"""One sample of each contestant, and of the bare handshake."""
		found = {name: self._sample_again(stack, hosts, name, work) for name in names}
		if work.has_bare():
			found["bare"] = (self.bare(work), None)
		return found

	def _repetition(self, stack, works, hosts, number):
		memory = hosts["stock"].memory
		names = list(hosts) if number % 2 == 0 else list(reversed(hosts))
		for work in works:
			row = self.rows[memory, work.key]
			wanted = [name for name in names if name not in ("plain", "floor_tcp") or self._has_own_plain(work)]
			found, others = self.quiet.sample(
				lambda: self._pair(stack, hosts, work, wanted))  # pylint: disable=cell-var-from-loop
			row.noise.append(others)
			for name, (cost, account) in found.items():
				getattr(row, name).append(cost)
				if name in ("stock", "ours", "floor"):
					self._account(memory, work, name, account)
			say(f"  {memory} {number + 1}/{self.args.repetitions} {work.key}: "
				+ ", ".join(f"{self.title(name)} {found[name][0]:.1f}" for name in hosts if name in found)
				+ f" µs; others {others:.0f} %")

	def cpu_stage(self, memory, kind):
		"""All repetitions of the works with one kind of certificate."""
		works = [work for work in self.works if work.kind == kind]
		if not works:
			return
		wants_plain = any(self._has_own_plain(work) for work in works)
		names = (["plain", "floor_tcp"] if wants_plain else []) + ["floor", "stock", "ours"]
		say(f"{memory}, {kind}: starting {', '.join(self.title(name) for name in names)}")
		with contextlib.ExitStack() as stack:
			hosts = {name: self._start(stack, name, memory, kind) for name in names}
			for number in range(self.args.repetitions):
				self._repetition(stack, works, hosts, number)

	def _idle_sample(self, name, memory, version):
		"""Bytes of shared memory per idle connection, and what is left allocated after they were closed."""
		count = self.scaled(1000, 50)
		with contextlib.ExitStack() as stack:
			host = self._start(stack, name, memory, "ecdsa")
			client = Client(CLIENT, host, "idle", version=version, warmup=20, connections=count)
			host.settle()
			before = host.shared_bytes()
			client.work()
			time.sleep(IDLE_S)
			held = host.shared_bytes() - before
			client.close()
			left = self._left(host, before)
		say(f"  {memory} idle, {self.title(name)}{' ' + version if version else ''}: {held / count:.0f} bytes each,"
			f" {left} left")
		return held / count, left

	@staticmethod
	def _left(host, before):
		for _ in range(15):
			left = host.shared_bytes() - before
			if left <= 0:
				break
			time.sleep(0.2)
		return left

	def idle_stage(self, memory):
		versions = IDLE_VERSIONS[:1] if self.args.quick else IDLE_VERSIONS
		say(f"{memory}: idle connections")
		plain, _ = self._idle_sample("plain", memory, None)
		for version in versions:
			row = Row(f"TLS {version}, P-256", memory, unit="KB", plain=[plain / 1000], goal=IDLE_GOAL)
			left = {}
			for name in ("stock", "ours"):
				held, left[name] = self._idle_sample(name, memory, version)
				getattr(row, name).append((held - plain) / 1000)
			row.note = f"{left['stock']}, {left['ours']} bytes"
			self.idle_rows.append(row)

	def count_stage(self, memory):
		if not bench_count.is_possible():
			self.notes.append("instructions were not counted: valgrind is not installed")
			return
		for kind in Certificates.KINDS:
			works = [work for work in self.works if work.kind == kind]
			if works:
				say(f"{memory}, {kind}: counting instructions")
				for key, found in bench_count.counts(self, memory, kind, works).items():
					self.rows[memory, key].counts = found

	def run(self):
		last = self.args.memory[-1]
		for memory in self.args.memory:
			for kind in Certificates.KINDS:
				self.cpu_stage(memory, kind)
			if self.args.wants("idle"):
				self.idle_stage(memory)
		if self.works and self.args.wants("count"):
			self.count_stage(last)
		scenarios = [key for key in ("restart", "day") if self.args.wants(key)]
		self.scenario_rows = bench_scenario.rows(self, last, scenarios)
		if self.args.wants("growth"):
			self.growth = bench_scale.tables(self, last)
		self._finish()

	def _finish(self):
		"""Fills in the floors and the counts, and notes what makes a comparison unfair."""
		for (memory, key), row in self.rows.items():
			work = next(work for work in self.works if work.key == key)
			floor = self.rows.get((memory, work.plain))
			if floor is not None:
				row.plain, row.floor_tcp = floor.plain, floor.floor_tcp
			if work.mode == "resumed":
				row.note = ", ".join("{} of {}".format(*self.resumed[memory, key, name]) for name in ("stock", "ours"))
		for key, seen in self.negotiated.items():
			if len(set(seen.values())) > 1:
				self.notes.append(f"{key}: they did not negotiate the same: {seen}")


def report(bench):
	args, rows = bench.args, list(bench.rows.values())
	others = bench.watch.others()
	parts = [bench_machine.machine(args, others, bench.quiet)]
	if others > BUSY_PERCENT:
		parts.append("**The machine was busy with other work: the CPU figures and verdicts of this run are "
			"unreliable.**")
	if rows:
		parts.append(bench_report.cpu_table(rows, args.title, args.self_check))
	if bench.idle_rows:
		parts.append(bench_report.memory_table(bench.idle_rows, args.title, args.self_check))
	if bench.scenario_rows:
		parts.append(bench_report.scenario_table(bench.scenario_rows, args.title, args.self_check))
	for title, (sizes, lines) in bench.growth.items():
		parts.append(bench_report.growth_table(title, sizes, lines))
	if not args.self_check:
		parts.append(bench_report.summary(rows + bench.idle_rows + bench.scenario_rows))
	if bench.notes:
		parts.append("Notes of this run:\n" + "\n".join("- " + note for note in bench.notes))
	return "\n\n".join(parts)


def write_document(part):
	with open(DOCUMENT, encoding="utf-8") as file:
		text = file.read()
	text = bench_report.replace_part(text, bench_report.wrap(part))
	with open(DOCUMENT + ".new", "w", encoding="utf-8") as file:
		file.write(text)
	os.replace(DOCUMENT + ".new", DOCUMENT)


def parameter(text):
	"""Splits NAME=NUMBER of the command line."""
	name, sign, number = text.partition("=")
	if not (name.isidentifier() and sign):
		raise argparse.ArgumentTypeError(f"'{text}' is not NAME=NUMBER")
	return name, int(number)


def parser_make():
	parser = argparse.ArgumentParser(prog="make bench", description="Compares a TLS module of Kamailio with tls.so.")
	parser.add_argument("--module", default=os.path.join(BUILD, "tls_gnutls.so"),
		help="module to compare; 'tls.so' compares tls.so with itself, a check of the tool (ratios near 1)")
	parser.add_argument("--quick", action="store_true", help="rough figures: --scale 0.2, few repetitions")
	parser.add_argument("--write", action="store_true", help="put the result into doc/benchmarks.md as well")
	parser.add_argument("--memory", choices=MANAGERS, help="only one of Kamailio's memory managers")
	parser.add_argument("--only", metavar="PART,...", help="only these kinds of work (by the start of the name) and "
		"parts: " + ", ".join([work.key for work in WORKS] + list(PARTS)))
	parser.add_argument("--scale", type=float, help="multiplies the numbers of operations, clients and connections")
	parser.add_argument("--param", metavar="NAME=NUMBER", action="append", type=parameter, default=[],
		help="a parameter for the module that is compared, for example key_isolation=1")
	parser.add_argument("--repetitions", type=int, help="default: 6, with --quick 2")
	parser.add_argument("--scenario-repetitions", type=int, help="of restart and day; default: 2, with --quick 1")
	return parser


def arguments(words):
	parser = parser_make()
	args = parser.parse_args(words)
	args.words = words
	args.memory = [args.memory] if args.memory else list(MANAGERS)
	args.only = args.only.split(",") if args.only else None
	args.wants = lambda part: args.only is None or part in args.only
	args.repetitions = args.repetitions or (2 if args.quick else 6)
	args.scenario_repetitions = args.scenario_repetitions or (1 if args.quick else 2)
	args.scale = args.scale or (0.2 if args.quick else 1.0)
	args.versions = ("1.3",) if args.quick else ("1.3", "1.2")
	if args.repetitions < 1 or args.scenario_repetitions < 1 or not 0 < args.scale <= 10:
		parser.error("--repetitions: at least 1; --scale: above 0, at most 10")
	for name in args.only or ():
		if name not in PARTS and not any(name and work.key.startswith(name) for work in WORKS):
			parser.error(f"--only: there is no work and no part called '{name}'")
	args.self_check = args.module == bench_host.STOCK
	args.title = "tls.so again" if args.self_check else os.path.basename(args.module).removesuffix(".so")
	if not args.self_check:
		args.module = os.path.abspath(args.module)
		if not os.path.isfile(args.module):
			parser.error(f"there is no {os.path.basename(args.module)}; run make first")
	return args


def main():
	args = arguments(sys.argv[1:])
	args.started = time.monotonic()
	os.environ["PATH"] += ":/usr/sbin:/sbin"
	most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
	resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
	signal.signal(signal.SIGTERM, ended)
	try:
		programs_build()
		with tempfile.TemporaryDirectory(prefix="bench-") as folder:
			bench = Bench(args, folder)
			bench.run()
		part = report(bench)
		print(part)
		if args.write:
			write_document(part)
	except (BenchError, ValueError, OSError, subprocess.CalledProcessError) as error:
		sys.exit(f"bench: {error}")
	except KeyboardInterrupt:
		sys.exit("bench: interrupted")


if __name__ == "__main__":
	main()
