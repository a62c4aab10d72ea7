# tls_gnutls - all known differences from tls.so, with reasons
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""The suite fails for a difference that is not in LIST; doc/differences.md is printed from it.

    tests/compare/print_differences.py > doc/differences.md
"""

from dataclasses import dataclass

# Kinds of reasons
DEFECT = "defect of tls.so"         # not worth reproducing
MORE = "more than tls.so"           # this version of tls.so lacks it
LIBRARY = "another library"         # GnuTLS does it in another way, or cannot know


@dataclass(frozen=True)
class Difference:
    """One difference: for these subjects, `applies(case, theirs, ours)` says whether it explains a pair of answers."""

    title: str
    subjects: tuple                 # probes, RPC commands, log lines it is about
    theirs: str                     # in words
    ours: str
    kind: str
    reason: str
    applies: object = None          # None: it has a test of its own


def _is_new(_case, theirs, ours):
    return theirs is None and ours is not None


NAMES = ("$tls_peer_subject", "$tls_peer_issuer", "$tls_my_subject", "$tls_my_issuer")

LIST = (
    Difference(
        "Whole names as variables", NAMES, "always null",
        "the name on one line, as `$tls(p_subject_line)` gives it", MORE,
        "tls.so fills these variables from 6.1 on.", _is_new),
    Difference(
        "Ephemeral Diffie-Hellman without cipher_list", ("handshake",),
        "refuses clients that offer only DHE suites, unless cipher_list is set", "accepts them", DEFECT,
        "tls.so installs Diffie-Hellman parameters only when cipher_list is set.",
        lambda case, theirs, ours: case.startswith("suite DHE-") and theirs.refused),
    Difference(
        "Several faults of one certificate, not enforced", ("$tls_peer_selfsigned", "@tls.peer.self_signed", "log"),
        "the fault found last counts: a self-signed certificate that is not yet valid is not reported "
        "as self-signed", "faults that scripts can query take precedence: revoked before expired before self-signed "
        "before all others", DEFECT, "What a script sees does not depend on the order of checks.",
        lambda case, theirs, ours: case == "selfsigned-notyet" and ours == b"1"),
    Difference(
        "Last fields of tls.list", ("tls.list",), "ends with `state`",
        "has `sni`, `timestamp`, `dom` and `group` behind `state`", MORE,
        "Later versions of tls.so have these fields, except `group`; on older hosts they come last, so that code that "
        "reads by position keeps working."),
    Difference(
        "Group of the key exchange", ("$tls_group", "@tls.group", "tls.list", "tls.profiles"), "not shown",
        "shown by the variable, the select and the fields `group` and `groups`", MORE,
        "Whether a connection has a post-quantum key exchange can be seen, and a script can insist on it."),
    Difference(
        "Post-quantum key exchange", ("handshake",),
        "X25519MLKEM768 by default with OpenSSL 3.5; its clients also send a key share for X25519",
        "X25519MLKEM768 by default with a GnuTLS that has it, which Debian's does not; clients also send a key share "
        "for P-256", LIBRARY,
        "GnuTLS sends no two key shares that have an algorithm in common. See doc/ciphers.md."),
    Difference(
        "tls.reload without a configuration file", ("tls.reload",),
        "fault 500 `No TLS configuration file configured`",
        "rereads certificates, keys, CAs and CRLs of the module parameters", MORE,
        "Certificates are renewed without a restart in this mode too."),
    Difference(
        "Reply of tls.reload", ("tls.reload",), "`Ok. TLS configuration reloaded.`",
        "the same, followed by a line for each change; `tls.reload check` changes nothing, another argument is "
        "refused", MORE,
        "The operator sees that the renewed certificate is in use. If nothing has changed, the reply is the same."),
    Difference(
        "Text of the fault of tls.reload", ("tls.reload",), "one of three sentences",
        "the same sentence, followed by `: ` and the cause", MORE,
        "Code and beginning are the same; the operator sees the cause without reading the log."),
    Difference(
        "Commands", ("tls.kill", "tls.profiles", "tls.sessions", "tls.version"),
        "`command not found` (tls.kill: from 5.8 on)", "available", MORE, "See doc/rpc.md."),
    Difference(
        "Statistics", ("group tls",), "none (three from 6.0 on)", "the three of 6.0 and more", MORE,
        "See doc/rpc.md."),
    Difference(
        "WebSocket over TLS in variables, selects and is_peer_verified()", ("message over WSS",),
        "null, and -1 with a line at ERROR", "the same answers as over TLS", DEFECT,
        "A WebSocket connection over TLS has the same session and certificates; tls.so accepts it in variables "
        "from 5.8 on."),
    Difference(
        "WebSocket connections in tls.list", ("tls.list",), "left out (from 6.0 on: listed)", "listed", MORE,
        "They count in tls.info on every version."),
    Difference(
        "event_route[tls:connection-out] and event_callback", ("outgoing connections",), "never run (before 6.2)",
        "run once for each outgoing connection, before queued data is sent, with `$sndto(...)` and `$tls_*`; `drop` "
        "closes it", DEFECT,
        "They are documented, but depend on state that the process that completes the handshake does not have."),
    Difference(
        "KSR.tls.cget()", ("cget of names with a parameter block",),
        "null and a line at BUG for all but four names", "the value of every variable without an inner name",
        DEFECT, "tls.so calls the variables with an empty parameter block."),
    Difference(
        "Variables and selects of later versions", (
            "$(tls_peer_san_hostname[1])", "$tls_peer_san_count(DNS)", "@tls.peer.host[1]",
            '@tls.peer.count["DNS"]'), "unknown: the configuration does not load", "available", MORE,
        "tls.so has them from 5.7 on."),
    Difference(
        "Selects as `$sel(...)` outside of strings", ("$sel(tls.version)",),
        "unknown when the script is parsed: the configuration does not load; in strings, and as `@tls.version`, "
        "they work",
        "available", DEFECT, "tls.so registers its selects after the script has been parsed."),
    Difference(
        "Log lines about missing certificates", ("log",),
        "ERROR `Unable to retrieve peer TLS certificate from SSL structure`",
        "INFO, naming the connection", DEFECT,
        "A peer without a certificate is not an error of this host; the script sees null in both cases."),
    Difference(
        "Log lines about failed handshakes and records", ("log",),
        "four or more lines at ERROR, with OpenSSL's text of the error",
        "one line at WARNING that begins with `protocol level error` and contains the same parts: `TLS accept:` and "
        "the like, GnuTLS's text, `(sni: ...)`, `src addr: ...`, `dst addr: ...`", DEFECT,
        "A peer's mistake is not an error of this host; fail2ban and the like can match one line as a whole."),
    Difference(
        "Key updates of TLS 1.3", ("connection",), "any number",
        "ends the connection at the ninth within a second, with the line `more than 8 key updates within a second`",
        LIBRARY, "GnuTLS has this limit, and no way to change it."),
    Difference(
        "Renegotiation that a client starts, with renegotiation=1", ("connection",),
        "refused, with OpenSSL 3", "done", LIBRARY,
        "OpenSSL 3 has an option of its own for it, which tls.so does not set. With `renegotiation=0` both refuse."),
    Difference(
        "Alert for plain text", ("connection",), "none: the connection is closed",
        "`unexpected_message`, then the connection is closed", LIBRARY,
        "OpenSSL sends no alert before it has seen a record of TLS."),
    Difference(
        "Log lines about resumed sessions", ("log",), "as for other sessions",
        "` (resumed)` at the end of the line `new connection`", MORE,
        "The log shows at a glance whether resumption works; with `session_cache=0` the line is the same."),
    Difference(
        "More names of CAs than a request for a certificate can hold", ("handshake",),
        "every handshake fails when the names of the CAs in `ca_list` have more than 64 KB",
        "the names are not announced; the CAs count, and a line at WARNING says so at start", DEFECT,
        "The list that a server sends has 16 bits for its length; it may be empty."),
    Difference(
        "ca_path without certificates", ("start",),
        "starts, and refuses every certificate if there is no other CA",
        "the same with a line at WARNING; refuses to start if certificates are verified and `ca_list` has no CA",
        DEFECT, "Nobody could connect; see doc/verification.md."),
    Difference(
        "Trust settings of CAs", ("handshake",),
        "a `TRUSTED CERTIFICATE` in `ca_path`, or among others in `ca_list`, counts for the purposes that its "
        "settings name",
        "it is not used unless its settings allow servers and clients both", LIBRARY,
        "GnuTLS has no such settings; to ignore them would trust more than the file says."),
    Difference(
        "Whole names beyond 8 KB", ("$tls(p_subject_line)", "log"),
        "cut in variables, whole in the log", "null with a line at ERROR; the log says that the name is not shown",
        DEFECT, "A name that is cut can look like another name.",
        lambda case, theirs, ours: case == "longest" and ours is None),
    Difference(
        "Whole names in the variables of 6.1", NAMES, "cut after 1,023 bytes",
        "whole up to 8 KB, then null with a line at ERROR", DEFECT, "A name that is cut can look like another name.",
        lambda case, theirs, ours: case in ("long", "longest") and theirs is not None
        and (ours is None if case == "longest" else ours.startswith(theirs))),
    Difference(
        "Certificates with an empty subject alternative name", ("handshake",), "accepted, null",
        "refused in the handshake", LIBRARY, "GnuTLS does not parse such certificates.",
        lambda case, theirs, ours: case.startswith("empty-") and ours.refused),
    Difference(
        "Key usage of client certificates", ("handshake",),
        "not checked unless verification is enforced",
        "a client whose certificate lacks digitalSignature in its key usage is refused, also with "
        "`verify_client=optional_no_ca`, and the reason is logged", LIBRARY,
        "GnuTLS's only switch, %COMPAT, also turns off protections of the whole session; see doc/upstream.md.",
        lambda case, theirs, ours: case.startswith("key usage client-") and ours.refused),
    Difference(
        "Server names that are not host names", ("handshake",), "accepted",
        "refused: names with characters other than letters, digits, `-` and `.`", LIBRARY,
        "GnuTLS refuses the ClientHello, and a program cannot change that; see doc/upstream.md.",
        lambda case, theirs, ours: case == "no host name" and ours.refused),
    Difference(
        "Addresses in certificates that have neither 4 nor 16 bytes",
        ("$tls_peer_san_ip", "@tls.peer.ip", "@tls.peer.IPAddress", "@tls.peer.ip_address"),
        "four bytes, the missing ones taken from the memory beside them", "null", DEFECT,
        "There is no such address.", lambda case, theirs, ours: case == "odd-address" and ours is None),
)


def _explains(difference, subject, case, theirs, ours):
    return (subject in difference.subjects and difference.applies is not None
            and difference.applies(case, theirs, ours))


def explained(subject, case, theirs, ours):
    """Whether the list has this difference."""
    return any(_explains(entry, subject, case, theirs, ours) for entry in LIST)


def _short(value):
    return "null" if value is None else repr(value[:120])


def check(case, theirs, ours):
    """Fail for every difference between two answers that the list does not have."""
    if theirs.refused != ours.refused:
        assert explained("handshake", case, theirs, ours), (
            f"{case}: tls.so {'refuses' if theirs.refused else 'accepts'} the client, "
            f"ours {'refuses' if ours.refused else 'accepts'} it")
        return
    unknown = [
        f"{probe}: tls.so {_short(value)}, ours {_short(ours.values[probe])}"
        for probe, value in theirs.values.items()
        if value != ours.values[probe] and not explained(probe, case, value, ours.values[probe])]
    assert not unknown, f"{case}:\n" + "\n".join(unknown)
