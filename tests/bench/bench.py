#!/usr/bin/python3
# tls_gnutls - benchmark: the same Kamailio with tls.so and with tls_gnutls.so, paired and repeated, in one run
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Usage: see --help. doc/benchmarks.md explains what is measured, and how.

Within a stage, one Kamailio per contestant runs; they are loaded one after the other, in an order that is reversed
with every repetition, so that other load of the machine affects both alike.
"""

import argparse
import contextlib
import ctypes
import datetime
import json
import os
import platform
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

import bench_host
import bench_report
from bench_host import BenchError, Certificates, Client, Kamailio, run_tool
from bench_report import Row

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
PROGRAMS = os.path.join(BUILD, "bench")
DOCUMENT = os.path.join(ROOT, "doc", "benchmarks.md")
MANAGERS = ("qm", "fm")


@dataclass(frozen=True)
class Work:
	"""One kind of load; `count` is for a full run, goals are by memory manager."""

	key: str
	label: str
	mode: str
	count: int
	version: str = "1.3"
	kind: str = "ecdsa"
	connections: int = 1
	body: int = 0
	keeps_first: bool = False
	plain: str = "full13"  # the kind of work whose plain TCP figure is the floor of this one
	goals: tuple = (None, None)
	goal_floor: float = None
	in_quick: bool = True

	def goal(self, memory):
		return self.goals[MANAGERS.index(memory)]

	def has_bare(self):
		return self.mode == "full"


WORKS = (
	Work("full13", "full handshake + OPTIONS, P-256, TLS 1.3", "full", 1000, goals=(0.33, 0.55)),
	Work("full12", "full handshake + OPTIONS, P-256, TLS 1.2", "full", 1000, version="1.2", goals=(0.36, 0.58)),
	Work("resumed13", "resumed + OPTIONS, TLS 1.3", "resumed", 1000, goals=(0.30, 0.42)),
	Work("resumed12", "resumed + OPTIONS, TLS 1.2", "resumed", 1000, version="1.2", goals=(0.18, 0.28)),
	Work("first13", "the same session each time + OPTIONS, TLS 1.3", "resumed", 500, keeps_first=True, in_quick=False),
	Work("first12", "the same session each time + OPTIONS, TLS 1.2", "resumed", 500, version="1.2", keeps_first=True,
		in_quick=False),
	Work("open8", "OPTIONS on open connections, 8 in flight", "open", 20000, connections=8, plain="open8",
		goals=(0.97, 0.92)),
	Work("open1", "2 KB OPTIONS on an open connection, 1 in flight", "open", 10000, body=2048, plain="open1",
		goals=(0.97, 0.92)),
	Work("rsa13", "full handshake + OPTIONS, RSA-2048, TLS 1.3", "full", 400, kind="rsa", goal_floor=1.15),
	Work("rsa12", "full handshake + OPTIONS, RSA-2048, TLS 1.2", "full", 400, kind="rsa", version="1.2",
		goal_floor=1.15),
)
IDLE_VERSIONS = ("1.3", "1.2")
IDLE_GOAL = 0.27
IDLE_S = 1.0
BUSY_PERCENT = 15  # of the machine's CPU time; above it a report carries a warning
BARE_PRIORITY = "NORMAL:-VERS-ALL:+VERS-TLS{version}:-GROUP-ALL:+GROUP-X25519:-CIPHER-ALL:+AES-256-GCM"


def say(text):
	print(text, file=sys.stderr, flush=True)


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
		self.idle_rows = []
		self.resumed = {}
		self.negotiated = {}
		self.notes = []
		self.stages = 0

	def _is_wanted(self, work):
		if self.args.only:
			return any(work.key.startswith(name) for name in self.args.only)
		return work.in_quick or not self.args.quick

	def _count(self, work):
		return max(work.count // (5 if self.args.quick else 1), 50)

	def _start(self, stack, name, memory, kind):
		self.stages += 1
		host = Kamailio(self.folder, f"{self.stages}-{name}", self.contestants[name], memory, self.certificates, kind,
			params=self.args.param if name == "ours" else ())
		stack.callback(self._stop, host, name)
		return host

	def _stop(self, host, name):
		lines = host.log_lines_new()
		if lines > 0:
			self.notes.append(f"{self.title(name)} ({host.memory}) wrote {lines} lines to its log while it was loaded;"
				f" the last: {host.log_tail().splitlines()[-1]}")
		code = host.close()
		if code != 0:
			self.notes.append(f"{self.title(name)} ({host.memory}) ended with exit status {code}")

	def title(self, name):
		return {"plain": "plain TCP", "stock": "tls.so", "ours": self.args.title}[name]

	def sample(self, host, work):
		"""Server CPU of one load, in µs per operation; and the client's report."""
		count = self._count(work)
		client = Client(os.path.join(PROGRAMS, "bench_client"), host, work.mode, version=work.version, count=count,
			warmup=max(count // 20, 20), connections=work.connections, body=work.body,
			keeps_first=work.keeps_first and host.tls)
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
			str(max(self._count(work) // 4, 50))])
		return json.loads(output)["us"]

	def _account(self, memory, work, name, account):
		if work.mode == "resumed":
			done = self.resumed.setdefault((memory, work.key, name), [0, 0])
			done[0] += account["resumed"]
			done[1] += account["ops"]
		facts = " ".join(account[fact] for fact in ("version", "suite", "group", "key"))
		self.negotiated.setdefault(work.key, {}).setdefault(name, facts)

	def _repetition(self, memory, works, hosts, number):
		names = list(hosts) if number % 2 == 0 else list(reversed(hosts))
		for work in works:
			row = self.rows[memory, work.key]
			for name in names:
				if name == "plain" and work.plain != work.key:
					continue
				cost, account = self.sample(hosts[name], work)
				getattr(row, name).append(cost)
				if name != "plain":
					self._account(memory, work, name, account)
			if work.has_bare():
				row.bare.append(self.bare(work))
			say(f"  {memory} {number + 1}/{self.args.repetitions} {work.key}: "
				+ ", ".join(f"{self.title(name)} {getattr(row, name)[-1]:.1f}" for name in hosts
					if getattr(row, name)) + " µs")

	def cpu_stage(self, memory, kind):
		"""All repetitions of the works with one kind of certificate."""
		works = [work for work in self.works if work.kind == kind]
		if not works:
			return
		wants_plain = any(work.plain == work.key for work in works)
		names = ["plain", "stock", "ours"] if wants_plain else ["stock", "ours"]
		say(f"{memory}, {kind}: starting {', '.join(self.title(name) for name in names)}")
		with contextlib.ExitStack() as stack:
			hosts = {name: self._start(stack, name, memory, kind) for name in names}
			for number in range(self.args.repetitions):
				self._repetition(memory, works, hosts, number)

	def _idle_sample(self, name, memory, version):
		"""Bytes of shared memory per idle connection, and what is left allocated after they were closed."""
		count = self.args.idle
		with contextlib.ExitStack() as stack:
			host = self._start(stack, name, memory, "ecdsa")
			client = Client(os.path.join(PROGRAMS, "bench_client"), host, "idle", version=version, warmup=20,
				connections=count)
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
		say(f"{memory}: {self.args.idle} idle connections")
		plain, _ = self._idle_sample("plain", memory, None)
		for version in versions:
			row = Row(f"TLS {version}, P-256", memory, unit="KB", plain=[plain / 1000], goal=IDLE_GOAL)
			left = {}
			for name in ("stock", "ours"):
				held, left[name] = self._idle_sample(name, memory, version)
				getattr(row, name).append((held - plain) / 1000)
			row.note = f"{left['stock']}, {left['ours']} bytes"
			self.idle_rows.append(row)

	def run(self):
		for memory in self.args.memory:
			for kind in Certificates.KINDS:
				self.cpu_stage(memory, kind)
			if self.args.wants_idle:
				self.idle_stage(memory)
		self._finish()

	def _finish(self):
		"""Fills in the floors and the counts, and notes what makes a comparison unfair."""
		for (memory, key), row in self.rows.items():
			work = next(work for work in self.works if work.key == key)
			floor = self.rows.get((memory, work.plain))
			if floor is not None:
				row.plain = floor.plain
			if not row.plain:
				row.goal_floor = None
			if work.mode == "resumed":
				row.note = ", ".join("{} of {}".format(*self.resumed[memory, key, name]) for name in ("stock", "ours"))
		for key, seen in self.negotiated.items():
			if len(set(seen.values())) > 1:
				self.notes.append(f"{key}: the two did not negotiate the same: {seen}")


def busy_s():
	"""CPU time used on the whole machine since it was started, stolen time included, in seconds."""
	with open("/proc/stat", encoding="ascii") as file:
		user, nice, system, _idle, _wait, irq, soft, steal = (int(word) for word in file.readline().split()[1:9])
	return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def own_s():
	"""CPU time used by this program and its finished children."""
	used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
	return sum(one.ru_utime + one.ru_stime for one in used)


def disturbance(args):
	"""Share of the machine's CPU time that other processes took during the run, in percent."""
	others = busy_s() - args.busy - (own_s() - args.own)
	return max(0.0, 100 * others / (os.cpu_count() * (time.monotonic() - args.started)))


def machine(args, others):
	"""The machine that the figures were taken on, as a Markdown list; nothing that identifies it."""
	cpu = "unknown"
	with open("/proc/cpuinfo", encoding="utf-8") as file:
		for line in file:
			if line.startswith("model name"):
				cpu = line.partition(":")[2].strip()
				break
	gnutls = ctypes.CDLL("libgnutls.so.30").gnutls_check_version
	gnutls.restype = ctypes.c_char_p
	try:
		system = platform.freedesktop_os_release()["PRETTY_NAME"]
	except (OSError, KeyError):
		system = platform.system()
	return "\n".join([
		f"- CPU: {cpu}, {os.cpu_count()} cores; {system}, Linux {platform.release()}",
		f"- {run_tool(['kamailio', '-v']).splitlines()[0].removeprefix('version: ').strip()};"
		f" GnuTLS {gnutls(None).decode()}; {' '.join(run_tool(['openssl', 'version']).split()[:2])};"
		f" tls_gnutls {revision()}",
		f"- command: `{command(args)}`, {datetime.date.today().isoformat()},"
		f" {time.monotonic() - args.started:.0f} s; other work on the machine took {others:.0f} % of its CPU"
		" time meanwhile",
		f"- {args.repetitions} repetitions; figures are medians, ratios are the medians of the pairs",
	])


def revision():
	"""The project's revision, if git knows one."""
	try:
		found = run_tool(["git", "-C", ROOT, "describe", "--always", "--dirty"])
	except BenchError:
		return "(revision unknown)"
	return found.strip()


def command(args):
	words = [word for word in args.words if word != "--write"]
	return "make bench" + (f" BENCH_ARGS='{shlex.join(words)}'" if words else "")


def report(bench):
	rows = list(bench.rows.values())
	others = disturbance(bench.args)
	parts = [machine(bench.args, others)]
	if others > BUSY_PERCENT:
		parts.append("**The machine was busy with other work: the CPU figures and verdicts of this run are "
			"unreliable.**")
	if rows:
		parts.append(bench_report.cpu_table(rows, bench.args.title, bench.args.self_check))
	if bench.idle_rows:
		parts.append(bench_report.memory_table(bench.idle_rows, bench.args.title, bench.args.self_check))
	if not bench.args.self_check:
		parts.append(bench_report.summary(rows + bench.idle_rows))
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


def arguments(words):
	parser = argparse.ArgumentParser(prog="make bench", description="Compares a TLS module of Kamailio with tls.so.")
	parser.add_argument("--module", default=os.path.join(BUILD, "tls_gnutls.so"),
		help="module to compare; 'tls.so' compares tls.so with itself, a check of the tool (ratios near 1)")
	parser.add_argument("--quick", action="store_true", help="one to two minutes, rough figures")
	parser.add_argument("--write", action="store_true", help="put the result into doc/benchmarks.md as well")
	parser.add_argument("--memory", choices=MANAGERS, help="only one of Kamailio's memory managers")
	parser.add_argument("--only", metavar="WORK,...", help="only these kinds of work (by the start of the name): "
		+ ", ".join(work.key for work in WORKS) + ", idle")
	parser.add_argument("--param", metavar="NAME=NUMBER", action="append", type=parameter, default=[],
		help="a parameter for the module that is compared, for example key_isolation=1")
	parser.add_argument("--repetitions", type=int, help="default: 6, with --quick 2")
	args = parser.parse_args(words)
	args.words = words
	args.memory = [args.memory] if args.memory else list(MANAGERS)
	args.only = args.only.split(",") if args.only else None
	args.wants_idle = args.only is None or "idle" in args.only
	args.repetitions = args.repetitions or (2 if args.quick else 6)
	if args.repetitions < 1:
		parser.error("--repetitions: at least 1")
	for name in args.only or ():
		if name != "idle" and not any(name and work.key.startswith(name) for work in WORKS):
			parser.error(f"--only: there is no work called '{name}'")
	args.idle = 200 if args.quick else 1000
	args.self_check = args.module == bench_host.STOCK
	args.title = "tls.so again" if args.self_check else os.path.basename(args.module).removesuffix(".so")
	if not args.self_check:
		args.module = os.path.abspath(args.module)
		if not os.path.isfile(args.module):
			parser.error(f"there is no {os.path.basename(args.module)}; run make first")
	return args


def programs_build():
	here = os.path.dirname(os.path.abspath(__file__))
	subprocess.run(["make", "-s", "-C", here, "BENCH_BUILD=" + PROGRAMS], check=True)


def ended(_number, _frame):
	raise KeyboardInterrupt


def main():
	args = arguments(sys.argv[1:])
	args.started = time.monotonic()
	args.busy, args.own = busy_s(), own_s()
	os.environ["PATH"] += ":/usr/sbin:/sbin"
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
