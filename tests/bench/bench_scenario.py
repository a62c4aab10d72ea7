# tls_gnutls - benchmark: two scenarios with many clients: a restart, and a day of reconnecting
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""restart: clients that had connected before connect again after Kamailio was restarted, each sends one request, and
stays connected. day: each client connects ten times, in a random order, through whichever worker is free.
"""

import contextlib
import os
from dataclasses import dataclass

from bench_host import BenchError, Crowd, Kamailio, Options, port_free
from bench_report import ScenarioRow
from bench_work import CROWD, KEY_NAMES, RECONNECT_GOALS, say

WORKERS = 4
MASTER_BYTES = 64
CLIENTS_MIN = 20
ENDS_MAX = 8  # how often tls.so may end unexpectedly before the measurement is given up


@dataclass(frozen=True)
class Scenario:
	"""clients: for a full run. width: connections in flight."""

	key: str
	label: str
	clients: int
	rounds: int
	width: int
	restarts: bool


SCENARIOS = (
	Scenario("restart", "restart: {clients} clients reconnect", 2000, 1, 64, True),
	Scenario("day", "day: {clients} clients connect 10 times", 1000, 10, 16, False),
)


class Run:
	"""The samples of one scenario with one kind of certificate and one version."""

	def __init__(self, bench, scenario, memory, kind, version):
		self.bench = bench
		self.scenario = scenario
		self.memory, self.kind, self.version = memory, kind, version
		self.clients = bench.scaled(scenario.clients, CLIENTS_MIN)
		self.ends = []  # why tls.so ended unexpectedly
		self.failures = {}  # a failure that a client saw, by contestant
		label = scenario.label.format(clients=self.clients) + f", {KEY_NAMES[kind]}, TLS {version}"
		self.row = ScenarioRow(label, memory, unit="ms", goal=RECONNECT_GOALS[kind])

	def _key_file(self):
		path = os.path.join(self.bench.folder, "ticket.key")
		if not os.path.exists(path):
			with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
				file.write(os.urandom(MASTER_BYTES))
		return path

	def _start(self, name, port=None):
		params = self.bench.params(name)
		if name == "ours" and not self.bench.args.self_check:
			params += (("ticket_key_file", f'"{self._key_file()}"'),)
		self.bench.stages += 1
		return Kamailio(self.bench.folder, f"{self.bench.stages}-{self.scenario.key}-{name}",
			self.bench.contestants[name], self.memory, self.bench.certificates, self.kind,
			Options(workers=WORKERS, port=port, params=params))

	def _one(self, name):
		"""One contestant: the client's report, with the server's CPU time in ms."""
		scenario = self.scenario
		port = port_free()
		with contextlib.ExitStack() as stack:
			host = self._start(name, port)
			stack.callback(lambda: host.close())  # pylint: disable=unnecessary-lambda
			crowd = Crowd(CROWD, host, self.version, self.clients, warm_rounds=int(scenario.restarts),
				rounds=scenario.rounds, width=scenario.width, keeps_open=scenario.restarts)
			if scenario.restarts:
				code = host.close()
				if code != 0:
					raise BenchError(f"{host.label} ended with exit status {code}:\n{host.log_tail()}")
				host = self._start(name, port)
			host.settle()
			before = host.cpu_ns()
			account = crowd.work()
			host.settle()
			account["cpu_ms"] = (host.cpu_ns() - before) / 1e6
			crowd.close()
		return account

	def _pair(self, number):
		"""One sample of both. If tls.so ends in it, both are measured again; after every second time with half of the
		clients.
		"""
		names = ("stock", "ours") if number % 2 == 0 else ("ours", "stock")
		found = {}
		while len(found) < len(names):
			found = {}
			for name in names:
				try:
					found[name] = self._one(name)
				except BenchError as error:
					if name == "ours" or len(self.ends) == ENDS_MAX:
						raise
					self.ends.append(str(error).splitlines()[0])
					say(f"  {self.row.label}: {self.bench.title(name)} ended, once more")
					if len(self.ends) % 2 == 0:
						self.clients = max(self.clients // 2, CLIENTS_MIN)
					break
		return found

	def measure(self, repetitions):
		for number in range(repetitions):
			pair, others = self.bench.quiet.sample(lambda turn=number: self._pair(turn))
			self.row.noise.append(others)
			for name in ("stock", "ours"):
				getattr(self.row, name).append(1000 * pair[name]["cpu_ms"] / pair[name]["ops"])
				self.row.seconds.setdefault(name, []).append(pair[name]["seconds"])
				self.row.p99.setdefault(name, []).append(pair[name]["p99_ms"])
				self.row.failed[name] = self.row.failed.get(name, 0) + pair[name]["failed"]
				if pair[name]["failed"]:
					self.failures[name] = pair[name]["failure"]
			self.row.note = ", ".join(f"{pair[name]['resumed']} of {pair[name]['ops']}" for name in ("stock", "ours"))
			say(f"  {self.memory} {number + 1}/{repetitions} {self.row.label}: "
				+ ", ".join(f"{self.bench.title(name)} {pair[name]['cpu_ms']:.0f} ms" for name in ("stock", "ours"))
				+ f"; others {others:.0f} %")
		self._note()
		return self.row

	def _note(self):
		for name, failure in self.failures.items():
			self.bench.notes.append(f"{self.row.label}: {self.row.failed[name]} connections to {self.bench.title(name)}"
				f" failed and were tried again; one of them {failure}")
		if self.ends:
			self.bench.notes.append(f"{self.row.label}: {self.bench.title('stock')} ended {len(self.ends)} times while"
				f" it was loaded, and the pair was measured again, at last with {self.clients} clients; the first time:"
				f" {self.ends[0]}")


def rows(bench, memory, keys):
	"""All rows of the scenarios whose keys are wanted."""
	return [Run(bench, scenario, memory, kind, version).measure(bench.args.scenario_repetitions)
		for scenario in SCENARIOS if scenario.key in keys
		for kind in ("rsa", "ecdsa") for version in bench.args.versions]
