"""Sealed texts of many rows are written by one statement, each with a token of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mindfulqalb.encryption.rewriting import rewrite
from mindfulqalb.encryption.tests.notebook.columns import read_column
from mindfulqalb.encryption.tests.notebook.models import Note

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.usefixtures("notebook")


def make_notes(count: int) -> list[Note]:
    return [Note.objects.create(title="old", body=f"body {number}", remark="old") for number in range(count)]


def test_each_row_gets_its_own_texts_and_all_get_the_same_values(notebook: None) -> None:
    first, second, other = make_notes(3)
    texts = {
        first.pk: {"body": "first", "author": "Asha"},
        second.pk: {"author": "Ravi", "body": "second"},
    }

    count = rewrite(Note, texts, title="new", remark=None)

    read = {note.pk: (note.title, note.body, note.author, note.remark) for note in Note.objects.all()}
    assert (count, read) == (
        2,
        {
            first.pk: ("new", "first", "Asha", None),
            second.pk: ("new", "second", "Ravi", None),
            other.pk: ("old", "body 2", "", "old"),
        },
    )


def test_no_two_rows_get_the_same_token(notebook: None) -> None:
    notes = make_notes(3)

    rewrite(Note, {note.pk: {"body": ""} for note in notes})

    assert len({read_column(note) for note in notes}) == 3


@pytest.mark.parametrize("count", [1, 30])
def test_many_rows_are_one_statement(notebook: None, count: int) -> None:
    texts = {note.pk: {"body": "", "author": ""} for note in make_notes(count)}

    with CaptureQueriesContext(connection) as captured:
        rewrite(Note, texts, title="")

    assert len(captured) == 1


def test_nothing_to_write_asks_nothing(notebook: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert rewrite(Note, {}, title="new") == 0


def test_plain_column_is_refused_among_the_texts(notebook: None) -> None:
    (note,) = make_notes(1)

    with pytest.raises(TypeError, match=r"Note\.title is not sealed"):
        rewrite(Note, {note.pk: {"title": "planted"}})


def test_plaintext_is_refused_for_a_sealed_column(notebook: None) -> None:
    (note,) = make_notes(1)

    with pytest.raises(TypeError, match=r"notebook\.remark cannot be written from a str"):
        rewrite(Note, {note.pk: {"body": ""}}, remark="planted")
