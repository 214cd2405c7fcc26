# make show   play show.toml            make test   lint, types, imports and all tests
# make setup  what both need            make bench  how fast it is on this machine
SHELL  := /bin/bash
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
EXTRAS ?= lab,dev

.PHONY: setup show test bench addresses clean

setup:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" EXTRAS="$(EXTRAS)" bash .ci/setup

# Exit code 3 means: there is no screen. Then the show plays unseen for 20 seconds and leaves a film and a still.
show: setup
	@mkdir -p out; $(BIN)/perform run show.toml; code=$$?; \
	if [ $$code -eq 3 ]; then \
	  echo "Playing show.toml without a screen for 20 seconds; the film and a still go to out/."; \
	  rm -f out/show.mp4; \
	  $(BIN)/perform run show.toml --headless --seconds 20 --record out/show.mp4 --still out/show.png \
	    && ls -l out/show.mp4 out/show.png; \
	else exit $$code; fi

test: setup
	@BIN="$(BIN)" bash .ci/test

bench: setup
	$(BIN)/python bench/show.py

addresses: setup
	$(BIN)/perform params show.toml --markdown > docs/addresses.md

clean:
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .coverage .coverage.*
