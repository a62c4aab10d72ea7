# tls_gnutls - benchmark: what a run says about the machine, the versions and its own command
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Nothing here identifies the machine."""

import ctypes
import datetime
import os
import platform
import shlex
import time

from bench_host import BenchError, run_tool
from bench_work import ROOT


def cpu_name():
	with open("/proc/cpuinfo", encoding="utf-8") as file:
		for line in file:
			if line.startswith("model name"):
				return line.partition(":")[2].strip()
	return "unknown"


def system_name():
	try:
		return platform.freedesktop_os_release()["PRETTY_NAME"]
	except (OSError, KeyError):
		return platform.system()


def gnutls_version():
	version = ctypes.CDLL("libgnutls.so.30").gnutls_check_version
	version.restype = ctypes.c_char_p
	return version(None).decode()


def revision():
	"""The project's revision, if git knows one."""
	try:
		found = run_tool(["git", "-C", ROOT, "describe", "--always", "--dirty"])
	except BenchError:
		return "(revision unknown)"
	return found.strip()


def command(words):
	words = [word for word in words if word != "--write"]
	return "make bench" + (f" BENCH_ARGS='{shlex.join(words)}'" if words else "")


def machine(args, others, quiet):
	"""The machine that the figures were taken on, as a Markdown list."""
	return "\n".join([
		f"- CPU: {cpu_name()}, {os.cpu_count()} cores; {system_name()}, Linux {platform.release()}",
		f"- {run_tool(['kamailio', '-v']).splitlines()[0].removeprefix('version: ').strip()};"
		f" GnuTLS {gnutls_version()}; {' '.join(run_tool(['openssl', 'version']).split()[:2])};"
		f" tls_gnutls {revision()}",
		f"- command: `{command(args.words)}`, {datetime.date.today().isoformat()},"
		f" {time.monotonic() - args.started:.0f} s; others took {others:.0f} % of the machine's CPU time",
		f"- {args.repetitions} repetitions, {args.scenario_repetitions} of the scenarios; {quiet.taken} samples were"
		f" repeated, because others took more than {quiet.limit:g} % meanwhile",
		"- figures are medians, ratios are the medians of the pairs",
	])
