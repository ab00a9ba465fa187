# SPDX-License-Identifier: Apache-2.0
# The front door; Meson does the building. `make help` lists what there is.
PYTHON := /usr/bin/python3
JOBS   := $(shell nproc)
PYTEST  = $(PYTHON) -m pytest -q -n $(JOBS)
# What every build must pass. The soak is apart: it loads the machine and measures, so nothing else
# may run beside it.
SUITE  := tests/e2e/client tests/e2e/lifecycle tests/e2e/config tests/e2e/auth tests/e2e/accounts tests/e2e/tls tests/e2e/system tests/e2e/monitor \
          tests/golden tests/diff tests/interop
SOAK   := $(PYTHON) -m pytest -q tests/e2e/robustness

.PHONY: all setup FORCE help run test unit e2e soak bench asan tsan sanitizers fuzz lint docs fmt static deb clean

all: build/gnatwren            ## build the optimised server, build/gnatwren

help:                          ## list the targets
	@sed -n 's/^\([a-z][a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

build/build.ninja:
	@tools/setup build
	meson setup build --buildtype=release -Db_lto=true

build/gnatwren: build/build.ninja FORCE
	@ninja -C build gnatwren >build/ninja.log || { cat build/ninja.log; exit 1; }

FORCE:

run: build/gnatwren            ## build, then serve on port 4222
	@build/gnatwren

test: setup unit e2e           ## install what is missing, build, run the whole suite

setup:
	@tools/setup

unit: build/build.ninja        ## unit tests and the replay of the fuzz corpora
	@ninja -C build
	@meson test -C build --print-errorlogs

e2e: build/gnatwren            ## black-box tests: protocol, differences to the peer, real clients
	$(PYTEST) $(SUITE)

soak: build/gnatwren           ## hostile and endless clients, for minutes
	$(SOAK)

bench: setup build/gnatwren    ## measure against the Go server, write docs/performance.md
	@ninja -C build tests/unit/broker/index_bench
	$(PYTHON) tests/bench/bench.py

# Sanitizer builds, each with unit and black-box tests. clang: its runtimes are the stricter ones.
SANITIZE_asan := address,undefined
SANITIZE_tsan := thread

build-asan/build.ninja build-tsan/build.ninja: build-%/build.ninja:
	CC=clang-19 meson setup build-$* --buildtype=debugoptimized -Db_lundef=false \
		-Db_sanitize=$(SANITIZE_$*)

asan tsan: %: setup build-%/build.ninja ## whole suite and the soak under a sanitizer
	@ninja -C build-$@
	@meson test -C build-$@ --print-errorlogs -t 10
	GNATWREN_BIN=build-$@/gnatwren $(PYTEST) $(SUITE)
	GNATWREN_BIN=build-$@/gnatwren $(SOAK)

sanitizers: asan tsan          ## both

build-fuzz/build.ninja:
	CC=clang-19 meson setup build-fuzz --buildtype=debugoptimized -Db_lundef=false -Dfuzz=true

FUZZ_SECONDS := 60
fuzz: setup build-fuzz/build.ninja ## run each fuzz target for FUZZ_SECONDS
	@ninja -C build-fuzz
	@tools/fuzz build-fuzz $(FUZZ_SECONDS)

lint: setup                    ## formatting, clang-tidy and the project's own checks
	@tools/lint

docs: build/build.ninja        ## write the documents that come from the option tables
	@ninja -C build option_docs
	@build/option_docs md >docs/options.md
	@build/option_docs conf >conf/gnatwren.conf
	@build/option_docs man1 >dist/man/gnatwren.1
	@build/option_docs man5 >dist/man/gnatwren.conf.5

fmt:                           ## format all C files
	clang-format-19 -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

build-static/build.ninja:
	@tools/setup build
	meson setup build-static --buildtype=release -Db_lto=true -Ddefault_library=static -Dprefer_static=true \
		-Dc_link_args=-static-pie

# The linker warns of what needs the C library's files at run time: names of users, which nobody asks for, and of
# hosts, which works without them.
static: build-static/build.ninja ## build-static/gnatwren, which needs no libraries: for containers
	@ninja -C build-static gnatwren >build-static/ninja.log || { cat build-static/ninja.log; exit 1; }

deb: build/gnatwren            ## Debian packages, in build/
	@dist/deb/build build/gnatwren build

clean:                         ## remove all build folders
	rm -rf build build-asan build-tsan build-fuzz build-lint build-static
