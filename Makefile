# Commands for developers. `make` alone lists them.

PYTHON ?= python3
BIN := .venv/bin
# Whatever the surroundings say: these commands never run as production.
export ENVIRONMENT := development

.PHONY: help run manage test chaos fuzz restarts screenshots lint audit client lock clean-data environment

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: environment ## start everything on this machine, with a sandbox instead of the vendors (VENDORS=live for the real ones)
	@exec $(BIN)/python manage.py dev

test: environment ## run the whole test suite (ARGS="-k slot" narrows it down)
	@CHROMIUM_PATH="$$($(BIN)/python -m mindfulqalb.development.browser)" || exit 1; \
	export CHROMIUM_PATH; exec $(BIN)/python -m pytest $(ARGS)

chaos: environment ## drive random trouble through the services for MINUTES=5, or what SEED= names; what fails prints how to replay it
	@CHAOS_MINUTES="$${MINUTES:-5}" exec $(BIN)/python -m pytest bookings/tests/chaos/for_minutes.py -q --show-capture=no

fuzz: environment ## send 20,000 random requests made from our OpenAPI description and check every answer against it
	@exec $(BIN)/python -m pytest bookings/tests/fuzzing/twenty_thousand.py -q --show-capture=no

restarts: environment ## book for SECONDS=60 while web, worker and Redis are stopped and killed in turn, and count what came of it
	@LOAD_SECONDS="$(or $(SECONDS),60)" exec $(BIN)/python -m pytest bookings/tests/journeys/for_a_minute.py -q -s --show-capture=no

screenshots: environment ## picture the back office, wide and on a phone, into .data/screenshots
	@CHROMIUM_PATH="$$($(BIN)/python -m mindfulqalb.development.browser)" || exit 1; \
	export CHROMIUM_PATH; exec $(BIN)/python -m pytest bookings/tests/journeys/screenshots.py -q

lint: environment ## check style, types, import contracts, migrations and settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run  # without a server it would warn
	$(BIN)/python manage.py check

audit: environment ## look for secrets, vulnerable packages and unwelcome licences, and write .data/sbom.cdx.json (AUDIT_STRICT=1 insists on all)
	@test -x .data/audit-tools/bin/python || $(BIN)/python -m venv .data/audit-tools
	@.data/audit-tools/bin/pip install --quiet --require-hashes --no-deps --requirement requirements-audit.txt
	@$(BIN)/python -m mindfulqalb.development.auditing

client: environment ## write a typed TypeScript client of the API into OUT=.data/client (needs npm)
	@mkdir -p "$(CLIENT)"
	@$(BIN)/python manage.py spectacular --format openapi-json --file "$(CLIENT)/openapi.json"
	@npx --yes openapi-typescript@7.13.0 "$(CLIENT)/openapi.json" --default-non-nullable=false --output "$(CLIENT)/schema.d.ts"
	@cp mindfulqalb/api/client.ts "$(CLIENT)/"

lock: environment ## compile the requirements files anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml $(LOCK_OPTIONS) --output-file requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra dev --constraint requirements.txt $(LOCK_OPTIONS) --output-file requirements-dev.txt
	$(BIN)/uv pip compile --group audit $(LOCK_OPTIONS) --output-file requirements-audit.txt

manage: environment ## run a command beside `make run`: make manage ARGS="verify_audit"
	@exec $(BIN)/python manage.py $(ARGS)

clean-data: environment ## delete the development data: databases, mails, logins
	@$(BIN)/python -m mindfulqalb.development.clean_data

environment:
	@$(PYTHON) -m mindfulqalb.development.environment

CLIENT := $(or $(OUT),.data/client)
LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-header
