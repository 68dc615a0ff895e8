.PHONY: test lint bench

test: ## Run every test (make test SUITES="rust unit" for some)
	@tests/run.sh $(SUITES)
