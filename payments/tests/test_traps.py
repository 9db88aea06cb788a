from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from payments.tests.traps import TRAPS, Trap

ROOT = Path(__file__).resolve().parents[2]


@cache
def _tests_in(path: str) -> set[str]:
    file = ROOT / path
    if not file.is_file():
        return set()
    return {node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_every_trap_is_a_test_here(trap: Trap) -> None:
    named = [test.split("::") for test in trap.tests]

    assert [f"{path}::{name}" for path, name in named if name not in _tests_in(path)] == []
    assert trap.tests


def test_every_trap_has_a_name_of_its_own() -> None:
    names = [trap.name for trap in TRAPS]

    assert sorted(set(names)) == sorted(names)


def test_a_test_that_is_gone_would_be_missed() -> None:
    assert _tests_in("payments/tests/test_gone.py") == set()
    assert "test_every_trap_is_a_test_here" in _tests_in("payments/tests/test_traps.py")
    assert "test_of_nobody" not in _tests_in("payments/tests/test_traps.py")
