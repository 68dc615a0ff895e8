.PHONY: test lint bench

test: ## Run every test (make test SUITES="rust unit" for some)
	@tests/run.sh $(SUITES)

lint: ## Run the linters: rustfmt, clippy, ansible-lint, ansible-test sanity, ansible-doc
	@tests/run.sh format clippy sanity

bench: build ## Measure, side by side with what a user would pick instead
	@for script in tests/bench/*.sh; do "$$script"; done
