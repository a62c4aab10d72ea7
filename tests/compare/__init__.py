# tls_gnutls - comparison with tls.so: the same script, certificates and clients on both
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
