from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.db.models import Q

from mindfulqalb.encryption.keyring import keyring
from mindfulqalb.encryption.tests.notebook.builders import SECRET, make_note
from mindfulqalb.encryption.tests.notebook.columns import read_column, swap_columns, write_column
from mindfulqalb.encryption.tests.notebook.models import Note
from mindfulqalb.encryption.tokens import CannotOpen, Reason, Sealed

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.usefixtures("notebook")


@pytest.mark.parametrize("text", ["", SECRET, "नमस्ते 👩‍👩‍👧", "\x00\x80", "x" * 100_000])
def test_value_comes_back_as_it_was_saved(text: str) -> None:
    make_note(body=text, remark=text)

    loaded = Note.objects.get()

    assert (loaded.body, loaded.remark, loaded.author) == (text, text, "Ann")


def test_empty_text_is_kept_apart_from_null() -> None:
    empty, null = make_note(remark=""), make_note(remark=None)

    assert Note.objects.get(pk=empty.pk).remark == ""
    assert Note.objects.get(pk=null.pk).remark is None
    assert list(Note.objects.filter(remark__isnull=True)) == [null]
    assert list(Note.objects.exclude(remark__isnull=True)) == [empty]


def test_value_that_was_left_out_is_empty_or_null() -> None:
    Note().save()

    loaded = Note.objects.get()

    assert (loaded.body, loaded.remark) == ("", None)


def test_column_is_bytea_under_its_own_name() -> None:
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, "notebook_notes")

    bytea = 17
    assert [column.name for column in columns if column.type_code == bytea] == ["body", "remark_encrypted", "author"]


def test_column_holds_nothing_of_the_text() -> None:
    token = read_column(make_note())

    assert SECRET.encode() not in token
    assert token[:5] == b"\x01" + keyring().writing


def test_value_in_an_instance_is_sealed_as_soon_as_it_is_saved() -> None:
    note = make_note()

    assert note.__dict__["body"] == Sealed(read_column(note), "notebook.body", str(note.pk))
    assert note.body == SECRET


def test_instance_does_not_keep_the_plaintext_of_what_it_loaded() -> None:
    make_note()
    note = Note.objects.get()

    assert note.body == SECRET
    assert SECRET not in repr(note.__dict__)
    assert SECRET.encode() not in pickle.dumps(note)


def test_instance_survives_pickling_and_copying() -> None:
    make_note()
    note = Note.objects.get()

    assert [twin.body for twin in (pickle.loads(pickle.dumps(note)), copy.copy(note), copy.deepcopy(note))] == [  # noqa: S301
        SECRET,
        SECRET,
        SECRET,
    ]


def test_values_repr_and_str_give_no_plaintext() -> None:
    note = make_note()

    assert Note.objects.values("body").get() == {"body": Sealed(read_column(note), "notebook.body")}
    assert Note.objects.values_list("body", flat=True).get() == Sealed(read_column(note), "notebook.body")
    assert SECRET not in f"{note!r} {note} {list(Note.objects.values())}"


@pytest.mark.parametrize("value", [5, b"bytes", ["a"], Q()])
def test_assigning_anything_but_text_is_refused(value: Any) -> None:
    with pytest.raises(TypeError) as caught:
        Note(body=value)

    assert str(caught.value) == f"notebook.body takes text or None, not {type(value).__name__}"


def test_class_attribute_is_no_value() -> None:
    assert Note.__dict__["body"].__get__(None, Note) is Note.__dict__["body"]


# One bad row


def test_value_swapped_with_another_row_does_not_open() -> None:
    one, other = make_note(body="one"), make_note(body="other")

    swap_columns(one, other)

    with pytest.raises(CannotOpen) as caught:
        _ = Note.objects.get(pk=one.pk).body
    assert (caught.value.reason, caught.value.label, caught.value.row) == (
        Reason.ALTERED,
        "notebook.body",
        str(one.pk),
    )


def test_value_moved_to_another_column_does_not_open() -> None:
    note = make_note()

    write_column(note, read_column(note, "body"), "author")

    with pytest.raises(CannotOpen, match="altered"):
        _ = Note.objects.get().author


def test_list_survives_a_bad_row_until_its_value_is_read() -> None:
    good, bad = make_note(body="good"), make_note(body="bad", author="Ben")
    write_column(bad, read_column(good))

    notes = {note.pk: note for note in Note.objects.all()}

    assert notes[good.pk].body == "good"
    assert notes[bad.pk].author == "Ben"
    with pytest.raises(CannotOpen):
        _ = notes[bad.pk].body


def test_bad_row_can_be_saved_and_keeps_what_it_holds() -> None:
    bad = make_note()
    held = read_column(make_note(body="other"))
    write_column(bad, held)

    note = Note.objects.get(pk=bad.pk)
    note.title = "changed"
    note.save()

    assert Note.objects.get(pk=bad.pk).title == "changed"
    assert read_column(bad) == held


def test_bad_row_can_be_refreshed_by_naming_the_other_fields() -> None:
    bad = make_note()
    write_column(bad, read_column(make_note(body="other")))
    note = Note.objects.get(pk=bad.pk)
    Note.objects.filter(pk=bad.pk).update(title="changed")

    note.refresh_from_db(fields=["title", "author"])

    assert (note.title, note.author) == ("changed", "Ann")


# Deferred and refreshed values


def test_deferred_value_is_loaded_when_it_is_read(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_note()
    note = Note.objects.defer("body").get()

    with django_assert_num_queries(0):
        assert note.author == "Ann"
    with django_assert_num_queries(1):
        assert note.body == SECRET


def test_deferred_value_is_left_alone_by_save() -> None:
    held = read_column(make_note())
    note = Note.objects.only("title").get()

    note.title = "changed"
    note.save()

    assert read_column(note) == held
    assert Note.objects.get().title == "changed"


def test_refresh_brings_what_another_process_wrote() -> None:
    note = make_note()
    elsewhere = Note.objects.get()
    elsewhere.body = "written elsewhere"
    elsewhere.save()

    note.body = "never saved"
    note.refresh_from_db()

    assert note.body == "written elsewhere"
