/*
 * tls_gnutls - turns the settings of a snapshot into what sessions use, or says what is wrong
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the builder of a snapshot (start-up, or the RPC process that reloads).
 * Memory: the snapshot's arena (shm).  Lock: none.
 *
 * Not here: the steps themselves: defaults (prof.h), method and cipher_list (priority.h), CAs and CRLs (load_trust.h),
 * certificates and keys (load_pair.h), the context of tickets (ticket.h).
 */
#ifndef TLSG_PROFILES_BUILD_H
#define TLSG_PROFILES_BUILD_H

#include "profiles/prof.h"

/**
 * Completes one profile: fills what is not set, moves the PINs of tokens out of its settings. The first call for a
 * profile logs its settings at INFO.
 * @param p         [in,out] profile of a snapshot that is being built.
 * @param defaults  what fills the gaps; strings are copied.
 * @return TLSG_OK; TLSG_E_CONFIG: a path that is too long, a malformed URI, two PINs for one object; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_build_prof(
		struct tlsg_prof *p, const struct tlsg_prof_settings *defaults, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Completes, loads, checks and compiles every profile: files are read, keys are matched with certificates, chains,
 * dates and priority strings are checked. Missing default profiles are created. Nothing is published.
 * @param err [out] first cause: names the profile, the setting and the file.
 * @return TLSG_OK; TLSG_E_CONFIG; TLSG_E_RESOURCE. On failure the caller drops the snapshot.
 * Process: any single one; takes the scope of the snapshot's arena. Lock: none.
 */
enum tlsg_ret tlsg_build_set(struct tlsg_set *set, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
