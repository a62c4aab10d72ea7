# tls_gnutls - installs what make has built; makes the tarball and the packages
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# make install    module, tools, manual pages, documents, samples; DESTDIR=, PREFIX=/usr/local, MODULESDIR=: Kamailio's
#                 folder of modules (default: that of the installed Kamailio); BINDIR, MANDIR, DOCDIR, COMPLETIONSDIR,
#                 CHECKDIR: files of tls-gnutls-check. Nothing is written to /etc.
# make uninstall  removes the files that make install with the same variables installs
# make dist       build/tls_gnutls-VERSION.tar.gz, from what is committed, with the documents of make docbook
# make deb        Debian packages in build/deb, for the Kamailio of this distribution or of KAMAILIO_SRC

PROJECT_VERSION := $(shell sed -n 's/^.define TLSG_VERSION "\(.*\)"/\1/p' base/version.h)

PREFIX ?= /usr/local
MODULESDIR ?= $(or $(shell scripts/modules-dir),$(PREFIX)/lib/kamailio/modules)
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/tls_gnutls
COMPLETIONSDIR ?= $(PREFIX)/share/bash-completion/completions
CHECKDIR ?= $(patsubst %/,%,$(dir $(MODULESDIR)))/tls-gnutls-check
INSTALL ?= install

DOCUMENTS = $(wildcard doc/*.md doc/pictures/*.svg doc/monitoring/README.md README.md CHANGELOG.md SECURITY.md LICENSE)
# The tarball of make dist has these, and doc/man/tls_gnutls.7.
DOCUMENTS += $(wildcard README doc/docbook/tls_gnutls.html)
MONITORING = $(shell find doc/monitoring -type f ! -name README.md)
SAMPLES = $(wildcard samples/*)
MAN_PAGES = $(wildcard doc/man/*.[1-8])
SCRIPTS = $(O)/tls-gnutls-cert $(O)/tls-gnutls-check
TOOLS = $(CIPHERS_TOOL) $(SCRIPTS)
COMPLETIONS = misc/completion.bash

# All files below these folders that make install creates; make uninstall removes them.
INSTALLED = $(MODULESDIR)/tls_gnutls.so $(addprefix $(BINDIR)/,$(notdir $(TOOLS))) \
	$(foreach m,$(MAN_PAGES),$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m)) \
	$(addprefix $(DOCDIR)/,$(DOCUMENTS) $(MONITORING)) $(addprefix $(DOCDIR)/,$(SAMPLES)) \
	$(addprefix $(CHECKDIR)/,$(notdir $(CHECK_FILES))) \
	$(addprefix $(COMPLETIONSDIR)/,tls-gnutls-ciphers tls-gnutls-cert tls-gnutls-check)

.PHONY: install uninstall dist deb check-packages print-sources

# Two tools are scripts; installed, they know their version and the module without the sources beside them.
$(SCRIPTS): $(O)/%: tools/% base/version.h FORCE
	@mkdir -p $(@D)
	$(Q)sed 's|@VERSION@|$(PROJECT_VERSION)|; s|@CHECKDIR@|$(CHECKDIR)|; s|@MODULE@|$(MODULESDIR)/tls_gnutls.so|' $< >$@
	$(Q)chmod 755 $@
all: $(SCRIPTS)

install: all
	$(Q)$(INSTALL) -d "$(DESTDIR)$(MODULESDIR)" "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(COMPLETIONSDIR)" \
		"$(DESTDIR)$(CHECKDIR)"
	$(Q)$(INSTALL) -m 644 $(CHECK_FILES) "$(DESTDIR)$(CHECKDIR)/"
	$(Q)$(INSTALL) -m 644 $(SO) "$(DESTDIR)$(MODULESDIR)/"
	$(Q)$(INSTALL) -m 755 $(TOOLS) "$(DESTDIR)$(BINDIR)/"
	$(Q)for f in $(MAN_PAGES); do $(INSTALL) -D -m 644 $$f "$(DESTDIR)$(MANDIR)/man$${f##*.}/$${f##*/}" || exit 1; done
	$(Q)for f in $(DOCUMENTS) $(MONITORING) $(SAMPLES); do \
		$(INSTALL) -D -m 644 $$f "$(DESTDIR)$(DOCDIR)/$$f" || exit 1; done
	$(Q)$(INSTALL) -m 644 $(COMPLETIONS) "$(DESTDIR)$(COMPLETIONSDIR)/tls-gnutls-ciphers"
	$(Q)for f in tls-gnutls-cert tls-gnutls-check; do \
		ln -sf tls-gnutls-ciphers "$(DESTDIR)$(COMPLETIONSDIR)/$$f" || exit 1; done
	@echo "installed: $(DESTDIR)$(MODULESDIR)/tls_gnutls.so, tools in $(DESTDIR)$(BINDIR), documents in $(DESTDIR)$(DOCDIR)"

# Folders of the project are removed too, if nothing else is in them.
uninstall:
	$(Q)rm -f $(foreach f,$(INSTALLED),"$(DESTDIR)$f")
	$(Q)if [ -d "$(DESTDIR)$(CHECKDIR)" ]; then rmdir --ignore-fail-on-non-empty "$(DESTDIR)$(CHECKDIR)"; fi
	$(Q)if [ -d "$(DESTDIR)$(DOCDIR)" ]; then find "$(DESTDIR)$(DOCDIR)" -depth -type d -exec rmdir {} + || true; fi

print-sources:
	@printf '%s\n' $(SRC)

dist:
	@scripts/deps.sh install dist
	@scripts/make-dist.sh $(B) $(PROJECT_VERSION)

deb:
	@scripts/deps.sh install deb
	@scripts/make-deb.sh $(B) $(PROJECT_VERSION) "$(KAMAILIO_SRC)"

# In Kamailio's source tree; the tarball; the packages, in fresh folders. Some need the network.
check-packages: all
	@scripts/deps.sh install trees
	@MODULE=$(abspath $(SO)) SCRIPT_TIMEOUT=3600 scripts/run-scripts.sh $(sort $(wildcard tests/packages/test_*.sh))
