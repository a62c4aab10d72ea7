# tls_gnutls - starts a Kamailio from a terminal, for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
from pathlib import Path

from .kamailio import Kamailio
from .ports import free_port
from .wait import until


class Terminal:
    """Starts a Kamailio from a terminal, in the foreground or as a daemon."""

    def __init__(self, settings, daemon):
        self.kam = Kamailio(settings)
        self.daemon = daemon
        self.master, slave = pty.openpty()
        self.kam._ports = {name: free_port() for name in settings.listen}
        command = self.kam.command(self.kam.write_config())
        if daemon:
            command.remove("-DD")
        with open(self.kam.log.path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=slave, stdout=log, stderr=log, cwd=self.kam.folder,
                                            start_new_session=True, preexec_fn=lambda: _take_terminal(slave))
        os.close(slave)
        self.shown = b""

    def read_until(self, text):
        while text not in self.shown:
            assert self.ready(), f"not shown: {text}; {self.shown}\n{self.kam.log.tail(20)}"
            self.shown += os.read(self.master, 4096)

    def ready(self, timeout_s=20):
        return bool(select.select([self.master], [], [], timeout_s)[0])

    def answer(self, text):
        self.read_until(b": ")
        os.write(self.master, text)

    def main_pid(self):
        return int((self.kam.folder / "pid").read_text()) if self.daemon else self.process.pid

    def up(self):
        """Wait until it runs; a daemon's first process has exited with status 0 by then."""
        if self.daemon:
            assert self.process.wait(30) == 0, self.kam.log.tail(30)
        until(lambda: self._has_tcp_main(), "Kamailio is up", 30)

    def _has_tcp_main(self):
        try:
            return any("tcp main" in entry["DSC"] for entry in self.kam.rpc("core.psx", timeout_s=1))
        except OSError:
            return False

    def failed(self):
        """Wait until the start has failed; returns the lines that say why."""
        assert self.process.wait(30) != 0
        return [text for module, text in self.kam.log.at_level("ERROR") if module == "tls"]

    def close(self):
        try:
            os.kill(self.main_pid(), signal.SIGTERM)
            if not self.daemon:
                self.process.wait(30)
            else:
                until(lambda: not Path(f"/proc/{self.main_pid()}").exists(), "the daemon is gone", 30)
        except (OSError, ValueError):
            pass
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self.master)
            self.kam.remove()


def _take_terminal(slave):
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
