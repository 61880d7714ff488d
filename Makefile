# Everything a newcomer needs. Each target prepares the environment first; the second time that takes no time.

.PHONY: help demo serve test check torture bench docs lock clean

help: ## say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: ## make a video with the sandbox and save it as demo.mp4; SERVE=1 leaves the server running
	@scripts/setup run
	@.venv/bin/reelway demo --output demo.mp4 --force $(if $(SERVE),--serve)

serve: ## run the server on http://127.0.0.1:8080
	@scripts/setup run
	@.venv/bin/reelway serve

test: ## run everything: style, types, layers, tests, docs
	@scripts/test

check: ## run style, types and layers alone
	@scripts/test check

torture: ## break two nodes, their database, bucket and vendor in every way, and compare the books: SEEDS, JOBS, FAULTS
	@scripts/setup dev
	@scripts/setup-postgres
	@scripts/setup-s3
	@.venv/bin/python -m tests.torture --seeds $(or $(SEEDS),10) --jobs $(or $(JOBS),2000) --faults $(or $(FAULTS),50)

bench: ## measure our HTTP server against a bare one
	@scripts/setup dev
	@.venv/bin/python bench/http.py

docs: ## write the generated pages again and check all links
	@scripts/setup dev
	@.venv/bin/python -m scripts.docs

lock: ## resolve the requirements again
	@scripts/setup dev
	@scripts/lock

clean: ## remove the environment, caches and what the demo made
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .reelway dist build
	rm -rf tests/node/node_modules
	rm -f demo.mp4
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
