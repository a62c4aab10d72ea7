# tls_gnutls - what the comparison asks of a connection: every variable, select and function
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""The script evaluates each probe for the request it got and logs one line per probe.

Values are logged in hex, because they may hold newlines, zeroes and any other byte.
"""

import re

OWNERS = ("peer", "my")
SIDES = ("subject", "issuer")
PARTS = ("cn", "locality", "country", "state", "organization", "unit")

SESSION_VARIABLES = ("tls_version", "tls_description", "tls_cipher_info", "tls_cipher_bits",
                     "tls_peer_server_name")
STATE_VARIABLES = ("tls_peer_verified", "tls_peer_revoked", "tls_peer_expired",
                   "tls_peer_selfsigned", "tls_peer_notBefore", "tls_peer_notAfter")
CERT_VARIABLES = tuple(
    f"tls_{owner}_{what}" for owner in OWNERS
    for what in ("raw_cert", "urlencoded_cert", "version", "serial", "subject", "issuer",
                 "subject_uid", "san_email", "san_hostname", "san_uri", "san_ip")
) + tuple(f"tls_{owner}_{side}_{part}" for owner in OWNERS for side in SIDES for part in PARTS)
LINE_VARIABLES = tuple(f"tls({owner}_{side}_line)" for owner in "mp" for side in SIDES)
PLAIN_VARIABLES = SESSION_VARIABLES + STATE_VARIABLES + CERT_VARIABLES

ATTRIBUTES = (
    "cn", "commonName", "common_name", "name",
    "l", "localityName", "locality_name", "locality",
    "c", "countryName", "country_name", "country",
    "st", "stateOrProvinceName", "state_or_province_name", "state",
    "o", "organizationName", "organization_name", "organization",
    "ou", "organizationalUnitName", "organizational_unit_name", "unit",
    "uid", "uniqueIdentifier", "unique_identifier",
)
CERT_WORDS = (
    "verified", "revoked", "expired", "self_signed", "version",
    "rawCert", "raw_cert", "URLEncodedCert", "urlencoded_cert",
    "verified_cert_chain[0]", "verified_cert_chain[1]", "verified_cert_chain[2]",
    "verified_cert_chain[3]",
    "sn", "serialNumber", "serial_number", "notBefore", "not_before", "notAfter", "not_after",
    "email", "emailAddress", "email_address", "host", "hostname", "dns", "uri", "url", "urn",
    "ip", "IPAddress", "ip_address",
)


def _owner_selects(owner):
    yield owner
    for word in CERT_WORDS:
        yield f"{owner}.{word}"
    for side in ("subject", "subj", "issuer"):
        yield f"{owner}.{side}"
        for attribute in ATTRIBUTES:
            yield f"{owner}.{side}.{attribute}"


SELECTS = tuple("tls" + (f".{path}" if path else "") for path in (
    "", "version", "desc", "description", "cipher", "cipher.bits", "serverName", "server_name",
    *(path for owner in ("peer", "my") for path in _owner_selects(owner)),
    "me", "myself", "me.subject.cn", "myself.issuer.o", "PEER.Subject.CN",
))

FUNCTIONS = ("is_peer_verified",)

PROBES = (*(f"${name}" for name in PLAIN_VARIABLES), *(f"${name}" for name in LINE_VARIABLES),
          *(f"@{path}" for path in SELECTS), *(f"{name}()" for name in FUNCTIONS))

# The value in hex, and as it is: a null has no hex digits and is written <null>.
_LINE = re.compile(r"PROBE (?P<call>\S+) (?P<number>\d+) =(?P<hex>[0-9a-f]*)=(?P<null><null>)?")


def _pseudo_variable(probe):
    """A probe as it is written in the script, without the dollar sign."""
    return f"sel({probe[1:]})" if probe.startswith("@") else probe[1:]


def _statement(number, probe):
    """The statement that logs one probe; Y or N for a function."""
    log = f'xlog("L_NOTICE", "PROBE $ci {number} '
    if probe.endswith("()"):
        return f'\tif ({probe}) {{ {log}=59=\\n"); }} else {{ {log}=4e=\\n"); }}'
    name = _pseudo_variable(probe)
    return f'\t{log}=$({name}{{s.encode.hexa}})=$({name})\\n");'


def _statements(functions):
    """All probes, with or without those that are allowed in request routes only."""
    return [_statement(number, probe) for number, probe in enumerate(PROBES)
            if functions or not probe.endswith("()")]


def script():
    """The request route that logs all probes and then answers."""
    return "\n".join(["request_route {", *_statements(True), '\tsl_send_reply("200", "OK");', "}"])


def relay_script():
    """Relays each request; the route of the reply logs the probes, for the connection it came over."""
    return "\n".join([
        "request_route {", '\tt_on_reply("PROBES");', "\tt_relay();", "}",
        "onreply_route[PROBES] {", *_statements(False), "}"])


def values(log_lines, call):
    """{probe: value as bytes, or None for null} of one request."""
    found = {}
    for match in _LINE.finditer("\n".join(log_lines)):     # a zero in a value ends its line early
        if match["call"] == call:
            is_null = match["null"] and not match["hex"]
            value = None if is_null else bytes.fromhex(match["hex"])
            found[PROBES[int(match["number"])]] = value
    return found
