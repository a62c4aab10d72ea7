/*
 * tls_gnutls - what a reload changes: profiles, settings, certificates, CAs, CRLs, as lines of text
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the process that reloads.  Memory: pkg of this process, while it compares.
 * Lock: none; the caller holds a reference on both snapshots.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_CHANGES_H
#define TLSG_GNUTLS_MOD_MOD_CHANGES_H

struct tlsg_set;

/** Writes the lines of one comparison into a text of limited size. */
struct tlsg_changes
{
	char *text;		   /**< zero-terminated; each line begins with '\n' */
	unsigned size;	   /**< bytes of text, at least 64 */
	unsigned len;	   /**< bytes used, without the zero */
	unsigned left_out; /**< lines that did not fit: text ends with their number */
};

/**
 * Compares two snapshots. One line for each profile that was added or removed, and for each certificate, chain, list
 * of CAs or of CRLs and group of settings of a profile that differs; certificates with serial number and end. Text of
 * certificates and of the configuration is written with '?' for control characters.
 * @param before  borrowed; NULL: everything is new.
 * @param now     borrowed, built.
 * @param out     [in,out] text and size are set by the caller; the rest is set here. An empty text: nothing differs.
 */
void tlsg_changes_find(const struct tlsg_set *before, const struct tlsg_set *now, struct tlsg_changes *out);

#endif
