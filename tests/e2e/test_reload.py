# tls_gnutls - end to end: what tls.reload reads, what it refuses, which connections it affects
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import shutil
import ssl
import threading

import pytest

from .lib.tls import BioClient, TlsClient, client_context
from .lib.tlscfg import MODES, Files, section
from .lib.wait import until
from .lib.watch import OpenCounter

pytestmark = pytest.mark.ours_only("tls.so reads nothing without a file and frees late")

DONE = "Ok. TLS configuration reloaded."
PARSE = "Error while loading TLS configuration file (consult server log)"
BUILD = "Error while fixing TLS configuration (consult server log)"
SOCKETS = "No server listening socket found for one of TLS domains (consult server log)"
BUSY = "Another process is reloading the TLS configuration"


@pytest.fixture
def files(pki, tmp_path):
    return Files(tmp_path, pki)


@pytest.fixture(name="settings")
def settings_with_cfg_rpc(settings):
    return settings.but(modules=("cfg_rpc",))


def _reload(kam):
    assert kam.rpc("tls.reload").splitlines()[0] == DONE


def _refused(kam):
    """The text of the fault of a reload that must fail."""
    reply = kam.kamcmd("tls.reload")
    found = re.search(r"^error: 500 - (.*)$", reply, re.MULTILINE)
    assert found, reply
    return found.group(1)


def _served(kam, **context):
    """Common name of the certificate presented to a new client, whose request is answered."""
    with TlsClient(kam.address(), client_context(**context)) as client:
        assert client.ask().status == 200
        return client.shown()


def _accepted(kam, pki, row, **context):
    """Whether a client with that certificate is accepted."""
    try:
        _served(kam, cert=pki.cert(row), key=pki.key(row), **context)
        return True
    except (OSError, EOFError):
        return False


def _configurations(kam):
    return int(kam.rpc("tls.sessions")["configurations"])


def _wait_configurations(kam, count):
    until(lambda: _configurations(kam) == count, f"{count} configurations")


# ---- what is reread --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", MODES)
def test_certificate_and_key(start, settings, files, mode):
    kam = start(files.settings(settings, mode))
    assert _served(kam) == "server-ec"
    files.show("server-rsa")
    assert _served(kam) == "server-ec"
    _reload(kam)
    assert kam.log.find("NOTICE.*TLS configuration reloaded")
    assert _served(kam) == "server-rsa"
    assert _served(kam, version="TLSv1.2") == "server-rsa"


@pytest.mark.parametrize("mode", MODES)
def test_authorities(start, settings, files, pki, mode):
    kam = start(files.settings(settings, mode, verify_client="on"))
    rows = ("client-ok", "client-stranger")
    assert [_accepted(kam, pki, row) for row in rows] == [True, False]
    files.put("ca.pem", pki.path("ca-stranger.pem"))
    assert [_accepted(kam, pki, row) for row in rows] == [True, False]
    _reload(kam)
    assert [_accepted(kam, pki, row) for row in rows] == [False, True]
    files.put("ca.pem", pki.path("ca-both.pem"))
    _reload(kam)
    assert [_accepted(kam, pki, row) for row in rows] == [True, True]


@pytest.mark.parametrize("mode", MODES)
def test_directory_of_authorities(start, settings, files, pki, tmp_path, mode):
    folder = tmp_path / "ca.d"
    folder.mkdir()
    shutil.copy(pki.path("ca.pem"), folder)
    kam = start(files.settings(settings, mode, verify_client="on", ca_list=None, ca_path=str(folder)))
    rows = ("client-ok", "client-stranger")
    assert [_accepted(kam, pki, row) for row in rows] == [True, False]
    shutil.copy(pki.path("ca-stranger.pem"), folder)
    _reload(kam)
    assert [_accepted(kam, pki, row) for row in rows] == [True, True]


@pytest.mark.parametrize("mode", MODES)
def test_revocation_lists(start, settings, files, pki, mode):
    files.put("list.crl", pki.path("expired.crl"))
    kam = start(files.settings(settings, mode, verify_client="on", crl=files.path("list.crl")))
    rows = ("client-ok", "client-revoked")
    assert [_accepted(kam, pki, row) for row in rows] == [False, False]
    files.put("list.crl", pki.path("all.crl"))
    _reload(kam)
    assert [_accepted(kam, pki, row) for row in rows] == [True, False]


def test_sections_and_settings_of_the_file(start, settings, files, pki):
    kam = start(files.settings(settings, "file"))
    keys = files.keys()
    files.write("tls.cfg", section("server:default", **keys, method="TLSv1.2") + section(
        "server:any", server_name="new.example", certificate=pki.cert("server-rsa"), private_key=pki.key("server-rsa")))
    _reload(kam)
    with TlsClient(kam.address(), client_context()) as client:
        assert (client.version, client.shown()) == ("TLSv1.2", "server-ec")
    with TlsClient(kam.address(), client_context(), name="new.example") as client:
        assert (client.version, client.shown()) == ("TLSv1.3", "server-rsa")


def test_every_worker_takes_the_new_one_at_its_next_use(start, settings, files):
    kam = start(files.settings(settings, "file"))

    def seen_by_all():
        """What each worker shows."""
        shown = {}
        for _ in range(200):
            with TlsClient(kam.address(), client_context()) as client:
                shown.setdefault(client.ask()["X-Worker"], set()).add(client.shown())
            if len(shown) == kam.settings.tcp_children:
                break
        assert len(shown) == kam.settings.tcp_children
        return set().union(*shown.values())

    assert seen_by_all() == {"server-ec"}
    files.show("server-rsa")
    _reload(kam)
    assert seen_by_all() == {"server-rsa"}


@pytest.mark.parametrize("mode", MODES)
def test_each_file_is_read_once(start, settings, files, pki, mode):
    """Not once for each process: workers take what the reload has read."""
    files.put("list.crl", pki.path("all.crl"))
    kam = start(files.settings(settings, mode, verify_client="on", crl=files.path("list.crl")))
    names = {"cert.pem", "key.pem", "ca.pem", "list.crl"}
    with OpenCounter(files.folder) as counter:
        _reload(kam)
        opened = counter.opened()
        assert {name: opened.get(name) for name in names} == dict.fromkeys(names, 1)
        for _ in range(20):
            assert _accepted(kam, pki, "client-ok")
        assert not names & set(counter.opened())


# ---- another file ----------------------------------------------------------------------------------------------------

def test_another_file_is_named_at_runtime(start, settings, files, pki):
    kam = start(files.settings(settings, "file"))
    other = files.path("other.cfg")
    files.write("other.cfg", section("server:default", certificate=pki.cert("server-rsa"),
                                     private_key=pki.key("server-rsa")))
    kam.rpc("cfg.set_now_string", "tls", "config", other)
    assert _served(kam) == "server-ec"
    kam.kamcmd("tls.reload")            # runs in another process than the one that has set it
    assert _served(kam) == "server-rsa"
    assert kam.rpc("tls.options")["config"] == other

    kam.rpc("cfg.set_now_string", "tls", "config", files.path("missing.cfg"))
    assert _refused(kam) == f"{PARSE}: {files.path('missing.cfg')}: cannot be accessed: No such file or directory"
    assert _served(kam) == "server-rsa"

    kam.rpc("cfg.set_now_string", "tls", "config", files.path("tls.cfg"))
    _reload(kam)
    assert _served(kam) == "server-ec"


def test_from_parameters_to_a_file_and_back(start, settings, files, pki):
    kam = start(files.settings(settings, "parameters"))
    files.write("tls.cfg", section("server:default", certificate=pki.cert("server-rsa"),
                                   private_key=pki.key("server-rsa")))
    kam.rpc("cfg.set_now_string", "tls", "config", files.path("tls.cfg"))
    _reload(kam)
    assert _served(kam) == "server-rsa"
    kam.rpc("cfg.set_now_string", "tls", "config", "")
    _reload(kam)
    assert _served(kam) == "server-ec"


# ---- what is wrong changes nothing -----------------------------------------------------------------------------------

def _cut(pki, name, size=-60):
    """A truncated file."""
    with open(pki.path(name), encoding="ascii") as source:
        return source.read()[:size]


def _half_label(pki, name):
    """A file and the beginning of the first line of one more block."""
    return _cut(pki, name, None) + _cut(pki, name, 15)


# what is done to the files, the sentence of the case, what the cause must match
BROKEN = {
    "key of another certificate": (
        lambda f, pki: f.put("key.pem", pki.key("server-rsa")),
        BUILD, r'private_key: "\S+/key\.pem" does not belong to the certificate in "\S+/cert\.pem"'),
    "no key": (
        lambda f, pki: (f.folder / "key.pem").unlink(),
        BUILD, r'private_key: cannot read "\S+/key\.pem" as user \S+ \(uid \d+\): No such file'),
    "encrypted key": (
        lambda f, pki: f.put("key.pem", pki.path("server-ec.enc.key")),
        BUILD, r'private_key: "\S+/key\.pem" is encrypted; set private_key_password'),
    "key cut off": (
        lambda f, pki: f.write("key.pem", _cut(pki, "server-ec.key")),
        BUILD, r'private_key: "\S+/key\.pem" holds no private key'),
    "no certificate": (
        lambda f, pki: (f.folder / "cert.pem").unlink(),
        BUILD, r'certificate: cannot read "\S+/cert\.pem" as user \S+ \(uid \d+\): No such file'),
    "certificate cut off": (
        lambda f, pki: f.write("cert.pem", _cut(pki, "server-ec.crt", 400)),
        BUILD, r'certificate: a PEM block CERTIFICATE in "\S+/cert\.pem" is damaged'),
    "empty certificate": (
        lambda f, pki: f.write("cert.pem", ""),
        BUILD, r'certificate: "\S+/cert\.pem" is empty'),
    "folder in place of a certificate": (
        lambda f, pki: ((f.folder / "cert.pem").unlink(), (f.folder / "cert.pem").mkdir()),
        BUILD, r'certificate: "\S+/cert\.pem" is not a regular file'),
    "authorities cut off": (
        lambda f, pki: f.write("ca.pem", _cut(pki, "ca.pem")),
        BUILD, r'ca_list: a PEM block CERTIFICATE in "\S+/ca\.pem" is damaged'),
    "authorities cut off early in a block": (
        lambda f, pki: f.write("ca.pem", _half_label(pki, "ca.pem")),
        BUILD, r'ca_list: "\S+/ca\.pem" ends within the first line of a PEM block'),
    "no authority in the file": (
        lambda f, pki: f.write("ca.pem", "nothing here\n"),
        BUILD, r'ca_list: no certificate in "\S+/ca\.pem"'),
    "revocation list cut off": (
        lambda f, pki: f.write("list.crl", _cut(pki, "all.crl")),
        BUILD, r'crl: a PEM block X509 CRL in "\S+/list\.crl" is damaged'),
    "no revocation list": (
        lambda f, pki: (f.folder / "list.crl").unlink(),
        BUILD, r'crl: cannot read "\S+/list\.crl" as user \S+ \(uid \d+\): No such file'),
}
# the same for the file of profiles: its new text
BROKEN_FILE = {
    "syntax": ("[server:default\n", PARSE, r"/tls\.cfg:\d+:\d+: .*expected"),
    "unknown key": ("[server:default]\nnonsense = 1\n", PARSE, r"/tls\.cfg:2:1: Unsupported option 'nonsense'"),
    "nothing selected": ('[server:default]\ncipher_list = "RC4-SHA"\n', BUILD, r"TLSs<default>: cipher_list"),
    "no socket": ("[server:127.0.0.77:5061]\n", SOCKETS, r"/tls\.cfg:1: no TLS socket listens on 127\.0\.0\.77:5061"),
    "method": ("[server:default]\nmethod = SSLv2\n", PARSE, r"/tls\.cfg:2:10: .*SSLv2"),
    "duplicate": ("[server:127.0.0.1:0]\n[server:127.0.0.1:0]\n", PARSE, r"/tls\.cfg:2:1: Duplicate TLS domain"),
}


def _assert_refused(kam, sentence, cause):
    """The reload fails, reply and log say why, and everything is as it was."""
    mark = kam.log.mark()
    reply = _refused(kam)
    assert reply.startswith(f"{sentence}: "), reply
    # the reply is cut to what fits the transport
    line = kam.log.wait(r"ERROR.*was not reloaded, the current one stays: ", since=mark)[0]
    assert re.search(cause, line), line
    assert re.search(cause, reply) or len(reply) == 254, reply
    assert _served(kam) == "server-ec"
    assert _configurations(kam) == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("what", BROKEN)
def test_broken_files_change_nothing(start, settings, files, pki, mode, what):
    spoil, sentence, cause = BROKEN[what]
    files.put("list.crl", pki.path("all.crl"))
    kam = start(files.settings(settings, mode, crl=files.path("list.crl")))
    spoil(files, pki)
    _assert_refused(kam, sentence, cause)

    # and when it is repaired the next reload works
    for name in ("cert.pem", "key.pem", "ca.pem", "list.crl"):
        path = files.folder / name
        if path.is_dir():
            path.rmdir()
    files.show("server-rsa")
    files.put("ca.pem", pki.path("ca.pem"))
    files.put("list.crl", pki.path("all.crl"))
    _reload(kam)
    assert _served(kam) == "server-rsa"


@pytest.mark.parametrize("what", BROKEN_FILE)
def test_broken_profiles_change_nothing(start, settings, files, what):
    text, sentence, cause = BROKEN_FILE[what]
    kam = start(files.settings(settings, "file"))
    good = (files.folder / "tls.cfg").read_text()
    files.write("tls.cfg", section("client:default") + section("server:default", **files.keys()) + text if
                what == "no socket" else text)
    if what == "no socket":
        cause = cause.replace(":1:", r":\d+:")
    _assert_refused(kam, sentence, cause)
    files.write("tls.cfg", good)
    files.show("server-rsa")
    _reload(kam)
    assert _served(kam) == "server-rsa"


def test_one_broken_profile_of_many_changes_nothing(start, settings, files, pki):
    """Not even those before it in the file."""
    kam = start(files.settings(settings, "file"))
    files.write("tls.cfg", section("server:default", certificate=pki.cert("server-rsa"),
                                   private_key=pki.key("server-rsa"))
                + section("server:any", server_name="a.example", certificate=pki.cert("server-deep"),
                          private_key=pki.key("server-rsa")))
    _assert_refused(kam, BUILD, r"TLSs<any:a\.example>: private_key")


# ---- which connections are affected ----------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_new_authority_decides_for_new_connections_only(start, settings, files, pki, version):
    """An open connection stays, and a handshake that has begun completes as it began."""
    kam = start(files.settings(settings, "file", verify_client="on"))
    context = client_context(version=version, cert=pki.cert("client-ok"), key=pki.key("client-ok"))
    with TlsClient(kam.address(), context) as old, BioClient(kam.address(), context) as begun:
        assert old.ask().status == 200
        assert not begun.step()
        begun.sock.sendall(begun.outgoing())
        assert begun.pump()                     # the server's flight has been made
        assert _configurations(kam) == 1

        files.put("ca.pem", pki.path("ca-stranger.pem"))
        files.show("server-rsa")
        _reload(kam)
        assert _configurations(kam) == 2

        begun.handshake()
        begun.sock.sendall(begun.seal(b"OPTIONS sip:127.0.0.1:%d SIP/2.0\r\n" % kam.port()
                                      + b"Via: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKbegun\r\nFrom: <sip:a@b>;tag=1\r\n"
                                      b"To: <sip:a@b>\r\nCall-ID: begun\r\nCSeq: 1 OPTIONS\r\n"
                                      b"Content-Length: 0\r\n\r\n"))
        assert begun.receive().status == 200
        assert old.ask().status == 200
        assert not _accepted(kam, pki, "client-ok", version=version)
        assert _accepted(kam, pki, "client-stranger", version=version)
        assert old.ask().status == 200
    _wait_configurations(kam, 1)


@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_sessions_outlive_a_reload_unless_something_changed(start, settings, files, pki, version):
    """A ticket is valid as long as certificate, authorities and verification are the same."""
    kam = start(files.settings(settings.but(modparams={"session_cache": 1}), "parameters", verify_client="on"))
    context = client_context(version=version, cert=pki.cert("client-ok"), key=pki.key("client-ok"))

    def session_of(session=None, accepted=True):
        try:
            with TlsClient(kam.address(), context, session=session) as client:
                assert client.ask().status == 200
                return client.session, client.reused
        except (ssl.SSLError, OSError, EOFError):
            assert not accepted
            return None, None

    session, _ = session_of()
    _reload(kam)
    session, reused = session_of(session)
    assert reused
    files.put("ca.pem", pki.path("ca-both.pem"))
    _reload(kam)
    session, reused = session_of(session)
    assert not reused                           # a full handshake, verified anew
    files.put("ca.pem", pki.path("ca-stranger.pem"))
    _reload(kam)
    assert session_of(session, accepted=False) == (None, None)


# ---- what stays in memory --------------------------------------------------------------------------------------------

def test_configurations_live_as_long_as_their_connections(start, settings, files):
    """In whatever order the connections end."""
    kam = start(files.settings(settings, "file"))
    clients = []
    try:
        for number in range(6):
            if number:
                _reload(kam)
            clients.append(TlsClient(kam.address(), client_context()))
            assert clients[-1].ask().status == 200
            assert _configurations(kam) == number + 1
        for left, client in zip((5, 4, 3, 2, 1, 1), (clients[n] for n in (2, 0, 4, 1, 3, 5))):
            client.close()
            _wait_configurations(kam, left)
    finally:
        for client in clients:
            client.close()
    kam.wait_connections(0)


def test_reloads_without_connections_leave_nothing(start, settings, files):
    kam = start(files.settings(settings, "file"))
    for _ in range(5):
        _reload(kam)
    before = kam.shm_used()
    for _ in range(50):
        _reload(kam)
        assert _configurations(kam) == 1
    assert kam.shm_used() <= before


def test_refused_reloads_leave_nothing(start, settings, files, pki):
    kam = start(files.settings(settings, "file"))
    files.put("key.pem", pki.key("server-rsa"))
    for _ in range(5):
        _refused(kam)
    before = kam.shm_used()
    for _ in range(50):
        _refused(kam)
    assert kam.shm_used() <= before


def test_workers_drop_configurations_that_are_gone(start, settings, files, pki, tls_module):
    """Even while a connection keeps an older one alive."""
    with open(files.path("ca.pem"), "a", encoding="ascii") as bundle:
        for row in ("inter", "inter2", "stranger", "server-selfsigned", "client-selfsigned"):
            with open(pki.cert(row), encoding="ascii") as cert:
                bundle.write(cert.read())
    kam = start(files.settings(settings.but(tcp_children=1), "file", verify_client="optional"))
    with TlsClient(kam.address(), client_context()) as old:
        assert old.ask().status == 200

        def rounds(count):
            for _ in range(count):
                _reload(kam)
                assert _accepted(kam, pki, "client-ok")
                kam.wait_connections(1)
            return kam.private_kb(kam.workers())

        before = rounds(30)
        after = rounds(150)
        print(f"private memory of the worker: {before} KB, {after} KB after 150 more reloads")
        assert after - before < 512 or tls_module.sanitized
        assert _configurations(kam) == 2
        assert old.ask().status == 200


def test_two_at_once(start, settings, files):
    """The second fails with a fault that says so, or waits its turn; nothing else happens."""
    kam = start(files.settings(settings, "file"))
    replies = []

    def over_fifo():
        for _ in range(30):
            replies.append(kam.kamcmd("tls.reload").strip())

    thread = threading.Thread(target=over_fifo)
    thread.start()
    for _ in range(60):
        try:
            replies.append(kam.rpc("tls.reload"))
        except RuntimeError as failure:
            replies.append(str(failure))
    thread.join()
    done = sum(DONE in reply for reply in replies)
    busy = sum(BUSY in reply for reply in replies)
    print(f"{done} reloads, {busy} were refused because another one ran")
    assert done + busy == len(replies) == 90 and done > 0
    assert _served(kam) == "server-ec"
    assert _configurations(kam) == 1
