# tls_gnutls - end to end: ticket_key_file: sessions resume on other hosts and after restarts, and rotation
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import base64
import os
import re
import shutil
import signal
import ssl
import subprocess
from pathlib import Path

import pytest

from .lib import cli, sip
from .lib.kamailio import KAMCMD, Kamailio, StartFailed
from .lib.tls import TlsClient, client_context
from .lib.tlscfg import pair, reading, section

pytestmark = pytest.mark.ours_only("tls.so has no ticket_key_file")

VERSIONS = ("TLSv1.2", "TLSv1.3")
DOC = Path(__file__).resolve().parents[2] / "doc" / "resumption.md"
KEY_BYTES = 64
RELOADED = "Ok. TLS configuration reloaded."


def _make(path, mode=0o600):
    path.write_bytes(os.urandom(KEY_BYTES))
    path.chmod(mode)
    return path


@pytest.fixture
def key(tmp_path):
    return _make(tmp_path / "first.key")


@pytest.fixture
def resuming(settings):
    """resuming(*files, **modparams): settings of a host with these keys."""
    def make(*files, **modparams):
        return settings.but(modparams={"session_cache": 1, "ticket_key_file": ", ".join(map(str, files)), **modparams})
    return make


def _visit(kam, context, session=None, name="localhost"):
    """One connection with one OPTIONS: (resumed?, session for the next)."""
    with TlsClient(kam.address(), context, session=session, name=name) as client:
        assert client.ask(sip.options(kam.port())).status == 200
        return client.reused, client.session


def _resumes(kam, context, session):
    return _visit(kam, context, session)[0]


def _refused(kam, context, session):
    """Whether the connection ends without a reply."""
    try:
        _visit(kam, context, session)
    except (ssl.SSLError, OSError, EOFError):
        return True
    return False


def _figures(kam, *names):
    got = kam.rpc("tls.sessions")
    return [int(got[name]) for name in names]


# ---- hosts and restarts ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", VERSIONS)
def test_other_hosts_and_restarts(start, resuming, key, version):
    """Each connection resumes the session that the one before left, on any of two hosts and of their starts."""
    context = client_context(version=version)
    hosts = [start(resuming(key)), start(resuming(key))]
    reused, session = _visit(hosts[0], context)
    assert not reused
    for round_ in range(3):
        for kam in (hosts[1], hosts[0], hosts[1]):
            reused, session = _visit(kam, context, session)
            assert reused
        hosts[round_ % 2].stop()
        hosts[round_ % 2].start()
        reused, session = _visit(hosts[round_ % 2], context, session)
        assert reused
    counter = "handshakes_resumed_server_" + {"TLSv1.2": "tls1_2", "TLSv1.3": "tls1_3"}[version]
    resumed, refused = _figures(hosts[0], counter, "tickets_refused")
    assert resumed >= 1 and refused == 0


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("program", ("openssl", "gnutls"))
def test_command_line_clients(start, resuming, key, pki, tmp_path, version, program):
    """openssl keeps its session in a file, gnutls-cli reconnects by itself."""
    one, two = start(resuming(key)), start(resuming(key))
    if program == "gnutls":
        more = ("--resume", "--waitresumption") if version == "TLSv1.3" else ("--resume",)
        assert cli.gnutls_cli(two.address(), *more, trust=pki.path("ca.pem"), version=version).reused
        return
    session = str(tmp_path / "session")
    assert not cli.openssl(one.address(), "-sess_out", session, trust=pki.path("ca.pem"), version=version).reused
    one.stop()
    one.start()
    for kam in (two, one, two):
        assert cli.openssl(kam.address(), "-sess_in", session, trust=pki.path("ca.pem"), version=version).reused


@pytest.mark.parametrize("version", VERSIONS)
def test_profiles_on_other_addresses(start, settings, key, pki, tmp_path, version):
    """What a section says counts, not the address it is for, nor its place in the file."""
    def host(name, *sections):
        path = tmp_path / name
        path.write_text("".join(sections))
        return start(reading(settings, path).but(modparams={"session_cache": 1, "ticket_key_file": str(key)}))

    ec, rsa = pair(pki, "server-ec"), pair(pki, "server-rsa")
    default = section("server:default", method="TLSv1.2+", **ec)
    by_name = section("server:any", server_name="open.example", method="TLSv1.2+", **rsa)
    other = section("server:any", server_name="other.example", method="TLSv1.2+", **rsa)
    one = host("one.cfg", default, by_name, other)
    two = host("two.cfg", other, by_name, default)
    context = client_context(version=version)
    for name in ("open.example", "localhost"):
        _, session = _visit(one, context, name=name)
        assert _visit(two, context, session, name=name)[0]
    _, session = _visit(one, context, name="open.example")
    assert not _visit(two, context, session, name="other.example")[0]
    assert not _visit(two, context, session, name="localhost")[0]
    assert _figures(two, "tickets_refused_unknown_key") == [2]


# ---- what may not resume ---------------------------------------------------------------------------------------------

# what differs on the second host -> whether it serves the client at all
DIFFERENCES = {
    "session_id": {"session_id": "another"},
    "certificate": {"certificate": "server-rsa"},
    "authority": {"ca_list": "ca-both.pem"},
    "other authority": {"ca_list": "ca-stranger.pem"},
    "revocation list": {"crl": "all.crl"},
    "verification": {"verify_client": "off"},
    "stricter verification": {"verify_depth": 0},
    "suites": {"cipher_list": "ECDHE+AESGCM"},
    "versions": {"tls_method": "TLSv1+"},
}
REFUSED = {"other authority", "stricter verification"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what", DIFFERENCES)
def test_whatever_differs_is_not_resumed(start, resuming, key, pki, version, what):
    """Neither on another host with the same key, nor after a restart of the same one."""
    common = {"verify_client": "on"}
    changed = dict(DIFFERENCES[what])
    for name in ("ca_list", "crl"):
        if name in changed:
            changed[name] = pki.path(changed[name])
    if "certificate" in changed:
        changed = {"certificate": pki.cert("server-rsa"), "private_key": pki.key("server-rsa")}
    one = start(resuming(key, **common))
    two = start(resuming(key, **{**common, **changed}))
    context = client_context(version=version, cert=pki.cert("client-ok"), key=pki.key("client-ok"))
    _, session = _visit(one, context)
    assert _resumes(one, context, session)
    if what in REFUSED:
        assert _refused(two, context, session)
        return
    assert not _resumes(two, context, session)
    assert _figures(two, "tickets_refused", "tickets_refused_unknown_key", "handshakes_done_resumed") == [1, 1, 0]


@pytest.mark.parametrize("version", VERSIONS)
def test_revoked_and_expired_since(start, resuming, key, pki, tmp_path, version):
    """A client that was fine is verified again with what is in force now, on each host and after a restart."""
    crl = tmp_path / "crl.pem"
    shutil.copy(pki.path("all.crl"), crl)
    one = start(resuming(key, verify_client="on", crl=str(crl)))
    two = start(resuming(key, verify_client="on"))
    context = client_context(version=version, cert=pki.cert("client-revoked"), key=pki.key("client-revoked"))
    _, session = _visit(two, context)           # no list there
    assert _resumes(two, context, session)
    assert _refused(one, context, session)      # another context, and a full handshake is refused
    two.stop()
    two.settings = resuming(key, verify_client="on", crl=str(crl))
    two.start()
    assert _refused(two, context, session)
    assert _refused(two, context, None)


@pytest.mark.parametrize("version", VERSIONS)
def test_without_the_key_nothing_resumes(start, resuming, settings, key, tmp_path, version):
    context = client_context(version=version)
    one = start(resuming(key))
    two = start(resuming(_make(tmp_path / "other.key")))
    plain = start(settings.but(modparams={"session_cache": 1}))
    _, session = _visit(one, context)
    for kam in (two, plain):
        assert not _resumes(kam, context, session)
        assert _figures(kam, "tickets_refused_unknown_key") == [1]
    _, session = _visit(plain, context)
    assert not _resumes(one, context, session)


# ---- rotation --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", VERSIONS)
def test_rotation(start, resuming, key, tmp_path, version):
    """A new key in front: old tickets resume as long as the old key is there, new ones are made with the new one."""
    context = client_context(version=version)
    old, fresh = tmp_path / "old.key", key
    _make(old)
    kam = start(resuming(fresh, old))
    beside = start(resuming(old))               # has the old key only
    _, session = _visit(beside, context)
    reused, _ = _visit(kam, context, session)
    assert reused
    _, newer = _visit(kam, context)             # a full handshake: the first key encrypts
    assert not _resumes(beside, context, newer)
    assert _resumes(kam, context, newer)
    _make(old)                                  # the old key is gone
    assert kam.rpc("tls.reload").startswith(RELOADED)
    assert not _resumes(kam, context, session)
    assert _resumes(kam, context, newer)
    fresh.rename(tmp_path / "kept")
    old.rename(fresh)
    (tmp_path / "kept").rename(old)             # the first one is second now
    assert kam.rpc("tls.reload").startswith(RELOADED)
    reused, session = _visit(kam, context, newer)
    assert reused
    kam.assert_healthy()


@pytest.mark.parametrize("version", VERSIONS)
def test_each_of_eight_keys_decrypts(start, resuming, tmp_path, version):
    files = [_make(tmp_path / f"{number}.key") for number in range(8)]
    kam = start(resuming(*files))
    context = client_context(version=version)
    for file in files:
        with Kamailio(resuming(file)) as single:
            _, session = _visit(single, context)
        assert _resumes(kam, context, session), file


def test_reload_tells_of_other_keys(start, resuming, key, tmp_path):
    second = _make(tmp_path / "second.key")
    kam = start(resuming(key, second))
    assert kam.rpc("tls.reload") == RELOADED
    _make(second)
    text = kam.rpc("tls.reload", "check")
    assert "ticket_key_file: the same key encrypts, keys: 2, before 2" in text
    assert "ticket_key_file" in kam.rpc("tls.reload")
    _make(key)
    assert "ticket_key_file: another key encrypts, keys: 2, before 2" in kam.rpc("tls.reload")
    assert kam.rpc("tls.reload") == RELOADED


# ---- files that are refused ------------------------------------------------------------------------------------------

def _refused_start(settings):
    """The one line at ERROR of the module when Kamailio does not start."""
    kam = Kamailio(settings)
    try:
        with pytest.raises(StartFailed) as failure:
            kam.start()
        (line,) = [text for module, text in failure.value.log.at_level("ERROR") if module == "tls"]
        return line
    finally:
        kam.kill()
        kam.remove()


def _empty(path):
    path.write_bytes(b"")


def _fifo(path):
    os.mkfifo(path)


def _dangling(path):
    path.symlink_to(path.with_name("nowhere"))


def _loop(path):
    path.symlink_to(path)


def _writable(path):
    _make(path, 0o666)


BAD = {
    "short": (lambda path: path.write_bytes(os.urandom(63)),
              r'"\S+/bad.key" has 63 bytes, a key has 64; make one with: head -c 64 /dev/urandom'),
    "long": (lambda path: path.write_bytes(os.urandom(65)), r'"\S+/bad.key" has 65 bytes, a key has 64'),
    "base64": (lambda path: path.write_bytes(base64.b64encode(os.urandom(64))), r'"\S+/bad.key" has 88 bytes'),
    "zeros": (lambda path: path.write_bytes(bytes(64)), r'the bytes of "\S+/bad.key" are not random'),
    "text": (lambda path: path.write_bytes(b"password" * 8), r'the bytes of "\S+/bad.key" are not random'),
    "empty": (_empty, r'"\S+/bad.key" is empty'),
    "missing": (lambda path: None, r'cannot read "\S+/bad.key" as user \S+ \(uid \d+\): No such file or directory'),
    "directory": (lambda path: path.mkdir(), r'"\S+/bad.key" is not a regular file but a directory'),
    "FIFO": (_fifo, r'"\S+/bad.key" is not a regular file but a FIFO'),
    "dangling link": (_dangling, r'cannot read "\S+/bad.key" as user .*No such file or directory'),
    "loop of links": (_loop, r'cannot read "\S+/bad.key" as user .*Too many levels of symbolic links'),
    "writable": (_writable, r'"\S+/bad.key" can be written by everybody, .*chmod o-w it'),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_file(start, resuming, key, tmp_path, kind):
    """At start, and by tls.reload, which changes nothing then."""
    make, line = BAD[kind]
    bad = tmp_path / "bad.key"
    make(bad)
    assert re.search(f"ticket_key_file: {line}", _refused_start(resuming(key, bad)))
    if bad.is_dir():
        bad.rmdir()
    elif bad.exists() or bad.is_symlink():
        bad.unlink()
    _make(bad)
    kam = start(resuming(key, bad))
    context = client_context(version="TLSv1.3")
    _, session = _visit(kam, context)
    bad.unlink()
    make(bad)
    for words in (("check",), ()):
        with pytest.raises(RuntimeError, match="Error while fixing TLS configuration"):
            kam.rpc("tls.reload", *words)
    assert len(kam.log.find(rf"ticket_key_file: {line}")) >= 2
    assert _resumes(kam, context, session)


def test_same_key_twice(resuming, key, tmp_path):
    copy, link = tmp_path / "copy.key", tmp_path / "link.key"
    shutil.copy(key, copy)
    link.symlink_to(key)
    for second in (key, copy, link):
        assert f'ticket_key_file: "{key}" and "{second}" have the same key' in _refused_start(resuming(key, second))


def test_other_mistakes(resuming, key, tmp_path):
    files = [_make(tmp_path / f"{number}.key") for number in range(9)]
    for names, line in (((*files,), "ticket_key_file: more than 8 names"),
                        ((key, ""), "ticket_key_file: a name in the list is empty"),
                        (("pkcs11:token=a;pin-value=1234",), "ticket_key_file: name 1 is a URI; only files are")):
        said = _refused_start(resuming(*names))
        assert line in said and "1234" not in said


def test_world_readable_is_warned_about(start, resuming, key, tmp_path):
    link = tmp_path / "link.key"                # as in a volume of Kubernetes
    link.symlink_to(key)
    kam = start(resuming(link))
    assert not kam.log.find("world-readable")
    key.chmod(0o644)
    kam.rpc("tls.reload")
    assert kam.log.find(r'WARNING: tls .*link.key" holds a key of session tickets and is world-readable: chmod o-r it')


def test_without_session_cache(start, resuming, key):
    kam = start(resuming(key, session_cache=0))
    assert kam.log.find(r'WARNING: tls .*"ticket_key_file" has no effect without session_cache=1')
    context = client_context(version="TLSv1.3")
    _, session = _visit(kam, context)
    assert not _resumes(kam, context, session)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start Kamailio as another user")
def test_read_before_privileges_are_dropped(resuming, pki):
    """Root's file serves until tls.reload, which cannot read it: a warning at start says so."""
    kam = Kamailio(resuming())
    files = {"certificate": pki.cert("server-ec"), "private_key": pki.key("server-ec"), "ca_list": pki.path("ca.pem")}
    for name, source in files.items():
        files[name] = str(shutil.copy(source, kam.folder / name))
        shutil.chown(files[name], "nobody")
    key = _make(kam.folder / "root.key")
    kam.settings = resuming(key, **files).but(user="nobody")
    try:
        kam.start()
        context = client_context(version="TLSv1.3")
        _, session = _visit(kam, context)
        assert _resumes(kam, context, session)
        assert kam.log.find(rf'WARNING: tls .*"{key}" was read as root, and user \d+ cannot read it: tls.reload will')
        with pytest.raises(RuntimeError, match="Error while fixing TLS configuration"):
            kam.rpc("tls.reload")
        assert kam.log.find(rf'ticket_key_file: cannot read "{key}" as user nobody \(uid \d+\): Permission denied')
        assert _resumes(kam, context, session)
        kam.stop()
    finally:
        kam.kill()
        kam.remove()


def test_keys_are_nowhere_to_be_read(start, resuming, key, tmp_path):
    """Neither in the log at its highest level nor in a reply to a command."""
    other = _make(tmp_path / "other.key")
    kam = start(resuming(key, other).but(debug=4))
    context = client_context(version="TLSv1.2")
    _, session = _visit(kam, context)
    assert _resumes(kam, context, session)
    kam.rpc("tls.reload")
    text = kam.log.path.read_bytes()
    for command in ("tls.options", "tls.info", "tls.profiles", "tls.sessions", "tls.list"):
        text += str(kam.rpc(command)).encode()
    for secret in (key.read_bytes(), other.read_bytes()):
        for part in (secret[:8], secret[-8:]):
            for shape in (part, part.hex().encode(), part.hex().upper().encode(), base64.b64encode(part)[:10]):
                assert shape not in text


# ---- the script of the manual ----------------------------------------------------------------------------------------

def _blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", DOC.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture
def rotate(tmp_path):
    """rotate(kam) runs the script of doc/resumption.md, as printed but for its folder and owner."""
    (text,) = [block for block in _blocks("sh") if "next.key" in block and block.startswith("#!/bin/sh")]
    folder = tmp_path / "tickets"
    assert text.count("dir=/etc/kamailio/tickets\n") == 1 and text.count("group=kamailio\n") == 1
    text = text.replace("dir=/etc/kamailio/tickets\n", f"dir={folder}\n").replace(
        "group=kamailio\n", f"group={os.getegid()}\n")
    script = tmp_path / "rotate"
    script.write_text(text)
    script.chmod(0o755)
    programs = tmp_path / "bin"
    programs.mkdir()

    def run(kam=None):
        kamcmd = programs / "kamcmd"
        where = f"unix:{kam.folder}/ctl" if kam else "unix:/nonexistent"
        kamcmd.write_text(f'#!/bin/sh\nexec {shutil.which(KAMCMD)} -s {where} "$@"\n')
        kamcmd.chmod(0o755)
        return subprocess.run([script], env={"PATH": f"{programs}:{os.environ['PATH']}"}, capture_output=True,
                              text=True, timeout=60, check=False)

    run.folder, run.script, run.programs = folder, script, programs
    return run


@pytest.mark.parametrize("version", VERSIONS)
def test_rotation_script(start, resuming, rotate, version):
    """The first run makes the keys; each further one rotates, and sessions of the last two periods resume."""
    folder = rotate.folder
    assert rotate().returncode == 0
    names = ("current.key", "previous.key", "next.key")
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    kam = start(resuming(*(folder / name for name in names)))
    context = client_context(version=version)
    _, session = _visit(kam, context)
    before = {name: (folder / name).read_bytes() for name in names}
    done = rotate(kam)
    assert done.returncode == 0, done.stdout + done.stderr
    after = {name: (folder / name).read_bytes() for name in names}
    assert after["previous.key"] == before["current.key"] and after["current.key"] == before["next.key"]
    assert all(oct((folder / name).stat().st_mode & 0o777) == "0o640" for name in names)
    assert _resumes(kam, context, session)
    assert rotate(kam).returncode == 0
    assert not _resumes(kam, context, session)
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_rotation_script_fails_with_the_reload(start, resuming, rotate):
    """The configuration in use stays, and the answer of kamcmd is printed for the journal."""
    assert rotate().returncode == 0
    extra = rotate.folder / "extra.key"
    extra.write_bytes(os.urandom(64))
    kam = start(resuming(rotate.folder / "current.key", rotate.folder / "next.key", extra))
    extra.write_bytes(b"short")
    done = rotate(kam)
    assert done.returncode == 1 and "extra.key" in done.stdout, done.stdout + done.stderr


NAMES = ("current.key", "next.key", "previous.key")
# Stands for each program that the script runs: counts it, and kills the script with itself before or after one of them.
COUNTED = """#!/bin/sh
echo >> "{count}"
number=$(wc -l < "{count}")
[ "$number-before" != "$KILL" ] || kill -9 0
{program} "$@" || exit
[ "$number-after" != "$KILL" ] || kill -9 0
"""
PROGRAMS = {**{name: shutil.which(name) for name in ("mkdir", "chgrp", "rm", "mktemp", "head", "chmod", "mv")},
            "kamcmd": f"echo {RELOADED} #"}


@pytest.fixture
def interrupted(rotate, tmp_path):
    """interrupted(number, when) runs the script and kills it before or after the program of that number; without
    arguments it runs to its end. @return status and number of programs."""
    count = tmp_path / "count"
    for name, program in PROGRAMS.items():
        (rotate.programs / name).write_text(COUNTED.format(count=count, program=program))
        (rotate.programs / name).chmod(0o755)

    def run(number=0, when="never"):
        count.write_text("")
        done = subprocess.run([rotate.script], capture_output=True, text=True, timeout=60, check=False,
                              start_new_session=True, env={"PATH": f"{rotate.programs}:{os.environ['PATH']}",
                                                           "KILL": f"{number}-{when}"})
        assert done.returncode in (0, -signal.SIGKILL), done.stdout + done.stderr
        return done.returncode, len(count.read_text())

    return run


def _keys(folder):
    """The three keys; there is nothing else in the folder."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert {oct((folder / name).stat().st_mode & 0o777) for name in NAMES} == {"0o640"}
    keys = {name: (folder / name).read_bytes() for name in NAMES}
    assert {len(key) for key in keys.values()} == {KEY_BYTES} and len(set(keys.values())) == 3
    return keys


@pytest.mark.parametrize("when", ("before", "after"))
@pytest.mark.parametrize("first", (True, False), ids=("first", "rotation"))
def test_rotation_script_that_is_killed(rotate, interrupted, tmp_path, first, when):
    """Wherever a run ends, the next one completes it, and it makes no second rotation of one."""
    folder, kept = rotate.folder, tmp_path / "kept"
    if not first:
        interrupted()
        shutil.copytree(folder, kept)
    status, steps = interrupted()
    assert status == 0 and steps >= 9
    for number in range(1, steps + 1):
        shutil.rmtree(folder)
        if not first:
            shutil.copytree(kept, folder)
            before = _keys(folder)
        assert interrupted(number, when) == (-signal.SIGKILL, number)
        assert interrupted()[0] == 0
        after = _keys(folder)
        if not first:
            twice = (number, when) == (steps, "after")      # the first run had done everything
            assert after["previous.key"] == before["next.key" if twice else "current.key"], number
            assert twice or after["current.key"] == before["next.key"], number


def test_rotation_script_after_a_refused_reload(rotate, interrupted):
    """Kamailio still has the keys from before: the next run tells it about the new ones, and does not rotate again."""
    interrupted()
    before = _keys(rotate.folder)
    kamcmd = rotate.programs / "kamcmd"
    accepting = kamcmd.read_text()
    kamcmd.write_text("#!/bin/sh\necho error: 500\n")
    done = subprocess.run([rotate.script], env={"PATH": f"{rotate.programs}:{os.environ['PATH']}"},
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "500" in done.stdout, done.stdout + done.stderr
    kamcmd.write_text(accepting)
    assert interrupted()[0] == 0
    after = _keys(rotate.folder)
    assert after["previous.key"] == before["current.key"] and after["current.key"] == before["next.key"]


@pytest.mark.parametrize("version", VERSIONS)
def test_rotation_on_one_host_after_the_other(start, resuming, rotate, version, tmp_path):
    """A host that has rotated and one that has not resume each other's sessions, as both have the next key."""
    assert rotate().returncode == 0
    names = ("current.key", "previous.key", "next.key")
    behind = tmp_path / "behind"
    shutil.copytree(rotate.folder, behind)
    one = start(resuming(*(rotate.folder / name for name in names)))
    two = start(resuming(*(behind / name for name in names)))
    assert rotate(one).returncode == 0
    context = client_context(version=version)
    for here, there in ((one, two), (two, one)):
        _, session = _visit(here, context)
        assert _resumes(there, context, session)


def test_units_of_systemd(tmp_path):
    """The service and the timer are accepted by systemd."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze")
    service, timer = _blocks("ini")
    assert "ExecStart=/usr/local/sbin/kamailio-ticket-keys\n" in service and "OnCalendar=" in timer
    for name, text in (("service", service), ("timer", timer)):
        (tmp_path / f"kamailio-ticket-keys.{name}").write_text(
            text.replace("/usr/local/sbin/kamailio-ticket-keys", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", *map(str, sorted(tmp_path.glob("kamailio-ticket-keys.*")))],
                          capture_output=True, text=True, timeout=60, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "kamailio-ticket-keys" in line]
    assert not said, said
