# SPDX-License-Identifier: LGPL-2.1-only
# make help lists the targets.

PREFIX         ?= /usr
SYSCONFDIR     ?= /etc
XEN_SCRIPT_DIR ?= $(SYSCONFDIR)/xen/scripts
LIBDIR         ?= $(PREFIX)/lib/xen-hotplug
SYSTEMD_NETWORK_DIR ?= $(PREFIX)/lib/systemd/network
NM_CONF_DIR    ?= $(PREFIX)/lib/NetworkManager/conf.d
UNIT_DIR       ?= $(PREFIX)/lib/systemd/system
SBINDIR        ?= $(PREFIX)/sbin
MANDIR         ?= $(PREFIX)/share/man
DESTDIR        ?=

CC      ?= cc
CFLAGS  ?= -O2 -g
version := $(file < VERSION)
WARN     = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DVERSION='"$(version)"' -Wall -Wextra -Werror
SANITIZE = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined

HELPER = helpers/xen-hotplug
MOCK   = tests/mock-xenstored/mock-xenstored
MOMENTS = tests/moments/moments
C_ALL  = $(wildcard helpers/*.c helpers/*/*.c tests/mock-xenstored/*.c tests/mock-xenstored/client/*.c tests/moments/*.c \
	tests/fuzz/*.c tests/unit/*.c)
H_ALL  = $(wildcard helpers/*.h helpers/*/*.h tests/mock-xenstored/*.h tests/moments/*.h tests/fuzz/*.h)
helper_c = $(wildcard helpers/*.c helpers/*/*.c)
helper_h = $(wildcard helpers/*.h helpers/*/*.h) VERSION
mock_c   = $(wildcard tests/mock-xenstored/*.c)
moments_c = $(wildcard tests/moments/*.c)
client_c = $(wildcard tests/mock-xenstored/client/*.c)

DEVICE_SCRIPTS = block block-drbd block-drbd-probe block-dummy block-iscsi block-nbd block-overlay block-qcow2 \
	block-shared block-tap vif-bridge vif-nat vif-openvswitch vif-route
MAN = $(addprefix build/man/,xen-hotplug.8 hotplug.conf.5 xen-hotplug-script.7 \
	$(addsuffix .8,$(filter-out block-drbd-probe,$(DEVICE_SCRIPTS))))
# Units of systemd, each started with another one.
UNITS = xen-hotplug-rules xen-hotplug-repair
UNITS_WANTED = multi-user.target:xen-hotplug-rules \
	$(addsuffix .service:xen-hotplug-repair,nftables firewalld netfilter-persistent iptables ip6tables)
COMMON  = $(notdir $(wildcard hotplug/common/*.sh))
SHELL_FILES = $(addprefix hotplug/Linux/,$(DEVICE_SCRIPTS) hotplug.sh) $(wildcard hotplug/common/*.sh \
	hotplug/common/lib/*.sh hotplug/common/resources/*.sh tests/lib/* tests/stand-ins/* tests/bats/*.bats tests/bench/* tests/conformance/* tests/model/* tests/e2e/inside/* \
	tests/e2e/lib/* tests/e2e/suite/*) tests/e2e/all tests/e2e/run tests/e2e/image tests/e2e/image.d/e2e-start \
	tests/e2e/boot tests/lint/run manual/page tests/demo tests/deps tests/pace tests/run .ci/run

# What Debian calls the things that each target needs.
PACKAGES_BUILD = gcc libc6-dev make libxen-dev
PACKAGES_RUN   = bash iproute2 util-linux libxenstore4
PACKAGES_DEMO  = $(PACKAGES_BUILD) $(PACKAGES_RUN) xenstore-utils jq
PACKAGES_CHECK = $(PACKAGES_DEMO) shellcheck shfmt clang-format clang-tidy cppcheck codespell \
	libasan8 libubsan1 clang libclang-rt-14-dev bats parallel strace jq git procps iputils-ping e2fsprogs perl \
	nftables iptables dnsmasq-base busybox openvswitch-switch udev isc-dhcp-client ndisc6 keepalived \
	nbd-client nbd-server qemu-utils openssl bindfs squashfs-tools erofs-utils btrfs-progs mandoc
PACKAGES_E2E   = $(PACKAGES_BUILD) qemu-system-x86 mmdebstrap e2fsprogs
PACKAGES       = $(PACKAGES_CHECK) $(PACKAGES_E2E)

all: $(HELPER) $(MAN) ## build

$(HELPER): $(helper_c) $(helper_h)
	$(CC) $(WARN) -Ihelpers $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) -o $@ $(helper_c) -lxenstore

$(MOCK): $(mock_c) $(wildcard tests/mock-xenstored/*.h)
	$(CC) $(WARN) $(CFLAGS) -o $@ $(mock_c)

$(MOMENTS): $(moments_c) $(wildcard tests/moments/*.h)
	$(CC) $(WARN) $(CFLAGS) -o $@ $(moments_c)

build/asan/xen-hotplug: $(helper_c) $(helper_h) | build/asan
	$(CC) $(WARN) $(SANITIZE) -Ihelpers -o $@ $(helper_c) -lxenstore

build/asan/mock-xenstored: $(mock_c) $(wildcard tests/mock-xenstored/*.h) | build/asan
	$(CC) $(WARN) $(SANITIZE) -o $@ $(mock_c)

build/asan build/fuzz build/unit:
	mkdir -p $@

man: $(MAN) ## the manual pages, into build/man

# Tests that call make at once may each write a page, so it gets its name when it is complete.
build/man/%: $(HELPER) $(wildcard manual/* docs/*.md hotplug/Linux/* hotplug/common/*.sh) README.md VERSION
	@mkdir -p $(@D)
	@manual/page $* >$@.$$$$ && mv $@.$$$$ $@ || { rm -f $@.$$$$; exit 1; }

tests: $(MAN)

# The helper's own code on block devices that are only described.
UNIT_C = $(addprefix helpers/,array.c message.c number.c textfile.c utf8.c $(addprefix disk/,dmtable.c extent.c identity.c mounts.c relatives.c))
build/unit/layers: tests/unit/layers.c $(UNIT_C) $(helper_h) | build/unit
	$(CC) $(WARN) $(SANITIZE) -Ihelpers -o $@ $< $(UNIT_C)

build/unit/filesystems: tests/unit/filesystems.c $(helper_c) $(helper_h) | build/unit
	$(CC) $(WARN) $(SANITIZE) -Ihelpers -o $@ $< \
		$(filter-out helpers/main.c helpers/cmd-%.c helpers/call/%,$(helper_c)) -lxenstore

build/unit/%.so: tests/unit/%.c | build/unit
	$(CC) $(WARN) -O2 -fPIC -shared -o $@ $<

# Everything of the helper but its subcommands, and what starts these.
FUZZERS = $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_SECONDS ?= 60

build/fuzz/%: tests/fuzz/%.c $(helper_c) $(helper_h) | build/fuzz
	clang $(WARN) -O1 -g -fsanitize=fuzzer,address,undefined -Ihelpers -o $@ $< \
		$(filter-out helpers/main.c helpers/cmd-%.c helpers/call/worker.c,$(helper_c)) -lxenstore

fuzz: need-check ## fuzz what the helper parses, FUZZ_SECONDS each
	@$(MAKE) --no-print-directory $(FUZZERS)
	@for f in $(FUZZERS); do \
		c=tests/fuzz/corpus-$${f##*/fuzz-}; mkdir -p $$f.corpus; [ -d $$c ] || c=; \
		$$f -close_fd_mask=2 -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$$f. $$f.corpus $$c || exit 1; \
	done

deps: ## install the Debian packages that all of this needs
	@tests/deps $(PACKAGES)

# Installs the packages that are named, if one of them is missing.
define need
	@tests/deps $(1)
endef

need-demo:
	$(call need,$(PACKAGES_DEMO))
need-check:
	$(call need,$(PACKAGES_CHECK))
need-e2e:
	$(call need,$(PACKAGES_E2E))

demo: need-demo ## show an attach and a detach on this machine, without Xen
	@$(MAKE) --no-print-directory -s $(HELPER) $(MOCK)
	@tests/demo

check: need-check ## lint, then all tests, with a sample of each enumeration: FILTER=title, SEED=
	@tests/pace 'The build and lint, before the tests' 30
	@$(lint_and_build)
	@tests/run "$$FILTER"

check-all: need-check ## the same with every case of each enumeration; lint looks deeper
	@tests/pace 'The build and lint, before the tests' 120
	@$(lint_and_build) TIDY_NODES=$(TIDY_NODES_DEEP)
	@SAMPLE=1 tests/run "$$FILTER"

# What the tests need.
BUILT = $(HELPER) $(MOCK) $(MOMENTS) build/asan/xen-hotplug build/asan/mock-xenstored build/unit/layers build/unit/filesystems build/unit/quick.so build/unit/no-dh.so build/unit/orphan.so build/unit/broken.so

tests: $(BUILT)
	tests/run "$$FILTER"

at_once = $(MAKE) --no-print-directory -k -j$$(nproc) -Otarget -s
lint_and_build = rm -rf build/lint && $(at_once) $(BUILT) $(LINTS)

lint: need-check ## what the tools and our own rules say of the sources
	@rm -rf build/lint; $(at_once) $(LINTS)

# The parts of lint. Those that take long come first; each works on a few files
# at a time, so that no core waits for another.
LINTS = lint-tidy lint-shellcheck lint-rules lint-cppcheck lint-format lint-spelling lint-man
some_files = xargs -P $$(nproc) -n 20
# The last command of each part.
lint_done = mkdir -p build/lint && touch build/lint/$@ && \
	echo "lint: $$(ls build/lint | wc -l) of $(words $(LINTS)) parts are clean ($(@:lint-%=%))"

# What clang-tidy had nothing to say of. How far it follows the paths through a
# function decides how long it takes: make check-all has it go three times as far as
# clang's own quick analysis, which takes minutes; make check a fifth of that analysis.
TIDIED = $(C_ALL:%=build/tidy/%)
TIDY_NODES ?= 15000
TIDY_NODES_DEEP = 225000
tidy_depth = $(addprefix --extra-arg=,-Xclang -analyzer-config -Xclang max-nodes=$(TIDY_NODES))
build/tidy/%: % $(H_ALL) .clang-tidy
	@clang-tidy --quiet $< $(tidy_depth) -- $(WARN) -Ihelpers 2>/dev/null
	@mkdir -p $(@D) && touch $@

lint-tidy: $(TIDIED)
	@$(lint_done)

lint-shellcheck:
	@printf '%s\n' $(SHELL_FILES) | $(some_files) shellcheck
	@$(lint_done)

lint-rules:
	@printf '%s\n' $(SHELL_FILES) Makefile $(wildcard tests/lint/*.* manual/*.awk) $(C_ALL) $(H_ALL) | $(some_files) tests/lint/run
	@$(lint_done)

lint-cppcheck:
	@cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem -Ihelpers helpers tests/mock-xenstored tests/moments tests/fuzz tests/unit
	@$(lint_done)

lint-format:
	@shfmt -d $(SHELL_FILES)
	@clang-format --dry-run -Werror $(C_ALL) $(H_ALL)
	@$(lint_done)

lint-spelling:
	@codespell --ignore-words-list uptodate,conectix,nd README.md STYLE.md docs manual hotplug helpers host tests Makefile
	@$(lint_done)

lint-man: $(MAN)
	@mandoc -T lint -W warning $(MAN)
	@$(lint_done)

fmt: need-check ## format the sources
	shfmt -w $(SHELL_FILES)
	clang-format -i $(C_ALL) $(H_ALL)

conformance: need-check ## do the scripts in SCRIPTS= (else ours) behave as libxl needs?
	@$(MAKE) --no-print-directory -s $(HELPER) $(MOCK)
	@tests/conformance/run "$${SCRIPTS:-hotplug/Linux}"

conformance-upstream: need-check ## the same of ours and Xen's own, as docs/conformance.md says?
	@$(call conformance_all,--check)

conformance-table: need-check ## the same, and writes docs/conformance.md
	@$(call conformance_all,--table)

define conformance_all
	$(MAKE) --no-print-directory -s $(HELPER) $(MOCK) && \
	bookworm=$$(tests/lib/upstream.sh bookworm) && trixie=$$(tests/lib/upstream.sh trixie) && \
	tests/conformance/run $(1) hotplug/Linux "$$bookworm/etc/xen/scripts" "$$trixie/etc/xen/scripts"
endef

e2e: need-e2e ## the tests on real Xen, in QEMU: FILTER=title, SUITE=bookworm|trixie
	@tests/e2e/all "$$FILTER"

e2e-shell: need-e2e ## a root shell in the dom0 of those tests
	@tests/e2e/run --shell

model: need-check ## SCHEDULES= random schedules (2000) of attaches and detaches, or those of TIME= seconds, from SEED=
	@$(MAKE) --no-print-directory -s $(HELPER) $(MOCK)
	@SCHEDULES=$${SCHEDULES:-$${TIME:+999999999}}; \
		tests/model/run --schedules "$${SCHEDULES:-2000}" $${TIME:+--seconds "$$TIME"} $${SEED:+--seed "$$SEED"}

bench: need-check ## our scripts, Xen's and the floor, side by side: BENCH=all for the long cases, FORMAT=tsv
	@$(MAKE) --no-print-directory -s $(HELPER) $(MOCK)
	@tests/bench/run

# A first line of a script, and make's own lists, cannot have a space in a path.
places = $(DESTDIR)$(XEN_SCRIPT_DIR)$(LIBDIR)$(SBINDIR)$(UNIT_DIR)$(SYSTEMD_NETWORK_DIR)$(NM_CONF_DIR)$(MANDIR)$(SYSCONFDIR)
refuse_spaces = $(if $(word 2,$(places)),$(error DESTDIR or another directory has a space; choose one without))

install: $(HELPER) $(MAN) ## into DESTDIR, PREFIX and XEN_SCRIPT_DIR; keeps what it replaces
	$(refuse_spaces)
	install -d $(DESTDIR)$(XEN_SCRIPT_DIR) $(DESTDIR)$(LIBDIR)/common/lib $(DESTDIR)$(LIBDIR)/common/resources \
		$(DESTDIR)$(LIBDIR)/replaced $(DESTDIR)$(SBINDIR)
	for s in $(DEVICE_SCRIPTS); do \
		old=$(DESTDIR)$(XEN_SCRIPT_DIR)/$$s; kept=$(DESTDIR)$(LIBDIR)/replaced/$$s; \
		if [ -e "$$old" ] && ! grep -q 'hotplug\.sh"' "$$old"; then cp -p "$$old" "$$kept" || exit 1; fi; \
		sed '1s|^#!.*|#!$(LIBDIR)/xen-hotplug call|' hotplug/Linux/$$s > "$$old.new" && chmod 0755 "$$old.new" && \
			mv "$$old.new" "$$old" || exit 1; \
	done
	sed -e 's|^hotplug_common=.*|hotplug_common=$(LIBDIR)/common|' \
		-e 's|^hotplug_helper=.*|hotplug_helper=$(LIBDIR)/xen-hotplug|' \
		-e 's|^hotplug_config=.*|hotplug_config=$(SYSCONFDIR)/xen/hotplug.conf|' \
		hotplug/Linux/hotplug.sh > $(DESTDIR)$(XEN_SCRIPT_DIR)/hotplug.sh
	chmod 0644 $(DESTDIR)$(XEN_SCRIPT_DIR)/hotplug.sh
	install -m 0644 $(addprefix hotplug/common/,$(COMMON)) $(DESTDIR)$(LIBDIR)/common
	install -m 0644 hotplug/common/lib/*.sh $(DESTDIR)$(LIBDIR)/common/lib
	install -m 0644 hotplug/common/resources/*.sh $(DESTDIR)$(LIBDIR)/common/resources
	install -m 0755 $(HELPER) $(DESTDIR)$(LIBDIR)/xen-hotplug
	for u in $(UNITS); do \
		install -d $(DESTDIR)$(UNIT_DIR) && sed 's|@LIBDIR@|$(LIBDIR)|' hotplug/systemd/$$u.service \
			> $(DESTDIR)$(UNIT_DIR)/$$u.service && chmod 0644 $(DESTDIR)$(UNIT_DIR)/$$u.service || exit 1; \
	done
	for w in $(UNITS_WANTED); do \
		install -d $(DESTDIR)$(UNIT_DIR)/$${w%:*}.wants && \
			ln -sf ../$${w#*:}.service $(DESTDIR)$(UNIT_DIR)/$${w%:*}.wants/ || exit 1; \
	done
	ln -sf $(LIBDIR)/xen-hotplug $(DESTDIR)$(SBINDIR)/xen-hotplug
	[ -e $(DESTDIR)$(SYSCONFDIR)/xen/hotplug.conf ] || \
		install -D -m 0644 hotplug/hotplug.conf $(DESTDIR)$(SYSCONFDIR)/xen/hotplug.conf
	install -D -m 0644 -t $(DESTDIR)$(SYSTEMD_NETWORK_DIR) host/*.link host/*.network
	install -D -m 0644 -t $(DESTDIR)$(NM_CONF_DIR) host/*.conf
	install -d $(addprefix $(DESTDIR)$(MANDIR)/man,5 7 8)
	for p in $(MAN); do \
		f=$(DESTDIR)$(MANDIR)/man$${p##*.}/$${p##*/}.gz; gzip -9n <$$p >"$$f" && chmod 0644 "$$f" || exit 1; \
	done

uninstall: ## takes ours away and puts back what install had replaced
	$(refuse_spaces)
	for s in $(DEVICE_SCRIPTS); do \
		old=$(DESTDIR)$(XEN_SCRIPT_DIR)/$$s; kept=$(DESTDIR)$(LIBDIR)/replaced/$$s; \
		rm -f "$$old"; if [ -e "$$kept" ]; then mv "$$kept" "$$old" || exit 1; fi; \
	done
	rm -f $(DESTDIR)$(XEN_SCRIPT_DIR)/hotplug.sh $(UNITS:%=$(DESTDIR)$(UNIT_DIR)/%.service)
	rm -rf $(DESTDIR)$(LIBDIR)
	rm -f $(addprefix $(DESTDIR)$(SYSTEMD_NETWORK_DIR)/,$(notdir $(wildcard host/*.link host/*.network))) \
		$(addprefix $(DESTDIR)$(NM_CONF_DIR)/,$(notdir $(wildcard host/*.conf)))
	for d in $(DESTDIR)$(SYSTEMD_NETWORK_DIR) $(DESTDIR)$(NM_CONF_DIR); do \
		[ ! -d "$$d" ] || rmdir -p --ignore-fail-on-non-empty "$$d"; \
	done
	for w in $(UNITS_WANTED); do \
		rm -f $(DESTDIR)$(UNIT_DIR)/$${w%:*}.wants/$${w#*:}.service; \
		rmdir -p --ignore-fail-on-non-empty $(DESTDIR)$(UNIT_DIR)/$${w%:*}.wants 2>/dev/null || :; \
	done
	rm -f $(DESTDIR)$(SBINDIR)/xen-hotplug
	rm -f $(foreach p,$(MAN),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(p)))/$(notdir $(p)).gz)
	for d in $(addprefix $(DESTDIR)$(MANDIR)/man,5 7 8); do \
		[ ! -d "$$d" ] || rmdir -p --ignore-fail-on-non-empty "$$d"; \
	done
	conf=$(DESTDIR)$(SYSCONFDIR)/xen/hotplug.conf; ! cmp -s hotplug/hotplug.conf "$$conf" || rm "$$conf"

clean: ## remove what was built
	rm -rf build $(HELPER) $(MOCK) $(MOMENTS)

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: all man deps need-demo need-check need-e2e demo check check-all tests fmt fuzz \
	lint lint-tidy lint-shellcheck lint-rules lint-cppcheck lint-format lint-spelling lint-man \
	conformance conformance-upstream conformance-table e2e e2e-shell model bench install uninstall clean help
.DELETE_ON_ERROR:
