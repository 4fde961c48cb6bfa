# Every target creates .venv by itself and installs only what it needs. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# `make lab FOLDER=elsewhere` keeps the student's files in another folder.
FOLDER ?= my-os
PORT ?= 8000
# `make lab LAB_FLAGS="--lesson 03 --no-browser"`: see `kit lab --help`.
LAB_FLAGS ?=
DECK ?= guests/batch/jobs/monday.deck
# Second opinions for the tests: an emulator, an assembler, a device-tree compiler and a browser; and
# Node.js where there is none (not every npm is Debian's) for the fast engine under Pyodide.
PACKAGES := qemu-system-misc binutils-riscv64-unknown-elf gcc-riscv64-unknown-elf \
    gdb-multiarch device-tree-compiler chromium $(if $(shell command -v npm),,nodejs npm)
NODE_MODULES := tests/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help run test lint format lab docs docs-serve bench lockstep equivalence fuzz engines mutants \
    verify proof-mutants isa-mutants screenshots terminal clean distclean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

run: $(VENV)/.core  ## run the sample batch in a virtual machine and show the printer's paper
	@$(BIN)/kit run guests/batch --vm --reader $(DECK)

test: $(VENV)/.dev lint  ## check style and types, run all tests
	@tools/packages.sh optional $(PACKAGES)
	@$(MAKE) -s $(NODE_MODULES) || echo "make: without Pyodide from npm some tests are skipped" >&2
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/.dev  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy kit

format: $(VENV)/.dev  ## mend what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lab: $(VENV)/.lab  ## open the lessons in JupyterLab, in the folder my-os
	@$(BIN)/kit lab "$(FOLDER)" $(LAB_FLAGS)

docs: $(VENV)/.docs  ## build the documentation in docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

docs-serve: docs  ## build the documentation and serve it on PORT (8000)
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory docs/_build/html

bench: $(VENV)/.bench  ## measure the engines, beside QEMU, Spike and Unicorn (BENCH=--quick: a minute)
	@tools/packages.sh optional qemu-system-misc
	$(BIN)/kit bench $(BENCH)

lockstep: $(VENV)/.dev  ## compare a million random instructions with Spike
	$(BIN)/python -m pytest tests/conformance -k lockstep --lockstep-steps 1000000

equivalence: $(VENV)/.dev  ## compare a million steps of virtual machines with the bare machine
	$(BIN)/python -m pytest -n 2 tests/vmm/test_equivalence.py --equivalence-steps 1000000

fuzz: $(VENV)/.dev  ## run ten million steps of random guests
	$(BIN)/python -m pytest -n 2 tests/vmm/test_fuzz.py --fuzz-steps 10000000

engines: $(VENV)/.dev  ## compare ten million steps of the fast engine with the reference engine
	$(BIN)/python -m pytest -n 2 tests/engine/test_random.py tests/engine/test_bench_loads.py \
	    --engine-steps 10000000

mutants: $(VENV)/.dev  ## seed each known kind of bug into the VMM kernel and have it found
	$(BIN)/python -m pytest -n 2 tests/vmm/test_mutants.py --mutants

verify: $(VENV)/.dev  ## prove that the VMM does what the bare machine does
	$(BIN)/kit verify

proof-mutants: $(VENV)/.dev  ## have the proof refute 360 bugs seeded into the VMM kernel
	$(BIN)/kit verify --mutants

isa-mutants: $(VENV)/.dev  ## have the conformance tests find 40 bugs seeded into the instruction set
	$(BIN)/python -m pytest -n 2 tests/conformance/test_isa_mutants.py --isa-mutants

screenshots: $(VENV)/.dev  ## make the pictures of the documentation again
	@tools/packages.sh optional chromium
	$(BIN)/python tools/screenshots.py

terminal:  ## build the terminal of the views from the versions of tools/terminal/package.json
	npm ci --prefix tools/terminal --no-audit --no-fund --loglevel=error
	npm run --silent --prefix tools/terminal build

clean:  ## delete what the targets made, except .venv and my-os
	rm -rf build dist docs/_build docs/lessons
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -exec rm -rf {} +

distclean: clean  ## clean, and delete .venv too
	rm -rf $(VENV) tests/node_modules tools/terminal/node_modules

$(NODE_MODULES): tests/package.json tests/package-lock.json
	npm ci --prefix tests --ignore-scripts --no-audit --no-fund --loglevel=error

$(BIN)/python:
	@tools/venv.sh $(PYTHON) $(VENV)

$(VENV)/.core: EXTRAS =
$(VENV)/.lab: EXTRAS = [lab]
$(VENV)/.docs: EXTRAS = [docs]
$(VENV)/.dev: EXTRAS = [dev]
$(VENV)/.bench: EXTRAS = [bench]
$(VENV)/.core $(VENV)/.lab $(VENV)/.docs $(VENV)/.dev $(VENV)/.bench: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.$(EXTRAS)'
	@touch $@
