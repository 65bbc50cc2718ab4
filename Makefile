# Needs Python 3.11 or newer, make, and the package registries; everything else is installed here.
PYTHON ?= python3
BIN := .venv/bin
DEV := .venv/.dev
RUN := .venv/.run

.PHONY: demo test lint types imports unit lock bench prove mutations pitfalls fidelity judges clean help

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(RUN): deploy/requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(DEV): deploy/requirements-dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@ $(RUN)

demo: $(RUN)  ## the hub and both simulated services, connected, to be played with
	$(BIN)/caldav-bridge demo

test: lint types imports unit  ## everything that must be green

lint: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports

unit: $(DEV)
	@sh tests/programs.sh chromium litmus
	$(BIN)/pytest --numprocesses auto --dist worksteal

lock: $(DEV)  ## resolve the dependencies anew, leaving out what is younger than a week
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --exclude-newer "$$(date -u -d '7 days ago' +%F)" --upgrade -o deploy/requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --exclude-newer "$$(date -u -d '7 days ago' +%F)" --upgrade -o deploy/requirements-dev.lock

bench: $(DEV)  ## figures: speed, memory, latency
	$(BIN)/python -m tests.benchmarks

prove: $(DEV)  ## every crash of small stories, then 2,000 long random lives with faults: nothing lost, doubled or mailed
	$(BIN)/python -m tests.proof.crashes
	$(BIN)/python -m tests.proof --examples 2000 --steps 50 --jobs 2 --seed 1
	$(BIN)/python -m tests.proof.todos --examples 400 --seed 1

mutations: $(DEV)  ## each protecting rule switched off: do its tests notice?
	$(BIN)/python -m tests.mutations

pitfalls: $(DEV)  ## write docs/reference/pitfalls.md anew
	$(BIN)/python -m tests.pitfalls

fidelity: $(DEV)  ## ask the simulated services anew what they hold, and write docs/reference/fidelity.md
	$(BIN)/python -m tests.fidelity

judges: $(DEV)  ## ask caldav-server-tester, litmus and the caldav library's tests what the server can do (docs/reference/judges.md anew), and Evolution and Thunderbird to use it
	@sh tests/programs.sh litmus evolution thunderbird
	$(BIN)/python -m tests.judges
	$(BIN)/pytest -n 0 tests/e2e/evolution_check.py tests/e2e/thunderbird_check.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
