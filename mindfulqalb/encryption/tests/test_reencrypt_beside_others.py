"""Append-only tables, second connections and requests that are on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError
from django.db import IntegrityError, connection, transaction

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.triggers import append_only
from mindfulqalb.encryption.keyring import keyring
from mindfulqalb.encryption.rotation import outdated_rows, reencrypt_chunk
from mindfulqalb.encryption.tests.notebook.builders import make_notes
from mindfulqalb.encryption.tests.notebook.models import Note
from mindfulqalb.encryption.tests.rotating import NOW, bodies, key_ids, rotate, run
from mindfulqalb.encryption.tokens import seal

if TYPE_CHECKING:
    from pytest_django import Settings


@pytest.fixture
def append_only_notes(notebook: None) -> None:
    """Let the notes grow and nothing else, as the tables of evidence do."""
    triggers = append_only("notebook_notes", sealed_columns=["body", "remark_encrypted", "author"])
    with connection.cursor() as cursor:
        for statement in triggers.sql:
            cursor.execute(str(statement))


@pytest.mark.usefixtures("append_only_notes")
def test_reencrypt_goes_through_its_door_of_an_append_only_table(settings: Settings) -> None:
    (note,) = make_notes(1)
    rotate(settings)

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        note.save()
    assert run()[-1].startswith("1 rows moved")
    assert key_ids() == {keyring().writing}


@pytest.mark.usefixtures("committed_notebook")
def test_door_is_shut_after_the_chunk(settings: Settings) -> None:
    make_notes(1)
    rotate(settings)

    reencrypt_chunk(model=Note, now=NOW)

    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('mindfulqalb.door', true), '')")
        assert cursor.fetchone() == ("",)


@pytest.fixture
def other_connection(committed_notebook: None) -> Any:
    """Return a second connection to the same database, in a transaction that is rolled back at the end."""
    other = connection.copy()
    other.set_autocommit(False)
    yield other
    other.rollback()
    other.close()


def test_row_that_is_being_edited_is_skipped_and_its_edit_kept(settings: Settings, other_connection: Any) -> None:
    edited, *_ = make_notes(3)
    new_text = seal("edited meanwhile", label="notebook.body", row=str(edited.pk))
    rotate(settings)
    with other_connection.cursor() as cursor:
        cursor.execute("UPDATE notebook_notes SET body = %s WHERE id = %s", [new_text, edited.pk])

    with pytest.raises(CommandError) as caught:
        run()
    other_connection.commit()

    assert str(caught.value) == (
        "2 rows moved, 1 rows still hold values under another key; another transaction holds them, run it again"
    )
    assert bodies() == ["1", "2", "edited meanwhile"]
    assert run()[-1].startswith("1 rows moved")
    assert bodies() == ["1", "2", "edited meanwhile"]
    assert key_ids() == {keyring().writing}


def test_row_loaded_before_the_rotation_can_be_saved_after_it(settings: Settings, committed_notebook: None) -> None:
    make_notes(1)
    loaded = Note.objects.get()
    rotate(settings)
    run()

    loaded.title = "saved by a request that was on its way"
    loaded.save()

    assert bodies() == ["0"]
    assert key_ids() == {keyring().writing}
    assert Note.objects.get().title == "saved by a request that was on its way"


def test_chunk_does_not_run_inside_another_transaction(settings: Settings, committed_notebook: None) -> None:
    make_notes(2)
    rotate(settings)

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        reencrypt_chunk(model=Note, now=NOW)

    assert outdated_rows(Note).count() == 2
    assert AuditEvent.objects.filter(action="encryption.reencrypted").count() == 0
