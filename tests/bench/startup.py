#!/usr/bin/python3
# tls_gnutls - benchmark: start-up and reload with many profiles and CAs, beside tls.so
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Prints a Markdown table. Each contestant is restarted for every repetition, in turn.

The configuration has one profile for each of --profiles server names, with a certificate and key of its own, all with
the same CA file of --cas certificates and verify_client=optional.

time until served   from the start of the program until the first TLS handshake is done (the client retries
                    without a pause)
CPU                 user and system time of all processes up to then
shared memory       real_used of core.shmmem
private memory      anonymous memory of all processes, after the start, and after clients have asked every worker
                    for every name
reload              time of one tls.reload, and the shared memory after it, without connections
"""

import argparse
import datetime
import os
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench_host import STOCK, BenchError, cpu_ns_of, family_of, port_free, run_tool

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MB = 1 << 20
WORKERS = 2
TIMEOUT_S = 900

CONFIG = """#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=1
tcp_children={workers}
auto_aliases=no
disable_core_dump=yes
tcp_max_connections=2048
{transport}
loadmodule "sl.so"
loadmodule "ctl.so"
modparam("ctl", "binrpc", "unix:{folder}/ctl")
{tls}
request_route {{
	sl_send_reply("200", "OK");
}}
"""


class Files:
	"""Certificates, the CA file, and the tls.cfg that names them."""

	def __init__(self, folder, profiles, cas):
		self.names = [f"p{number}.example" for number in range(profiles)]
		self.config = os.path.join(folder, "tls.cfg")
		bundle = os.path.join(folder, "ca.pem")
		signers = [self._make(f"CA {number}", ca=True) for number in range(cas)]
		with open(bundle, "wb") as file:
			file.writelines(self._pem(cert) for cert, _ in signers)
		self.ca = os.path.join(folder, "ca0.pem")
		with open(self.ca, "wb") as file:
			file.write(self._pem(signers[0][0]))
		sections = []
		for name in ("localhost", *self.names):
			cert, key = self._make(name, signer=signers[0])
			path = os.path.join(folder, name)
			with open(path + ".pem", "wb") as file:
				file.write(self._pem(cert))
			with open(path + ".key", "wb") as file:
				file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
					serialization.NoEncryption()))
			head = "[server:default]" if name == "localhost" else f"[server:any]\nserver_name = {name}"
			sections.append(f'{head}\nmethod = TLSv1.2+\ncertificate = "{path}.pem"\nprivate_key = "{path}.key"\n'
				f'ca_list = "{bundle}"\nverify_client = optional\n\n')
		with open(self.config, "w", encoding="ascii") as file:
			file.writelines(sections)
			file.write("[client:default]\n")

	@staticmethod
	def _pem(cert):
		return cert.public_bytes(serialization.Encoding.PEM)

	@staticmethod
	def _make(name, ca=False, signer=None):
		key = ec.generate_private_key(ec.SECP256R1())
		subject = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
			x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Trust Services"),
			x509.NameAttribute(NameOID.COMMON_NAME, name)])
		now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
		builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(signer[0].subject if signer else subject)
			.public_key(key.public_key()).serial_number(x509.random_serial_number())
			.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=2))
			.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
			.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))
		if not ca:
			builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
		return builder.sign(signer[1] if signer else key, hashes.SHA256()), key


class Host:
	"""One Kamailio. module: None for plain TCP."""

	def __init__(self, folder, module, memory, files, shared_mb):
		self.folder = folder
		self.tls = module is not None
		self.files = files
		self.port = port_free()
		os.makedirs(folder)
		tls = f'loadmodule "{module}"\nmodparam("tls", "config", "{files.config}")' if self.tls else ""
		transport = (f"{'enable_tls=yes' if self.tls else ''}\n"
			f"listen={'tls' if self.tls else 'tcp'}:127.0.0.1:{self.port}")
		config = os.path.join(folder, "kamailio.cfg")
		with open(config, "w", encoding="ascii") as file:
			file.write(CONFIG.format(workers=WORKERS, transport=transport, folder=folder, tls=tls))
		self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
		self.context.load_verify_locations(files.ca)
		self.log = os.path.join(folder, "log")
		begin = time.monotonic()
		with open(self.log, "wb") as log:
			self.process = subprocess.Popen(["kamailio", "-f", config, "-DD", "-E", "-Y", folder, "-w", folder, "-m",
				str(shared_mb), "-M", "64", "-x", memory, "-X", memory],
				stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=folder)
		try:
			self._wait_served(begin)
		except BaseException:
			self.close()
			raise
		self.start_s = time.monotonic() - begin
		self.cpu_s = sum(cpu_ns_of(pid) for pid in family_of(self.process.pid)) / 1e9

	def _wait_served(self, begin):
		while True:
			if self.process.poll() is not None:
				raise BenchError(self._why())
			try:
				self.visit("localhost")
				return
			except ConnectionRefusedError:
				if time.monotonic() - begin > TIMEOUT_S:
					raise BenchError(f"not up within {TIMEOUT_S} s") from None
				time.sleep(0.002)
			except (OSError, EOFError) as error:
				if self.process.poll() is None:
					raise BenchError(f"the first client is not served: {error}") from error

	def _why(self):
		"""The first error in the log."""
		with open(self.log, encoding="utf-8", errors="replace") as file:
			errors = [line.strip() for line in file if "ERROR" in line or "CRITICAL" in line]
		return errors[0] if errors else "ended at start-up without an error line"

	def visit(self, name):
		"""One connection, with a handshake and a request that is answered."""
		request = (f"OPTIONS sip:{name} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK1\r\n"
			"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
			"Content-Length: 0\r\n\r\n").encode()
		with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S) as raw:
			sock = self.context.wrap_socket(raw, server_hostname=name) if self.tls else raw
			sock.sendall(request)
			if not sock.recv(4096).startswith(b"SIP/2.0 200"):
				raise EOFError("no answer")
			sock.close()

	def rpc(self, *command):
		try:
			done = subprocess.run(["kamcmd", "-s", f"unix:{self.folder}/ctl", *command], capture_output=True, text=True,
				timeout=TIMEOUT_S, check=False)
		except subprocess.TimeoutExpired as error:
			raise BenchError(f"{command[0]}: no answer within {TIMEOUT_S} s") from error
		return done.stdout + done.stderr

	def shared_bytes(self):
		lines = dict(line.strip().split(": ") for line in self.rpc("core.shmmem").splitlines() if ": " in line)
		return int(lines["real_used"]) % (1 << 32)	# printed as a signed number of 32 bits

	def private_bytes(self):
		total = 0
		for pid in family_of(self.process.pid):
			with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
				total += sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Anonymous:"))
		return total

	def reload_s(self):
		begin = time.monotonic()
		answer = self.rpc("tls.reload")
		if "Ok" not in answer:
			raise BenchError(f"tls.reload: {answer.strip()}")
		return time.monotonic() - begin

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.close()

	def close(self):
		self.process.send_signal(signal.SIGTERM)
		try:
			self.process.wait(60)
		except subprocess.TimeoutExpired:
			os.killpg(self.process.pid, signal.SIGKILL)
			self.process.wait()


FIGURES = (
	("start_s", "time until the first client is served, s", 2),
	("cpu_s", "CPU of the start, s", 2),
	("shared", "shared memory after the start, MB", 1),
	("private", "private memory of all processes after the start, MB", 1),
	("private_used", "the same when clients have asked for every name, MB", 1),
	("reload_s", "tls.reload, s", 2),
	("shared_reloaded", "shared memory after a reload, MB", 1),
)


def measure(host, got, with_reload):
	"""Fills in the figures of one start; raises BenchError."""
	time.sleep(1)	# the last processes are forked
	got["start_s"] = host.start_s
	got["cpu_s"] = host.cpu_s
	got["shared"] = host.shared_bytes() / MB
	got["private"] = host.private_bytes() / MB
	if not host.tls:
		return
	for _ in range(WORKERS + 1):	# workers take turns, independently of the name
		for name in ("localhost", *host.files.names):
			host.visit(name)
	got["private_used"] = host.private_bytes() / MB
	if with_reload:
		got["reload_s"] = host.reload_s()
		got["shared_reloaded"] = host.shared_bytes() / MB


def table(contestants, samples, problems):
	"""The Markdown table: medians, and the ratio of ours to tls.so."""
	lines = [f"| | {' | '.join(contestants)} | ratio |", "|---" * (len(contestants) + 2) + "|"]
	for key, label, digits in FIGURES:
		if not any(key in sample for name in contestants for sample in samples[name]):
			continue
		cells = []
		medians = {}
		for name in contestants:
			values = [sample[key] for sample in samples[name] if key in sample]
			if values:
				medians[name] = statistics.median(values)
			cells.append(f"{medians[name]:.{digits}f}" if values else ("failed" if name in problems else "–"))
		ratio = "–"
		if STOCK in medians and "tls_gnutls.so" in medians and medians[STOCK] > 0:
			ratio = f"{medians['tls_gnutls.so'] / medians[STOCK]:.2g}"
		lines.append(f"| {label} | {' | '.join(cells)} | {ratio} |")
	return "\n".join(lines)


def main():
	parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	parser.add_argument("--module", default=os.path.join(ROOT, "build", "tls_gnutls.so"))
	parser.add_argument("--profiles", type=int, default=200)
	parser.add_argument("--cas", type=int, default=150)
	parser.add_argument("--repetitions", type=int, default=3)
	parser.add_argument("--memory", choices=("qm", "fm", "tlsf"), default="fm")
	parser.add_argument("--shared-mb", type=int, default=8192, help="size of the shared memory, for all")
	parser.add_argument("--no-reload", action="store_true", help="leave the reload out: tls.so takes minutes for it")
	args = parser.parse_args()
	contestants = {"plain TCP": None, STOCK: STOCK, "tls_gnutls.so": os.path.abspath(args.module)}
	samples = {name: [] for name in contestants}
	problems = {}
	with tempfile.TemporaryDirectory(prefix="tlsg-startup-") as folder:
		files = Files(folder, args.profiles, args.cas)
		for number in range(args.repetitions):
			for name, module in contestants.items():
				if name in problems:
					continue
				print(f"{number + 1}/{args.repetitions} {name}", file=sys.stderr, flush=True)
				samples[name].append({})
				try:
					with Host(os.path.join(folder, f"{number}-{name.replace(' ', '-')}"), module, args.memory, files,
							args.shared_mb) as host:
						measure(host, samples[name][-1], not args.no_reload)
				except (BenchError, OSError, EOFError) as error:
					problems[name] = str(error)
				print(f"  {samples[name][-1]}", file=sys.stderr, flush=True)
	version = run_tool(["kamailio", "-v"]).splitlines()[0].removeprefix("version: ").strip()
	print(f"{args.profiles} profiles with a certificate each, a CA file of {args.cas} certificates, "
		f"verify_client=optional, memory manager {args.memory}, {args.shared_mb} MB of shared memory; {version}; "
		f"medians of {args.repetitions}.\n")
	print(table(list(contestants), samples, problems))
	for name, why in problems.items():
		print(f"\n{name}: {why}")
	return 1 if "tls_gnutls.so" in problems else 0


if __name__ == "__main__":
	sys.exit(main())
