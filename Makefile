# SPDX-License-Identifier: GPL-3.0-or-later
# make demo: three guests from a signed catalogue, for real.  make test: every test.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

.PHONY: help build dist release docs demo demo-bhyve demo-clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $$(ls Makefile tests/tests.mk 2>/dev/null)

build: ## Build the programs for this machine into native/
	@modules/install.sh

dist: ## Cross-build the programs for every platform we ship (make dist PLATFORMS=freebsd-amd64 for one)
	@modules/dist.sh $(PLATFORMS)

release: ## Make a release from this commit: version, changelog, programs, list of parts, signatures (make release VERSION=0.2.0 KEY=...)
	@.ci/release "$(VERSION)" --key "$(KEY)"

docs: ## Build the documentation site into docs/build/html
	@docs/build.sh

demo: ## Publish an image, deploy three guests from it, show what a second run says
	@tests/demo/demo.sh

demo-bhyve: ## The same through libvirt's own bhyve driver, with stand-ins for bhyve and nmdm (as root)
	@tests/bhyve/demo.sh

demo-clean: ## Remove everything the demo made
	@tests/demo/clean.sh

# Not in a released artifact, where `build` is all there is to do.
-include tests/tests.mk
