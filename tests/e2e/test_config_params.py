# tls_gnutls - end to end: module parameters and the runtime configuration group `tls`
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import contextlib
import re
import ssl

import pytest

from .lib.kamailio import Kamailio, StartFailed, host_version
from .lib.tls import TlsClient, client_context, server_context
from .lib.uas import TlsAgent, UdpSender
from .lib.wait import until

OURS = pytest.mark.ours_only("parameters of later versions, ranges, KB")

# Every variable in the order of the group: value at start (None: follows from the settings).
GROUP = (
    ("force_run", 0), ("method", "TLSv1.2+"), ("server_name", None), ("server_name_mode", 0),
    ("server_id", None), ("verify_certificate", 0), ("verify_depth", 9),
    ("require_certificate", 0), ("verify_client", "off"), ("private_key", None),
    ("ca_list", None), ("ca_path", None), ("crl", None), ("certificate", None),
    ("cipher_list", None), ("session_cache", 0), ("session_id", "kamailio-tls-5.x.y"),
    ("config", None), ("log", 3), ("debug", 3), ("connection_timeout", None),
    ("disable_compression", 1), ("ssl_release_buffers", -1), ("ssl_free_list_max", -1),
    ("ssl_max_send_fragment", -1), ("ssl_read_ahead", 0), ("low_mem_threshold1", None),
    ("low_mem_threshold2", None), ("ct_wq_max", 10485760), ("con_ct_wq_max", 65536),
    ("ct_wq_blk_size", 4096), ("send_close_notify", 0),
)

# Variable, lowest, highest value that can be set; value read after setting it, if it differs.
WRITABLE = (
    ("log", 0, 1000), ("debug", 0, 1000),
    ("low_mem_threshold1", -1, 1 << 30), ("low_mem_threshold2", -1, 1 << 30),
    ("ct_wq_max", 0, 1 << 30), ("con_ct_wq_max", 0, 4194304), ("ct_wq_blk_size", 1, 65536),
    ("send_close_notify", 0, 1),
)

READ_ONLY = ("force_run", "server_name_mode", "verify_certificate", "verify_depth",
             "require_certificate", "session_cache", "disable_compression", "ssl_release_buffers",
             "ssl_free_list_max", "ssl_max_send_fragment", "ssl_read_ahead")


@pytest.fixture(scope="module", name="settings")
def settings_with_cfg_rpc(settings):
    return settings.but(modules=("cfg_rpc",))


@pytest.fixture(scope="module")
def kam(settings):
    with Kamailio(settings) as kamailio:
        yield kamailio


def get(kam, name):
    return kam.rpc("cfg.get", "tls", name)


def put(kam, name, value):
    kam.rpc("cfg.set_now_int", "tls", name, value)


def test_group_has_every_variable_in_order(kam):
    listed = [line.split()[-1] for line in kam.kamcmd("cfg.list", "tls").splitlines() if "tls" in line]
    expected = [name for name, _ in GROUP]
    if host_version() >= (6, 0):
        expected.insert(expected.index("ca_list"), "private_key_password")
    assert listed == expected


@pytest.mark.parametrize("name,value", [row for row in GROUP if row[1] is not None])
def test_defaults(kam, name, value):
    assert get(kam, name) == value


def test_paths_are_shown_as_they_are_used(kam, settings):
    assert get(kam, "certificate") == settings.modparams["certificate"]
    assert get(kam, "private_key") == settings.modparams["private_key"]


@pytest.mark.parametrize("name", READ_ONLY)
def test_read_only_variables_cannot_be_set(kam, name):
    before = get(kam, name)
    with pytest.raises(RuntimeError):
        put(kam, name, 0)
    assert get(kam, name) == before


@OURS
@pytest.mark.parametrize("name,low,high", WRITABLE)
def test_writable_variables_and_their_ranges(kam, name, low, high):
    before = get(kam, name)
    for value in (low, high):
        put(kam, name, value)
        assert get(kam, name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(RuntimeError):
            put(kam, name, value)
    put(kam, name, before)
    assert get(kam, name) == before


@pytest.mark.parametrize("name", ("config", "connection_timeout"))
def test_variables_with_a_conversion_cannot_be_read(kam, name):
    """The core refuses: what it would show is not what was set."""
    with pytest.raises(RuntimeError, match="not readable"):
        get(kam, name)


@OURS
def test_connection_timeout_of_idle_connections(kam):
    """tls.list shows it once the worker has returned the connection to tcp main, after 5 s."""
    never = 134217727           # the most seconds whose ticks fit in an int
    wanted = {1000: 1000, 600: 600, never: never, never + 1: never, 2147483647: never, -1: never}
    opened = {}
    with contextlib.ExitStack() as stack:
        for seconds in wanted:
            put(kam, "connection_timeout", seconds)
            client = stack.enter_context(TlsClient(kam.address(), client_context()))
            assert client.ask().status == 200
            opened[client.local[1]] = seconds
        put(kam, "connection_timeout", 600)

        def timeouts():
            shown = {int(entry["src_port"]): int(entry["timeout"]) for entry in kam.rpc("tls.list")}
            return {seconds: shown[port] for port, seconds in opened.items()}

        until(lambda: min(timeouts().values()) > 60, "all connections are returned", 30)
        # the value when a connection is made counts: later values are for later connections
        for seconds, shown in timeouts().items():
            assert wanted[seconds] - 60 <= shown <= wanted[seconds], (seconds, shown)


def test_connection_timeout_below_never_is_refused(kam):
    with pytest.raises(RuntimeError):
        put(kam, "connection_timeout", -2)


def test_connection_timeout_takes_effect_at_once(start, settings):
    kam = start(settings.but(core="tcp_connection_lifetime=3600"))
    put(kam, "connection_timeout", 2)
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
        kam.wait_connections(0, timeout_s=30)


def test_log_level_takes_effect_at_once(kam):
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200
    assert not kam.log.find("new connection from")
    put(kam, "log", 1)
    try:
        with TlsClient(kam.address(), client_context()) as client:
            assert client.ask().status == 200
        kam.log.wait("tls_accept: new connection from")
    finally:
        put(kam, "log", 3)


@OURS
@pytest.mark.parametrize("name", ("low_mem_threshold1", "low_mem_threshold2"))
def test_thresholds_are_kb_and_minus_one_is_the_default(start, settings, name):
    kam = start(settings)
    assert get(kam, name) == -1

    def works():
        try:
            with TlsClient(kam.address(), client_context()) as client:
                return client.ask().status == 200
        except (OSError, EOFError):
            return False

    for kilobytes, enough in (
            (-1, True),
            (1 << 20, False),       # 1 GB of 64 MB
            (1 << 30, False),       # 1 TB: more bytes than 32 bits hold
            (4, True), (1 << 20, False), (-1, True), (1 << 20, False), (0, True)):
        put(kam, name, kilobytes)
        until(lambda wanted=enough: works() == wanted, f"{name} {kilobytes}: works {enough}", 5)


def test_clear_text_queue_limits_take_effect_at_once(start, settings, pki):
    """Clear text that waits for the end of an outgoing handshake is refused when nothing may wait."""
    kam = start(settings.but(listen=("tls", "udp")))
    context = server_context(pki.cert("server-ec"), pki.key("server-ec"))

    def ask():
        with TlsAgent(context) as agent, UdpSender(kam.address("udp")) as sender:
            reply = sender.ask(uri=f"sip:far@127.0.0.1:{agent.port};transport=tls", method="MESSAGE")
            return reply.status

    assert ask() == 200
    put(kam, "ct_wq_max", 0)
    assert ask() >= 400
    put(kam, "ct_wq_max", 65536)
    assert ask() == 200


@pytest.mark.parametrize("value", (0, 1))
def test_close_notify_takes_effect_at_once(start, settings, value):
    kam = start(settings)
    put(kam, "send_close_notify", 1 - value)
    put(kam, "send_close_notify", value)
    put(kam, "connection_timeout", 1)
    context = client_context()
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    with TlsClient(kam.address(), context) as client:
        client.sock.suppress_ragged_eofs = False
        assert client.ask().status == 200
        if value:
            assert client.sock.recv(1) == b""
        else:
            with pytest.raises(ssl.SSLError, match="(?i)eof"):
                client.sock.recv(1)


@pytest.mark.parametrize("written,read", (
    ("profiles.cfg", "{dir}/profiles.cfg"), ("/nowhere/tls.cfg", "/nowhere/tls.cfg"),
    ("./nowhere.cfg", "./nowhere.cfg")))
def test_config_set_at_runtime_is_read_by_the_next_reload(start, settings, written, read):
    """A name without a leading dot or slash is relative to the main file; the old profiles stay."""
    kam = start(settings)
    kam.rpc("cfg.set_now_string", "tls", "config", written)
    mark = kam.log.mark()
    with pytest.raises(RuntimeError):
        kam.rpc("tls.reload")
    kam.log.wait(re.escape(read.format(dir=kam.folder)), since=mark)
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


@OURS
def test_config_that_is_too_long_is_refused(kam):
    with pytest.raises(RuntimeError):
        kam.rpc("cfg.set_now_string", "tls", "config", "x" * 5000)
    assert kam.log.find("cannot be made a path")


def test_threshold_line_at_start(kam):
    assert kam.log.find(r"(free shared memory|free memory thresholds)")


# ---- what is accepted and refused at start ---------------------------------------------------------------------------

NO_EFFECT = {"tls_disable_compression": 0, "ssl_release_buffers": 0, "ssl_freelist_max_len": 5,
             "ssl_read_ahead": 1, "tls_force_run": 1, "engine_algorithms": "RSA",
             "rand_engine": "fastrand", "init_mode": 1, "provider_quirks": 1,
             "provider_quirks_config": "/etc/y.cnf", "send_timeout": 10}

# the same with numbers that mean nothing even there
NO_EFFECT_ODD = {"tls_disable_compression": 2, "ssl_release_buffers": 2, "ssl_freelist_max_len": -2,
                 "ssl_read_ahead": 2, "tls_force_run": 11, "init_mode": -1, "provider_quirks": 4096, "send_timeout": -2}

LATER = {"private_key_password": "unused", "key_password_mode": 0, "certificate2": "", "private_key2": "",
         "private_key_password2": "", "keylog_mode": 0, "keylog_file": "/tmp/none", "keylog_peer": "udp:127.0.0.1:9",
         "handshake_timeout": 30, "handshakes_max": 1000, "handshakes_per_address": 100, "verify_name": 0,
         "outgoing_sni": 1, "certificate_warn_days": "30,7,1", "auto_reload": 0, "key_isolation": 0, "engine": "NONE"}


@OURS
@pytest.mark.parametrize("params", (NO_EFFECT, NO_EFFECT_ODD), ids=("usual", "odd"))
def test_settings_without_effect_take_any_value_and_are_named_once(start, settings, params):
    kam = start(settings.but(modparams=params))
    for name in params:
        assert len(kam.log.find(f'INFO.*parameter "{name}": .* has no effect with GnuTLS')) == 1, name
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


@OURS
def test_unset_settings_are_not_named(kam):
    assert not kam.log.find("has no effect")


@OURS
def test_later_and_own_parameters_are_accepted(start, settings):
    kam = start(settings.but(modparams=LATER))
    with TlsClient(kam.address(), client_context()) as client:
        assert client.ask().status == 200


REFUSED = (
    ("verify_depth", -1, "0 to 100"), ("con_ct_wq_max", -1, "0 to 4194304"), ("ct_wq_max", -1, "0 to 1073741824"),
    ("ssl_max_send_fragment", 511, "-1, or 512 to 16384"), ("ssl_max_send_fragment", 0, "-1, or 512 to 16384"),
    ("handshakes_max", -2, "-1, or 0 to 1048576"), ("handshakes_per_address", -1, "0 to 1048576"),
    ("handshake_timeout", -1, "0 to 86400"), ("verify_name", 3, "0 to 2"), ("verify_name", -1, "0 to 2"),
    ("keylog_mode", -1, "0 to 2047"), ("auto_reload", -1, "0 to 86400"),
)

# Parameter, value, what is used instead.
FITTED = (
    ("verify_depth", 101, 100), ("tls_log", 1001, 1000), ("tls_debug", -6, -5), ("con_ct_wq_max", 16777216, 4194304),
    ("ct_wq_max", (1 << 30) + 1, 1 << 30), ("ct_wq_blk_size", 0, 1), ("ct_wq_blk_size", 65537, 65536),
    ("low_mem_threshold1", -2, -1), ("low_mem_threshold2", -7, -1), ("ssl_max_send_fragment", 16385, 16384),
    ("handshakes_max", 1048577, 1048576), ("handshakes_per_address", 1048577, 1048576),
    ("handshake_timeout", 86401, 86400), ("auto_reload", 86401, 86400),
)

SWITCHES = ("verify_certificate", "require_certificate", "session_cache", "renegotiation", "outgoing_sni",
            "send_close_notify", "key_password_mode")

GROUP_NAMES = {"tls_log": "log", "tls_debug": "debug"}


@OURS
@pytest.mark.parametrize("name,value,allowed", REFUSED)
def test_numbers_out_of_range_are_refused(settings, name, value, allowed):
    output = refused(settings.but(modparams={name: value}))
    assert f'parameter "{name}": {value} is not allowed (allowed: {allowed})' in output


@OURS
@pytest.mark.parametrize("name,value,used", FITTED)
def test_sizes_out_of_range_are_cut(start, settings, name, value, used):
    kam = start(settings.but(modparams={name: value}))
    assert len(kam.log.find(f'WARNING.*parameter "{name}": {value} is out of range, {used} is used')) == 1
    group = GROUP_NAMES.get(name, name)
    if group in dict(GROUP):
        assert get(kam, group) == used


@OURS
@pytest.mark.parametrize("value", (2, 11, -1))
def test_switches_are_on_for_any_number_but_0(start, settings, value):
    kam = start(settings.but(modparams=dict.fromkeys(SWITCHES, value)))
    for name in SWITCHES:
        assert len(kam.log.find(f'WARNING.*parameter "{name}": {value} is taken as 1')) == 1, name
        if name in dict(GROUP):
            assert get(kam, name) == 1
    with pytest.raises((OSError, EOFError)):        # require_certificate is on
        with TlsClient(kam.address(), client_context()) as client:
            client.ask()


@OURS
def test_unknown_bits_of_keylog_mode_are_dropped(start, settings, tmp_path):
    kam = start(settings.but(modparams={"keylog_mode": 4096 | 1 | 2 | 8, "keylog_file": str(tmp_path / "keys")}))
    assert len(kam.log.find('WARNING.*parameter "keylog_mode": 4107 has unknown bits, 11 is used')) == 1


@OURS
@pytest.mark.parametrize("name,value,sentence", (
    ("tls_method", "TLSv1.4", "'TLSv1.4' is not a TLS method"), ("tls_method", "", "is not a TLS method"),
    ("tls_method", "SSLv3", "SSLv3 is not supported"), ("tls_method", "SSLv2", "SSLv2 is not supported"),
    ("verify_client", "maybe", '"maybe" is not allowed (allowed: off, on, optional, optional_no_ca)'),
    ("certificate_warn_days", "30,x", '"30,x" is not allowed'), ("certificate_warn_days", "30,", "is not allowed"),
    ("certificate_warn_days", ",30", "is not allowed"), ("certificate_warn_days", "4000", "is not allowed"),
    ("certificate_warn_days", "1,2,3,4,5,6,7,8,9", "up to 8 numbers"),
))
def test_invalid_texts_are_refused(settings, name, value, sentence):
    output = refused(settings.but(modparams={name: value}))
    line = [l for l in output.splitlines() if f'parameter "{name}"' in l]
    assert line and sentence in line[0], output


@OURS
@pytest.mark.parametrize("mode,missing", ((8, "keylog_file"), (16, "keylog_peer")))
def test_keylog_needs_its_target(settings, mode, missing):
    output = refused(settings.but(modparams={"keylog_mode": mode}))
    assert f'parameter "{missing}" is missing: keylog_mode {mode} has bit {mode}' in output


@pytest.mark.parametrize("name,value", (("verify_depth", "9"), ("tls_method", 12), ("no_such_parameter", 1)))
def test_wrong_types_and_names_are_refused(settings, name, value):
    output = refused(settings.but(modparams={name: value}))
    assert f"parameter <{name}>" in output


@OURS
@pytest.mark.parametrize("name,value", (("verify_depth", 0), ("verify_depth", 100), ("ssl_max_send_fragment", 512),
                                        ("ssl_max_send_fragment", 16384), ("low_mem_threshold1", 0),
                                        ("tls_log", -5), ("connection_timeout", -7), ("certificate_warn_days", "")))
def test_limits_of_ranges_are_accepted(start, settings, name, value):
    start(settings.but(modparams={name: value}))


@OURS
def test_all_wrong_values_are_named_in_one_start(settings):
    output = refused(settings.but(modparams={"verify_depth": -5, "tls_method": "x", "verify_name": 9}))
    for name in ("verify_depth", "tls_method", "verify_name"):
        assert f'parameter "{name}"' in output


@OURS
def test_tls_1_0_alone_is_warned_about(start, settings):
    kam = start(settings.but(modparams={"tls_method": None}))
    assert len(kam.log.find('parameter "tls_method": "TLSv1" means TLS 1.0 and nothing newer')) == 1


def test_relative_paths_are_in_the_folder_of_the_main_file(settings):
    """Names without a leading dot or slash; the default of both is cert.pem in that folder."""
    assert re.search(r"ERROR.*/tlsg-\w+/missing\.pem", refused(settings.but(modparams={"certificate": "missing.pem"})))
    changed = {"certificate": None, "private_key": None}
    assert re.search(r"ERROR.*/tlsg-\w+/cert\.pem", refused(settings.but(modparams=changed)))


def refused(settings):
    """The end of the log of a Kamailio whose start must fail."""
    kam = Kamailio(settings)
    with pytest.raises(StartFailed) as failure:
        with kam:
            pass
    return str(failure.value)
