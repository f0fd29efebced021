# Commands for users and developers. `make run` and `make test` need nothing but Python 3.11 or later.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= out

.PHONY: setup setup-dev run test test-slow check bench web clean

setup: $(VENV)/.core
setup-dev: $(VENV)/.dev

$(VENV)/.core: pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

# The tests compare with the code of these two packages alone: Basic Pitch pins a TensorFlow that no
# longer installs, Open-Unmix a torchaudio that is not needed.
$(VENV)/.dev: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,demucs,fast,service]'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps basic-pitch==0.4.0 openunmix==1.3.0
	touch $@

## run: take the demonstration song apart, or SONG=path
run: setup
ifdef SONG
	$(BIN)/unbraid process "$(SONG)" -o "$(OUT)"
else
	$(BIN)/unbraid demo -o "$(OUT)"
endif

## test: all tests but the slow ones
test: setup-dev
	$(BIN)/pytest -m "not slow and not gpu"

## test-slow: fuzzing and long recordings
test-slow: setup-dev
	$(BIN)/pytest -m "slow and not gpu"

## check: formatting, lint, types
check: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

## bench: speed, memory and quality beside the peers, written to bench/RESULTS.md
bench: setup-dev
	$(BIN)/python -m bench

## web: build the browser part, once there is one
web:
	@test -f web/package.json || { echo "this version has no browser part"; exit 1; }
	cd web && npm ci && npm run build

clean:
	rm -rf $(VENV) dist build
