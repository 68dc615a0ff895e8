# SPDX-License-Identifier: GPL-3.0-or-later
.PHONY: test check green lint bench screenshots

test: ## Run every test (make test SUITES="rust unit" for some)
	@tests/run.sh $(SUITES)

check: ## The inner loop: format, clippy, the Rust tests and the plugins' unit tests
	@tests/run.sh format clippy rust unit

green: ## Has this very commit passed every test? If not, which one did last, and what has changed since
	@. tests/setup/cache.sh; . tests/setup/green.sh; say_green

lint: ## Run the linters: rustfmt, clippy, ansible-lint, ansible-test sanity, ansible-doc
	@tests/run.sh format clippy sanity

screenshots: ## Take the screenshots of docs/screenshots anew: look at them before they are committed
	@SCREENSHOTS=$(CURDIR)/docs/screenshots tests/run.sh page

bench: build ## Measure, side by side with what a user would pick instead
	@for script in tests/bench/*.sh; do "$$script"; done
