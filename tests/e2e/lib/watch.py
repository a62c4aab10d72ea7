# tls_gnutls - counts how often the files of a folder are opened, for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import ctypes
import os
import struct
from collections import Counter

_IN_OPEN = 0x20
_IN_NONBLOCK = 0o4000
_HEAD = struct.Struct("iIII")

_libc = ctypes.CDLL(None, use_errno=True)


class OpenCounter:
    """Within a `with` block: opened() gives {file name: times opened since the last call}."""

    def __init__(self, folder):
        self._fd = _libc.inotify_init1(_IN_NONBLOCK)
        if self._fd < 0 or _libc.inotify_add_watch(self._fd, os.fsencode(folder), _IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._fd)

    def opened(self):
        counts = Counter()
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                return dict(counts)
            at = 0
            while at < len(data):
                _, _, _, size = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                name = data[at:at + size].rstrip(b"\0").decode()
                at += size
                if name:
                    counts[name] += 1
