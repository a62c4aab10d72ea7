# tls_gnutls - PKCS#11 tokens of the end-to-end tests: SoftHSM in a folder of the test
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""A SoftHSM 2 with its tokens in one folder.

    hsm = SoftHsm(folder, monkeypatch)      # SOFTHSM2_CONF points there from now on
    token = hsm.token("sip", pin="1234")
    token.add_key("k1", pki.key("server-ec"))
    token.uri("k1")

At each login SoftHSM 2.6.1 empties the file of the token, unlocks it and then writes it. A program that looks in
between finds no token, which is why the module tries again; under a high load its attempts may all fall into that gap.
A program that is killed in between leaves an empty file, and so no token.
"""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "pin-7261534"
SO_PIN = "so-98765"


def run(*command, **more):
    """Run a command; returns its output, and raises AssertionError with it on failure."""
    more.setdefault("input", "")
    done = subprocess.run(list(command), capture_output=True, text=True,
                          timeout=60, check=False, **more)
    output = done.stdout + done.stderr
    assert done.returncode == 0, f"{command}: {output}"
    return output


class SoftHsm:
    """Tokens in a folder; every program started afterwards sees them, until another one is made."""

    def __init__(self, folder, monkeypatch):
        self.folder = Path(folder)
        self.tokens = self.folder / "tokens"
        self.tokens.mkdir(parents=True)
        self.module = MODULE        # what URIs name
        self.config = self.folder / "softhsm2.conf"
        self.config.write_text(f"directories.tokendir = {self.tokens}\n"
                               "objectstore.backend = file\nlog.level = ERROR\n")
        monkeypatch.setenv("SOFTHSM2_CONF", str(self.config))

    def run(self, *command):
        """Run a command that sees these tokens."""
        return run(*command, env={**os.environ, "SOFTHSM2_CONF": str(self.config)})

    def token(self, label, pin="1234"):
        """A new token."""
        self.run("softhsm2-util", "--init-token", "--free", "--label", label,
                 "--pin", pin, "--so-pin", SO_PIN)
        return Token(self, label, pin)

    def hide(self):
        """Move all tokens away until show()."""
        away = self.folder / "away"
        self.tokens.rename(away)
        self.tokens.mkdir()

    def show(self):
        """Move them back."""
        self.tokens.rmdir()
        (self.folder / "away").rename(self.tokens)


class Token:
    """One token."""

    def __init__(self, hsm, label, pin):
        self.hsm = hsm
        self.label = label
        self.pin = pin
        self._next_id = 1

    def _tool(self, *arguments):
        return self.hsm.run("pkcs11-tool", "--module", MODULE, "--token-label", self.label,
                            "--login", "--pin", self.pin, *arguments)

    def add_key(self, label, path):
        """Put a key of a PEM file on the token, with its public key; returns its id in hex."""
        number = f"{self._next_id:04x}"
        self._next_id += 1
        self.hsm.run("softhsm2-util", "--import", str(path), "--token", self.label,
                     "--label", label, "--id", number, "--pin", self.pin)
        return number

    def add_certificate(self, label, path, number):
        """Put the first certificate of a PEM file on the token."""
        der = self.hsm.folder / "one.der"
        run("openssl", "x509", "-in", str(path), "-outform", "DER", "-out", str(der))
        self._tool("--write-object", str(der), "--type", "cert", "--label", label, "--id", number)

    def delete(self, label, kind="privkey"):
        """Remove an object."""
        self._tool("--delete-object", "--type", kind, "--label", label)

    def set_pin(self, pin):
        """Change the PIN."""
        self._tool("--change-pin", "--new-pin", pin)
        self.pin = pin

    def slot(self):
        """Number of the token's slot."""
        for part in self.hsm.run("softhsm2-util", "--show-slots").split("\nSlot ")[1:]:
            if any(line.split() == ["Label:", self.label] for line in part.splitlines()):
                return int(part.split()[0])
        raise AssertionError(f"no slot has {self.label}")

    def uri(self, label=None, kind="private", pin=True, **query):
        """URI of an object; pin: True for the token's PIN, a text for another one, False for none."""
        text = f"pkcs11:token={self.label}"
        if label:
            text += f";object={label}"
        if kind:
            text += f";type={kind}"
        query = {"module-path": self.hsm.module, **{k.replace("_", "-"): v for k, v in query.items()}}
        if pin:
            query["pin-value"] = self.pin if pin is True else pin
        return text + "?" + "&".join(f"{name}={value}" for name, value in query.items() if value)


class Faults:
    """A PKCS#11 module on top of SoftHSM that fails on demand; see p11_fault.c.

    With an hsm it always sees that one's tokens, through a copy of SoftHSM of its own, so that several can be
    loaded into one process; otherwise those of SOFTHSM2_CONF."""

    def __init__(self, folder, hsm=None):
        self.module = str(folder / "p11-fault.so")
        self.control = folder / "faults"
        library, more = MODULE, []
        if hsm:
            library = str(folder / "softhsm-copy.so")
            shutil.copyfile(MODULE, library)
            more = [f'-DSOFTHSM_CONF="{hsm.config}"']
            hsm.module = self.module
        run("gcc", "-shared", "-fPIC", "-Wall", "-Werror", f'-DSOFTHSM="{library}"', f'-DCONTROL="{self.control}"',
            *more, *run("pkg-config", "--cflags", "p11-kit-1").split(),
            str(Path(__file__).with_name("p11_fault.c")), "-o", self.module, "-ldl")
        self.set()

    def set(self, **faults):
        """Set the faults from now on; without arguments the module works."""
        fresh = self.control.with_suffix(".new")
        fresh.write_text("".join(f"{word} {value}\n" for word, value in faults.items()))
        fresh.rename(self.control)

    def count(self, what):
        """Number of calls of "login", "entered", "sign" or "init" so far."""
        return len(self.pids(what))

    def pids(self, what):
        """The processes that called it, one entry per call."""
        return [int(line.split()[1]) for line in self._lines(what)]

    def pins(self):
        """The PINs of all logins so far, whether the token accepted them or not."""
        return [line.partition(" ")[2].partition(" ")[2] for line in self._lines("login")]

    def _lines(self, what):
        log = self.control.with_name("faults.log")
        return [line for line in log.read_text().splitlines() if line.startswith(what + " ")] if log.exists() else []


class Registry:
    """p11-kit's registered modules, replaced for this process and what it starts, until close(). Only for root.

    The system's folder of modules is covered in a mount namespace of its own: p11-kit reads no user's
    configuration for root. Raises OSError where that is not allowed."""

    SYSTEM = "/usr/share/p11-kit/modules"

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._before = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)
        self._call("unshare", self.NEWNS)
        self._call("mount", b"none", b"/", None, self.REC | self.PRIVATE, None)
        self._call("mount", os.fsencode(self.folder), self.SYSTEM.encode(), None, self.BIND, None)

    NEWNS, BIND, REC, PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000     # CLONE_NEWNS, MS_*

    def _call(self, name, *arguments):
        if getattr(self._libc, name)(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")

    def add(self, name, line):
        """Register a module; line: "module: PATH", "remote: |COMMAND", "remote: unix:path=PATH"."""
        (self.folder / f"{name}.module").write_text(line + "\n")

    def close(self):
        """Back to the system's modules."""
        self._call("setns", self._before, self.NEWNS)
        os.close(self._before)


def available():
    """Whether the programs are installed."""
    return Path(MODULE).is_file() and all(map(shutil.which, ("softhsm2-util", "pkcs11-tool")))
