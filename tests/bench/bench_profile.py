# tls_gnutls - loads one Kamailio under a profiler and prints the libraries and functions that took the time
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Called by profile.sh; see --help.

perf samples the CPU clock of all Kamailio processes, kernel included. callgrind counts the instructions of the TCP
workers, user space only: slower, but exact, and the same from run to run. Functions of libraries without symbols are
shown by the library's name; Debian's -dbgsym packages give them names.
"""

import argparse
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import bench_host
import bench_work
from bench_count import control, totals_of, wrapper
from bench_host import BenchError, Certificates, Client, Kamailio, Options, run_tool

PERF_HZ = 5000
ATTACH_S = 1.0


def work_of(name):
	for work in bench_work.WORKS:
		if work.key == name:
			return work
	raise argparse.ArgumentTypeError(f"'{name}' is not one of " + ", ".join(work.key for work in bench_work.WORKS))


def arguments():
	parser = argparse.ArgumentParser(prog="profile.sh", description=__doc__.splitlines()[2])
	parser.add_argument("--module", default=os.path.join(bench_work.BUILD, "tls_gnutls.so"),
		help="the module's file, 'tls.so' for Kamailio's own, 'plain' for plain TCP")
	parser.add_argument("--work", type=work_of, default="full13", help="kind of load, as in bench.py (default: full13)")
	parser.add_argument("--memory", choices=bench_work.MANAGERS, default="fm")
	parser.add_argument("--count", type=int, help="operations; default: 5 times those of the benchmark, callgrind: 1/5")
	parser.add_argument("--tool", choices=("perf", "callgrind"),
		default="perf" if shutil.which("perf") else "callgrind")
	parser.add_argument("--top", type=int, default=40, help="lines of each list")
	parser.add_argument("--callers", metavar="NAME",
		help="callgrind only: also the callers of functions with NAME in their name")
	parser.add_argument("--call-graph", choices=("fp", "dwarf"), default="fp",
		help="perf only: dwarf also sees through libraries built without frame pointers, and costs more")
	args = parser.parse_args()
	if args.module == "plain":
		args.module = None
	elif args.module != bench_host.STOCK:
		args.module = os.path.abspath(args.module)
		if not os.path.isfile(args.module):
			parser.error(f"there is no {os.path.basename(args.module)}; run make first")
	if args.module is None and args.work.mode == "resumed":
		parser.error("plain TCP has no resumption")
	if args.count is None:
		args.count = args.work.count * 5 if args.tool == "perf" else max(args.work.count // 5, 50)
	return args


def client_of(args, host):
	work = args.work
	return Client(bench_work.CLIENT, host, work.mode, version=work.version, count=args.count, warmup=50,
		connections=work.connections, body=work.body, keeps_first=work.keeps_first and host.tls)


def heading(args, account, cost):
	name = os.path.basename(args.module or "plain TCP")
	print(f"{name}, {args.work.label}, {args.memory}: {account['ops']} operations, {account['resumed']} resumed,"
		f" {cost}")


def perf_report(data, *options):
	output = run_tool(["perf", "report", "-i", data, "--stdio", "-g", "none", "--percent-limit", "0.3", *options])
	return [line.rstrip() for line in output.splitlines() if line.strip() and not line.startswith("#")]


def perf_symbols(data):
	"""(percent, "library function") by own time; functions without a name are added up by library."""
	totals = {}
	output = run_tool(["perf", "report", "-i", data, "--stdio", "-g", "none", "--no-children", "--sort", "dso,symbol",
		"-t", ";"])
	for line in output.splitlines():
		parts = [part.strip() for part in line.split(";")]
		if len(parts) < 3 or not parts[0].endswith("%"):
			continue
		symbol = re.sub(r"^\[.\] ", "", parts[2])
		key = (parts[1], "(no symbol)" if symbol.startswith("0x") else symbol)
		totals[key] = totals.get(key, 0.0) + float(parts[0].rstrip("%"))
	return sorted(((percent, *key) for key, percent in totals.items()), reverse=True)


def with_perf(args, folder, certificates):
	data = os.path.join(folder, "perf.data")
	host = Kamailio(folder, "profiled", args.module, args.memory, certificates, args.work.kind)
	try:
		client = client_of(args, host)
		perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", str(PERF_HZ), "--call-graph",
			args.call_graph, "-p", ",".join(map(str, host.pids())), "-o", data], stdin=subprocess.DEVNULL,
			stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
		try:
			time.sleep(ATTACH_S)
			if perf.poll() is not None:
				raise BenchError(f"perf: {perf.stderr.read().strip()}; try --tool callgrind")
			before = host.cpu_ns()
			account = client.work()
			cost = (host.cpu_ns() - before) / 1000 / account["ops"]
		finally:
			perf.send_signal(signal.SIGINT)
			perf.wait()
			perf.stderr.close()
		client.close()
	finally:
		host.close()
	heading(args, account, f"{cost:.1f} µs of server CPU each, sampling included")
	print("\nby library:")
	print("\n".join(perf_report(data, "--no-children", "--sort", "dso")))
	print("\nby function, own time:")
	for percent, library, symbol in perf_symbols(data)[:args.top]:
		print(f"  {percent:6.2f}%  {library:24} {symbol}")
	print("\nby function, with what it calls (as far as the stacks could be followed):")
	print("\n".join(perf_report(data, "--children", "--sort", "symbol")[:args.top]))


def with_callgrind(args, folder, certificates):
	output = os.path.join(folder, "callgrind.out")
	host = Kamailio(folder, "profiled", args.module, args.memory, certificates, args.work.kind,
		Options(wrapper=wrapper(output)))
	try:
		client = client_of(args, host)
		control(host, "--instr=on")
		account = client.work()
		host.settle()
		control(host, "--instr=off")
		client.close()
	finally:
		host.close()
	files = sorted(glob.glob(output + ".*"), key=totals_of, reverse=True)
	if not files or totals_of(files[0]) == 0:
		raise BenchError("callgrind counted nothing")
	total = sum(totals_of(file) for file in files)
	heading(args, account, f"{total / account['ops']:.0f} instructions of all processes each, kernel excluded")
	print(f"\nof the process that did {100 * totals_of(files[0]) / total:.0f} % of them:")
	for inclusive in ("no", "yes"):
		print(f"\nby function, {'with what it calls' if inclusive == 'yes' else 'own instructions'}:")
		print("\n".join(annotated(files[0], inclusive, args.top)))
	if args.callers:
		print(f"\ncallers (<) of functions (*) whose name contains '{args.callers}':")
		print("\n".join(callers(files[0], args.callers)))


def annotated(path, inclusive, top):
	"""The lines of callgrind_annotate that name functions, without the folders of their files."""
	output = run_tool(["callgrind_annotate", "--auto=no", "--inclusive=" + inclusive, path])
	lines = [line for line in output.splitlines() if re.match(r"^ *[\d,]+ \(", line)]
	return [re.sub(r"[^ \[]*/", "", line) for line in lines[:top + 1]]


def callers(path, name):
	"""The callers of functions whose name contains `name`, with the instructions spent on behalf of each."""
	output = run_tool(["callgrind_annotate", "--auto=no", "--inclusive=yes", "--tree=caller", path])
	found = []
	for block in output.split("\n\n"):
		called = [line for line in block.splitlines() if re.match(r"^ *[\d,]+ \(.*\)  \*  ", line)]
		if called and name in called[0]:
			found += [re.sub(r"[^ \[]*/", "", line) for line in block.splitlines() if line.strip()]
	return found


def main():
	args = arguments()
	os.environ["PATH"] += ":/usr/sbin:/sbin"
	signal.signal(signal.SIGTERM, bench_work.ended)
	try:
		bench_work.programs_build()
		with tempfile.TemporaryDirectory(prefix="bench-") as folder:
			certificates = Certificates(folder)
			(with_perf if args.tool == "perf" else with_callgrind)(args, folder, certificates)
	except (BenchError, OSError, subprocess.CalledProcessError) as error:
		sys.exit(f"profile: {error}")
	except KeyboardInterrupt:
		sys.exit("profile: interrupted")


if __name__ == "__main__":
	main()
