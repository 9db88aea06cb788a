"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import (
    AddField,
    AlterField,
    AlterModelTable,
    CreateModel,
    DeleteModel,
    RemoveField,
    RenameField,
    RenameModel,
)
from django.db.migrations.state import ProjectState
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from mindfulqalb.api.schema import HTTP_METHODS
from mindfulqalb.encryption.fields import EncryptedTextField, encrypted_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.migrations.operations.base import Operation
    from django.db.models import Field, Model

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["mindfulqalb", "payments", "consent", "bookings"]
LONGEST_FILE = 450
LONGEST_FUNCTION = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "core", "manager", "managers", "common", "misc", "base_utils"}
LEFT_OUT = {
    *("pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail", "pytest.skip", "pytest.xfail"),
    *("pytest.importorskip", "unittest.skip", "unittest.skipIf", "unittest.skipUnless", "unittest.expectedFailure"),
}
APPEND_ONLY = [
    *("audit_events", "audit_seals", "audit_checkpoints", "audit_verifications"),
    *("consent_records", "receipts", "tombstones"),
]
TYPES = {"varchar": "character varying", "time": "time without time zone"}


class Function(NamedTuple):
    """A function of the product's, and how many lines it takes."""

    name: str
    lines: int


def _files(*, tests: bool) -> list[Path]:
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return sorted(file for file in files if ("tests" in file.parts) == tests and "migrations" not in file.parts)


def _functions() -> Iterator[Function]:
    for file in _files(tests=False):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield Function(f"{file.relative_to(ROOT)}:{node.name}", lines)


def _models() -> list[type[Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def _fields(model: type[Model]) -> list[Field[object, object]]:
    return [field for field in model._meta.local_concrete_fields if field.db_type(connection)]


# Source


def test_files_are_found() -> None:
    assert len(_files(tests=False)) > 100
    assert Path(__file__).resolve() in _files(tests=True)


def test_imports_point_one_way() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

    # A process of its own: it would silence the loggers of this one.
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    assert (run.returncode, f"{len(contracts)} kept, 0 broken" in run.stdout) == (0, True), run.stdout


def test_files_are_short() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in _files(tests=False)}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    functions = list(_functions())
    lines = [function.lines for function in functions]

    assert [function for function in functions if function.lines > LONGEST_FUNCTION] == []
    assert statistics.median(lines) <= 8
    assert statistics.quantiles(lines, n=10)[-1] < 30


def test_modules_have_names_that_say_something() -> None:
    names = {part for file in _files(tests=False) for part in file.relative_to(ROOT).with_suffix("").parts}

    assert names & VAGUE_NAMES == set()


def test_no_test_is_left_out() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in _files(tests=True)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in LEFT_OUT
    ]

    assert found == []


# Database


@pytest.mark.django_db
def test_migrations_say_all_that_the_models_say(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("makemigrations", check=True, dry_run=True, no_color=True)

    assert capsys.readouterr().out.strip() == "No changes detected"


@pytest.mark.django_db
def test_database_has_the_models_tables_and_no_others() -> None:
    # The encryption tests keep a notebook of their own in the same test database.
    there = {name for name in connection.introspection.table_names() if not name.startswith("notebook_")}

    assert there == {model._meta.db_table for model in _models()} | {"django_migrations"}


@pytest.mark.django_db
def test_database_has_the_models_columns() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
            " JOIN pg_class ON pg_class.oid = attrelid WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped"
            " AND relnamespace = 'public'::regnamespace AND relname <> 'django_migrations'"
        )
        there = {(table, column): (kind, not_null) for table, column, kind, not_null in cursor.fetchall()}

    ours = [model for model in apps.get_models() if model.__module__.partition(".")[0] in PACKAGES]
    tables = {model._meta.db_table for model in ours}
    assert len(tables) > 10
    assert {column: facts for column, facts in there.items() if column[0] in tables} == {
        (model._meta.db_table, field.column): (_type_of(field), not field.null)
        for model in ours
        for field in _fields(model)
    }


def _type_of(field: Field[object, object]) -> str:
    kind = str(field.db_type(connection))
    name, bracket, rest = kind.partition("(")
    return TYPES.get(name, name) + bracket + rest


@pytest.mark.django_db
def test_database_has_the_models_constraints_and_indexes() -> None:
    declared = {
        (model._meta.db_table, item.name)
        for model in _models()
        for item in (*model._meta.constraints, *model._meta.indexes)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " UNION SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'"
        )
        there = set(cursor.fetchall())

    assert len(declared) > 30
    assert declared - there == set()


@pytest.mark.django_db
def test_database_refuses_plaintext_in_every_sealed_column() -> None:
    sealed = {
        (model._meta.db_table, field.column)
        for model in encrypted_models()
        for field in _fields(model)
        if isinstance(field, EncryptedTextField)
    }
    with connection.cursor() as cursor:
        checked = {
            (table, facts["columns"][0])
            for table, _ in sealed
            for facts in connection.introspection.get_constraints(cursor, table).values()
            if facts["check"] and len(facts["columns"]) == 1
        }

    assert ("bookings", "customer_email_encrypted") in sealed
    assert sealed - checked == set()


@pytest.mark.django_db
def test_database_keeps_evidence_as_it_is() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
        )
        there = set(cursor.fetchall())

    assert {(table, f"{table}_{kind}") for table in APPEND_ONLY for kind in ("rows", "truncate")} - there == set()


# The API's description


@pytest.fixture
def schema() -> Iterator[dict[str, object]]:
    GENERATOR_STATS.reset()
    yield SchemaGenerator().get_schema(public=True)
    GENERATOR_STATS.reset()


def _operations(schema: dict[str, object]) -> dict[str, set[str]]:
    paths = schema["paths"]
    assert isinstance(paths, dict)
    return {
        f"{method} {path}": set(operation["responses"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in HTTP_METHODS
    }


def test_description_is_made_without_a_warning(schema: dict[str, object]) -> None:
    assert (dict(GENERATOR_STATS._warn_cache), dict(GENERATOR_STATS._error_cache)) == ({}, {})


def test_description_says_of_every_call_how_it_may_be_refused(schema: dict[str, object]) -> None:
    operations = _operations(schema)

    assert len(operations) >= 13
    assert {name: {"400", "404", "429", "500", "503"} - statuses for name, statuses in operations.items()} == {
        name: set() for name in operations
    }


def test_description_says_of_every_call_how_it_succeeds(schema: dict[str, object]) -> None:
    operations = _operations(schema)

    answers = {name: sorted(status for status in found if status < "300") for name, found in operations.items()}
    made = {
        "post /api/bookings": ["201", "202"],
        "post /api/bookings/hold": ["201"],
        "post /api/consent": ["201"],
        "post /api/bookings/{id}/reschedule": ["200", "202"],
    }
    assert {name: found for name, found in answers.items() if found != ["200"]} == made


# Migrations: while a deployment rolls on, the old version works on the new tables

LAST_BEFORE_RELEASE = {
    "audit": "0002_seals",
    "bookings": "0008_reminders",
    "catalogue": "0005_therapist_member",
    "consent": "0002_documents_and_acts",
    "idempotency": "0001_initial",
    "mail": "0001_initial",
    "outbox": "0002_request_id",
    "payments": "0003_attention",
    "receipts": "0001_initial",
    "staff": "0003_roles",
    "webhooks": "0002_webhookdelivery_about_webhookdelivery_webhook_about",
}


def _ours(loader: MigrationLoader) -> list[tuple[str, str]]:
    labels = {app.label for app in apps.get_app_configs() if app.name.partition(".")[0] in PACKAGES}
    return [node for node in loader.graph.nodes if node[0] in labels and node in loader.disk_migrations]


def _breaks_the_old_version(operation: Operation, label: str, before: ProjectState) -> bool:
    match operation:
        case RemoveField() | RenameField() | RenameModel() | DeleteModel() | AlterModelTable():
            return True
        case AddField():
            field = operation.field
            return not (field.null or field.has_db_default() or field.many_to_many)
        case AlterField():
            old = before.models[label, operation.model_name_lower].fields[operation.name]
            return old.null and not operation.field.null
    return False


def _unsafe_operations(loader: MigrationLoader, node: tuple[str, str]) -> list[str]:
    migration = loader.disk_migrations[node]
    state = loader.project_state(node, at_end=False)
    found = []
    for operation in migration.operations:
        if _breaks_the_old_version(operation, node[0], state):
            found.append(f"{node[0]}.{node[1]}: {operation.describe()}")
        operation.state_forwards(node[0], state)
    return found


def test_migrations_leave_the_old_version_running_or_say_why_not() -> None:
    """`while_old_version_runs = "..."` in a migration says why, such as: nothing has read it since the last release."""
    loader = MigrationLoader(None, ignore_no_migrations=True)

    found = [
        sentence
        for node in _ours(loader)
        if node[1] > LAST_BEFORE_RELEASE.get(node[0], "")
        and not getattr(loader.disk_migrations[node], "while_old_version_runs", "")
        for sentence in _unsafe_operations(loader, node)
    ]

    assert found == []


def test_migrations_that_would_break_the_old_version_are_recognised() -> None:
    text, optional = models.CharField(max_length=5), models.CharField(max_length=5, null=True)
    before = ProjectState()
    CreateModel("Page", [("id", models.AutoField(primary_key=True)), ("title", optional)]).state_forwards("a", before)
    harmful = [
        AddField("page", "a", text),
        AddField("page", "b", models.CharField(max_length=5, default="x")),
        AlterField("page", "title", text),
        RenameField("page", "title", "name"),
        RemoveField("page", "title"),
        DeleteModel("page"),
        RenameModel("page", "sheet"),
    ]
    harmless = [
        AddField("page", "c", models.CharField(max_length=5, db_default="x")),
        AddField("page", "d", optional),
        AlterField("page", "title", models.CharField(max_length=9, null=True)),
    ]

    assert [operation for operation in harmful if not _breaks_the_old_version(operation, "a", before)] == []
    assert [operation for operation in harmless if _breaks_the_old_version(operation, "a", before)] == []
