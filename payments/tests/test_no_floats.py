"""An amount never passes through a float: not in the code that counts money, not in the database."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
COUNTING_MONEY = [
    *(file for file in (ROOT / "payments").rglob("*.py") if not {"tests", "migrations"} & set(file.parts)),
    *(
        ROOT / "bookings" / name
        for name in ("credits.py", "ledger.py", "ledger_report.py", "letters.py", "receipts.py")
    ),
    *(ROOT / "bookings/services" / name for name in ("cancellation.py", "unplaced.py", "booking.py")),
    *(ROOT / "mindfulqalb/catalogue" / name for name in ("models.py", "queries.py", "services.py")),
]
# A form's decimal is exact, and is whole minor units before anything counts it; a chart only draws what was counted.
FOR_PEOPLE = {ROOT / "payments" / name for name in ("refund_admin.py", "panels.py")}
INEXACT = {"float", "Decimal", "round", "FloatField", "DecimalField", "Avg"}


def _inexact(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{node.lineno}: {node.value}"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            if not ast.unparse(node).startswith("HERE / "):  # which is a path
                yield f"{node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).rpartition(".")[2] in INEXACT:
            yield f"{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize(
    "source",
    ["a = 1.5", "a = b / 2", "a /= 2", "float(a)", "round(a)", "Decimal('1.5')", "models.FloatField()", "Avg('x')"],
)
def test_inexact_arithmetic_would_be_found(source: str) -> None:
    assert len(list(_inexact(source))) == 1


def test_code_that_counts_money_holds_no_float() -> None:
    found = {
        str(file.relative_to(ROOT)): list(_inexact(file.read_text()))
        for file in COUNTING_MONEY
        if file not in FOR_PEOPLE
    }

    assert len(found) > 30
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.django_db
def test_database_holds_amounts_as_integers_and_no_float_at_all() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name || '.' || column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public'"
            " AND (column_name LIKE '%amount%' OR data_type IN ('real', 'double precision', 'numeric', 'money'))"
        )
        types = dict(cursor.fetchall())

    assert ("payments.captured_amount_minor" in types, set(types.values())) == (True, {"integer"})
