# Everything a newcomer needs: python3 >= 3.11 with pip, and make. python3-venv is not needed.
# Stamps inside $(VENV) depend on pyproject.toml, so that a second `make run` starts at once.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
# Tests mostly wait for real tools: more workers than processors. A file's tests stay together, for their lab, and
# come in the order of the folders: files with few tests, of the lab and of faults, take longest and go first.
WORKERS ?= 4

# Programs, not packages: the demo builds its network with unshare, the tests drive a terminal with tmux.
NEEDED := nmap tcpdump tshark ip
demo: NEEDED += unshare
test bench: NEEDED += unshare tmux

BIN := $(VENV)/bin
# The pip of the interpreter that the environment was made from, whatever PYTHON says today.
PIP_INSTALL = "$$($(BIN)/python -c 'import sys; print(sys._base_executable)')" -m pip \
    --python $(BIN)/python install -q --disable-pip-version-check

# Debian keeps tcpdump and ip where an ordinary user's PATH does not look.
export PATH := $(PATH):/usr/sbin:/sbin

MAKEFLAGS += --no-print-directory --no-builtin-rules
SHELL := /bin/sh
.SHELLFLAGS := -euc
.ONESHELL:
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help run install test lint bench demo clean tools terminal

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	echo
	echo '  PYTHON=python3.12 chooses the interpreter, VENV=DIR the environment (.venv);'
	echo '  ARGS="..." goes to netmon-tui (make run) or to pytest (make test).'

run: terminal install ## Set up what is missing, then start netmon-tui
	@exec $(BIN)/netmon-tui $(ARGS)

install: tools $(VENV)/.installed ## Set up only: system tools and the Python environment

test: tools $(VENV)/.installed-test lint ## Set up, then run everything CI runs
	@exec $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.installed-test ## Check style, types and the floors of the house
	@echo 'ruff check'
	$(BIN)/ruff check --quiet .
	echo 'ruff format'
	$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	echo 'mypy --strict'
	$(BIN)/mypy --strict --no-error-summary
	echo 'lint-imports'
	$(BIN)/lint-imports > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }

bench: tools $(VENV)/.installed-test ## Run every benchmark, one after the other
	@status=0
	for benchmark in tests/bench/bench_*.py; do
	    [ -e "$$benchmark" ] || continue
	    echo "== $$benchmark"
	    PYTHONPATH=. $(BIN)/python "$$benchmark" || status=1
	done
	exit $$status

demo: terminal tools $(VENV)/.installed ## Try netmon-tui in a made-up network (needs root)
	@PYTHONPATH=. exec $(BIN)/python -m tests.lab.demo $(ARGS)

clean: ## Remove the environment and every cache
	@[ ! -e $(VENV)/pyvenv.cfg ] || rm -rf $(VENV)
	rm -rf build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache snapshot_report.html
	find netmon_tui tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the terminal ---------------------------------------------------------------------------------

terminal: # asked before anything is installed; Textual draws on standard error
	@if ! [ -t 0 ] || ! [ -t 2 ] || [ "$${TERM:-dumb}" = dumb ]; then
	    echo 'netmon-tui needs a terminal (over ssh: ssh -t). Without one, set up with "make install"' >&2
	    echo 'and use the command line: $(BIN)/netmon-tui --help' >&2
	    exit 2
	fi

# --- the Python environment -----------------------------------------------------------------------

# venv --without-pip and pip --python (pip 22.3): Debian's python3 has both, ensurepip it has not.
$(BIN)/python:
	@if ! command -v $(PYTHON) > /dev/null; then
	    echo 'There is no $(PYTHON): install Python 3.11 or newer, or name one: make PYTHON=python3.12 ...' >&2
	    exit 1
	fi
	if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
	    echo "netmon-tui needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) -V 2>&1):" >&2
	    echo 'name another one: make PYTHON=python3.12 ...' >&2
	    exit 1
	fi
	if ! $(PYTHON) -m pip --version > /dev/null 2>&1; then
	    echo '$(PYTHON) has no pip: apt-get install python3-pip, or $(PYTHON) -m ensurepip' >&2
	    exit 1
	fi
	if ! $(PYTHON) -c 'import pip, sys; sys.exit([*map(int, pip.__version__.split(".")[:2])] < [22, 3])'; then
	    echo "netmon-tui needs pip 22.3 or newer: $(PYTHON) -m pip install --upgrade pip" >&2
	    exit 1
	fi
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo 'Installing netmon-tui and its packages into $(VENV)'
	$(PIP_INSTALL) --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	@echo 'Installing netmon-tui, its packages and the test tools into $(VENV)'
	$(PIP_INSTALL) --editable '.[test]'
	touch $@ $(VENV)/.installed

# --- the system's tools ---------------------------------------------------------------------------

# Installs by apt only what is missing, and remembers what could not be had, so that the next start
# warns in one line instead of asking apt again. Nothing here is an error: the program runs without
# each of its tools, with the features off that need it.
tools: | $(BIN)/python
	@find_missing() {
	    missing=
	    for tool in $(NEEDED); do command -v $$tool > /dev/null || missing="$$missing $$tool"; done
	}
	warn() {
	    for tool in $$missing; do
	        case $$tool in
	            nmap) off='scans are' ;;
	            tcpdump) off='captures are' ;;
	            tshark) off='the field tree of a packet is' ;;
	            ip) off='changing neighbours and the made-up network of demo and tests are' ;;
	            unshare) off='the made-up network of demo and tests is' ;;
	            *) off='the end-to-end test in a terminal is' ;;
	        esac
	        echo "warning: there is no $$tool: $$off off" >&2
	    done
	}
	give_up() { echo "warning: $$1" >&2; printf '%s\n' "$$missing" > $$tried; warn; exit 0; }
	apt() {
	    $$as_root env DEBIAN_FRONTEND=noninteractive \
	        apt-get -qq -y -o DPkg::Lock::Timeout=120 "$$@" >> $$log 2>&1 < /dev/null
	}
	log=$(VENV)/apt.log
	tried=$(VENV)/.tools-missing
	find_missing
	[ -n "$$missing" ] || exit 0
	if [ -f $$tried ] && [ "$$(cat $$tried)" = "$$missing" ]; then warn; exit 0; fi

	packages=
	for tool in $$missing; do
	    case $$tool in
	        ip) packages="$$packages iproute2" ;;
	        unshare) packages="$$packages util-linux" ;;
	        *) packages="$$packages $$tool" ;;
	    esac
	done
	command -v apt-get > /dev/null || give_up "no apt-get here, install with this system's own tool:$$packages"
	as_root=
	if [ "$$(id -u)" != 0 ]; then
	    as_root=sudo
	    sudo -n true 2> /dev/null || { [ -t 0 ] && sudo -p "Password of %u, to install$$packages: " true; } ||
	        give_up "neither root nor sudo, run as root: apt-get install$$packages"
	fi

	echo "Installing$$packages"
	: > $$log
	apt update || true
	apt install --no-install-recommends $$packages ||
	    for package in $$packages; do apt install --no-install-recommends $$package || true; done
	find_missing
	[ -z "$$missing" ] || give_up "apt-get failed, see $$log (to try again: rm $$tried)"
