# tls_gnutls - the module as src/modules/tls_gnutls of a Kamailio source tree, built and installed by the tree's rules
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# Included by the Makefile where ../../Makefile.modules exists. In Kamailio's top folder:
#   make modules modules=src/modules/tls_gnutls
#   make install-modules modules=src/modules/tls_gnutls
#   make -C src/modules/tls_gnutls install-tls-cert       a self-signed certificate beside tls.cfg
# TLS_EXTRA_LIBS adds libraries; extra_defs="-DTLS_WR_DEBUG -DTLS_RD_DEBUG -DTLS_BIO_DEBUG" debug lines.
# Tests, tools and checks are built outside of such a tree.

include ../../Makefile.defs
auto_gen =
NAME = tls_gnutls.so

# The tree's rules look for sources in the module's own folder; these lie in folders below it.
override sources := $(SRC)
DEFS += $(shell pkg-config --cflags gnutls p11-kit-1)
INCLUDES += -I. -isystem ../..
LIBS += $(shell pkg-config --libs gnutls p11-kit-1) -lgmp -lpthread $(TLS_EXTRA_LIBS)

include ../../Makefile.modules

CFLAGS += -std=gnu11 -fno-semantic-interposition -fstack-protector-strong -pthread
LDFLAGS += -pthread $(LINK_FLAGS)

# tls.cfg is installed where there is none; tls.cfg.sample otherwise.
install-cfg: $(cfg_prefix)/$(cfg_dir)
	@DESTDIR= tools/tls-gnutls-cert --config-only --dir "$(cfg_prefix)/$(cfg_dir)" --target "$(cfg_target)" \
		--name "$(MAIN_NAME)" $(if $(skip_cfg_install),--sample)

install-tls-cert: $(cfg_prefix)/$(cfg_dir)
	@DESTDIR= tools/tls-gnutls-cert --dir "$(cfg_prefix)/$(cfg_dir)" --name "$(MAIN_NAME)"
