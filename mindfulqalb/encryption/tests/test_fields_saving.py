from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from mindfulqalb.encryption.keyring import keyring
from mindfulqalb.encryption.tests.keys import LOST_KEY, NEW_KEY, OLD_KEY, use_keys
from mindfulqalb.encryption.tests.notebook.builders import SECRET, make_note
from mindfulqalb.encryption.tests.notebook.columns import read_column, write_column
from mindfulqalb.encryption.tests.notebook.models import Annotation, Note
from mindfulqalb.encryption.tokens import CannotOpen

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.usefixtures("notebook")


def test_saving_an_unchanged_row_writes_the_same_bytes() -> None:
    note = make_note()
    held = read_column(note)
    loaded = Note.objects.get()

    assert loaded.body == SECRET
    loaded.title = "changed"
    loaded.save()

    assert read_column(note) == held


def test_saving_a_new_text_seals_it_anew() -> None:
    note = make_note()
    held = read_column(note)

    note.body = "changed"
    note.save()

    assert read_column(note) != held
    assert Note.objects.get().body == "changed"


def test_saving_moves_a_row_to_the_writing_key(settings: Settings) -> None:
    note = make_note()
    use_keys(settings, NEW_KEY, OLD_KEY)

    loaded = Note.objects.get()
    assert loaded.body == SECRET
    loaded.save()

    assert read_column(note)[1:5] == keyring().writing
    use_keys(settings, NEW_KEY)
    assert Note.objects.get().body == SECRET


def test_saving_leaves_a_value_alone_whose_key_is_gone(settings: Settings) -> None:
    use_keys(settings, LOST_KEY)
    note = make_note()
    held = read_column(note)
    use_keys(settings, NEW_KEY)

    loaded = Note.objects.get()
    loaded.save()

    assert read_column(note) == held
    with pytest.raises(CannotOpen, match="key is not configured"):
        _ = loaded.body


def test_update_fields_writes_just_those() -> None:
    note = make_note()
    held = read_column(note)

    note.body, note.author, note.title = "not written", "Zoe", "not written"
    note.save(update_fields=["author"])

    assert read_column(note) == held
    loaded = Note.objects.get()
    assert (loaded.title, loaded.author) == ("", "Zoe")


def test_saving_under_another_id_makes_a_copy_that_opens() -> None:
    original = make_note(remark="r")
    note = Note.objects.get()

    note.pk = uuid.uuid4()
    note._state.adding = True
    assert note.body == SECRET
    note.save()

    assert [(loaded.body, loaded.remark) for loaded in Note.objects.all()] == [(SECRET, "r")] * 2
    assert note.pk != original.pk


def test_bad_row_cannot_be_copied() -> None:
    bad = make_note()
    write_column(bad, read_column(make_note(body="other")))
    note = Note.objects.get(pk=bad.pk)

    note.pk = uuid.uuid4()

    with pytest.raises(CannotOpen):
        note.save()


def test_id_given_as_text_is_the_same_row() -> None:
    given = uuid.uuid4()
    Note(id=str(given).upper(), body=SECRET).save()

    assert Note.objects.get(pk=given).body == SECRET


def test_row_without_an_id_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="id first") as caught:
        Note._meta.get_field("body").pre_save(Note(id=None, body=SECRET), add=True)

    assert str(caught.value) == "notebook.body is sealed with its row id: give the Note an id first"


def test_row_whose_id_was_left_to_save_is_sealed_with_that_id() -> None:
    Note(id=None, body=SECRET).save()

    assert Note.objects.get().body == SECRET


def test_model_that_declares_its_id_last_works_alike(settings: Settings) -> None:
    Annotation.objects.create(text=SECRET)
    use_keys(settings, NEW_KEY, OLD_KEY)

    loaded = Annotation.objects.get()
    assert loaded.text == SECRET
    loaded.save()

    assert Annotation.objects.get().text == SECRET


def test_bulk_create_seals_every_row() -> None:
    Note.objects.bulk_create([Note(body=str(number), remark=None) for number in range(3)])

    notes = Note.objects.all()

    assert sorted(note.body for note in notes) == ["0", "1", "2"]
    assert len({read_column(note) for note in notes}) == 3


def test_update_or_create_seals() -> None:
    note = make_note()

    Note.objects.update_or_create(pk=note.pk, defaults={"body": "changed"})
    made, _ = Note.objects.update_or_create(title="new", defaults={"body": "made"})

    assert Note.objects.get(pk=note.pk).body == "changed"
    assert Note.objects.get(pk=made.pk).body == "made"


def test_update_can_empty_a_column() -> None:
    make_note(remark="r")

    Note.objects.update(remark=None)

    assert Note.objects.get().remark is None
