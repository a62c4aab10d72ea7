# tls_gnutls - four kinds of PKCS#11 tokens with their daemons, in folders of a test
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""SoftHSM, a TPM (swtpm, tpm2-abrmd, tpm2-pkcs11), openCryptoki's software token (pkcsslotd), and NSS's certificate
database through p11-kit's server. Nothing of the system's own tokens, sockets and folders is touched: what openCryptoki
and p11-kit have at fixed places is mounted over in a mount namespace of its own, which needs root.

    token = Tpm(folder, {"server-rsa": (key, certificate), ...})
    settings.but(launcher=token.launcher, modparams={"private_key": token.uri("server-rsa")})    # with token.env set
    token.hide(); token.show()      # the device or daemon goes away and comes back
    token.close()
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from .ports import LOOPBACK, free_port
from .wait import until

LIB = "/usr/lib/x86_64-linux-gnu"
PIN = "pin-7261"                # openCryptoki takes 4 to 8 characters
SO_PIN = "so-98765"


def run(*command, env=None):
    """Run a command; returns its output, and raises AssertionError with it on failure."""
    done = subprocess.run(list(map(str, command)), input="", capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


class _Daemons:
    """Processes that run for a token, each with its output in a file."""

    def __init__(self, folder, env):
        self._folder = folder
        self._env = env
        self._running = []

    def start(self, *command):
        """Start one, in a session of its own."""
        with open(self._folder / f"{Path(command[0]).name}.log", "ab") as log:
            self._running.append(subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self._env}, start_new_session=True))
        return self._running[-1]

    def runs(self, one):
        """Whether one has not ended; if it has, it is forgotten."""
        if one.poll() is None:
            return True
        self._running.remove(one)
        return False

    def stop(self):
        """Kill all of them with their children, the last one first."""
        for one in reversed(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()
        self._running.clear()



class Token:
    """What the four have in common."""

    PROGRAMS = ()               # that must be installed
    PACKAGES = ""               # that have them
    MODULE = ""                 # path of the library
    NEEDS_ROOT = False
    HAS_EC = True
    OUTLIVES_DAEMON = False     # open sessions work without the daemon

    @classmethod
    def missing(cls):
        """Why this kind cannot be tested here; empty: it can."""
        if not Path(cls.MODULE).is_file() or not all(map(shutil.which, cls.PROGRAMS)):
            return f"not all of {cls.PACKAGES} are installed"
        if cls.NEEDS_ROOT and os.geteuid() != 0:
            return "it needs root, for a mount namespace"
        return ""

    def __init__(self, folder, pairs):
        self.folder = Path(folder)
        self.label = "sip"
        self.pin = PIN
        self.env = {}
        self.launcher = ()      # what a program that uses the token is started with
        self.daemons = _Daemons(self.folder, self.env)
        self.holders = _Daemons(self.folder, self.env)      # what stays while the token is away
        try:
            self.prepare()
            for row, (key, certificate) in pairs.items():
                self.add(row, key, certificate)
        except BaseException:
            self.close()
            raise

    def prepare(self):
        """Make the token and start what it needs."""
        raise NotImplementedError

    def add(self, row, key, certificate):
        """Put a key (PEM) on the token, labelled as its row."""
        raise NotImplementedError

    def hide(self):
        """Take the token away until show()."""
        self.daemons.stop()

    def show(self):
        """Put it back."""
        raise NotImplementedError

    def set_pin(self, pin):
        """Change the PIN."""
        self.tool("--change-pin", "--new-pin", pin)
        self.pin = pin

    def failures(self):
        """Number of failed logins that the token counts; None: it does not tell."""
        return None

    def run(self, *command):
        """Run a program that uses the token; returns its output."""
        return run(*self.launcher, *command, env=self.env)

    def tool(self, *arguments):
        """Run pkcs11-tool with a login."""
        return self.run("pkcs11-tool", "--module", self.MODULE, "--token-label", self.label,
                        "--login", "--pin", self.pin, *arguments)

    def uri(self, row, pin=True, **query):
        """URI of a private key; pin: True for the token's PIN, a text for another one, False for none."""
        query = {"module-path": self.MODULE, **{name.replace("_", "-"): value for name, value in query.items()}}
        if pin:
            query["pin-value"] = self.pin if pin is True else pin
        return (f"pkcs11:token={self.label.replace(' ', '%20')};object={row};type=private?"
                + "&".join(f"{name}={value}" for name, value in query.items() if value))

    def close(self):
        """End all processes."""
        self.daemons.stop()
        self.holders.stop()


class SoftHsm(Token):
    """SoftHSM 2."""

    PROGRAMS = ("softhsm2-util", "pkcs11-tool")
    PACKAGES = "softhsm2, opensc"
    MODULE = "/usr/lib/softhsm/libsofthsm2.so"

    def prepare(self):
        (self.folder / "tokens").mkdir()
        config = self.folder / "softhsm2.conf"
        config.write_text(f"directories.tokendir = {self.folder}/tokens\nobjectstore.backend = file\n")
        self.env["SOFTHSM2_CONF"] = str(config)
        self.run("softhsm2-util", "--init-token", "--free", "--label", self.label, "--pin", PIN, "--so-pin", SO_PIN)

    def add(self, row, key, certificate):
        number = f"{len(list(self.folder.rglob('*.object'))) + 1:04x}"
        self.run("softhsm2-util", "--import", key, "--token", self.label, "--label", row, "--id", number,
                 "--pin", self.pin)

    def hide(self):
        (self.folder / "tokens").rename(self.folder / "away")
        (self.folder / "tokens").mkdir()

    def show(self):
        (self.folder / "tokens").rmdir()
        (self.folder / "away").rename(self.folder / "tokens")


class Tpm(Token):
    """A TPM 2.0 in software, with a resource manager on a D-Bus of its own."""

    PROGRAMS = ("swtpm", "tpm2-abrmd", "dbus-daemon", "tpm2_ptool", "tpm2_getcap", "tpm2_dictionarylockout",
                "tpm2_flushcontext")
    PACKAGES = ("swtpm, swtpm-tools, tpm2-abrmd, libtss2-tcti-tabrmd0, dbus-daemon, tpm2-tools, libtpm2-pkcs11-1, "
                "libtpm2-pkcs11-tools")
    MODULE = f"{LIB}/pkcs11/libtpm2_pkcs11.so"

    def prepare(self):
        for name in ("state", "store"):
            (self.folder / name).mkdir()
        self.env["TPM2_PKCS11_STORE"] = str(self.folder / "store")
        bus = f"unix:path={self.folder}/bus"
        self._address("tabrmd:bus_type=session", DBUS_SESSION_BUS_ADDRESS=bus)
        self.holders.start("dbus-daemon", "--session", f"--address={bus}", "--nofork", "--nopidfile")
        until((self.folder / "bus").exists, "the bus listens")
        self.show()
        self._ptool("init")
        self._ptool("addtoken", "--pid", "1", "--sopin", SO_PIN, "--userpin", PIN, "--label", self.label)

    def _ptool(self, *arguments):
        return run("tpm2_ptool", *arguments, env=self.env)

    def add(self, row, key, certificate):
        self._ptool("import", "--label", self.label, "--key-label", row, "--userpin", self.pin, "--privkey", key,
                    "--algorithm", "ecc" if row.endswith("ec") else "rsa")

    def _swtpm(self):
        """Start the TPM, which has two ports next to each other; returns its address."""
        for _ in range(20):
            port = free_port()
            one = self.daemons.start(
                "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}/state",
                "--flags", "not-need-init,startup-clear",
                "--server", f"type=tcp,port={port},bindaddr={LOOPBACK}",
                "--ctrl", f"type=tcp,port={port + 1},bindaddr={LOOPBACK}")
            until(lambda: one.poll() is not None or _listens(port) and _listens(port + 1), "swtpm listens")
            if self.daemons.runs(one):
                return f"swtpm:host={LOOPBACK},port={port}"
        raise AssertionError("swtpm does not start")

    def show(self):
        manager = self.daemons.start("tpm2-abrmd", "--session", "--allow-root", f"--tcti={self._swtpm()}")
        until(lambda: self._answers() or not self.daemons.runs(manager), "the TPM answers")
        assert self.daemons.runs(manager), "tpm2-abrmd has ended"
        self.unlock()           # a TPM that was not shut down in order counts that as a failed login

    def unmanaged(self):
        """Take the resource manager away: from now on programs use the TPM directly."""
        self.hide()
        self._address(self._swtpm())
        until(self._answers, "the TPM answers")
        self.unlock()

    def flush(self):
        """Forget what programs have left in a TPM without a resource manager."""
        for what in ("-t", "-l"):
            run("tpm2_flushcontext", what, env=self.env)

    def _address(self, tcti, **more):
        self.env.update(TPM2_PKCS11_TCTI=tcti, TPM2TOOLS_TCTI=tcti, **more)

    def _answers(self):
        return subprocess.run(["tpm2_getcap", "properties-fixed"], capture_output=True, timeout=60, check=False,
                              env={**os.environ, **self.env}).returncode == 0

    def set_pin(self, pin):
        self._ptool("changepin", "--label", self.label, "--user", "user", "--old", self.pin, "--new", pin)
        self.pin = pin

    def failures(self):
        shown = run("tpm2_getcap", "properties-variable", env=self.env)
        (line,) = [line for line in shown.splitlines() if "LOCKOUT_COUNTER" in line]
        return int(line.split()[1], 0)

    def unlock(self):
        """Forget the failed logins."""
        run("tpm2_dictionarylockout", "-c", env=self.env)


class OpenCryptoki(Token):
    """openCryptoki's software token. Its daemon and its library have fixed paths, and use System V shared memory."""

    PROGRAMS = ("pkcsslotd", "pkcs11-tool", "unshare", "nsenter", "openssl")
    PACKAGES = "opencryptoki, opensc"
    MODULE = f"{LIB}/pkcs11/libopencryptoki.so"
    NEEDS_ROOT = True
    HAS_EC = False              # Debian's version has no mechanism for EC keys
    OUTLIVES_DAEMON = True
    SCRIPT = """
    set -e
    mount --bind run /run
    mount --bind lib /var/lib/opencryptoki
    mount --bind log /var/log/opencryptoki
    mount --bind opencryptoki.conf /etc/opencryptoki/opencryptoki.conf
    mount -t tmpfs none /dev/shm
    touch run/mounted
    exec sleep infinity
    """

    def prepare(self):
        for name in ("run/lock/opencryptoki/swtok", "lib/swtok/TOK_OBJ", "log"):
            (self.folder / name).mkdir(parents=True)
        self.share()
        Path("/var/log/opencryptoki").mkdir(exist_ok=True)      # the daemon makes it too
        (self.folder / "opencryptoki.conf").write_text(
            "version opencryptoki-3.1\nslot 3\n{\nstdll = libpkcs11_sw.so\n}\n")
        holder = self.holders.start("unshare", "-m", "-i", "sh", "-c", f"cd '{self.folder}'{self.SCRIPT}")
        mounted = self.folder / "run" / "mounted"
        until(lambda: mounted.exists() or holder.poll() is not None, "the folders are mounted")
        assert self.holders.runs(holder), (self.folder / "unshare.log").read_text()
        self.launcher = ("nsenter", "-t", str(holder.pid), "-m", "-i")
        self.show()
        tool = ("pkcs11-tool", "--module", self.MODULE, "--so-pin", "87654321")     # the one it is delivered with
        self.run(*tool, "--init-token", "--slot", "3", "--label", self.label)
        self.run(*tool, "--init-pin", "--token-label", self.label, "--pin", PIN)

    def add(self, row, key, certificate):
        der = self.folder / "key.der"
        run("openssl", "rsa", "-in", key, "-outform", "DER", "-out", der)
        self.tool("--write-object", der, "--type", "privkey", "--label", row, "--id", "01",
                  "--usage-sign", "--usage-decrypt")
        der.unlink()

    def show(self):
        self.daemons.start(*self.launcher, "pkcsslotd", "-f")
        until(lambda: list((self.folder / "run").rglob("pkcsslotd.socket")), "pkcsslotd listens")

    def share(self):
        """Let the daemon's group use the folders: newer daemons run as another user than root."""
        for name in ("run/lock", "lib", "log"):
            for path in (self.folder / name, *(self.folder / name).rglob("*")):
                shutil.chown(path, group="pkcs11")
                path.chmod(0o770 if path.is_dir() else 0o660)

    def _end(self):
        """A newer daemon has left its parent, and its files are in a folder of its own."""
        for file in (self.folder / "run").rglob("pkcsslotd.pid"):
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(file.read_text()), signal.SIGKILL)
            file.unlink()
        for file in (self.folder / "run").rglob("pkcsslotd*.socket"):
            file.unlink()

    def hide(self):
        self._end()
        super().hide()

    def close(self):
        self._end()
        super().close()


class Nss(Token):
    """NSS's certificate database. Its module needs parameters, which p11-kit's server gives it."""

    PROGRAMS = ("p11-kit", "certutil", "pk12util", "openssl", "unshare")
    PACKAGES = "p11-kit, p11-kit-modules, libnss3, libnss3-tools"
    MODULE = f"{LIB}/pkcs11/p11-kit-client.so"
    NEEDS_ROOT = True

    def prepare(self):
        self.label = "NSS Certificate DB"
        for name in ("db", "modules"):
            (self.folder / name).mkdir()
        (self.folder / "modules" / "nss.module").write_text(
            f"module: {LIB}/libsoftokn3.so\n"
            f"x-init-reserved: configdir='sql:{self.folder}/db' certPrefix='' keyPrefix='' secmod='secmod.db'\n")
        (self.folder / "pin").write_text(PIN)
        run("certutil", "-N", "-d", f"sql:{self.folder}/db", "-f", self.folder / "pin")
        self.env["P11_KIT_SERVER_ADDRESS"] = f"unix:path={self.folder}/socket"
        self.show()

    def add(self, row, key, certificate):
        p12 = self.folder / "pair.p12"
        run("openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-name", row, "-passout", "pass:x",
            "-out", p12)
        run("pk12util", "-i", p12, "-d", f"sql:{self.folder}/db", "-k", self.folder / "pin", "-W", "x")
        p12.unlink()

    def show(self):
        socket_path = self.folder / "socket"
        socket_path.unlink(missing_ok=True)
        self.daemons.start(
            "unshare", "-m", "sh", "-c",
            f"mount --bind '{self.folder}/modules' /usr/share/p11-kit/modules && exec p11-kit server -f "
            f"-n '{socket_path}' 'pkcs11:token=NSS%20Certificate%20DB'")
        until(socket_path.exists, "p11-kit's server listens")

    def set_pin(self, pin):
        (self.folder / "new").write_text(pin)
        run("certutil", "-W", "-d", f"sql:{self.folder}/db", "-f", self.folder / "pin", "-@", self.folder / "new")
        (self.folder / "new").rename(self.folder / "pin")
        self.pin = pin


KINDS = {"SoftHSM": SoftHsm, "TPM": Tpm, "openCryptoki": OpenCryptoki, "NSS": Nss}


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
