/*
 * tls_gnutls - pseudo-variables
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: static.  Lock: see mod_view.h.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_VARS_H
#define TLSG_GNUTLS_MOD_MOD_VARS_H

#include "core/pvar.h"

/** The table for module_exports: doc/variables.md. */
extern pv_export_t tlsg_vars_table[];

/** What tlsg_vars_get_by_name() found. */
enum tlsg_vars_found
{
	TLSG_VARS_VALUE,	   /**< a value */
	TLSG_VARS_NULL,		   /**< the variable has no value now */
	TLSG_VARS_UNSUPPORTED, /**< a variable that needs an inner name */
	TLSG_VARS_UNKNOWN	   /**< no such variable */
};

/**
 * Evaluates a variable given by its name without `$`; indexes are 0.
 * @param msg   message of the script.
 * @param name  exact spelling.
 * @param text  [out] static buffer, set with TLSG_VARS_VALUE only.
 */
enum tlsg_vars_found tlsg_vars_get_by_name(struct sip_msg *msg, const str *name, str *text);

#endif
