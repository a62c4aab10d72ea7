# tls_gnutls - end to end: the examples of the manual of the module `tls` start as they are printed
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Each case is the lines of one example. Changed are only its paths (the folder of the test), the port of tls.cfg, and
what its typing errors meant. test_hsm.py has the examples of engines."""

import shutil
import ssl
import warnings

import pytest

from .lib.kamailio import Kamailio
from .lib.tls import TlsClient, client_context

CONFIG_FOLDER = "/usr/local/etc/kamailio/"

# What comes before an example, so that it alone decides; the manual's quick start sets all three.
PAIR = """
modparam("tls", "certificate", "/usr/local/etc/kamailio/my_certificate.pem")
modparam("tls", "private_key", "/usr/local/etc/kamailio/my_pkey.pem")
"""
CA_LIST = 'modparam("tls", "ca_list", "/usr/local/etc/kamailio/ca_list.pem")\n'

# Name of the example: its lines.
WHOLE = {
    "quick start": """
modparam("tls", "private_key", "/usr/local/etc/kamailio/server-test.pem")
modparam("tls", "certificate", "/usr/local/etc/kamailio/server-test.pem")
modparam("tls", "ca_list", "/usr/local/etc/kamailio/calist.pem")
""",
    "howto, certificate": """
modparam("tls", "certificate", "/usr/local/etc/kamailio/cert_file_name")
modparam("tls", "private_key", "/usr/local/etc/kamailio/private_key_file")
modparam("tls", "ca_list", "/usr/local/etc/kamailio/ca_list_file")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 1)
""",
}
ADDED = {
    "howto, revocation": CA_LIST + 'modparam("tls", "crl", "path/my_crl.pem")',
    "tls_method": 'modparam("tls", "tls_method", "TLSv1")',
    "certificate and private_key": "",
    "ca_list": CA_LIST,
    "crl": CA_LIST + 'modparam("tls", "crl", "/usr/local/etc/kamailio/crl.pem")',
    "verify_certificate": 'modparam("tls", "verify_certificate", 1)',
    "verify_depth": 'modparam("tls", "verify_depth", 9)',
    "require_certificate": CA_LIST + 'modparam("tls", "require_certificate", 1)',
    "cipher_list": 'modparam("tls", "cipher_list", "HIGH")',
    "server_name": 'modparam("tls", "server_name", "kamailio.org")',
    "connection_timeout": 'modparam("tls", "connection_timeout", 60)',
    "tls_disable_compression": 'modparam("tls", "tls_disable_compression", 0) # enable',
    "ssl_release_buffers": 'modparam("tls", "ssl_release_buffers", 1)',
    "ssl_freelist_max_len": 'modparam("tls", "ssl_freelist_max_len", 0)',
    "ssl_max_send_fragment": 'modparam("tls", "ssl_max_send_fragment", 4096)',
    "ssl_read_ahead": 'modparam("tls", "ssl_read_ahead", 1)',
    "send_close_notify": 'modparam("tls", "send_close_notify", 1)',
    "con_ct_wq_max": 'modparam("tls", "con_ct_wq_max", 1048576)',
    "ct_wq_max": 'modparam("tls", "ct_wq_max", 4194304)',
    "ct_wq_blk_size": 'modparam("tls", "ct_wq_blk_size", 2048)',
    "tls_log": "# ignore TLS messages if Kamailio is started with debug less than 10\n"
               'modparam("tls", "tls_log", 10)',
    "tls_debug": "# ignore TLS debug messages if Kamailio is started with debug less than 10\n"
                 'modparam("tls", "tls_debug", 10)',
    "low_mem_threshold1": 'modparam("tls", "low_mem_threshold1", -1)',
    "low_mem_threshold2": 'modparam("tls", "low_mem_threshold2", -1)',
    "tls_force_run": 'modparam("tls", "tls_force_run", 11)',
    "session_cache": 'modparam("tls", "session_cache", 1)',
    "session_id": 'modparam("tls", "session_id", "my-session-id-context")',
    "renegotiation": 'modparam("tls", "renegotiation", 1)',
    "event_callback": 'modparam("tls", "event_callback", "ksr_tls_event")',
}
# Where clients need a certificate.
NEEDS_CERTIFICATE = ("howto, certificate", "require_certificate")

SCRIPTS = {
    "xavp_cfg": ('modparam("tls", "xavp_cfg", "tls")', """
request_route {
  $xavp(tls=>server_name) = "kamailio.org";
  $xavp(tls=>server_id) = "kamailio.org";
  $du = "sip:kamailio.org:5061;transport=tls";
  sl_send_reply("200", "OK");
}
"""),
    "is_peer_verified": ("", """
request_route {
	if (proto==TLS && !is_peer_verified()) {
		sl_send_reply("400", "No certificate or verification failed");
		exit;
	}
	sl_send_reply("200", "OK");
}
"""),
    "connection-out": ("", """
request_route {
	sl_send_reply("200", "OK");
}
event_route[tls:connection-out] {
  if($sndto(ip)=="1.2.3.4") {
    drop;
  }
}
"""),
}

TLS_CFG = """
[server:default]
method = TLSv1
verify_certificate = yes
require_certificate = yes
private_key = default_key.pem
certificate = default_cert.pem
ca_list = default_ca.pem
crl = default_crl.pem

[client:default]
verify_certificate = yes
require_certificate = yes

# more relaxed for connection on the loopback interface
[server:127.0.0.1:5061]
method = TLSv1
verify_certificate = yes
require_certificate = no
private_key = local_kamailio_org_key.pem
certificate = local_kamailio_org_cert.pem
verify_depth = 3
ca_list = local_ca.pem
server_name = kamailio.org

[client:127.0.0.1:5061]
method = TLSv1
verify_certificate = yes
require_certificate = yes
private_key = default_key.pem
certificate = default_cert.pem
ca_list = default_ca.pem
crl = default_crl.pem
server_name = kamailio.org
server_id = kamailio.org

# server profile on any address
[server:any]
method = TLSv1
verify_certificate = yes
require_certificate = no
private_key = kamailio_net_key.pem
certificate = kamailio_net_cert.pem
verify_depth = 3
ca_list = local_ca.pem
server_name = kamailio.net
server_name_mode = 1
"""

RUNTIME = (("connection_timeout", 180), ("send_close_notify", 1), ("con_ct_wq_max", 1048576), ("ct_wq_max", 4194304),
           ("ct_wq_blk_size", 2048), ("log", 10), ("debug", 10), ("low_mem_threshold1", 2048),
           ("low_mem_threshold2", 1024))


class Example(Kamailio):
    """A Kamailio with the files that examples name beside its configuration."""

    def __init__(self, settings, pki):
        super().__init__(settings)
        content = {
            "cert": pki.cert("server-ec"), "certificate": pki.cert("server-ec"), "key": pki.key("server-ec"),
            "ca": pki.path("ca.pem"), "crl": pki.path("all.crl")}
        files = {"my_certificate.pem": "cert", "my_pkey.pem": "key", "ca_list.pem": "ca", "calist.pem": "ca",
                 "crl.pem": "crl", "cert_file_name": "cert", "private_key_file": "key", "ca_list_file": "ca",
                 "path/my_crl.pem": "crl", "default_key.pem": "key", "default_cert.pem": "cert",
                 "default_ca.pem": "ca", "default_crl.pem": "crl", "local_kamailio_org_key.pem": "key",
                 "local_kamailio_org_cert.pem": "cert", "local_ca.pem": "ca", "kamailio_net_key.pem": "key",
                 "kamailio_net_cert.pem": "cert"}
        (self.folder / "path").mkdir()
        for name, kind in files.items():
            shutil.copy(content[kind], self.folder / name)
        (self.folder / "server-test.pem").write_bytes(
            b"".join(open(content[kind], "rb").read() for kind in ("cert", "key")))
        (self.folder / "tls.cfg").write_text("")

    def write_config(self):
        tls_cfg = self.folder / "tls.cfg"
        tls_cfg.write_text(TLS_CFG.replace("127.0.0.1:5061", f"127.0.0.1:{self.port()}"))
        path = super().write_config()
        path.write_text(path.read_text().replace(CONFIG_FOLDER, f"{self.folder}/"))
        return path


@pytest.fixture(name="bare")
def settings_without_parameters(settings):
    return settings.but(modparams=dict.fromkeys(settings.modparams))


def serves(kam, pki, wants_certificate):
    """The status of an answer, over TLS 1.0, which is the default and what most examples set."""
    context = client_context()
    if wants_certificate:
        context.load_cert_chain(pki.cert("client-ok"), pki.key("client-ok"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with TlsClient(kam.address(), context) as client:
        return client.ask().status


def runs(bare, pki, name, lines, **more):
    with Example(bare.but(config=lines, **more), pki) as kam:
        assert not kam.log.at_level("ERROR") and not kam.log.at_level("CRITICAL")
        assert serves(kam, pki, name in NEEDS_CERTIFICATE) in (200, 400)


@pytest.mark.parametrize("name", WHOLE)
def test_whole_examples(bare, pki, name):
    runs(bare, pki, name, WHOLE[name])


@pytest.mark.parametrize("name", ADDED)
def test_examples_of_one_parameter(bare, pki, name):
    runs(bare, pki, name, PAIR + ADDED[name])


@pytest.mark.parametrize("name", SCRIPTS)
def test_examples_with_a_script(bare, pki, name):
    lines, script = SCRIPTS[name]
    runs(bare, pki, name, PAIR + lines, script=script)


def test_sample_file(bare, pki):
    runs(bare, pki, "require_certificate", 'modparam("tls", "config", "/usr/local/etc/kamailio/tls.cfg")')


def test_sample_file_is_reloaded(bare, pki):
    lines = 'modparam("tls", "config", "/usr/local/etc/kamailio/tls.cfg")'
    with Example(bare.but(config=lines, modules=("cfg_rpc",)), pki) as kam:
        shutil.copy(kam.folder / "tls.cfg", kam.folder / "new_tls.cfg")
        kam.kamcmd("cfg.set_now_string", "tls", "config", f"{kam.folder}/new_tls.cfg")
        kam.kamcmd("tls.reload")
        assert serves(kam, pki, True) == 200


def test_examples_of_changes_at_runtime(bare, pki):
    with Example(bare.but(config=PAIR, modules=("cfg_rpc",)), pki) as kam:
        for name, value in RUNTIME:
            kam.kamcmd("cfg.set_now_int", "tls", name, str(value))
        assert serves(kam, pki, False) == 200
