# tls_gnutls - text of tls.cfg files for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import shutil

MODES = ("parameters", "file")


def section(header, **keys):
    """One section; values are quoted."""
    return "\n".join([f"[{header}]", *(f'{name} = "{value}"' for name, value in keys.items())]) + "\n\n"


def pair(pki, row):
    """Certificate and key of a row of the PKI, as keys of a section."""
    return {"certificate": pki.cert(row), "private_key": pki.key(row)}


def reading(settings, path, **changes):
    """Settings of a Kamailio that reads `path` and takes no profile from the parameters."""
    none = {"certificate": None, "private_key": None, "ca_list": None}
    return settings.but(**changes).but(modparams={**none, "config": str(path)})


class Files:
    """The files that a configuration names, in a folder of their own, which a test may replace."""

    def __init__(self, folder, pki):
        self.folder = folder
        self._pki = pki
        self.show("server-ec")
        self.put("ca.pem", pki.path("ca.pem"))

    def path(self, name):
        return str(self.folder / name)

    def put(self, name, source):
        """Replace a file by a copy of another, as an editor or an ACME client does it."""
        shutil.copy(source, self.path("new"))
        (self.folder / "new").rename(self.path(name))

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def show(self, row):
        self.put("cert.pem", self._pki.cert(row))
        self.put("key.pem", self._pki.key(row))

    def keys(self, **more):
        """The settings that name the files, as keys of a section or module parameters; None omits one."""
        keys = {"certificate": self.path("cert.pem"), "private_key": self.path("key.pem"),
                "ca_list": self.path("ca.pem"), **more}
        return {name: value for name, value in keys.items() if value is not None}

    def settings(self, settings, mode, **more):
        """Settings of a Kamailio that uses the files in one of the MODES."""
        if mode == "parameters":
            return settings.but(modparams={"ca_list": None, **self.keys(**more)})
        self.write("tls.cfg", section("server:default", **self.keys(**more)))
        return reading(settings, self.path("tls.cfg"))
