# tls_gnutls - benchmark: instructions in user space for each operation, counted by valgrind's callgrind
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""The counts do not depend on other work of the machine. They leave out the kernel, and say nothing about caches.

callgrind counts a repeating instruction (rep stos) once for each byte, which the processor does not: libc is told to
clear and copy long blocks by vector instructions instead.
"""

import contextlib
import glob
import os
import shutil

from bench_floor import Floor
from bench_host import BenchError, Client, Kamailio, Options, run_tool
from bench_work import CLIENT, say

COUNT = 100
WARMUP = 40
NO_REP = "glibc.cpu.x86_rep_stosb_threshold=1000000000:glibc.cpu.x86_rep_movsb_threshold=1000000000"


def is_possible():
	return shutil.which("callgrind_control") is not None


def wrapper(output):
	"""The command to run Kamailio under; its files are called `output`, a dot and the number of a process."""
	return ("env", "GLIBC_TUNABLES=" + NO_REP, "valgrind", "--tool=callgrind", "--trace-children=yes",
		"--instr-atstart=no", "--callgrind-out-file=" + output + ".%p")


def control(host, *command):
	run_tool(["callgrind_control", *command, *map(str, host.pids())])


def totals_of(path):
	"""Total number of instructions in a callgrind file."""
	with open(path, encoding="utf-8", errors="replace") as file:
		return sum(int(line.split()[1]) for line in file if line.startswith(("totals:", "summary:")))


def by_object(lines):
	"""Instructions by the object file they were executed in, from the lines of a callgrind file."""
	names, found = {}, {}
	current, called = "???", False
	for line in lines:
		if line.startswith("ob="):
			number, _, name = line[3:].strip().partition(" ")
			current = names.setdefault(number, os.path.basename(name)) if name else names[number]
		elif line.startswith("cob="):
			number, _, name = line[4:].strip().partition(" ")
			if name:
				names.setdefault(number, os.path.basename(name))
		elif line.startswith("calls="):
			called = True  # the next line says what the callee took
		elif line[:1] in "0123456789+-*" and line.strip():
			if not called:
				found[current] = found.get(current, 0) + int(line.split()[1])
			called = False
	return found


def _sum(paths):
	total = {}
	for path in paths:
		with open(path, encoding="utf-8", errors="replace") as file:
			for name, count in by_object(file).items():
				total[name] = total.get(name, 0) + count
	return total


def _count(host, work, output):
	"""Instructions of all processes for one operation: (all, those of the module)."""
	client = Client(CLIENT, host, work.mode, version=work.version, count=COUNT, warmup=WARMUP,
		connections=work.connections, body=work.body, keeps_first=work.keeps_first)
	control(host, "--zero")
	control(host, "--instr=on")
	account = client.work()
	host.settle()
	control(host, "--instr=off")
	client.close()
	control(host, "--dump")
	paths = glob.glob(output + ".*.*")
	total = _sum(paths)
	for path in paths:
		os.unlink(path)
	if not total:
		raise BenchError("callgrind counted nothing")
	return sum(total.values()) / account["ops"], total


def _start(bench, memory, kind, name, output):
	command = wrapper(output)
	if name == "floor":
		return Floor(bench.certificates, kind, command)
	return Kamailio(bench.folder, f"counted-{name}", bench.contestants[name], memory, bench.certificates, kind,
		Options(wrapper=command, params=bench.params(name)))


def counts(bench, memory, kind, works):
	"""{work's key: {contestant: thousands of instructions}} for the works with one kind of certificate."""
	found = {work.key: {} for work in works}
	for name in ("floor", "stock", "ours"):
		output = os.path.join(bench.folder, f"callgrind-{memory}-{kind}-{name}")
		with contextlib.ExitStack() as stack:
			host = _start(bench, memory, kind, name, output)
			stack.callback(host.close)
			for work in works:
				try:
					each, total = _count(host, work, output)
				except BenchError as error:
					if name == "ours":
						raise
					bench.notes.append(f"counting stopped at {work.key}: {str(error).splitlines()[0]}")
					break
				own = total.get(os.path.basename(bench.contestants.get(name) or ""), 0) / COUNT
				found[work.key][name] = each / 1000
				say(f"  {memory} {work.key}, {bench.title(name)}: {each / 1000:.0f} thousand instructions"
					+ (f", {own / 1000:.1f} of them in the module" if own else ""))
	return found
