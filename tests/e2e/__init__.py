# tls_gnutls - end-to-end tests: a real Kamailio, real clients, loopback only
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
