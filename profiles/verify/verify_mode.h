/*
 * tls_gnutls - what a profile demands of its peers' certificates
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: none.
 *
 * tlsg_value_verify_client() reads the setting, tlsg_build_set() derives the mode.
 */
#ifndef TLSG_PROFILES_VERIFY_VERIFY_MODE_H
#define TLSG_PROFILES_VERIFY_VERIFY_MODE_H

/** Value of the setting `verify_client`. */
enum tlsg_verify_client
{
	TLSG_VERIFY_CLIENT_UNSET = -1,
	TLSG_VERIFY_CLIENT_OFF = 0,
	TLSG_VERIFY_CLIENT_ON,
	TLSG_VERIFY_CLIENT_OPTIONAL,
	TLSG_VERIFY_CLIENT_OPTIONAL_NO_CA
};

/** What verify_certificate, require_certificate and verify_client add up to. */
enum tlsg_verify_mode
{
	TLSG_VERIFY_NONE,	  /**< server: no certificate is requested; client: the result is recorded, not enforced */
	TLSG_VERIFY_PEER,	  /**< a certificate that is presented must be valid */
	TLSG_VERIFY_PEER_FAIL /**< a certificate must be presented and be valid */
};

#endif
