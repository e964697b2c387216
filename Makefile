# `make run` and `make test` do all the set-up they need, inside this checkout.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export SPARK_LOCAL_IP := 127.0.0.1

.PHONY: help run test test-quick test-go test-python lint format setup tools build synth snapshots lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: setup build ## Run the whole pipeline on this machine, on the sample data
	@bin/pipeline run

test: setup lint test-go test-python ## All tests

test-quick: setup ## The tests that need no Spark: under a minute once built
	go test -short ./...
	$(PYTHON) -m pytest -q -m "not spark" -n 2 --dist loadfile

test-go:
	go test ./...

test-python:
	$(PYTHON) -m pytest -q

lint: setup ## Formatting, vet, static checks
	@test -z "$$(go tool gofumpt -l .)" || { go tool gofumpt -l .; echo "make format formats these files" >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	$(PYTHON) -m ruff check -q .
	$(PYTHON) -m ruff format -q --check .
	$(PYTHON) -m pyright
	$(PYTHON) -m sqlfluff lint -q sql
	$(PYTHON) -m sqlfluff lint -q --dialect sparksql glue-scripts
	node_modules/.bin/biome check --log-level=error

format: setup ## Format Go, Python, JavaScript and CSS
	go tool gofumpt -w .
	$(PYTHON) -m ruff check -q --fix .
	$(PYTHON) -m ruff format -q .
	node_modules/.bin/biome check --write --log-level=error

build: ## Build the command line, bin/pipeline
	@go build -o bin/pipeline ./cmd/pipeline

synth: setup ## Synthesize the CloudFormation templates into cdk.out
	node_modules/.bin/cdk synth --quiet

snapshots: setup ## Accept the synthesized templates as the new snapshots
	go test ./test -run Snapshot -update

setup: tools .venv/.installed node_modules/.installed .jars/.archived ## Install what the project needs, inside this checkout

# One line says what is missing, before anything is installed.
tools:
	@need() { command -v "$$1" >/dev/null || { echo "missing: $$2" >&2; exit 1; }; }; \
	need go "Go 1.26 or newer (https://go.dev)"; \
	need node "Node.js 20 or newer"; need npm "npm, which comes with Node.js"; \
	need python3.11 "Python 3.11 (the version in Glue 5.1), as python3.11"; \
	need java "a Java 17 runtime (the version in Glue 5.1)"; \
	need mvn "Maven 3.8 or newer"; \
	java -version 2>&1 | grep -q 'version "17' || { echo "missing: Java 17; 'java' is another version: $$(java -version 2>&1 | head -1)" >&2; exit 1; }

.venv/.installed: requirements.txt
	@echo "Installing the Python packages (once, about 2 minutes) ..."
	@python3.11 -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

node_modules/.installed: package-lock.json
	@echo "Installing the CDK command line and the library of charts (once) ..."
	@npm ci --silent --no-audit --no-fund
	@touch $@

.jars/.installed: local/jars/pom.xml
	@echo "Installing the jars for Spark (once) ..."
	@rm -rf .jars
	@said=$$(mvn --quiet --batch-mode -f local/jars/pom.xml dependency:copy-dependencies -DoutputDirectory="$(CURDIR)/.jars" 2>&1) || \
	{ echo "$$said" >&2; exit 1; }
	@touch $@

# Spark's JVM starts in half the time with the classes it loads in an archive.
.jars/.archived: .venv/.installed .jars/.installed
	@echo "Preparing Spark's classes (once, half a minute) ..."
	@rm -f .jars/*.jsa .jars/*.partial
	@$(PYTHON) -m local.spark
	@touch $@

lock: .venv/.installed ## Lock the versions of requirements.in, with hashes, into requirements.txt
	@$(PYTHON) -m piptools compile --quiet --generate-hashes --no-emit-index-url --no-emit-trusted-host --strip-extras --allow-unsafe --no-header -o requirements.txt requirements.in

clean: ## Stop the local cloud and delete what was built and installed here
	@if [ -x bin/pipeline ]; then bin/pipeline down; fi
	rm -rf .local bin cdk.out .venv node_modules .jars
