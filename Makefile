# Everything this project can do. Needs make, git and Python 3.11 or newer with venv; installs the rest under .venv/.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
BIN := .venv/project/bin
PROJECT := PYTHONPATH=layers/core:. .venv/project/bin/python
SOURCES := layers cli functions local tests benchmarks
CLIENT := .venv/project/bin/agent-where
CHAIN := .venv/chain/node_modules/.installed
ENVIRONMENTS := $(CLIENT) .venv/ministack/.installed .venv/sam/.installed $(CHAIN)
export SAM_CLI_TELEMETRY := 0

.PHONY: help run token testnet test check lint format types lint-template e2e fuzz faults openapi costs bench build rds-ca deploy pins environments clean distclean

help:  ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

run: environments  ## Run it all on this machine (ONCE=1 ends after the table, VENUES=mainnet asks the real venues, MODE=live signs orders)
	@$(PROJECT) -m local.run

token:  ## Print a token for it (SCOPES="routing:read" WALLET=0x... HOURS=1 choose; an administrator's for 12 hours)
	@$(MAKE) --silent .venv/project/.installed >&2
	@$(PROJECT) -m local.token

testnet: .venv/project/.installed  ## Open and close one position on Hyperliquid's testnet (HYPERLIQUID_TESTNET_KEY=...)
	@$(PROJECT) -m local.testnet

test: $(CLIENT) $(CHAIN) .venv/ostium/.installed  ## Run the tests that need no deployment (ARGS="-k name" chooses, WORKERS=0 runs them in one process)
	@$(PROJECT) -m pytest -n $(or $(WORKERS),auto) --dist loadfile $(ARGS)

check: lint types test  ## Everything CI runs before e2e, in the order that fails fastest

lint: .venv/project/.installed lint-template  ## Check style and format, and the template
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: .venv/project/.installed  ## Mend style and format where a machine can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

types: .venv/project/.installed  ## Check types, strictly
	@$(BIN)/mypy $(wildcard $(SOURCES))

lint-template: .venv/project/.installed .venv/sam/.installed .venv/checkov/.installed  ## Check the templates: sam validate, and as AWS expands them cfn-lint and checkov
	@$(PROJECT) -m local.template

e2e: environments  ## Deploy the template to a local AWS of its own and test it from outside
	@$(PROJECT) -m pytest -m e2e tests/e2e $(ARGS)

fuzz: environments  ## Try that deployment with thousands of requests made from docs/openapi.json (CASES=3000)
	@CASES=$(or $(CASES),3000) $(PROJECT) -m pytest -q -s -m e2e tests/e2e/test_schema.py $(ARGS)

faults: .venv/project/.installed $(if $(findstring onchain,$(SCENARIO)),$(CHAIN))  ## Break everything, and judge (SEED=1 COUNT=200 SCENARIO=drawn|crashes|points|onchain|onchain-crashes|onchain-points|load|live, ARGS="--log")
	@$(PROJECT) -m tests.faults.campaign --scenario $(or $(SCENARIO),drawn) --seed $(or $(SEED),1) $(if $(COUNT),--count $(COUNT)) $(ARGS)

openapi: .venv/project/.installed  ## Write docs/openapi.json and docs/openapi.html, from the code
	@$(PROJECT) -m local.openapi

costs: .venv/project/.installed  ## Compute the tables of docs/costs.md from the prices in local/costs.py
	@$(PROJECT) -m local.costs

bench: .venv/project/.installed  ## Run the benchmarks: one JSON object a line (ROWS="1000000 10000000" decisions for statistics)
	@for file in $(filter-out benchmarks/table.py,$(wildcard benchmarks/[a-z]*.py)); do ROWS="$(or $(ROWS),100000 1000000)" $(PROJECT) "$$file"; done

build: .venv/sam/.installed  ## Build what AWS runs into .aws-sam/build (WHEELS=host for this machine's wheels)
	@find functions -name __pycache__ -type d -prune -exec rm -rf {} +
	@PATH="$(CURDIR)/.venv/sam/bin:$$PATH" sam build --build-dir .aws-sam/build --cached --parallel
	@$(MAKE) --silent .venv/project/.installed
	@$(PROJECT) -m local.layer .aws-sam/build/CoreLayer

rds-ca:  ## Fetch the certificates that databases on RDS are verified by, for the layer to carry
	@curl --fail --silent --show-error --proto '=https' --tlsv1.2 --max-time 60 --output layers/core/rds-global-bundle.pem.part \
	  https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
	@test "$$(grep -c 'BEGIN CERTIFICATE' layers/core/rds-global-bundle.pem.part)" -ge 50
	@mv layers/core/rds-global-bundle.pem.part layers/core/rds-global-bundle.pem
	@sha256sum layers/core/rds-global-bundle.pem

deploy: rds-ca build  ## Build and deploy to AWS, asking for what it needs (ARGS="--no-confirm-changeset" asks nothing)
	@.venv/sam/bin/sam deploy $(or $(ARGS),--guided)

pins:  ## Pin again what requirements/*.in ask for (needs uv, see requirements/README.md)
	@for pins in layers/core/requirements requirements/{project,ministack,sam,checkov,chain,ostium}; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header "$$pins.in" --output-file "$$pins.txt"; \
	done

clean:  ## Remove all state: databases, logs, builds, caches; keeps .venv
	@if test -x $(BIN)/python -a -d .local; then $(BIN)/python -m local.clean; fi
	rm -rf .local .aws-sam .pdm-build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## Remove the environments too
	rm -rf .venv

environments:
	@$(MAKE) --silent -j3 $(ENVIRONMENTS)

# The mark of an installed environment is a copy of the pins it was made from: a checkout that only touches
# files installs nothing.
.venv/%/.installed: requirements/%.txt
	@if cmp -s $< $@; then touch $@; else \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0])'; \
	  echo "installing .venv/$* ($$(grep -c '==' $<) packages)"; \
	  began=$$SECONDS; \
	  test -x .venv/$*/bin/pip || $(PYTHON) -m venv .venv/$*; \
	  .venv/$*/bin/pip install -qq --disable-pip-version-check --root-user-action ignore --no-deps --require-hashes --requirement $<; \
	  cp $< $@; \
	  echo "installed  .venv/$* in $$((SECONDS - began)) s"; \
	fi

# What npm installs, at the versions in chain.json and no other: every package is named there, none runs a script.
# npm trusts who this machine trusts, as pip does.
$(CHAIN): requirements/chain.json .venv/chain/.installed
	@if cmp -s $< $@; then touch $@; else \
	  echo "installing .venv/chain/node_modules"; \
	  cp $< .venv/chain/package.json; \
	  PATH="$(CURDIR)/.venv/chain/bin:$$PATH" NODE_USE_SYSTEM_CA=1 NODE_EXTRA_CA_CERTS="$${NODE_EXTRA_CA_CERTS:-$${SSL_CERT_FILE:-}}" npm install \
	    --prefix .venv/chain --ignore-scripts --no-package-lock --no-audit --no-fund --no-update-notifier --silent; \
	  cp $< $@; \
	fi

# The command-line client, from the sources here: what is edited counts at once.
$(CLIENT): pyproject.toml .venv/project/.installed
	@$(BIN)/pip install -qq --disable-pip-version-check --root-user-action ignore --no-deps --no-build-isolation --editable .
	@touch $@
