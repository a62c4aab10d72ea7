# tls_gnutls - things that go on side by side for a while, for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import subprocess
import threading

JOIN_S = 180


class Repeat:
    """Calls each part again and again, in a thread of its own, until the time is over.

    .failures  what the parts raised, in order.  A part that waits uses wait(), which ends early.
    """

    def __init__(self, seconds):
        self._seconds = seconds
        self._over = threading.Event()
        self.failures = []

    def run(self, parts):
        threads = [threading.Thread(target=self._repeat, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        self._over.wait(self._seconds)
        self._over.set()
        for thread in threads:
            thread.join(JOIN_S)
            assert not thread.is_alive(), "a part does not end"

    def _repeat(self, part):
        while not self._over.is_set():
            try:
                part()
            except Exception as failure:        # whatever it is, the test has to see it
                self.failures.append(repr(failure))
                self._over.wait(0.2)

    def wait(self, seconds):
        """Until then, or the end. @return whether it is over."""
        return self._over.wait(seconds)

    def program(self, *command):
        """Run a program to its end, or stop it when the time is over. @return whether it came to its end."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            while process.poll() is None and not self.wait(0.1):
                pass
            return process.poll() is not None
        finally:
            process.kill()
            process.wait()
