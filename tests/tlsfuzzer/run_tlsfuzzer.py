#!/usr/bin/python3
# tls_gnutls - runs the scripts of tlsfuzzer against tls.so, this module and gnutls-serv, and compares
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Usage: tests/tlsfuzzer/run_tlsfuzzer.py [--module FILE] [--sample N] [--jobs N] [--script PATTERN] [--smoke]
#        [--strict]
# Environment: TLSFUZZER_DIR  a tree of github.com/tlsfuzzer/tlsfuzzer; without it the run ends with status 77
#              TLSLITE_DIR    a tree of github.com/tlsfuzzer/tlslite-ng, if the package is not installed
# Every conversation that tls.so passes has to pass here, unless gnutls-serv fails it as well or known.txt lists it.
# Each script gets --sample conversations at most (0: all), the same ones for each server.
"""tlsfuzzer."""

import argparse
import fnmatch
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import servers
from certs import Certs

HERE = Path(__file__).resolve().parent
SKIPPED = 77
SCRIPT_S = 120
# most scripts name a conversation once, some repeat it
VERDICT = re.compile(r'^(?:(?P<name>\S.*) \.\.\.|"(?P<repeated>.*)" repeat \d+(?:\.\.\.)?)$', re.M)
# what `make check` runs: quick, and each shows another part of the protocol
SMOKE = ("test-conversation", "test-tls13-conversation", "test-invalid-session-id", "test-ccs", "test-tls13-ccs",
         "test-tls13-finished-plaintext", "test-zero-length-data")


class Result:
    """What one run of a script said: {conversation: passed}.  finished is False after a time-out or a crash of it."""

    def __init__(self, text, finished):
        self.passed = {}
        self.finished = finished and "Test end" in text
        self.last_line = (text.strip().splitlines() or [""])[-1]
        found = list(VERDICT.finditer(text))
        for at, match in enumerate(found):
            end = found[at + 1].start() if at + 1 < len(found) else len(text)
            ok = re.search(r"^OK$", text[match.end():end], re.M) is not None
            name = match["name"] or match["repeated"]
            self.passed[name] = ok and self.passed.get(name, True)


class Script:
    """One script, as it is run: with some arguments, against one kind of server."""

    def __init__(self, path, kind="rsa", arguments=()):
        self.path, self.kind, self.arguments = path, kind, tuple(arguments)
        self.name = path.stem + (" -d" if "-d" in arguments else "")

    def run(self, port, sample, environment, only=()):
        command = [sys.executable, str(HERE / "seeded.py"), str(self.path), "-h", "127.0.0.1", "-p", str(port),
                   *self.arguments]
        if sample is not None:
            command += ["-n", str(sample)]
        try:
            done = subprocess.run(command + list(only), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", timeout=SCRIPT_S,
                                  env=environment, check=False)
            return Result(done.stdout, True)
        except subprocess.TimeoutExpired as late:
            return Result((late.stdout or b"").decode(errors="replace"), False)


def why_skipped(name):
    """Why a script does not apply, or None."""
    for part in ("marvin", "lucky13", "minerva", "timing"):
        if part in name:
            return "measures time"
    if re.search("sslv2|SSLv3", name):
        return "versions that neither library has"
    if "without-TLSv1_2" in name:
        return "for servers without TLS 1.2"
    return None


def _options(path):
    """Letters of the options that a script explains, in its own text or that of the module behind it."""
    behind = path.parents[1] / "tlsfuzzer" / "_apps" / (path.stem.replace("-", "_") + ".py")
    texts = [part.read_text(encoding="utf-8") for part in (path, behind) if part.is_file()]
    return {letter for text in texts for letter in re.findall(r'print\(" *-(\w) ', text)}


def scripts(folder, certs, known, pattern):
    """The scripts that apply, with and without -d (an ephemeral key exchange in TLS 1.2) where a script knows it."""
    found = []
    for path in sorted(folder.glob("test-*.py")):
        if not any(fnmatch.fnmatchcase(path.stem, one) for one in pattern):
            continue
        reason = why_skipped(path.stem) or known.why_skipped(path.stem)
        if reason:
            print(f"skipped: {path.stem}: {reason}")
            continue
        options = _options(path)
        kind, arguments = "rsa", []
        if "k" in options:
            algorithm = "ecdsa" if "ecdsa" in path.stem else "rsa"
            kind, arguments = "asking", ["-k", certs.key(algorithm, "client"), "-c", certs.cert(algorithm, "client")]
        elif "ecdsa" in path.stem:
            kind = "ecdsa"
        found.append(Script(path, kind, arguments))
        if "d" in options:
            found.append(Script(path, kind, ["-d", *arguments]))
    return found


class Known:
    """Lines `script :: conversation :: reason`; script and conversation are patterns.
    A script whose conversation is `-` is not run.
    """

    def __init__(self, path):
        self.lines, self.used = [], set()
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                script, conversation, reason = line.split(" :: ", 2)
                self.lines.append((script, conversation, reason))

    def reason(self, script, conversation):
        for line in self.lines:
            if fnmatch.fnmatchcase(script, line[0]) and fnmatch.fnmatchcase(conversation, line[1]):
                self.used.add(line)
                return line[2]
        return None

    def why_skipped(self, script):
        """Why a script is not run, or None."""
        return self.reason(script, "-") if (script, "-") in {line[:2] for line in self.lines} else None

    def unused(self, names):
        """Lines about one of the scripts that were run, and not needed."""
        return [line for line in self.lines
                if line not in self.used and any(fnmatch.fnmatchcase(name, line[0]) for name in names)]


class Comparison:
    """The servers, and what they pass."""

    def __init__(self, args, environment, certs, known):
        self._args, self._environment = args, environment
        self._servers = {(name, kind): servers.begin(name, kind, certs, args.module)
                         for name in servers.NAMES for kind in servers.KINDS}
        self.known = known
        self.totals = dict.fromkeys(servers.NAMES, 0)
        self.conversations = self.shared = self.listed = 0
        self.problems = []

    def close(self):
        for (name, kind), server in self._servers.items():
            problem = server.close()
            if problem and name != servers.STOCK:
                self.problems.append(f"{name} ({kind}): {problem}")

    def _run(self, script, name, only=(), sample=None):
        return script.run(self._servers[name, script.kind].port, None if only else sample, self._environment, only)

    def compare(self, script):
        """@return the lines to print."""
        begin = time.monotonic()
        sample = self._args.sample
        by_name = {name: self._run(script, name, sample=sample) for name in servers.NAMES}
        stock, ours, gnutls = (by_name[name] for name in servers.NAMES)
        if not stock.passed and not stock.finished:
            return [f"skipped: {script.name} does not run here: {stock.last_line}"]
        lines, shared, listed = [], 0, 0
        worse = [name for name, passes in stock.passed.items() if passes and not ours.passed.get(name)]
        if worse:                                       # a slow machine is no difference
            again = [self._run(script, name, worse) for name in (servers.OURS, servers.STOCK)]
            worse = [name for name in worse if again[1].passed.get(name) and not again[0].passed.get(name)]
        for conversation in worse:
            if not gnutls.passed.get(conversation):
                shared += 1
                lines.append(f"    of GnuTLS: {conversation}")
                continue
            reason = self.known.reason(script.name, conversation)
            listed += reason is not None
            lines.append(f"    {'known' if reason else 'WORSE'}: {conversation}{': ' + reason if reason else ''}")
            if reason is None:
                self.problems.append(f"{script.name}: {conversation}: tls.so and gnutls-serv pass, tls_gnutls does not")
        counts = {name: sum(result.passed.values()) for name, result in by_name.items()}
        late = "".join(f", unfinished with {name}" for name, result in by_name.items() if not result.finished)
        text = ", ".join(f"{name} {count}" for name, count in counts.items())
        lines.insert(0, f"{script.name} ({script.kind}): {len(stock.passed)} conversations: {text}{late}; "
                        f"{time.monotonic() - begin:.0f} s")
        for name, count in counts.items():
            self.totals[name] += count
        self.conversations += len(stock.passed)
        self.shared += shared
        self.listed += listed
        problem = self._servers[servers.OURS, script.kind].died()
        if problem:
            self.problems.append(f"{script.name}: {problem}")
        return lines

    def summary(self):
        text = ", ".join(f"{name} {count}" for name, count in self.totals.items())
        return (f"tlsfuzzer: {self.conversations} conversations, passed: {text}; of those that tls.so passes and this "
                f"module fails, {self.shared} fail for gnutls-serv too, {self.listed} are known, "
                f"{len(self.problems)} problems")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", default=str(HERE.parents[1] / "build" / "tls_gnutls.so"))
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--script", action="append", default=[])
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--strict", action="store_true", help="a line of known.txt that is not needed is an error")
    args = parser.parse_args()
    args.script = args.script or (list(SMOKE) if args.smoke else ["*"])
    return args


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))       # the servers are stopped
    folder = os.environ.get("TLSFUZZER_DIR")
    if not folder or not (Path(folder) / "tlsfuzzer").is_dir():
        print("tlsfuzzer: SKIPPED, TLSFUZZER_DIR does not name a tree of tlsfuzzer")
        return SKIPPED
    environment = {**os.environ, "PYTHONUNBUFFERED": "1",
                   "PYTHONPATH": os.pathsep.join(filter(None, (folder, os.environ.get("TLSLITE_DIR"))))}
    if subprocess.run([sys.executable, "-c", "import tlsfuzzer.runner"], env=environment, capture_output=True,
                      check=False).returncode:
        print("tlsfuzzer: SKIPPED, its libraries are missing: python3-ecdsa, and tlslite-ng (or TLSLITE_DIR)")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="tlsg-fuzzer-") as made:
        certs = Certs(Path(made))
        known = Known(HERE / "known.txt")
        todo = scripts(Path(folder) / "scripts", certs, known, args.script)
        comparison = Comparison(args, environment, certs, known)
        pool = ThreadPoolExecutor(args.jobs)
        try:
            for done in as_completed(pool.submit(comparison.compare, script) for script in todo):
                print("\n".join(done.result()), flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
            comparison.close()
        unused = known.unused([script.name for script in todo])
    for line in unused:
        print(f"not needed in known.txt: {' :: '.join(line)}")
    if args.strict:
        comparison.problems += [f"not needed in known.txt: {' :: '.join(line)}" for line in unused]
    print("\n".join(comparison.problems))
    print(comparison.summary())
    return 1 if comparison.problems else 0


if __name__ == "__main__":
    sys.exit(main())
