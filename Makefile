# Commands for users and developers. `make run` and `make test` need nothing but Python 3.11 or later.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= out

STUDIO := src/unbraid/data/studio/index.html
NPM    := $(shell command -v npm)

.PHONY: setup setup-dev run test test-slow check bench web web-api web-test web-check pictures space clean

setup: $(VENV)/.core
setup-dev: $(VENV)/.dev

$(VENV)/.core: pyproject.toml constraints.txt hatch_build.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

# These packages go without what they ask for: Basic Pitch pins a TensorFlow that no longer installs,
# Open-Unmix a torchaudio that is not needed, Gradio a pillow and a tomlkit older than those here.
$(VENV)/.dev: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,demucs,fast,service,tags,otel]'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps basic-pitch==0.4.0 openunmix==1.3.0 gradio==6.31.0
	touch $@

## run: take the demonstration song apart, or SONG=path
run: setup
ifdef SONG
	$(BIN)/unbraid process "$(SONG)" -o "$(OUT)"
else
	$(BIN)/unbraid demo -o "$(OUT)"
endif

## test: all tests but the slow ones; those of the studio where npm is
test: setup-dev $(if $(NPM),web-test)
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile -m "not slow and not gpu"

## test-slow: fuzzing and long recordings
test-slow: setup-dev
	$(BIN)/pytest -m "slow and not gpu"

## check: formatting, lint, types
check: setup-dev $(if $(NPM),web-check)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

## bench: speed, memory and quality beside the peers, written to bench/RESULTS.md
bench: setup-dev
	$(BIN)/python -m bench

## web: build the studio, the page in the browser, which `unbraid serve` shows; needs Node.js 20
web: $(STUDIO)

web-test: $(STUDIO)
	cd web && npm run --silent test

web-check: web/node_modules/.package-lock.json
	cd web && npm run --silent check

$(STUDIO): web/node_modules/.package-lock.json $(shell find web -name node_modules -prune -o -name schema.d.ts -o -type f -print)
	cd web && npm run --silent build

# Not `npm ci`: it asks for the packages of all platforms, which not every registry has.
web/node_modules/.package-lock.json: web/package-lock.json
	@test -n "$(NPM)" || { echo "this needs Node.js 20 or later, with npm"; exit 1; }
	cd web && npm install --no-save --silent --no-audit --no-fund
	touch $@

## pictures: the pictures of the studio in docs/images, taken by its tests
pictures: setup-dev $(STUDIO)
	UNBRAID_PICTURES=docs/images $(BIN)/pytest tests/service/test_studio_*in_browser.py

## web-api: the API's description, from which the studio has its types, after the API has changed
web-api: setup-dev
	$(BIN)/python web/describe_api.py > web/openapi.json.new
	mv web/openapi.json.new web/openapi.json

## space: all that a Hugging Face Space of the Gradio page needs, in dist/space
space: setup
	rm -rf dist/space
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --target dist/space .
	cp app.py deploy/space/README.md deploy/space/requirements.txt dist/space

clean:
	rm -rf $(VENV) dist build web/node_modules $(dir $(STUDIO))
