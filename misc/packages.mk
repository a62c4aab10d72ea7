# tls_gnutls - installs what make has built; makes the tarball and the packages
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# make install    module, tools, manual pages, documents, samples; DESTDIR=, PREFIX=/usr/local, MODULESDIR=: Kamailio's
#                 folder of modules (default: that of the installed Kamailio); LIBDIR, BINDIR, MANDIR, DOCDIR,
#                 COMPLETIONSDIR. Nothing is written to /etc.
# make uninstall  removes the files that make install with the same variables installs
# make dist       build/tls_gnutls-VERSION.tar.gz, from what is committed
# make deb        Debian packages in build/deb, for the Kamailio of this distribution or of KAMAILIO_SRC

PROJECT_VERSION := $(shell sed -n 's/^.define TLSG_VERSION "\(.*\)"/\1/p' base/version.h)

PREFIX ?= /usr/local
MODULESDIR ?= $(or $(shell scripts/modules-dir),$(PREFIX)/lib/kamailio/modules)
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/tls_gnutls
COMPLETIONSDIR ?= $(PREFIX)/share/bash-completion/completions
INSTALL ?= install

DOCUMENTS = $(wildcard doc/*.md doc/monitoring/README.md README.md CHANGELOG.md LICENSE)
MONITORING = $(shell find doc/monitoring -type f ! -name README.md)
SAMPLES = $(wildcard samples/*)
MAN_PAGES = $(wildcard doc/man/*.[1-8])
TOOLS = $(CIPHERS_TOOL) $(O)/tls-gnutls-cert
COMPLETIONS = misc/completion.bash

# All files below these folders that make install creates; make uninstall removes them.
INSTALLED = $(MODULESDIR)/tls_gnutls.so $(addprefix $(BINDIR)/,$(notdir $(TOOLS))) \
	$(foreach m,$(MAN_PAGES),$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m)) \
	$(addprefix $(DOCDIR)/,$(DOCUMENTS) $(MONITORING)) $(addprefix $(DOCDIR)/,$(SAMPLES)) \
	$(addprefix $(COMPLETIONSDIR)/,tls-gnutls-ciphers tls-gnutls-cert)

.PHONY: install uninstall dist deb check-packages print-sources

# The tool is a script; installed, it knows its version without the sources beside it.
$(O)/tls-gnutls-cert: tools/tls-gnutls-cert base/version.h
	@mkdir -p $(@D)
	$(Q)sed 's/@VERSION@/$(PROJECT_VERSION)/' $< >$@
	$(Q)chmod 755 $@
all: $(O)/tls-gnutls-cert

install: all
	$(Q)$(INSTALL) -d "$(DESTDIR)$(MODULESDIR)" "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(COMPLETIONSDIR)"
	$(Q)$(INSTALL) -m 644 $(SO) "$(DESTDIR)$(MODULESDIR)/"
	$(Q)$(INSTALL) -m 755 $(TOOLS) "$(DESTDIR)$(BINDIR)/"
	$(Q)for f in $(MAN_PAGES); do $(INSTALL) -D -m 644 $$f "$(DESTDIR)$(MANDIR)/man$${f##*.}/$${f##*/}" || exit 1; done
	$(Q)for f in $(DOCUMENTS) $(MONITORING) $(SAMPLES); do \
		$(INSTALL) -D -m 644 $$f "$(DESTDIR)$(DOCDIR)/$$f" || exit 1; done
	$(Q)$(INSTALL) -m 644 $(COMPLETIONS) "$(DESTDIR)$(COMPLETIONSDIR)/tls-gnutls-ciphers"
	$(Q)ln -sf tls-gnutls-ciphers "$(DESTDIR)$(COMPLETIONSDIR)/tls-gnutls-cert"
	@echo "installed: $(DESTDIR)$(MODULESDIR)/tls_gnutls.so, tools in $(DESTDIR)$(BINDIR), documents in $(DESTDIR)$(DOCDIR)"

# Folders of the project are removed too, if nothing else is in them.
uninstall:
	$(Q)rm -f $(foreach f,$(INSTALLED),"$(DESTDIR)$f")
	$(Q)if [ -d "$(DESTDIR)$(DOCDIR)" ]; then find "$(DESTDIR)$(DOCDIR)" -depth -type d -exec rmdir {} + || true; fi

print-sources:
	@printf '%s\n' $(SRC)

dist:
	@scripts/make-dist.sh $(B) $(PROJECT_VERSION)

deb:
	@scripts/deps.sh install deb
	@scripts/make-deb.sh $(B) $(PROJECT_VERSION) "$(KAMAILIO_SRC)"

# In Kamailio's source tree; the tarball; the packages, in fresh folders. Some need the network.
check-packages: all
	@MODULE=$(abspath $(SO)) SCRIPT_TIMEOUT=3600 scripts/run-scripts.sh $(sort $(wildcard tests/packages/test_*.sh))
