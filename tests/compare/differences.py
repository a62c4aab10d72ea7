# tls_gnutls - where this module answers otherwise than tls.so, and why: the whole list
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
LIST = ()
def check(case, theirs, ours):
    assert theirs.refused == ours.refused
    d={p:(theirs.values[p],ours.values[p]) for p in theirs.values if theirs.values[p]!=ours.values[p] and p not in("$tls_peer_subject","$tls_peer_issuer","$tls_my_subject","$tls_my_issuer")}
    assert not d, "\n".join(f"{k}: {str(a)[:150]} / {str(b)[:150]}" for k,(a,b) in d.items())
