# tls_gnutls - starts, watches and stops one Kamailio for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""One Kamailio in the foreground, in a folder of its own, on free loopback ports.

    settings = Settings(module=path, modparams={"certificate": ..., "private_key": ...})
    with Kamailio(settings) as kam:
        kam.port("tls"); kam.rpc("tls.info"); kam.log.lines(); ...

Leaving the block stops it and checks that it was healthy until then and ended with status 0.
"""

import contextlib
import functools
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

from . import core_lock, stacks
from .log import Log
from .ports import LOOPBACK, free_port
from .wait import until

# To run another Kamailio than the installed one: the prefix of its sbin/, and its folder of modules.
PREFIX = os.environ.get("KAMAILIO_PREFIX")
STOCK_MODULES = os.environ.get("KAMAILIO_MODULES", "/usr/lib/x86_64-linux-gnu/kamailio/modules")
# Further core settings of every Kamailio, such as tcp_main_threads=2; several are separated by semicolons.
CORE = os.environ.get("KAMAILIO_CORE", "").split(";")
BINARY = f"{PREFIX}/sbin/kamailio" if PREFIX else "kamailio"
KAMCMD = f"{PREFIX}/sbin/kamcmd" if PREFIX else "kamcmd"
BAD_LINES = r"exited by a signal|core was generated|\bBUG\b|qm_debug_check_frag"
_serial = itertools.count(1)

START_ATTEMPTS = 5
START_TIMEOUT_S = 30
LEFT_TIMEOUT_S = 20
STOP_TIMEOUT_S = 30

# Modules every instance loads besides TLS; ctl and jsonrpcs are how the tests talk to it.
BASE_MODULES = ("ctl", "jsonrpcs", "kex", "pv", "tm", "sl", "textops", "siputils", "xlog")

DEFAULT_SCRIPT = r"""
# A request with "X-Next: <sip uri>" goes there; one for this host is answered; any other
# goes where its request URI says.
request_route {
	if (is_present_hf("X-Next")) {
		$du = $hdr(X-Next);
		remove_hf("X-Next");
		route(RELAY);
	}
	if (!uri == myself) {
		route(RELAY);
	}
	append_to_reply("X-Worker: $pp\r\n");
	append_to_reply("X-Proto: $proto\r\n");
	sl_send_reply("200", "OK");
}

route[RELAY] {
	if (!t_relay()) {
		sl_reply_error();
	}
	exit;
}
"""


@dataclass(frozen=True)
class Settings:
    """Settings of one Kamailio; `but()` returns a changed copy."""

    module: str                         # the TLS module: path of the .so
    modparams: dict = field(default_factory=dict)       # of the TLS module
    children: int = 2                   # workers of each UDP socket
    tcp_children: int = 3
    listen: tuple = ("tls",)            # protocols; "udp", "udp2"... for several sockets; "dtls"
    core: str = ""                      # further core settings
    modules: tuple = ()                 # further modules
    config: str = ""                    # further modparam lines
    script: str = DEFAULT_SCRIPT
    debug: int = 2
    shm_mb: int = 64
    shm_manager: str = "qm"             # qm, fm, tlsf
    load_before: tuple = ()             # modules loaded right before the TLS module
    load_after: tuple = ()              # modules loaded right after it
    enable_tls: bool = True
    user: str = ""                      # run as this user
    launcher: tuple = ()                # the command that starts it, such as nsenter

    def but(self, **changes):
        """A copy with changes; `modparams` are merged, the value None removes one."""
        params = {**self.modparams, **changes.pop("modparams", {})}
        params = {name: value for name, value in params.items() if value is not None}
        return replace(self, modparams=params, **changes)


class StartFailed(Exception):
    """Kamailio exited before it was ready; .status and .log tell why."""

    def __init__(self, status, log):
        super().__init__(f"Kamailio ended with status {status}:\n{log.tail(40)}")
        self.status = status
        self.log = log


def _quoted(value):
    return str(value) if isinstance(value, int) else '"' + str(value).replace('"', '\\"') + '"'


def _protocol(name):
    """The core's protocol of a listen socket: that of DTLS is UDP."""
    word = name.rstrip("0123456789")
    return "udp" if word == "dtls" else word


class Kamailio:
    """A Kamailio process; see the docstring of this file."""

    live = []       # all running ones, for the report of a failing test

    def __init__(self, settings):
        self.settings = settings
        self.folder = Path(tempfile.mkdtemp(prefix="tlsg-"))
        self.log = Log(self.folder / "log")
        self._process = None
        self._ports = {}
        self._pids = ()
        self._checked = 0       # the log was searched for BAD_LINES up to here

    # -- start and stop -----------------------------------------------------------------------

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, kind, value, traceback):
        try:
            if kind is None:
                self.assert_healthy()
                self.stop()
            else:
                self.kill()
        finally:
            self.kill()
            self.remove()

    def start(self):
        """Start and wait until all processes are up; retry with new ports when one was taken meanwhile."""
        for attempt in range(START_ATTEMPTS):
            self._launch()
            try:
                until(self._ready, "Kamailio is up", START_TIMEOUT_S)
                break
            except StartFailed as failure:
                if attempt == START_ATTEMPTS - 1 or not failure.log.find("Address already in use"):
                    raise
            except AssertionError as stuck:
                doing = stacks.of(self._running())
                self.kill()
                raise AssertionError(f"{stuck}\n{self.log.tail(40)}\n{doing}") from None
        self._pids = tuple(entry["PID"] for entry in self.rpc("core.psx"))
        Kamailio.live.append(self)
        return self

    def _launch(self):
        if self.settings.user:
            shutil.chown(self.folder, self.settings.user)
        self._ports = {name: free_port() for name in self.settings.listen}
        self._slept = set()
        config = self.write_config()
        with open(self.log.path, "wb") as log:
            self._process = subprocess.Popen(
                self.command(config), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, cwd=self.folder)

    def command(self, config):
        """The command line that starts this Kamailio in the foreground."""
        return [*self.settings.launcher, BINARY, "-f", str(config), "-DD", "-E", "-Y", str(self.folder),
                "-P", str(self.folder / "pid"), "-m", str(self.settings.shm_mb),
                "-x", self.settings.shm_manager,
                *(("-u", self.settings.user) if self.settings.user else ())]

    def check_config(self):
        """Run `kamailio -c` on the configuration; returns (exit status, output)."""
        self._ports = {name: free_port() for name in self.settings.listen}
        done = subprocess.run(
            [BINARY, "-c", "-f", str(self.write_config()), "-Y", str(self.folder)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    def _ready(self):
        """True when all processes are forked and the RPC answers; raises StartFailed if Kamailio exited."""
        status = self._process.poll()
        if status is not None:
            self._wait_for_the_rest()
            raise StartFailed(status, self.log)
        try:
            table = self.rpc("core.psx", timeout_s=1)
        except OSError:
            return False
        if not any("tcp main" in entry["DSC"] for entry in table):
            return False
        # A child that has not run since its fork mistakes a SIGTERM for its parent's and drops it;
        # a child that sleeps has run.
        self._slept |= {entry["PID"] for entry in table if _state(entry["PID"]) in "SD"}
        return all(entry["PID"] in self._slept for entry in table)

    def stop(self):
        """Send SIGTERM, wait, and check that it exited with status 0 and left no process."""
        self._forget()
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            children = [pid for pid in self._pids if pid != self._process.pid and _is_alive(pid)]
            doing = stacks.of(self._running())
            is_of_the_core = core_lock.is_deadlock(children, BINARY) or core_lock.is_dead_timer(doing)
            self.kill()
            if is_of_the_core:
                print(f"Kamailio did not stop: its processes wait for a lock of the core's own\n{doing}")
                return
            raise AssertionError(f"Kamailio did not stop:\n{self.log.tail(60)}\n{doing}") from None
        assert status == 0, f"Kamailio ended with status {status}:\n{self.log.tail(60)}"
        left = [pid for pid in self._pids if _is_alive(pid)]
        assert not left, f"processes left behind: {left}"
        bad = self.log.find(BAD_LINES, self._checked)
        assert not bad, f"bad lines in the log: {bad[:5]}"

    def kill(self):
        """Kill it at once, whatever its state; nothing is checked."""
        self._forget()
        if self._process is None:
            return
        self._kill_group()
        self._process.wait(STOP_TIMEOUT_S)

    def _kill_group(self):
        """Only this Kamailio's process group: it was started in a session of its own."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _wait_for_the_rest(self):
        """Kamailio has exited: what it has started ends by itself; what does not is killed and a failure."""
        try:
            until(lambda: not self._running(), "the processes of a start that failed are gone", LEFT_TIMEOUT_S)
        finally:
            self._kill_group()

    def _running(self):
        """Process ids of all that is left of this Kamailio: the listed processes and those of its session."""
        session = {int(path.name) for path in Path("/proc").glob("[0-9]*") if _session(path) == self._process.pid}
        return sorted(pid for pid in {self._process.pid, *self._pids, *session} if _is_alive(pid))

    def _forget(self):
        if self in Kamailio.live:
            Kamailio.live.remove(self)

    def remove(self):
        """Remove the folder with configuration, log and sockets."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- configuration ------------------------------------------------------------------------

    def port(self, name="tls"):
        """Port number of a listen socket, by the name used in Settings.listen."""
        return self._ports[name]

    def address(self, name="tls"):
        return (LOOPBACK, self._ports[name])

    def write_config(self):
        """Write the configuration file; returns its path."""
        path = self.folder / "kamailio.cfg"
        path.write_text(self._config_text())
        return path

    def _config_text(self):
        s = self.settings
        lines = [
            "#!KAMAILIO",
            f"debug={s.debug}", "log_stderror=yes", "fork=yes",
            f"children={s.children}", f"tcp_children={s.tcp_children}",
            f"enable_tls={'yes' if s.enable_tls else 'no'}", "auto_aliases=no", "dns_srv_lb=no",
            # at shutdown: only the summary of the shared memory still in use
            "memdbg=3", "memlog=1", "mem_summary=8",
            *_limits(),
            *CORE,
            s.core,
        ]
        for name, port in self._ports.items():
            lines.append(f"listen={_protocol(name)}:{LOOPBACK}:{port}")
        lines.append(f'mpath="{STOCK_MODULES}"')
        lines += [f'loadmodule "{module}"' for module in (*s.load_before, s.module, *s.load_after)]
        lines += [f'loadmodule "{name}.so"' for name in BASE_MODULES + s.modules]
        lines += [
            f'modparam("ctl", "binrpc", "unix:{self.folder}/ctl")',
            'modparam("jsonrpcs", "transport", 4)',
            f'modparam("jsonrpcs", "dgram_socket", "{self.folder}/rpc")',
        ]
        lines += [f'modparam("tls", "{name}", {_quoted(value)})'
                  for name, value in s.modparams.items()]
        lines += [f'modparam("tls", "dtls_listen", "udp:{LOOPBACK}:{port}")'
                  for name, port in self._ports.items() if name.startswith("dtls")]
        lines += [s.config, s.script]
        return "\n".join(lines) + "\n"

    # -- queries ------------------------------------------------------------------------------

    def rpc(self, method, *params, timeout_s=20):
        """Call one RPC command through the JSON socket; raises OSError or RuntimeError."""
        mine = self.folder / f"c{next(_serial)}"
        question = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": 1}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(str(mine))
            try:
                mine.chmod(0o777)       # Kamailio may run as another user
                sock.settimeout(timeout_s)
                sock.sendto(json.dumps(question).encode(), str(self.folder / "rpc"))
                answer = json.loads(sock.recv(1 << 20))
            finally:
                mine.unlink()
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def kamcmd(self, *words):
        """What `kamcmd` prints for a command."""
        done = subprocess.run([KAMCMD, "-s", f"unix:{self.folder}/ctl", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=30, check=False)
        assert done.returncode == 0, f"kamcmd {words}: {done.stdout}{done.stderr}"
        return done.stdout

    def shm_used(self):
        """Bytes of shared memory in use, without the manager's own overhead."""
        return int(self.rpc("core.shmmem")["used"])

    def private_kb(self, pids=None):
        """Private memory of processes, all of them by default, in KB."""
        total = 0
        for pid in pids or self._pids:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                total += sum(int(line.split()[1]) for line in rollup
                             if line.startswith("Anonymous:"))
        return total

    def tls_info(self):
        """The reply of tls.info, with numbers as int."""
        return {name: int(value) for name, value in self.rpc("tls.info").items()}

    def connections(self):
        """Number of open TLS connections, as the core counts them."""
        return int(self.rpc("core.tcp_info")["opened_tls_connections"])

    def transactions(self):
        """Number of SIP transactions in memory."""
        return int(self.rpc("tm.stats")["current"])

    def wait_connections(self, count, timeout_s=30):
        """Wait until exactly `count` TLS connections are open."""
        until(lambda: self.connections() == count, f"{count} TLS connections", timeout_s)

    def pids(self, description=""):
        """Process ids; with a description only of the processes whose name contains it."""
        return tuple(entry["PID"] for entry in self.rpc("core.psx")
                     if description in entry["DSC"])

    def workers(self):
        """Process ids of the TCP workers."""
        return self.pids("tcp receiver")

    def assert_healthy(self):
        """Assert that all processes of the start are still running and that the log shows no crash.

        Lines that were reported once are not reported again.
        """
        status = self._process.poll()
        assert status is None, f"Kamailio ended with status {status}:\n{self.log.tail(60)}"
        dead = [pid for pid in self._pids if not _is_alive(pid)]
        assert not dead, f"processes died: {dead}\n{self.log.tail(60)}"
        since, self._checked = self._checked, self.log.mark()
        bad = self.log.find(BAD_LINES, since)
        assert not bad, f"bad lines in the log: {bad[:5]}"

    def shm_left(self):
        """After stop(): {"file: function(line)": (blocks, bytes)} that the TLS module left allocated.

        Taken from the summary that Kamailio's shared-memory debugger (qm) writes at the end.
        """
        assert self.log.find(r"still-in-use summary \(shm\)"), "no summary of shared memory"
        left = {}
        pattern = re.compile(r"count=\s*(\d+) size=\s*(\d+) bytes from (tls\w*: .*)$")
        for line in self.log.lines():
            found = pattern.search(line)
            if found:
                left[found.group(3)] = int(found.group(1)), int(found.group(2))
        return left


@contextlib.contextmanager
def started_with(settings, **variables):
    """The same as `with Kamailio(settings)`, with more environment variables in that Kamailio."""
    with contextlib.ExitStack() as stack:
        with mock.patch.dict(os.environ, variables):
            kam = stack.enter_context(Kamailio(settings))
        yield kam


def refused_start(settings):
    """Start one that must not start; returns its log."""
    kam = Kamailio(settings)
    try:
        kam.start()
    except StartFailed:
        return "\n".join(kam.log.lines())
    finally:
        kam.kill()
        kam.remove()
    raise AssertionError("it has started")


@functools.cache
def host_version():
    """Version of the Kamailio that is started: (5, 6, 3)."""
    text = subprocess.run([BINARY, "-v"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"version: kamailio (\d+)\.(\d+)\.(\d+)", text)
    assert found, f"no version in {text!r}"
    return tuple(map(int, found.groups()))


def smallest_shm_mb():
    """Size of shared memory that leaves enough for TLS: later versions of the core take more of it themselves.

    With tcp_main_threads a process takes 64 KB, also those that do not use TCP."""
    threads = any(re.fullmatch(r"\s*tcp_main_threads\s*=\s*[1-9]\d*\s*", line) for line in CORE)
    return (8 if host_version() < (5, 8) else 9) + threads


def _limits():
    """Core settings that lift the limits of newer cores, where their defaults are too low for the tests."""
    if host_version() < (5, 7, 3):
        return ()
    # 6.1.5 accepts no more than the largest datagram.
    size = 262144 if host_version() < (6, 1, 5) else 65535
    # The time for a message begins with the connection, or with the first bytes of its handshake.
    # In 5.7, 0 connections from an address are none.
    connections = 1000000 if host_version() < (5, 8) else 0
    return (f"msg_recv_max_size={size}", f"tcp_accept_iplimit={connections}",
            "tcp_msg_read_timeout=600", "tcp_msg_data_timeout=600")


def _state(pid):
    """The letter of a process's state, as ps(1) shows it; X if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "X"
    return stat.rpartition(")")[2].split()[0]


def _session(folder):
    """The session of the process that a folder of /proc is about; 0 if there is no such process."""
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return 0


def _is_alive(pid):
    """True when the process exists and is no zombie."""
    return _state(pid) not in "ZX"
