# `make help` lists the targets. All of them work inside .venv, which is made on first use and kept.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install -qq -c constraints-cpu.txt
DEPENDENCIES := pyproject.toml constraints-cpu.txt
# What `make ci` brings along; tests that carry one of these marks may not skip there.
REQUIRED := browser cuda_compile gcc
DEBIAN_PACKAGES := chromium chromium-driver gcc libc6-dev
# What the benchmarks compare with: each peer in an environment of its own, since their pins conflict.
PEER_PYTHON ?= python3.11
PEERS := $(patsubst benchmarks/peers/%.txt,%,$(wildcard benchmarks/peers/*.txt))
# What the targets gpu-* run with.
GPU_PYTHON ?= $(PYTHON)
SANITIZER ?= compute-sanitizer
ON_GPU := PYTHONPATH=.:kernels $(GPU_PYTHON)
GPU_NEEDS := $(ON_GPU) -m benchmarks.gpu_needs numpy numba numba_cuda cupy pytest
# Reading tables needs narwhals and pandas too.
GPU_TESTS = tests/kernels/test_cuda_*.py $$($(GPU_PYTHON) -c 'import narwhals, pandas' 2>/dev/null && echo tests/frames/test_*device.py)
MLFLOW := .venv-mlflow/bin/mlflow
empty :=
space := $(empty) $(empty)
comma := ,

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.NOTPARALLEL:
.PHONY: help demo test test-slow test-required lint types layers doctest wheel-check registry-test bench bench-peers bench-report \
	bench-gate error-rates error-rates-peers error-rates-report gpu-test gpu-sanitize gpu-bench ci clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed-demo ## install, then show the drift in a year of real flights
	@$(BIN)/gpudrift demo

test: $(VENV)/.installed-dev ## install what tests need, then run them
	@$(BIN)/pytest

test-slow: $(VENV)/.installed-dev ## the tests that take more than a few seconds
	@$(BIN)/pytest -m slow || [ $$? = 5 ] # 5: none is marked so

lint: $(VENV)/.installed-dev ## ruff
	@$(BIN)/ruff check -q

types: $(VENV)/.installed-dev ## mypy, strict
	@$(BIN)/mypy

layers: $(VENV)/.installed-dev ## imports go down only
	@$(BIN)/lint-imports --no-logo

doctest: $(VENV)/.installed-dev ## the examples in docstrings
	@$(BIN)/pytest --doctest-modules gpudrift kernels/gpudrift_kernels benchmarks/report.py

wheel-check: $(VENV)/.installed-dev ## build the wheel, install it in a clean environment, run it from elsewhere
	@tests/check_wheel.sh $(BIN)/python

# MLflow with its server: in an environment of its own, since its dependencies are not ours.
registry-test: $(VENV)/.installed-dev $(MLFLOW) ## the registry against an MLflow server, started for the test
	@GPUDRIFT_REQUIRE=server GPUDRIFT_MLFLOW=$(MLFLOW) $(BIN)/pytest -m server tests/store

bench: $(VENV)/.installed-dev bench-peers ## measure everything, on a quiet machine: half an hour
	@$(BIN)/python -m benchmarks --json benchmarks/results/cpu-$$(date +%F).json

bench-peers: $(PEERS:%=.peers/%/.installed) ## what the benchmarks compare with, in .peers: 5 GB, some minutes, once

bench-report: $(VENV)/.installed-bench ## tables and plots from the newest results
	@$(BIN)/python -m benchmarks.report

bench-gate: $(VENV)/.installed-dev ## fails where a ratio to NumPy has fallen far
	@$(BIN)/python -m benchmarks.gate

error-rates: $(VENV)/.installed-dev ## simulate how often reports alarm, without drift and with it: half an hour
	@$(BIN)/python -m benchmarks.error_rates --json benchmarks/results/error-rates-$$(date -u +%F).json

# Asks the packages themselves again, keeps their answers, and holds the rules that the simulation uses to them.
RULED := evidently nannyml alibi-detect
error-rates-peers: $(VENV)/.installed-dev $(RULED:%=.peers/%/.installed) ## check the rules of other packages against them
	@for peer in $(RULED); do \
		NML_DISABLE_USAGE_LOGGING=1 DO_NOT_TRACK=1 .peers/$$peer/bin/python -m benchmarks.error_rates.check_peers \
			$$peer tests/benchmarks/fixtures/$$peer.json || exit 1; \
	done
	@$(BIN)/pytest -q tests/benchmarks/test_peer_rules.py

error-rates-report: $(VENV)/.installed-bench ## tables and plots of the newest benchmarks/results/error-rates-*.json
	@$(BIN)/python -m benchmarks.error_rates.report

# On a machine with an NVIDIA GPU. Nothing is installed: $(GPU_PYTHON) has numba, numba-cuda, cupy, torch, pyarrow and
# pytest. Whatever these warn of is shown, and fails no test: it is not ours.
gpu-test: ## the same tests on the GPU, where a skip fails; GPU_PYTHON=python3 says which Python
	@$(GPU_NEEDS) torch pyarrow
	@GPUDRIFT_REQUIRE=gpu $(ON_GPU) -m pytest -p no:cacheprovider -W default -m gpu $(GPU_TESTS)

# Errors that calls return are not its business: cuda-core asks for what may not be there, and pytest sees what matters.
gpu-sanitize: ## small cases under compute-sanitizer: memory, races, barriers
	@$(GPU_NEEDS)
	@command -v $(SANITIZER) >/dev/null || { echo "$(SANITIZER) not found: it comes with the CUDA toolkit; \
	make gpu-sanitize SANITIZER=/usr/local/cuda/bin/compute-sanitizer" >&2; exit 1; }
	@for tool in "memcheck --report-api-errors no" racecheck synccheck; do \
		echo "compute-sanitizer $$tool"; \
		PYTHONPATH=.:kernels GPUDRIFT_REQUIRE=gpu GPUDRIFT_GPU_TESTS=small \
			$(SANITIZER) --tool $$tool --error-exitcode 9 \
			$(GPU_PYTHON) -m pytest -q -p no:cacheprovider -W default -m gpu tests/kernels/test_cuda_*.py || exit 1; \
	done

gpu-bench: ## bandwidth against a copy, and other libraries; writes benchmarks/results/<gpu>-<date>.json
	@$(ON_GPU) -m benchmarks.gpu


ci: test test-required test-slow lint types layers doctest bench-gate wheel-check ## everything that a change must pass

# The tests that need a browser or a compiler, for the host or for a GPU, where a skip fails.
test-required: $(VENV)/.installed-required
	@missing=; \
	for package in $(DEBIAN_PACKAGES); do \
		dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" != 0 ]; then \
			echo "make ci needs$$missing; as root: apt-get install$$missing" >&2; exit 1; \
		fi; \
		echo "Installing$$missing"; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $$missing >/dev/null; \
	fi
	@GPUDRIFT_REQUIRE=$(subst $(space),$(comma),$(REQUIRED)) $(BIN)/pytest -m "$(subst $(space), or ,$(REQUIRED))"

clean: ## remove the environment and everything that tools wrote
	@rm -rf $(VENV) .venv-mlflow .cache .peers build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "$(PYTHON) not found: install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "gpudrift needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) -V 2>&1): make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu, as root: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)

.peers/%/.installed: benchmarks/peers/%.txt
	@command -v $(PEER_PYTHON) >/dev/null || { echo "$(PEER_PYTHON) not found: the peers are pinned for Python 3.11" >&2; exit 1; }
	@echo "Installing $* into .peers/$*"
	@$(PEER_PYTHON) -m venv --clear .peers/$*
	@.peers/$*/bin/python -m pip install -qq -r $<
	@touch $@

$(VENV)/.installed-demo: $(DEPENDENCIES) | $(BIN)/python
	@echo "Installing gpudrift and the demo's data into $(VENV) (a minute or so, once)"
	@$(INSTALL) -e ".[demo]"
	@touch $@

$(VENV)/.installed-dev: $(DEPENDENCIES) | $(BIN)/python
	@echo "Installing gpudrift and what its tests need into $(VENV) (a minute or so, once)"
	@$(INSTALL) -e ".[demo,dev,train-cpu]"
	@touch $@ $(VENV)/.installed-demo

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	@$(INSTALL) -e ".[bench,demo,dev,train-cpu]"
	@touch $@

$(MLFLOW): constraints-cpu.txt | $(BIN)/python
	@echo "Installing MLflow's server into .venv-mlflow (a minute or two, once)"
	@$(PYTHON) -m venv --clear .venv-mlflow
	@.venv-mlflow/bin/python -m pip install -qq "$$(sed -n 's/^mlflow-skinny==/mlflow==/p' constraints-cpu.txt)"
	@touch $@

$(VENV)/.installed-required: $(VENV)/.installed-dev
	@$(INSTALL) -e ".[demo,dev,train-cpu,browser,compile]"
	@touch $@
