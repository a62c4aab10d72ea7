# tls_gnutls - end to end: the commands of doc/migration.md find and change every spelling of the loadmodule line
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import subprocess
from pathlib import Path

import pytest

from .lib.kamailio import STOCK_MODULES, Kamailio, StartFailed

pytestmark = pytest.mark.ours_only("the migration to this module")

DOC = Path(__file__).resolve().parents[2] / "doc" / "migration.md"
FIND, CHANGE = re.findall(r"^```sh\n(.*?)^```$", DOC.read_text(encoding="utf-8"), re.M | re.S)
LINES = {
    'loadmodule "tls.so"': 'loadmodule "tls_gnutls.so"',
    'loadmodule "tls"': 'loadmodule "tls_gnutls.so"',
    "loadmodule 'tls.so'": "loadmodule 'tls_gnutls.so'",
    'loadmodulex "tls.so"': 'loadmodulex "tls_gnutls.so"',
    '\tloadmodule\t"tls.so" # TLS': '\tloadmodule\t"tls_gnutls.so" # TLS',
    'loadmodule"tls.so"': 'loadmodule"tls_gnutls.so"',
    f'loadmodule "{STOCK_MODULES}/tls.so"': f'loadmodule "{STOCK_MODULES}/tls_gnutls.so"',
}
OTHERS = ('loadmodule "tlsa.so"', 'loadmodule "tls_wolfssl.so"', 'modparam("tls", "tls_method", "TLSv1.2+")',
          '# loadmodule "tls.so"', 'loadmodule "ctl.so"')


def _run(block, folder):
    """The output of a block, in a folder; kamailio is not called, since the text is one line."""
    block = block.replace("cd /etc/kamailio\n", "").replace("kamailio -c", "true -c")
    return subprocess.run(["bash", "-uc", block], cwd=folder, capture_output=True, text=True, timeout=20,
                          check=False).stdout


@pytest.mark.parametrize("line", LINES)
def test_each_spelling_is_found_and_changed(tmp_path, line):
    (tmp_path / "kamailio.cfg").write_text(f"{line}\n")
    assert line in _run(FIND, tmp_path)
    _run(CHANGE, tmp_path)
    assert (tmp_path / "kamailio-gnutls.cfg").read_text() == f"{LINES[line]}\n"


@pytest.mark.parametrize("line", OTHERS)
def test_other_lines_stay(tmp_path, line):
    (tmp_path / "kamailio.cfg").write_text(f"{line}\n")
    _run(CHANGE, tmp_path)
    assert (tmp_path / "kamailio-gnutls.cfg").read_text() == f"{line}\n"


@pytest.mark.parametrize("line", LINES)
def test_the_core_takes_each_spelling(settings, line):
    """They are spellings of real configurations: the core loads tls.so for them."""
    kam = Kamailio(settings.but(modules=(), modparams=dict.fromkeys(settings.modparams)))
    try:
        text = kam._config_text().replace(f'loadmodule "{settings.module}"', line)
        assert line in text
        path = kam.folder / "kamailio.cfg"
        path.write_text(text)
        done = subprocess.run(["kamailio", "-c", "-f", path, "-Y", kam.folder], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        kam.remove()


def test_included_files_are_found(tmp_path):
    (tmp_path / "kamailio.cfg").write_text('include_file "modules.inc"\n#!import_file "local.cfg"\n')
    (tmp_path / "modules.inc").write_text('loadmodule "tls.so"\n')
    found = _run(FIND, tmp_path)
    assert "modules.inc:1:loadmodule" in found
    assert 'include_file "modules.inc"' in found and 'import_file "local.cfg"' in found


@pytest.mark.parametrize("order", ("load_before", "load_after"))
def test_both_at_once_have_the_lines_of_the_table(settings, order):
    both = Kamailio(settings.but(**{order: (f"{STOCK_MODULES}/tls.so",)}))
    first, second = re.findall(r"^   \| `tls.*?` \| (`.*) \|$", DOC.read_text(encoding="utf-8"), re.M)
    wanted = [text for text in re.findall(r"`([^`]*)`", first if order == "load_before" else second) if " " in text]
    assert wanted
    try:
        with pytest.raises(StartFailed) as failure:
            both.start()
        for text in wanted:
            assert len([line for line in failure.value.log.lines() if text in line]) == 1, text
    finally:
        both.kill()
        both.remove()
