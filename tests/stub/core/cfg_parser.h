/*
 * tls_gnutls - the core's lexer and parser of small files, with the stand-in's `str`
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: unit tests and fuzz targets.  Memory: as the core's.  Lock: none.
 *
 * Only objects that are compiled with the core's defines may see the headers that this one includes.
 */
#ifndef TLSG_STUB_CORE_CFG_PARSER_H
#define TLSG_STUB_CORE_CFG_PARSER_H

#include "base/host.h"

#define str_h /* the core's str.h */
#include_next "core/cfg_parser.h"

#endif
