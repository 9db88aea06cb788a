"""What cannot be done with an encrypted column, so that no plaintext gets into it and no lookup answers wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import FieldError
from django.db import DatabaseError, connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Concat, Upper

from mindfulqalb.encryption.tests.notebook.columns import read_column, write_column
from mindfulqalb.encryption.tests.notebook.models import Note
from mindfulqalb.encryption.tokens import Sealed

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("notebook")


@pytest.fixture
def note(notebook: None) -> Note:
    """Return a saved note."""
    return Note.objects.create(title="clear", body="held")


@pytest.mark.parametrize(
    "value",
    [
        "planted",
        b"planted",
        5,
        Value("planted"),
        Value("planted", output_field=Note._meta.get_field("body")),
        F("title"),
        F("author"),
        Upper("title"),
        Concat("title", Value("planted")),
        Case(When(title="clear", then=Value("planted"))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_update_refuses_whatever_is_not_sealed(note: Note, value: Any) -> None:
    held = read_column(note)

    with pytest.raises(TypeError) as caught, transaction.atomic():
        Note.objects.update(body=value)

    kind = "Col" if isinstance(value, F) else type(value).__name__
    assert str(caught.value) == f"notebook.body cannot be written from a {kind}: assign it and save() the row"
    assert read_column(note) == held


def test_bulk_update_refuses_changed_and_unchanged_values(note: Note) -> None:
    held = read_column(note)
    note.body = "planted"

    for notes in ([note], [Note.objects.get()]):
        with pytest.raises(TypeError, match=r"^notebook\.body cannot be written"), transaction.atomic():
            Note.objects.bulk_update(notes, ["body"])

    assert read_column(note) == held


def test_insert_refuses_an_expression() -> None:
    with pytest.raises(TypeError, match="takes text or None, not Value"):
        Note.objects.create(body=Value("planted"))


def test_raw_save_refuses_plaintext() -> None:
    with pytest.raises(TypeError, match="cannot be written from a str"), transaction.atomic():
        Note(body="planted").save_base(raw=True)

    assert Note.objects.count() == 0


@pytest.mark.parametrize("planted", [b"", b"told in confidence", b"x" * 200, b"\x01short", b"\x08" + bytes(100)])
def test_database_itself_refuses_what_is_no_token(note: Note, planted: bytes) -> None:
    held = read_column(note)

    with pytest.raises(DatabaseError, match="violates check constraint"), transaction.atomic():
        write_column(note, planted)

    assert read_column(note) == held


def test_database_takes_tokens_of_a_later_version(note: Note) -> None:
    write_column(note, b"\x02" + bytes(64))

    assert read_column(note) == b"\x02" + bytes(64)


@pytest.mark.parametrize(
    "condition",
    [
        {"body": "held"},
        {"body": None},
        {"body__iexact": "held"},
        {"body__contains": "e"},
        {"body__in": ["held"]},
        {"body__gt": "a"},
        {"body__regex": "."},
        {"body__length": 4},
        {"body__isnull__exact": True},
    ],
    ids=lambda condition: next(iter(condition)),
)
def test_lookups_are_refused(note: Note, condition: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        list(Note.objects.filter(**condition))
    with pytest.raises(FieldError):
        list(Note.objects.exclude(Q(**condition)))


def test_lookup_says_what_to_do_instead() -> None:
    with pytest.raises(FieldError) as caught:
        Note.objects.filter(author__startswith="A")

    assert str(caught.value) == (
        "notebook.Note.author is encrypted: it knows isnull, not startswith; look up a digest of it"
    )


def test_lookup_from_another_query_is_refused() -> None:
    with pytest.raises(FieldError):
        Note.objects.filter(Exists(Note.objects.filter(body=OuterRef("body"))))


@pytest.mark.parametrize(
    "select",
    [
        lambda: Note.objects.values_list("body", flat=True),
        lambda: Note.objects.annotate(copy=F("body")).values_list("copy", flat=True),
        lambda: Note.objects.order_by("body").values_list("body", flat=True),
        lambda: Note.objects.values_list("body", flat=True).distinct(),
        lambda: Note.objects.values_list("body", flat=True).union(Note.objects.values_list("body", flat=True)),
    ],
)
def test_selected_values_stay_sealed(note: Note, select: Callable[[], Any]) -> None:
    assert list(select()) == [Sealed(read_column(note), "notebook.body")]


def test_sql_of_a_save_has_no_plaintext(note: Note) -> None:
    seen: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(f"{sql} {params}")
        return execute(sql, params, many, context)

    note.body = "told in confidence"
    with connection.execute_wrapper(watch):
        note.save()

    assert len(seen) == 1
    assert "told in confidence" not in seen[0]
