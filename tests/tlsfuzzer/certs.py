# tls_gnutls - certificates for the scripts of tlsfuzzer
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Chains with one kind of key: many scripts offer signatures of one kind only, and OpenSSL looks at the whole chain."""

import subprocess

_NEW = {"rsa": ("-newkey", "rsa:2048"), "ecdsa": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")}
_DAYS = "30"


class Certs:
    """For each kind a CA, and a server and a client certificate below it, in one folder."""

    def __init__(self, folder):
        self._folder = folder
        for kind in _NEW:
            self._authority(kind)
            for role in ("server", "client"):
                self._leaf(kind, role)
        self.ca = self._path("ca.pem")
        with open(self.ca, "w", encoding="ascii") as out:
            for kind in _NEW:
                with open(self.cert(kind, "ca"), encoding="ascii") as part:
                    out.write(part.read())

    def _path(self, name):
        return str(self._folder / name)

    def cert(self, kind, role):
        return self._path(f"{kind}-{role}.crt")

    def key(self, kind, role):
        return self._path(f"{kind}-{role}.key")

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)

    def _authority(self, kind):
        self._openssl("req", "-x509", *_NEW[kind], "-nodes", "-days", _DAYS, "-subj", f"/CN={kind} authority",
                      "-keyout", self.key(kind, "ca"), "-out", self.cert(kind, "ca"),
                      "-addext", "keyUsage=keyCertSign,cRLSign")

    def _leaf(self, kind, role):
        request, extensions = self._path("request"), self._path("extensions")
        usage = "digitalSignature" + (",keyEncipherment" if kind == "rsa" else "")
        with open(extensions, "w", encoding="ascii") as out:
            out.write(f"basicConstraints=CA:FALSE\nkeyUsage={usage}\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n")
        self._openssl("req", *_NEW[kind], "-nodes", "-subj", f"/CN={kind} {role}",
                      "-keyout", self.key(kind, role), "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.cert(kind, "ca"), "-CAkey", self.key(kind, "ca"),
                      "-set_serial", str(1 + len(role) + len(kind)), "-days", _DAYS, "-extfile", extensions,
                      "-out", self.cert(kind, role))
