# Every verb works on a fresh checkout; only Python 3.11 or newer and make have to be there.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check
CONFIG := var/mailwright.toml
JOBS ?= 2

INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
INSTALLED_MYSQL := $(VENV)/.installed-mysql
INSTALLED_LDAP := $(VENV)/.installed-ldap

# Tests that start a server of their own; `make test-fast` leaves them out.
SERVERS := postgresql or mariadb or mysql or ldap or postfix or dovecot or gunicorn

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install install-ldap serve test test-fast check check-lint check-format check-types bench docs format requirements clean

# An environment whose Python is gone is made anew.
$(shell test -x $(BIN)/python || rm -f $(INSTALLED) $(INSTALLED_DEV) $(INSTALLED_MYSQL) $(INSTALLED_LDAP))

help: ## Show the verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

install: $(INSTALLED) ## Make .venv with everything needed to run

install-ldap: $(INSTALLED_LDAP) ## The same and what OpenLDAP needs (builds with libldap-dev, libsasl2-dev)

serve: $(INSTALLED) ## Start a development server on loopback, with sample settings the first time
	@$(BIN)/mailwright init --development --quiet --config $(CONFIG)
	@exec $(BIN)/mailwright serve --config $(CONFIG)

test: $(INSTALLED_DEV) ## Check, then run every test on every backend; installs the servers if needed
	@tools/install-test-servers.sh
	@$(MAKE) --no-print-directory $(INSTALLED_MYSQL) || \
		echo "mysqlclient cannot be built here; MySQL and MariaDB are tested with PyMySQL only." >&2
	@status=0; \
	$(MAKE) --no-print-directory $(INSTALLED_LDAP) || status=1; \
	$(MAKE) --no-print-directory --keep-going check || status=1; \
	MAILWRIGHT_TEST_REQUIRE_ALL=1 $(BIN)/python -m pytest -n $(JOBS) $(ARGS) || status=1; \
	exit $$status

test-fast: $(INSTALLED_DEV) ## Run the tests that need no server: SQLite only
	$(BIN)/python -m pytest -n $(JOBS) -k "not ($(SERVERS))" $(ARGS)

check: check-lint check-format check-types ## Lint, check the format and the types

check-lint: $(INSTALLED_DEV)
	$(BIN)/ruff check

check-format: $(INSTALLED_DEV)
	$(BIN)/ruff format --check

check-types: $(INSTALLED_DEV)
	$(BIN)/mypy

format: $(INSTALLED_DEV) ## Format, and fix what can be fixed by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(INSTALLED_DEV) $(INSTALLED_LDAP) ## Measure
	$(BIN)/python tools/bench.py $(ARGS)

docs: $(INSTALLED) ## Write the reference pages anew from the declarations
	@for page in tools/pages/*.py; do echo "$$page"; $(BIN)/python "$$page" || exit 1; done

requirements: ## Pin the newest allowed versions anew (needs uv)
	@tools/pin-requirements.sh

clean: ## Remove caches and the environment; settings and data in var/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

$(INSTALLED): requirements/runtime.txt requirements/build.txt pyproject.toml
	@tools/make-venv.sh $(VENV)
	@echo "Installing into $(VENV) ..." >&2
	@$(PIP) --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements/dev.txt
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(INSTALLED_MYSQL): $(INSTALLED) requirements/mysql.txt
	@$(PIP) --require-hashes -r requirements/mysql.txt
	@touch $@

$(INSTALLED_LDAP): $(INSTALLED) requirements/ldap.txt
	@$(PIP) --require-hashes -r requirements/ldap.txt
	@touch $@
