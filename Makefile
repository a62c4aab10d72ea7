# tls_gnutls - builds the module, its tests, its checks
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
#
# make              build/tls_gnutls.so, build/tls-gnutls-ciphers; installs nothing, says which packages are missing
# make deps         installs the packages that make and make run need (as root); DEPS=check|lint|bench for those tasks
# make run          a Kamailio on tls:127.0.0.1 with throw-away certificates, in the foreground
# make check        all tests but the long ones; make check-unit, check-build, check-openssl, check-limbo,
#                   check-fuzz, check-e2e, check-compare (against tls.so), check-tlsfuzzer, check-bench run one part
# make check-hosts  build, unit, end-to-end and comparison tests on other Debian releases (as root): HOST=trixie for
#                   one, ARGS=--write for the table of doc/hosts.md, KAMAILIO_SRC_forky=DIR for that one's source
# make check-trees  the core of the end-to-end tests with Kamailios built from source: KAMAILIO_TREES="DIR ..."
# make check-pq     tests with post-quantum hybrids, with a GnuTLS that is built for them on Debian 13 (as root):
#                   LEANCRYPTO_trixie=PREFIX names an installation of leancrypto for that release
# make check-long   the long tests, and the unit tests under valgrind and the sanitizers
# make lint         layout, gcc and clang, clang-tidy, cppcheck, includes, names, unused functions, text
# make format       formats the C files
# make docbook      DocBook, README, HTML and a man page from doc/*.md, in build/doc
# make pictures     draws doc/pictures/*.svg from the text files beside them (needs graphviz and mscgen)
# make bench        measurements beside tls.so; make bench-startup: start and reload with many profiles
# make verify-table the table of doc/verification.md: chains wrongly accepted by the module and by GnuTLS alone
# make compare      compares the version and flags strings with those of an installed module of Kamailio
#
# make install      installs what was built; make uninstall, dist, deb, check-packages: misc/packages.mk
#
# KAMAILIO_SRC=DIR  source tree for headers and defines (default: the source of the installed package)
# KAMAILIO_BUILD=make|cmake  which build system of a tree tells the defines (default: as an installed module shows)
# COMPARE=0         do not stop when the headers belong to another version than the installed kamailio
# WERROR=1          warnings are errors; set by make check, make lint and .ci/run
# LONG_SECONDS=N    how long each test of check-long goes on that has no end of its own; default 1800
# SAN=1             with AddressSanitizer and UndefinedBehaviorSanitizer, in build/san
# V=1               print the commands
# CC=clang          another compiler (use with O=build/clang to keep the objects apart)
# CFLAGS, CPPFLAGS, LDFLAGS   added after the project's own flags

# In Kamailio's source tree (src/modules/tls_gnutls) this file gives the list of sources, misc/in-tree.mk the rest.
IN_TREE := $(wildcard ../../Makefile.modules)
ifeq ($(IN_TREE),)
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

KAMAILIO_SRC ?=
COMPARE ?= 1
WERROR ?= 0
DEPS ?= run
SAN ?= 0
LONG_SECONDS ?= 1800
PYTHON ?= /usr/bin/python3
V ?= 0
ifneq ($(V),1)
Q = @
say = @echo '  $(1)'
endif
ifeq ($(origin CC),default)
CC = gcc
endif
CLANG ?= clang

B = build
ifeq ($(SAN),1)
O ?= $(B)/san
else
O ?= $(B)
endif
SO = $(O)/tls_gnutls.so
DEFS = $(B)/kamailio.defs
CIPHERS_TOOL = $(O)/tls-gnutls-ciphers
CHECK_MODULES = $(O)/check/record.so $(O)/check/load.so
CHECK_FILES = $(CHECK_MODULES) $(O)/check/preload.so
endif

# ---- sources -------------------------------------------------------------------------------------------------------
BASE_SRC = $(addprefix base/,\
	arena.c arena_keep.c arena_pool.c arena_private.c environment.c err.c import.c mutex.c object.c scope.c \
	secret_file.c version.c)
PKCS11_SRC = $(addprefix pkcs11/,\
	p11_ask.c p11_certs.c p11_engine.c p11_find.c p11_gate.c p11_key.c p11_look.c p11_match.c p11_module.c p11_pin.c \
	p11_probe.c p11_refused.c p11_retry.c p11_uri.c)
# the folders inside profiles, lowest first
CIPHER_SRC = $(addprefix profiles/cipher/,\
	cipher_list.c cipher_string.c kx_group.c method.c priority_string.c rules.c suites.c)
VERIFY_SRC = $(addprefix profiles/verify/,\
	chain.c constraints.c crl.c crt.c name.c trust.c trusted.c usage.c verify.c verify_code.c)
KEYS_SRC = $(addprefix profiles/keys/,\
	file.c key_file.c op.c password.c path.c pin.c token_op.c)
ISOLATE_SRC = $(addprefix profiles/isolate/,\
	client.c key_loader.c key_process.c token_child.c token_keys.c token_modules.c token_pending.c token_process.c \
	token_source.c wire.c)
PROF_SRC = $(addprefix profiles/,\
	build.c creds.c key.c key_use.c list.c load_key.c load_pair.c load_token.c load_trust.c match.c \
	pair_chain.c pair_check.c pair_issuer.c pem.c priority.c prof.c set.c source.c ticket.c ticket_file.c \
	tlscfg.c tlscfg_file.c value.c watch.c)
PROFILES_SRC = $(CIPHER_SRC) $(VERIFY_SRC) $(KEYS_SRC) $(ISOLATE_SRC) $(PROF_SRC)
TRANSPORT_SRC = $(addprefix transport/,\
	addr_count.c assoc.c carrier_datagram.c carrier_stream.c cert_text.c conn.c conn_alert.c conn_bound.c \
	conn_cancel.c conn_datagram.c conn_failure.c conn_hs.c conn_message.c conn_rec.c conn_resume.c conn_session.c \
	conn_stall.c conn_step.c conn_verify.c cookie.c dgram_order.c dgram_probe.c dgram_record.c dn_text.c hello.c \
	keylog.c peer.c queue.c refusal.c resume_store.c slots.c stats.c)
RPC_SRC = $(addprefix rpc/,\
	rpc.c rpc_filter.c rpc_info.c rpc_kill.c rpc_list.c rpc_options.c rpc_profiles.c rpc_reload.c rpc_sessions.c \
	rpc_source.c rpc_version.c rpc_walk.c)
MOD_SRC = $(addprefix gnutls_mod/,\
	mod_answer.c mod_auto_reload.c mod_changes.c mod_config.c mod_deadline.c mod_dtls.c mod_dtls_guard.c \
	mod_dtls_in.c mod_dtls_listen.c mod_dtls_out.c mod_dtls_reply.c mod_dtls_step.c mod_dtls_timer.c \
	mod_engine.c mod_events.c mod_expiry.c mod_fragments.c mod_group.c mod_hooks.c mod_isolate.c mod_keylog.c \
	mod_limits.c mod_log.c mod_low_mem.c mod_main.c mod_outgoing.c mod_params.c mod_path.c mod_rpc.c \
	mod_script.c mod_selects.c mod_stats.c mod_tcp.c mod_terminal.c mod_udp.c mod_vars.c mod_view.c)
SRC = $(BASE_SRC) $(PKCS11_SRC) $(PROFILES_SRC) $(TRANSPORT_SRC) $(RPC_SRC) $(MOD_SRC)
FOLDERS = $(sort $(patsubst %/,%,$(dir $(SRC))))

# How the module is linked, here and in Kamailio's tree.
LINK_FLAGS = -Wl,--version-script=misc/tls.map -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,-z,nodelete -Wl,--as-needed

ifneq ($(IN_TREE),)
include misc/in-tree.mk
else
# ---- flags ---------------------------------------------------------------------------------------------------------
WARN = -Wall -Wextra -Wshadow $(if $(filter 1,$(WERROR)),-Werror)
CSTD = -std=gnu11
CFLAGS ?=
CPPFLAGS ?=
LDFLAGS ?=
ifeq ($(SAN),1)
OPT = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
else
# Protection that depends on the processor and the compiler.
HARDEN := $(shell for f in -fstack-clash-protection -fcf-protection -mbranch-protection=standard; do \
	$(CC) -Werror $$f -E -x c /dev/null >/dev/null 2>&1 && echo $$f; done)
OPT = -O2 -g -fstack-protector-strong $(HARDEN)
# a packager's own level is not defined twice
ifeq ($(findstring _FORTIFY_SOURCE,$(CFLAGS) $(CPPFLAGS)),)
OPT += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif
PKG_CFLAGS = $(shell pkg-config --cflags gnutls p11-kit-1 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs gnutls p11-kit-1 2>/dev/null || echo -lgnutls -lp11-kit)
OWN_CFLAGS = $(CSTD) -fPIC -fno-semantic-interposition $(OPT) $(WARN) -pthread
LIBS = $(PKG_LIBS) -lgmp -lpthread
MOD_LDFLAGS = -shared -pthread $(OPT) $(LINK_FLAGS)
TOOL_LDFLAGS = -pie $(OPT) -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed

# The core's headers are system headers: the compiler does not warn about them.
MOD_CPPFLAGS = -I. @$(DEFS) $(PKG_CFLAGS)
# Unit tests include tests/stub/base/host.h where the module includes base/host.h.
TEST_CPPFLAGS = -Itests/stub -I. $(PKG_CFLAGS)

.PHONY: all compare deps unit fuzz check check-all check-unit check-build check-openssl check-limbo verify-table \
	check-e2e check-compare check-tlsfuzzer check-bench check-fuzz check-long check-long-all check-san check-e2e-san \
	check-hosts check-trees check-pq check-valgrind check-e2e-long check-chaos-san check-tlsfuzzer-long \
	check-fuzz-long check-loss-long fuzz-smoke lint format docbook pictures bench bench-startup run clean FORCE
all: $(SO) $(CIPHERS_TOOL) $(CHECK_FILES) compare

# ---- the module ----------------------------------------------------------------------------------------------------
OBJ = $(SRC:%.c=$(O)/obj/%.o)

$(DEFS): FORCE
	@scripts/deps.sh check build
	@scripts/kamailio-defs.sh $(B) "$(KAMAILIO_SRC)"

$(O)/obj/%.o: %.c $(DEFS)
	@mkdir -p $(@D)
	$(call say,CC    $<)
	$(Q)$(CC) $(OWN_CFLAGS) $(MOD_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(SO): $(OBJ) misc/tls.map
	@mkdir -p $(@D)
	$(call say,LINK  $@)
	$(Q)$(CC) $(MOD_LDFLAGS) $(CFLAGS) $(LDFLAGS) $(OBJ) $(LIBS) -o $@

# The tool evaluates cipher strings with the module's own code; it is built without Kamailio.
CIPHERS_TOOL_SRC = tools/tls-gnutls-ciphers.c base/err.c base/version.c $(CIPHER_SRC)

$(CIPHERS_TOOL): $(CIPHERS_TOOL_SRC:%.c=$(O)/tool/%.o)
	@mkdir -p $(@D)
	$(call say,LINK  $@)
	$(Q)$(CC) $(TOOL_LDFLAGS) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(O)/tool/%.o: %.c $(DEFS)
	@mkdir -p $(@D)
	$(call say,CC    $< (for the tool))
	$(Q)$(CC) $(OWN_CFLAGS) $(TEST_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# Modules for the Kamailio that tls-gnutls-check starts.
$(CHECK_MODULES): $(O)/check/%.so: tools/check/%.c $(DEFS) misc/tls.map
	@mkdir -p $(@D)
	$(call say,LINK  $@)
	$(Q)$(CC) $(OWN_CFLAGS) $(MOD_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) $(MOD_LDFLAGS) $(LDFLAGS) $< -o $@

# Preloaded into that Kamailio.
$(O)/check/preload.so: tools/check/preload.c
	@mkdir -p $(@D)
	$(call say,LINK  $@)
	$(Q)$(CC) $(OWN_CFLAGS) $(CPPFLAGS) $(CFLAGS) -shared $(OPT) -Wl,-z,relro,-z,now -Wl,-z,noexecstack $(LDFLAGS) $< \
		-ldl -o $@

compare: $(SO)
	@COMPARE=$(COMPARE) scripts/check-version $(SO)

# ---- unit tests: the folders below rpc, built against the stand-in for Kamailio in tests/stub ------------------------
T = $(O)/test
TEST_FOLDERS = stub base pkcs11 profiles transport
BELOW_stub =
BELOW_base = base
BELOW_pkcs11 = pkcs11 base
BELOW_profiles = profiles pkcs11 base
BELOW_transport = transport profiles pkcs11 base

TEST_LIB_SRC = $(sort $(wildcard tests/lib/*.c)) tests/stub/host.c
TEST_SRC = $(sort $(foreach f,$(TEST_FOLDERS),$(wildcard tests/$(f)/test_*.c tests/$(f)/*/test_*.c)))
TEST_BIN = $(foreach s,$(TEST_SRC),$(O)/tests/$(basename $(notdir $(s))))

$(T)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC    $< (for tests))
	$(Q)$(CC) $(OWN_CFLAGS) $(TEST_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# The core's own lexer splits tls.cfg into words, also in tests: these two need its headers and defines.
LEXER_OBJ = profiles/tlscfg.o tests/lib/core_lexer.o
$(LEXER_OBJ:%=$(T)/%) $(LEXER_OBJ:%=$(B)/fuzz/obj/%): TEST_CPPFLAGS += @$(DEFS)
$(LEXER_OBJ:%=$(T)/%) $(LEXER_OBJ:%=$(B)/fuzz/obj/%): $(DEFS)

# archive FOLDER SOURCES OBJECT_DIR: one archive per folder, so that a test links only what it uses.
define archive
$(3)/lib$(1).a: $(2:%.c=$(3)/%.o)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(eval $(call archive,base,$(BASE_SRC),$(T)))
$(eval $(call archive,pkcs11,$(PKCS11_SRC),$(T)))
$(eval $(call archive,profiles,$(PROFILES_SRC),$(T)))
$(eval $(call archive,transport,$(TRANSPORT_SRC),$(T)))
$(eval $(call archive,testlib,$(TEST_LIB_SRC),$(T)))

# For a test that needs more libraries or linker options: LDLIBS_test_x = ...
define test_binary
$(O)/tests/$(basename $(notdir $(1))): $(T)/$(1:.c=.o) $(BELOW_$(2):%=$(T)/lib%.a) $(T)/libtestlib.a
	@mkdir -p $$(@D)
	$$(call say,LINK  $$@)
	$$(Q)$$(CC) $$(OPT) -pthread $$(LDFLAGS) $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
		$$(LDLIBS_$(basename $(notdir $(1)))) -lcmocka $$(LIBS) -ldl -o $$@
endef
$(foreach s,$(TEST_SRC),$(eval $(call test_binary,$(s),$(word 2,$(subst /, ,$(s))))))

unit: $(TEST_BIN)

check-unit: unit
	@scripts/run-unit.sh $(TEST_BIN)

# Compares cipher strings and verification results with the openssl command: each line is one run over a corpus.
VERIFY_TOOL = $(T)/verify_tool
VERIFY_GNUTLS = $(T)/verify_gnutls
PKITS_DIR ?= /usr/lib/python3/dist-packages/cryptography_vectors/x509/PKITS_data
$(VERIFY_TOOL) $(VERIFY_GNUTLS): $(T)/verify_%: $(T)/tests/profiles/verify/verify_%.o $(BELOW_profiles:%=$(T)/lib%.a) \
		$(T)/libtestlib.a
	$(call say,LINK  $@)
	$(Q)$(CC) $(OPT) -pthread $(LDFLAGS) $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) -ldl -o $@

check-openssl: $(CIPHERS_TOOL) $(VERIFY_TOOL)
	@scripts/run-python.sh tests/profiles/cipher/ciphers_tool.py $(CIPHERS_TOOL)
	@scripts/run-python.sh tests/profiles/cipher/ciphers_compare.py $(CIPHERS_TOOL)
	@scripts/run-python.sh tests/profiles/cipher/ciphers_compare.py $(CIPHERS_TOOL) --enforced
	@scripts/run-python.sh tests/profiles/cipher/ciphers_compare.py $(CIPHERS_TOOL) --method TLSv1.2
	@scripts/run-python.sh tests/profiles/cipher/ciphers_compare.py $(CIPHERS_TOOL) --method TLSv1.3
	@scripts/run-python.sh tests/profiles/verify/verify_compare.py $(VERIFY_TOOL)
	@PKITS_DIR="$(PKITS_DIR)" scripts/run-python.sh tests/limbo/run_pkits.py $(VERIFY_TOOL)

# The chains of x509-limbo: LIMBO_JSON, or build/limbo/limbo.json; skipped if there is neither.
check-limbo: $(VERIFY_TOOL)
	@scripts/run-python.sh tests/limbo/run_limbo.py $(VERIFY_TOOL)

# The table of doc/verification.md: how many chains are wrongly accepted, here and by GnuTLS alone.
verify-table: $(VERIFY_TOOL) $(VERIFY_GNUTLS)
	@PKITS_DIR="$(PKITS_DIR)" scripts/run-python.sh tests/limbo/verify_table.py $(VERIFY_TOOL) $(VERIFY_GNUTLS)

check-build: all
	@MODULE=$(abspath $(SO)) OBJ=$(O)/obj scripts/run-scripts.sh $(sort $(wildcard tests/build/*.sh))

# ---- fuzzing: every folder below rpc, with libFuzzer and both sanitizers ---------------------------------------------
F = $(B)/fuzz
FUZZ_SRC = $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN = $(FUZZ_SRC:tests/fuzz/%.c=$(F)/%)
FUZZ_FLAGS = $(CSTD) -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined $(WARN)

$(F)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC    $< (for fuzzing))
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(TEST_CPPFLAGS) -MMD -MP -c $< -o $@
$(eval $(call archive,base,$(BASE_SRC),$(F)/obj))
$(eval $(call archive,pkcs11,$(PKCS11_SRC),$(F)/obj))
$(eval $(call archive,profiles,$(PROFILES_SRC),$(F)/obj))
$(eval $(call archive,transport,$(TRANSPORT_SRC),$(F)/obj))
$(eval $(call archive,testlib,$(TEST_LIB_SRC),$(F)/obj))
$(F)/fuzz_%: $(F)/obj/tests/fuzz/fuzz_%.o $(BELOW_transport:%=$(F)/obj/lib%.a) $(F)/obj/libtestlib.a
	$(call say,LINK  $@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -pthread $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		$(LDLIBS_fuzz_$*) $(LIBS) -ldl -o $@

LDLIBS_fuzz_datagram = -lcmocka

fuzz: $(FUZZ_BIN)

fuzz-smoke check-fuzz: fuzz
	@scripts/run-fuzz.sh $(FUZZ_BIN)

# ---- the rest ------------------------------------------------------------------------------------------------------
check-e2e: all
	@scripts/run-pytest.sh tests/e2e -m "not long"

# The same script, certificates and clients with tls.so and with this module.
check-compare: all
	@TLSG_MODULE=$(abspath $(SO)) scripts/run-pytest.sh tests/compare

# The scripts of tlsfuzzer against tls.so, the module and gnutls-serv; skipped if TLSFUZZER_DIR does not name them.
check-tlsfuzzer: all
	@scripts/run-python.sh tests/tlsfuzzer/run_tlsfuzzer.py --module $(abspath $(SO)) --smoke

check-tlsfuzzer-long: all
	@scripts/run-python.sh tests/tlsfuzzer/run_tlsfuzzer.py --module $(abspath $(SO))

# The arithmetic of the benchmarks; measures nothing.
check-bench:
	@scripts/run-pytest.sh tests/bench

check:
	@scripts/deps.sh install check
	$(MAKE) WERROR=1 check-all

check-all:
	@scripts/run-check.sh all check-unit check-build check-openssl check-limbo check-e2e check-compare \
		check-tlsfuzzer check-bench check-fuzz

check-long:
	@scripts/deps.sh install check
	$(MAKE) WERROR=1 check-long-all

check-long-all:
	@scripts/run-check.sh all check-san check-e2e-san check-valgrind check-e2e-long check-chaos-san \
		check-tlsfuzzer-long verify-table check-fuzz-long check-loss-long

# In folders under build/hosts, each with a Debian of its own; see the head of the script.
HOST ?= trixie forky
HOST_PQ ?= trixie
check-hosts:
	@scripts/deps.sh install hosts
	@scripts/check-hosts $(ARGS) $(HOST)

# With a Kamailio built from each of these source trees, for versions that no release of Debian has.
check-trees:
	@scripts/deps.sh install trees
	@scripts/check-trees $(KAMAILIO_TREES)

# With a GnuTLS that has post-quantum hybrids: Debian's has none.
check-pq:
	@scripts/deps.sh install hosts
	@scripts/check-hosts --hybrids $(ARGS) $(HOST_PQ)

check-san:
	$(MAKE) SAN=1 check-unit

# The end-to-end tests with the sanitizers' build of the module.
check-e2e-san:
	$(MAKE) SAN=1 all
	@scripts/with-sanitizers.sh scripts/run-pytest.sh tests/e2e --tls-module $(B)/san/tls_gnutls.so -m "not long"

check-valgrind: unit
	@UNIT_TIMEOUT=1800 WRAP="valgrind -q --error-exitcode=99 --trace-children=no --leak-check=full \
		--errors-for-leak-kinds=definite --suppressions=misc/valgrind.supp" scripts/run-unit.sh $(TEST_BIN)

check-e2e-long: all
	@scripts/run-pytest.sh tests/e2e --long -m long --long-seconds $(LONG_SECONDS) -rsP

# Everything at once with the sanitizers' build of the module. -rP: what the tests print is shown.
check-chaos-san:
	$(MAKE) SAN=1 all
	@scripts/with-sanitizers.sh scripts/run-pytest.sh tests/e2e/test_chaos.py --tls-module $(B)/san/tls_gnutls.so \
		--long -m long --long-seconds $(LONG_SECONDS) -rsP

# Handshakes of DTLS over lossy links, ten times as many as in check-unit.
check-loss-long: $(O)/tests/test_datagram_loss
	@TLSG_TEST_RUNS=10000 TLSG_TEST_SEED=1001 scripts/run-unit.sh $<

check-fuzz-long: fuzz
	@FUZZ_SECONDS=600 scripts/run-fuzz.sh $(FUZZ_BIN)

docbook:
	scripts/make-docbook $(B)/doc

pictures:
	dot -Tsvg doc/pictures/where.dot -o doc/pictures/where.svg
	mscgen -T svg -i doc/pictures/connection.msc -o doc/pictures/connection.svg

lint:
	@scripts/deps.sh install lint
	@$(MAKE) --no-print-directory $(DEFS)
	@scripts/lint.sh

# Formats the C files as .clang-format says. Changes files.
format:
	clang-format -i $(SRC) $(wildcard tools/*.c $(FOLDERS:%=%/*.h)) $(wildcard tests/*/*.[ch] tests/*/*/*.[ch])

bench:
	@scripts/deps.sh install bench
	@$(MAKE) --no-print-directory all
	$(MAKE) -C tests/bench CC=$(CC) BENCH_BUILD=$(abspath $(B)/bench)
	$(PYTHON) tests/bench/bench.py $(BENCH_ARGS)
	$(PYTHON) tests/bench/bench_dtls.py

# Start-up and reload with 200 profiles and 150 CAs; the reload of tls.so takes minutes there: BENCH_ARGS=--no-reload.
bench-startup:
	@scripts/deps.sh install bench
	@$(MAKE) --no-print-directory all
	$(PYTHON) tests/bench/startup.py $(BENCH_ARGS)

deps:
	@scripts/deps.sh install $(DEPS)

run:
	@scripts/deps.sh install run
	@$(MAKE) --no-print-directory all
	@MODULE=$(abspath $(SO)) scripts/run.sh

include misc/packages.mk

clean:
	rm -rf $(B)/obj $(B)/test $(B)/tests $(B)/tool $(B)/san $(B)/gcc $(B)/clang $(B)/fuzz \
		$(B)/check $(B)/tls_gnutls.so $(B)/tls-gnutls-ciphers $(B)/tls-gnutls-cert $(B)/tls-gnutls-check

-include $(wildcard $(OBJ:.o=.d) $(CIPHERS_TOOL_SRC:%.c=$(O)/tool/%.d) $(SRC:%.c=$(T)/%.d) $(SRC:%.c=$(F)/obj/%.d) \
	$(TEST_SRC:%.c=$(T)/%.d) $(TEST_LIB_SRC:%.c=$(T)/%.d) $(FUZZ_SRC:%.c=$(F)/obj/%.d) \
	$(T)/tests/profiles/verify/*.d $(F)/obj/tests/lib/*.d)
endif
