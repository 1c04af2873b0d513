# Everything a newcomer types. Each target makes the environment it needs.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup run test check format lint types contracts lock clean
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | column -t -s:

setup: $(READY) ## make .venv with everything the other targets need
$(READY): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found."; exit 1; }
	@$(PYTHON) -m venv --clear .venv 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu install the package $$($(PYTHON) -c 'import sys; print("python3.%d-venv" % sys.version_info[1])'), then run this again."; exit 1; }
	@echo "installing the locked packages into .venv (once; a minute or two)"
	@$(BIN)/python -m pip install --quiet --progress-bar off --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --progress-bar off --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $(READY)

run: setup ## start everything here with sample people; Ctrl-C stops it
	@exec $(BIN)/zhida up --demo

test: setup ## all tests that belong to every change
	$(BIN)/pytest -n auto --dist loadgroup --no-loadscope-reorder --reruns 1

format: setup ## write the code in the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup
	@echo "== form and lint (make format mends most of it)"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: setup
	@echo "== types"
	@$(BIN)/mypy

contracts: setup
	@echo "== who may import whom"
	@$(BIN)/lint-imports

# The season that is killed mostly waits, so it costs the tests beside it little.
check: lint types contracts ## everything CI asks
	@$(MAKE) --no-print-directory -j2 test chaos-short

lock: ## resolve the dependencies again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q pyproject.toml --extra local --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## remove the environment and the local data
	rm -rf .venv .zhida

.PHONY: chaos chaos-short
chaos-short: setup ## kill every part with -9 during a rehearsed season, lose and double messages; ZHIDA_CHAOS_SEED=N repeats one
	@export ZHIDA_CHAOS_SEED=$${ZHIDA_CHAOS_SEED:-$$RANDOM}; $(BIN)/pytest -s -m "chaos and not disk" tests/chaos

chaos: setup ## a full disk, then the same over CLAIMS=5000 for SEEDS=1 seeds FROM=1; stops at the first that breaks a promise, and names it
	@$(BIN)/pytest -s -rs -m disk tests/chaos
	@for seed in $$(seq $(or $(FROM),1) $$(($(or $(FROM),1) + $(or $(SEEDS),1) - 1))); do \
		began=$$SECONDS; \
		ZHIDA_CHAOS_SEED=$$seed ZHIDA_CHAOS_CLAIMS=$(or $(CLAIMS),5000) $(BIN)/pytest -s -m "chaos and not disk" tests/chaos || { \
			echo "seed $$seed failed after $$((SECONDS - began)) s; to repeat it: make chaos FROM=$$seed CLAIMS=$(or $(CLAIMS),5000)"; exit 1; }; \
		echo "seed $$seed held, $$((SECONDS - began)) s"; \
	done

.PHONY: chromium browser screenshots
chromium: setup ## Debian's chromium and a small Chinese font, where they are missing
	@missing="$$($(BIN)/python -m tests.browser.chromium)"; test -z "$$missing" && exit 0; \
	command -v apt-get >/dev/null || { echo "The journeys need $$missing; please install that first."; exit 1; }; \
	sudo="$$(test "$$(id -u)" = 0 || echo sudo)"; echo "installing $$missing"; \
	$$sudo apt-get update -qq && $$sudo apt-get install -qq -y --no-install-recommends $$missing >/dev/null

browser: chromium ## people's journeys in a real browser, and axe on every page
	@$(BIN)/pytest -n0 tests/browser

screenshots: chromium ## the pictures of docs/pages.md, made anew
	@mkdir -p docs/shots
	@ZHIDA_SHOTS=$(CURDIR)/docs/shots $(BIN)/pytest -n0 tests/browser
	@for shot in docs/shots/*; do grep -q "shots/$${shot##*/}" docs/pages.md || rm "$$shot"; done

.PHONY: bench long
bench: setup ## what each hot path costs beside a ceiling; SIZE=1 is the whole (0.1), ONLY=filing one part, JSON=FILE
	@$(BIN)/python -m bench --size $(or $(SIZE),0.1) $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json $(JSON))

long: setup ## the tests on large fixtures, half a million claims; SIZE=0.1 is a tenth
	@ZHIDA_LONG_SIZE=$(or $(SIZE),1) $(BIN)/pytest -n0 -m long
