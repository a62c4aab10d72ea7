# tls_gnutls - end to end: tls.cfg, the profile that a connection gets, files that are refused
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import shutil
import ssl

import pytest

from .lib.kamailio import DEFAULT_SCRIPT, Kamailio, StartFailed
from .lib.ports import free_port
from .lib.tls import TlsClient, client_context, server_context
from .lib.tlscfg import pair, reading, section
from .lib.uas import TlsAgent, UdpSender

OURS = pytest.mark.ours_only("documented in doc/compatibility.md")


@pytest.fixture
def with_file(settings, tmp_path):
    """with_file(text) returns settings of a Kamailio that reads it as tls.cfg."""
    def make(text, **changes):
        path = tmp_path / "tls.cfg"
        path.write_text(text)
        return reading(settings, path, **changes)

    return make


def served(address, name=None, **context):
    """Common name of the certificate that a server presents for a server name."""
    with TlsClient(address, client_context(**context), name=name) as client:
        assert client.ask().status == 200
        return client.shown()


def refused(settings):
    """The end of the log of a Kamailio whose start must fail."""
    with pytest.raises(StartFailed) as failure:
        with Kamailio(settings):
            pass
    return str(failure.value)


# ---- which profile ---------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def kam(settings, pki, tmp_path_factory):
    """Profiles for names in every mode, for two addresses, and a default."""
    second = free_port()
    text = "".join((
        section("server:default", **pair(pki, "server-ec")),
        section("server:any", server_name="exact.example", **pair(pki, "server-rsa")),
        section("server:any", server_name="both.example", server_name_mode=1, **pair(pki, "server-rsa")),
        section("server:any", server_name="below.example", server_name_mode=2, **pair(pki, "server-rsa")),
        section("srv:all", server_name="twice.example", **pair(pki, "server-expired")),
        section("s:any", server_name="twice.example", **pair(pki, "server-rsa")),
        section("server:127.0.0.2:0", **pair(pki, "server-deep")),
        section("server:127.0.0.3:0", server_name="three.example", **pair(pki, "server-deep")),
        section("client:def"),
    ))
    path = tmp_path_factory.mktemp("cfg") / "tls.cfg"
    path.write_text(text)
    core = "\n".join(f"listen=tls:127.0.0.{n}:{second}" for n in (2, 3))
    none = {"certificate": None, "private_key": None, "ca_list": None}
    with Kamailio(settings.but(core=core, modparams={**none, "config": str(path)})) as kamailio:
        kamailio.second = second
        yield kamailio


@pytest.mark.parametrize("name,row", (
    (None, "server-ec"), ("unknown.example", "server-ec"),
    ("exact.example", "server-rsa"), ("EXACT.Example", "server-rsa"), ("sub.exact.example", "server-ec"),
    ("both.example", "server-rsa"), ("sub.both.example", "server-rsa"), ("a.b.both.example", "server-rsa"),
    ("notboth.example", "server-ec"),
    ("below.example", "server-ec"), ("sub.below.example", "server-rsa"),
    ("twice.example", "server-rsa"),            # the last section of the file wins
    ("three.example", "server-ec"),             # belongs to another address
))
@pytest.mark.parametrize("version", ("TLSv1.2", "TLSv1.3"))
def test_name_selects_the_profile(kam, name, row, version):
    assert served(kam.address(), name, version=version) == row


@pytest.mark.parametrize("host,name,row", (
    ("127.0.0.2", None, "server-deep"),
    ("127.0.0.2", "exact.example", "server-deep"),      # a profile without a name takes every name
    ("127.0.0.3", None, "server-deep"),                 # no name: the address selects
    ("127.0.0.3", "three.example", "server-deep"),
    ("127.0.0.3", "exact.example", "server-rsa"),
    ("127.0.0.3", "unknown.example", "server-ec"),      # no profile matches: the default one, no alert
))
def test_address_selects_the_profile(kam, host, name, row):
    with TlsClient((host, kam.second), client_context(), name=name) as client:
        assert client.shown() == row


@OURS
def test_whole_profile_of_the_name_is_applied(start, with_file, pki):
    """Versions, suites, certificate, verification and depth; `tls.so` keeps versions and depth of the first profile."""
    trust = {"ca_list": pki.path("ca.pem")}
    kam = start(with_file("".join((
        section("server:default", method="TLSv1.2+", **pair(pki, "server-ec")),
        section("server:any", server_name="old.example", method="TLSv1.2", **pair(pki, "server-rsa")),
        section("server:any", server_name="new.example", method="TLSv1.3", **pair(pki, "server-rsa")),
        section("server:any", server_name="suite.example", method="TLSv1.2",
                cipher_list="ECDHE-RSA-AES256-GCM-SHA384", **pair(pki, "server-rsa")),
        section("server:any", server_name="must.example", require_certificate="yes", **trust,
                **pair(pki, "server-rsa")),
        section("server:any", server_name="flat.example", require_certificate="yes", verify_depth=0, **trust,
                **pair(pki, "server-rsa")),
    ))))

    def version(name, **context):
        with TlsClient(kam.address(), client_context(**context), name=name) as client:
            assert client.ask().status == 200
            return client.version

    assert version(None) == "TLSv1.3"
    assert version("old.example") == "TLSv1.2"
    assert version("new.example") == "TLSv1.3"
    with pytest.raises(ssl.SSLError):
        version("new.example", version="TLSv1.2")
    with pytest.raises(ssl.SSLError):
        version("old.example", version="TLSv1.3")
    with TlsClient(kam.address(), client_context(), name="suite.example") as client:
        assert client.cipher == "ECDHE-RSA-AES256-GCM-SHA384"

    ours = {"cert": pki.cert("client-ok"), "key": pki.key("client-ok")}
    assert version("must.example", **ours) == "TLSv1.3"
    with pytest.raises((OSError, EOFError)):
        version("must.example")
    with pytest.raises((OSError, EOFError)):
        version("flat.example", **ours)     # one intermediate is one too many
    assert version("old.example") == "TLSv1.2"


def test_ipv6_section(start, with_file, pki):
    port = free_port()
    text = section("server:default", **pair(pki, "server-ec")) + \
        section(f"server:[::1]:{port}", **pair(pki, "server-rsa"))
    kam = start(with_file(text, core=f"listen=tls:[::1]:{port}"))
    with TlsClient(("::1", port), client_context()) as client:
        assert client.shown() == "server-rsa"
    assert served(kam.address()) == "server-ec"


# ---- which profile of outgoing connections ---------------------------------------------------------------------------

SCRIPT = DEFAULT_SCRIPT.replace("request_route {", """request_route {
	if (is_present_hf("X-Id")) {
		$xavp(tls=>server_id) = $hdr(X-Id);
	}
	if (is_present_hf("X-Name")) {
		$xavp(tls=>server_name) = $hdr(X-Name);
	}
	if (is_present_hf("X-Set-Id")) {
		tls_set_connect_server_id("$hdr(X-Set-Id)");
	}
""")


@pytest.mark.parametrize("headers,row", (
    ((), None),
    (("X-Id: gold",), "client-ok"),
    (("X-Id: GOLD",), "client-ok"),
    (("X-Id: unknown",), None),
    (("X-Set-Id: silver",), "client-rsa"),
    (("X-Set-Id: silver", "X-Id: gold"), "client-ok"),
    (("X-Name: name.example",), "client-rsa"),
    (("X-Name: other.example",), None),
))
def test_outgoing_profile(start, with_file, pki, headers, row):
    """By server_id from the xavp or the function, by name, else the default."""
    kam = start(with_file("".join((
        section("server:default", **pair(pki, "server-ec")),
        section("client:default"),
        section("client:127.0.0.9:0", server_id="gold", **pair(pki, "client-ok")),
        section("client:127.0.0.8:0", server_id="silver", **pair(pki, "client-rsa")),
        section("client:any", server_name="name.example", **pair(pki, "client-rsa")),
    )), listen=("tls", "udp"), script=SCRIPT).but(modparams={"xavp_cfg": "tls"}))
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"), client_trust=pki.path("ca.pem"))
    context.verify_mode = ssl.CERT_OPTIONAL
    with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
        reply = sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls", method="MESSAGE", headers=headers)
        assert reply.status == 200
        peer = agent.peers[0]
        name = dict(pairs[0] for pairs in peer["subject"])["commonName"] if peer else None
        assert name == row


@OURS
def test_id_is_not_for_the_connection_of_another_request(start, with_file, pki):
    """A request sets an id and opens no connection; the next one in that process does."""
    kam = start(with_file("".join((
        section("server:default", **pair(pki, "server-ec")),
        section("client:default"),
        section("client:127.0.0.8:0", server_id="silver", **pair(pki, "client-rsa")),
    )), listen=("tls", "udp"), script=SCRIPT, children=1))
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"), client_trust=pki.path("ca.pem"))
    context.verify_mode = ssl.CERT_OPTIONAL
    with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
        local = f"sip:127.0.0.1:{kam.port('udp')}"
        assert sender.ask(uri=local, headers=("X-Set-Id: silver",)).status == 200
        reply = sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls", method="MESSAGE")
        assert reply.status == 200
        assert not agent.peers[0]


# ---- defaults --------------------------------------------------------------------------------------------------------

@OURS
def test_without_default_and_without_cert_pem_the_rest_works(start, with_file, pki):
    kam = start(with_file(section("server:any", server_name="named.example", **pair(pki, "server-ec"))))
    assert len(kam.log.find(r"WARNING.*TLSs<default>: there is no \[server:default\] and no")) == 1
    assert served(kam.address(), "named.example") == "server-ec"
    for name in (None, "unknown.example"):
        mark = kam.log.mark()
        with pytest.raises(OSError):
            TlsClient(kam.address(), client_context(), name=name)
        kam.log.wait("profile TLSs<default> has no certificate", since=mark)
    assert served(kam.address(), "named.example") == "server-ec"


def test_written_default_without_certificate_needs_cert_pem(with_file, pki):
    text = section("server:default", method="TLSv1.2+") + \
        section("server:any", server_name="named.example", **pair(pki, "server-ec"))
    output = refused(with_file(text))
    assert re.search(r"ERROR.*/cert\.pem", output)


def test_profiles_are_listed_at_start(start, with_file, pki):
    kam = start(with_file(
        section("server:default", **pair(pki, "server-ec")) +
        section("server:127.0.0.1:0", verify_client="optional", verify_depth=3, **pair(pki, "server-rsa"))))
    for line in ("tls_method=20", f"certificate='{pki.cert('server-rsa')}'", r"ca_list='\(null\)'",
                 "require_certificate=0",
                 f"private_key='{pki.key('server-rsa')}'", "verify_certificate=0", "verify_depth=3", "verify_client=2"):
        assert len(kam.log.find(rf"INFO.*TLSs<127\.0\.0\.1:0>: {line}$")) == 1, line
    assert kam.log.find(r"INFO.*TLSc<default>: certificate='\(null\)'$")


def test_relative_paths_are_in_the_folder_of_the_main_file(settings, pki, tmp_path):
    """Not in the folder of tls.cfg."""
    (tmp_path / "tls.cfg").write_text(
        section("server:default", certificate="sub/server.pem", private_key=pki.key("server-ec")))
    none = {"certificate": None, "private_key": None, "ca_list": None}
    kam = Kamailio(settings.but(modparams={**none, "config": str(tmp_path / "tls.cfg")}))
    (kam.folder / "sub").mkdir()
    shutil.copy(pki.cert("server-ec"), kam.folder / "sub" / "server.pem")
    with kam:
        assert served(kam.address()) == "server-ec"


# ---- files that are refused ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text,position,what", (
    ("[server:default]\nnonsense = 1\n", "2:1", "Unsupported option 'nonsense'"),
    ("certificate = /x\n", "1:1", "Unsupported option 'certificate'"),
    ("[peer:default]\n", "1:2", "Invalid TLS domain type -2:'peer'"),
    ("[server:300.0.0.1:1]\n", "1:9", "Invalid IPv4 address"),
    ("[server:[::x]:1]\n", "1:9", "Invalid IPv6 address"),
    ("[server:127.0.0.1:sip]\n", "1:19", "Invalid port number 'sip'"),
    ("[server:default]\nverify_cert = maybe\n", "2:15", "Invalid option value 'maybe', boolean expected"),
    ("[server:default]\nverify_depth = x\n", "2:16", "Invalid integer value 'x'"),
    ("[server:default]\ncertificate = /a b\n", "2:18", "End of line expected"),
    ("[server:default]\ncertificate = ~/a\n", "2:15", "Invalid character 0x7e"),
    ("[server:default]\ncertificate = \"/a\n", "3:1", "missing closing quote"),
))
def test_errors_name_line_and_column(with_file, text, position, what):
    output = refused(with_file(text))
    assert re.search(rf"ERROR.*tls\.cfg:{position}: .*{re.escape(what)}", output), output


@OURS
@pytest.mark.parametrize("text,position,what", (
    ("[server:127.0.0.1:70000]\n", "1:19", "Invalid port number '70000'"),
    ("[server:default]\nmethod = SSLv3\n", "2:10", "SSLv3"),
    ("[server:127.0.0.1:0]\n[server:127.0.0.1:0]\n", "2:1", "Duplicate TLS domain"),
    ("[server:[" + "ffff:" * 100 + "1]:1]\n", "1:9", "Invalid IPv6 address"),
    ("[server:default]\ncertificate =\n", "3:0", "Option value missing"),
))
def test_errors_that_tls_so_does_not_find(with_file, text, position, what):
    output = refused(with_file(text))
    assert re.search(rf"ERROR.*tls\.cfg:{position}: .*{re.escape(what)}", output), output


def test_section_without_listen_socket(with_file, pki):
    text = (section("server:default", **pair(pki, "server-ec"))
            + section("server:127.0.0.77:5061", **pair(pki, "server-ec")))
    assert re.search(r"(?i)ERROR.*127\.0\.0\.77:5061|ERROR.*no.*listen", refused(with_file(text)))


@OURS
def test_second_default_warns_and_replaces(start, with_file, pki):
    kam = start(with_file(section("server:default", **pair(pki, "server-rsa")) +
                          section("server:default", **pair(pki, "server-ec"))))
    assert kam.log.find(r"WARNING.*tls\.cfg:5: this default section replaces the one at .*tls\.cfg:1$")
    assert served(kam.address()) == "server-ec"


# ---- directories -----------------------------------------------------------------------------------------------------

@OURS
def test_directory_is_read_in_order_of_names(start, settings, pki, tmp_path):
    folder = tmp_path / "tls.d"
    folder.mkdir()
    (folder / "20-late").write_text(section("server:any", server_name="n.example", **pair(pki, "server-rsa")))
    (folder / "10-early").write_text(section("server:any", server_name="n.example", **pair(pki, "server-deep")))
    (folder / "00-default").write_text(section("server:default", **pair(pki, "server-ec")).rstrip())
    (folder / "sub").mkdir()
    none = {"certificate": None, "private_key": None, "ca_list": None, "config": str(folder)}
    kam = start(settings.but(modparams=none))
    assert served(kam.address(), "n.example") == "server-rsa"
    assert served(kam.address()) == "server-ec"
    assert not list(kam.folder.glob("config*"))


@OURS
def test_errors_in_a_directory_name_the_file(settings, pki, tmp_path):
    folder = tmp_path / "tls.d"
    folder.mkdir()
    (folder / "a").write_text(section("server:default", **pair(pki, "server-ec")))
    (folder / "b").write_text("# fine\n\n[server:any]\nserver_nome = x\n")
    none = {"certificate": None, "private_key": None, "ca_list": None, "config": str(folder)}
    assert f"{folder}/b:4:1: Unsupported option 'server_nome'" in refused(settings.but(modparams=none))


def test_missing_file(with_file, tmp_path):
    settings = with_file("")
    (tmp_path / "tls.cfg").unlink()
    assert re.search(r"ERROR.*/tls\.cfg", refused(settings))


# ---- reload ----------------------------------------------------------------------------------------------------------

@OURS
def test_broken_file_changes_nothing(start, with_file, pki, tmp_path):
    """Neither does what the lexer has left of it; `tls.so` then refuses the next good file."""
    kam = start(with_file(section("server:default", **pair(pki, "server-ec"))))
    for text in ("[server:default]\nnonsense=1\n", "[server:default]\ncertificate=", "nonsense["):
        (tmp_path / "tls.cfg").write_text(text)
        with pytest.raises(RuntimeError):
            kam.rpc("tls.reload")
        assert served(kam.address()) == "server-ec"
    (tmp_path / "tls.cfg").write_text(section("server:default", **pair(pki, "server-rsa")))
    kam.rpc("tls.reload")
    assert served(kam.address()) == "server-rsa"


@OURS
def test_reload_says_what_is_wrong(start, with_file, pki, tmp_path):
    kam = start(with_file(section("server:default", **pair(pki, "server-ec"))))
    (tmp_path / "tls.cfg").write_text("[server:default]\n  nonsense=1\n")
    mark = kam.log.mark()
    with pytest.raises(RuntimeError):
        kam.rpc("tls.reload")
    kam.log.wait(r"ERROR.*/tls\.cfg:2:3: Unsupported option 'nonsense'", since=mark)
