# tls_gnutls - benchmark: certificates, a Kamailio under measurement, and the client that loads it
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""What bench.py, its parts and bench_profile.py share; nothing here decides what is measured.

Everything uses a temporary folder of the caller, listens on loopback, and ends with its `close()`.
"""

import json
import os
import select
import signal
import socket
import subprocess
import time
from dataclasses import dataclass

STOCK = "tls.so"
PACKAGE_MB = 16
START_TIMEOUT_S = 30
SAMPLE_TIMEOUT_S = 300

CONFIG = """#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=1
tcp_children={workers}
auto_aliases=no
disable_core_dump=yes
tcp_connection_lifetime=600
tcp_max_connections=16384
{transport}
loadmodule "sl.so"
loadmodule "ctl.so"
modparam("ctl", "binrpc", "unix:{control}")
{tls}
request_route {{
	if (method == "OPTIONS") {{
		sl_send_reply("200", "OK");
	}}
	exit;
}}
"""

TLS_CONFIG = """
loadmodule "{module}"
modparam("tls", "session_cache", 1)
modparam("tls", "session_id", "bench")
"""

ONE_PROFILE = """modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{cert}")
modparam("tls", "private_key", "{key}")
"""


class BenchError(Exception):
	"""Something that the measurement needs failed; the text says what."""


def run_tool(args, **options):
	"""Runs a short command; returns its output, raises BenchError with its error output."""
	try:
		done = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False, **options)
	except (OSError, subprocess.TimeoutExpired) as error:
		raise BenchError(f"{args[0]}: {error}") from error
	if done.returncode != 0:
		raise BenchError(f"{' '.join(args[:3])} ...: {done.stderr.strip() or done.stdout.strip()}")
	return done.stdout


class Certificates:
	"""A throw-away CA with one server certificate per kind of key: `ecdsa` (P-256) and `rsa` (2048 bits)."""

	KINDS = {
		"ecdsa": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
		"rsa": ["-newkey", "rsa:2048"],
	}

	def __init__(self, folder):
		self.folder = folder
		self.ca = self._path("ca.pem")
		run_tool(["openssl", "req", "-x509", *self.KINDS["ecdsa"], "-nodes", "-days", "60", "-subj", "/CN=bench CA",
			"-keyout", self._path("ca.key"), "-out", self.ca])
		extensions = self._path("server.ext")
		with open(extensions, "w", encoding="ascii") as file:
			file.write("basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n")
		for kind, key in self.KINDS.items():
			request = self._path(kind + ".csr")
			run_tool(["openssl", "req", "-new", *key, "-nodes", "-subj", "/CN=localhost", "-keyout", self.key(kind),
				"-out", request])
			run_tool(["openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._path("ca.key"),
				"-CAcreateserial", "-days", "60", "-extfile", extensions, "-out", self.cert(kind)])

	def _path(self, name):
		return os.path.join(self.folder, name)

	def cert(self, kind):
		return self._path(kind + ".pem")

	def key(self, kind):
		return self._path(kind + ".key")


def port_free():
	with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def family_of(pid):
	"""The process and all its descendants."""
	found = [pid]
	for parent in found:
		for thread in os.listdir(f"/proc/{parent}/task"):
			with open(f"/proc/{parent}/task/{thread}/children", encoding="ascii") as file:
				found.extend(int(child) for child in file.read().split())
	return found


def cpu_ns_of(pid):
	"""User and system time of all the threads of one process, in nanoseconds (the scheduler's own account)."""
	total = 0
	for thread in os.listdir(f"/proc/{pid}/task"):
		with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
			total += int(file.read().split()[0])
	return total


class Server:
	"""A server under measurement. Whoever inherits it sets label, port, tls, ca and process."""

	def pids(self):
		return family_of(self.process.pid)

	def log_tail(self):
		return ""

	def cpu_ns(self):
		try:
			return sum(cpu_ns_of(pid) for pid in self.pids())
		except OSError as error:
			raise BenchError(f"a process of {self.label} is gone:\n{self.log_tail()}") from error

	def settle(self):
		"""Waits until the work after the last connections is done: two idle 10 ms in a row, at most 1 s."""
		quiet = 0
		before = self.cpu_ns()
		for _ in range(100):
			time.sleep(0.01)
			now = self.cpu_ns()
			quiet = quiet + 1 if now - before < 200_000 else 0
			before = now
			if quiet == 2:
				return


@dataclass(frozen=True)
class Options:
	"""What of a Kamailio is not the same in all measurements."""

	workers: int = 2
	shared_mb: int = 512
	port: int = None  # None: a free one
	profiles: str = None  # path of a tls.cfg, in the place of one profile from parameters
	params: tuple = ()  # further parameters of the TLS module: (name, value as it is written in the script) each
	wrapper: tuple = ()  # a command to run Kamailio under (a profiler)


class Kamailio(Server):
	"""One running Kamailio.

	module: None for plain TCP, "tls.so" for Kamailio's own, or the path of a module.
	memory: "qm" or "fm", used for shared and private memory alike.
	kind: of the certificate.
	"""

	def __init__(self, folder, label, module, memory, certificates, kind, options=Options()):
		self.label = f"Kamailio ({label})"
		self.memory = memory
		self.tls = module is not None
		self.options = options
		self.ca = certificates.ca
		self.folder = os.path.join(folder, f"{label}-{memory}-{kind}".replace("/", "_"))
		os.makedirs(self.folder)
		self.control = os.path.join(self.folder, "ctl")
		self.log_path = os.path.join(self.folder, "log")
		self.log_lines_at_start = 0
		self.port = options.port or port_free()
		config = os.path.join(self.folder, "kamailio.cfg")
		with open(config, "w", encoding="ascii") as file:
			file.write(self._config(module, certificates, kind))
		command = [*options.wrapper, "kamailio", "-f", config, "-DD", "-E", "-Y", self.folder, "-w", self.folder,
			"-m", str(options.shared_mb), "-M", str(PACKAGE_MB), "-x", memory, "-X", memory]
		with open(self.log_path, "wb") as log:
			self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
				start_new_session=True, cwd=self.folder)
		try:
			self._wait_ready()
		except BaseException:
			self.close()
			raise

	def _config(self, module, certificates, kind):
		words = {"control": self.control, "workers": self.options.workers}
		if module is None:
			return CONFIG.format(transport=f"listen=tcp:127.0.0.1:{self.port}", tls="", **words)
		tls = TLS_CONFIG.format(module=module)
		if self.options.profiles:
			tls += f'modparam("tls", "config", "{self.options.profiles}")\n'
		else:
			tls += ONE_PROFILE.format(cert=certificates.cert(kind), key=certificates.key(kind))
		tls += "".join(f'modparam("tls", "{name}", {value})\n' for name, value in self.options.params)
		transport = f"enable_tls=yes\ntls_max_connections=16384\nlisten=tls:127.0.0.1:{self.port}"
		return CONFIG.format(transport=transport, tls=tls, **words)

	def _wait_ready(self):
		deadline = time.monotonic() + START_TIMEOUT_S * (5 if self.options.wrapper or self.options.profiles else 1)
		while True:
			if self.process.poll() is not None:
				raise BenchError(f"{self.label} ended at start-up:\n{self.log_tail()}")
			try:
				self.rpc("core.uptime")
				with socket.create_connection(("127.0.0.1", self.port), timeout=1):
					break
			except (BenchError, OSError):
				if time.monotonic() > deadline:
					raise BenchError(f"{self.label} does not answer:\n{self.log_tail()}") from None
				time.sleep(0.1)
		family = 0
		while family != (family := len(family_of(self.process.pid))):
			time.sleep(0.3)  # some processes are forked after the control socket answers
		self.log_lines_at_start = self.log_lines()
		self.settle()

	def log_tail(self):
		with open(self.log_path, encoding="utf-8", errors="replace") as file:
			return "".join(file.readlines()[-10:]).strip()

	def log_lines(self):
		with open(self.log_path, "rb") as file:
			return sum(1 for _ in file)

	def rpc(self, *command):
		return run_tool(["kamcmd", "-s", "unix:" + self.control, *command])

	def shared_bytes(self):
		"""Shared memory in use, the memory manager's own overhead included."""
		for line in self.rpc("core.shmmem").splitlines():
			name, _, value = line.strip().partition(":")
			if name == "real_used":
				return int(value) % (1 << 32)  # printed as a signed number of 32 bits
		raise BenchError("core.shmmem has no real_used")

	def log_lines_new(self):
		"""Lines written to the log since it was ready."""
		return self.log_lines() - self.log_lines_at_start

	def close(self):
		"""Ends Kamailio and everything it started; returns its exit code."""
		if self.process.poll() is None:
			self.process.send_signal(signal.SIGTERM)
			try:
				self.process.wait(timeout=20)
			except subprocess.TimeoutExpired:
				pass
		try:
			os.killpg(self.process.pid, signal.SIGKILL)
		except ProcessLookupError:
			pass
		return self.process.wait()


class Program:
	"""One run of a client program: warm-up, "ready", a measured phase, close. See the programs for the phases."""

	def __init__(self, command, host):
		self.host = host
		self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
			text=True, bufsize=1)
		try:
			self._line("ready")
		except BaseException:
			self._kill()
			raise

	def _line(self, what):
		ready, _, _ = select.select([self.process.stdout], [], [], SAMPLE_TIMEOUT_S)
		line = self.process.stdout.readline() if ready else ""
		if not line:
			self._kill()
			complaint = self.process.stderr.read().strip()
			raise BenchError(f"client against {self.host.label}: no '{what}': {complaint}\n{self.host.log_tail()}")
		return line.strip()

	def _kill(self):
		self.process.kill()
		self.process.wait()

	def work(self):
		"""Runs the measured phase; returns the client's report (a dict)."""
		self.process.stdin.write("go\n")
		return json.loads(self._line("result"))

	def close(self):
		"""Makes the client close its connections and exit."""
		self.process.stdin.close()
		try:
			code = self.process.wait(timeout=60)
		except subprocess.TimeoutExpired:
			self._kill()
			code = -1
		complaint = self.process.stderr.read().strip()
		self.process.stdout.close()
		self.process.stderr.close()
		if code != 0:
			raise BenchError(f"client against {self.host.label} ended with {code}: {complaint}")


class Client(Program):
	"""One run of bench_client: connections one after the other, or requests on open ones."""

	def __init__(self, program, host, mode, version=None, count=1, warmup=0, connections=1, body=0,
			keeps_first=False, server_name=None):
		command = [program, "--port", str(host.port), "--mode", mode, "--count", str(count), "--warmup", str(warmup),
			"--connections", str(connections), "--body", str(body)]
		if host.tls:
			command += ["--version", version, "--ca", host.ca]
		if keeps_first:
			command.append("--keep-first")
		if server_name:
			command += ["--server-name", server_name]
		super().__init__(command, host)


class Crowd(Program):
	"""One run of bench_crowd: many clients with a session each, `width` connections in flight."""

	def __init__(self, program, host, version, clients, warm_rounds=0, rounds=1, width=1, keeps_open=False):
		command = [program, "--port", str(host.port), "--version", version, "--ca", host.ca, "--clients", str(clients),
			"--warm-rounds", str(warm_rounds), "--rounds", str(rounds), "--width", str(width)]
		if keeps_open:
			command.append("--keep-open")
		super().__init__(command, host)
