from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.encryption.keyring import keyring
from mindfulqalb.encryption.rotation import outdated_rows, reencrypt_chunk, swap_tokens, unknown_key_rows
from mindfulqalb.encryption.tests.keys import LOST_KEY, NEW_KEY, OLD_KEY, use_keys
from mindfulqalb.encryption.tests.notebook.builders import make_notes
from mindfulqalb.encryption.tests.notebook.columns import read_column, write_column
from mindfulqalb.encryption.tests.notebook.models import Annotation, Note
from mindfulqalb.encryption.tests.rotating import NOW, bodies, key_ids, rotate, run
from mindfulqalb.encryption.tokens import Sealed, seal

if TYPE_CHECKING:
    from pytest_django import Settings


@pytest.mark.usefixtures("notebook")
def test_reencrypt_moves_every_value_of_every_model(settings: Settings) -> None:
    make_notes(3, remark="r")
    make_notes(1, remark=None)
    Annotation.objects.create(text="t")
    rotate(settings)

    lines = run(chunk=2)

    assert lines == [
        "2 of 5 rows moved",
        "4 of 5 rows moved",
        "5 of 5 rows moved",
        f"5 rows moved; every value is under key {keyring().writing.hex()}",
    ]
    use_keys(settings, NEW_KEY)
    assert key_ids() == {keyring().writing}
    assert bodies() == ["0", "0", "1", "2"]
    assert sorted((note.remark or "", note.author) for note in Note.objects.all()) == [("", "Ann"), *[("r", "Ann")] * 3]
    assert Annotation.objects.get().text == "t"


@pytest.mark.usefixtures("notebook")
def test_reencrypt_twice_changes_nothing_more(settings: Settings) -> None:
    (note,) = make_notes(1)
    rotate(settings)
    run()
    held = read_column(note)

    assert run() == [f"0 rows moved; every value is under key {keyring().writing.hex()}"]
    assert read_column(note) == held


@pytest.mark.usefixtures("notebook")
def test_reencrypt_touches_only_values_under_another_key(settings: Settings) -> None:
    (old,) = make_notes(1)
    rotate(settings)
    (new,) = make_notes(1)
    old.author = "Zoe"
    old.save(update_fields=["author"])
    kept = [read_column(new), read_column(old, "author")]

    run()

    assert [read_column(new), read_column(old, "author")] == kept
    assert key_ids() == {keyring().writing}


@pytest.mark.usefixtures("notebook")
def test_reencrypt_goes_on_where_an_interrupted_run_stopped(settings: Settings) -> None:
    make_notes(5)
    rotate(settings)
    chunk = reencrypt_chunk(model=Note, chunk_rows=2, now=NOW)

    assert (chunk.moved_rows, outdated_rows(Note).count()) == (2, 3)
    assert bodies() == ["0", "1", "2", "3", "4"]
    assert run()[-1].startswith("3 rows moved")
    assert outdated_rows(Note).count() == 0


@pytest.mark.usefixtures("notebook")
def test_chunk_goes_on_after_the_last_row_and_ends_with_the_table(settings: Settings) -> None:
    notes = sorted(make_notes(3), key=lambda note: note.pk)
    for note in notes[:2]:
        write_column(note, read_column(notes[2]))  # stays behind, and must not be met again
    rotate(settings)

    first = reencrypt_chunk(model=Note, chunk_rows=2, now=NOW)
    second = reencrypt_chunk(model=Note, chunk_rows=2, now=NOW, after=first.last)

    assert (len(first.unreadable), first.last) == (2, notes[1].pk)
    assert (second.moved_rows, second.unreadable, second.last) == (1, (), None)


@pytest.mark.usefixtures("notebook")
def test_reencrypt_dry_run_counts_rows_and_changes_none(settings: Settings) -> None:
    use_keys(settings, LOST_KEY)
    make_notes(1)
    use_keys(settings, OLD_KEY)
    make_notes(2)
    rotate(settings)
    (current,) = make_notes(1)
    before = sorted(read_column(note) for note in Note.objects.all())

    lines = run(dry_run=True)

    assert lines[0] == f"Writing key: {keyring().writing.hex()}"
    assert [line for line in lines if line.startswith("notebook")] == [
        "notebook.Note: 3 of 4 rows to move, 1 with a key that is not configured",
        "notebook.Annotation: 0 of 0 rows to move",
    ]
    assert sorted(read_column(note) for note in Note.objects.all()) == before
    assert list(unknown_key_rows(Note).exclude(pk=current.pk).values_list("author", flat=True)) != []


@pytest.mark.usefixtures("notebook")
def test_reencrypt_leaves_what_it_cannot_open_names_it_and_moves_the_rest(settings: Settings) -> None:
    bad, good = make_notes(2)
    held = read_column(good)
    write_column(bad, held)
    rotate(settings)

    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("reencrypt", stdout=out, stderr=err, no_color=True)

    assert str(caught.value) == "2 rows moved, 1 rows still hold values under another key"
    assert err.getvalue() == (
        f"notebook.body of row {bad.pk} cannot be opened: it was altered, or moved here from another row or column\n"
    )
    assert read_column(bad) == held
    assert Note.objects.get(pk=bad.pk).author == "Ann"
    assert read_column(good)[1:5] == read_column(bad, "author")[1:5] == keyring().writing


@pytest.mark.usefixtures("notebook")
def test_reencrypt_leaves_an_audit_event_per_chunk(settings: Settings) -> None:
    make_notes(3)
    rotate(settings)

    reencrypt_chunk(model=Note, chunk_rows=2, now=NOW)

    assert list(AuditEvent.objects.values("action", "actor", "target", "details", "occurred_at")) == [
        {
            "action": "encryption.reencrypted",
            "actor": "system",
            "target": "model:notebook.note",
            "details": {"rows": 2, "key": keyring().writing.hex()},
            "occurred_at": NOW,
        }
    ]


@pytest.mark.usefixtures("notebook")
@pytest.mark.parametrize("chunk", [0, -1])
def test_reencrypt_refuses_an_empty_chunk(chunk: int) -> None:
    with pytest.raises(CommandError, match="--chunk must be 1 or more"):
        run(chunk=chunk)


@pytest.mark.usefixtures("notebook")
def test_reencrypt_draws_a_bar_on_a_terminal(settings: Settings) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    make_notes(2)
    rotate(settings)
    out = Terminal()

    call_command("reencrypt", stdout=out, no_color=True, chunk=1)

    half, full = "#" * 15 + " " * 15, "#" * 30
    assert out.getvalue() == (
        f"\r[{half}] 1 of 2 rows\r[{full}] 2 of 2 rows\n"
        f"2 rows moved; every value is under key {keyring().writing.hex()}\n"
    )


@pytest.mark.usefixtures("notebook")
def test_swap_applies_only_while_the_row_holds_what_was_read(settings: Settings) -> None:
    (note,) = make_notes(1)
    read = Note.objects.values_list("body", flat=True).get()
    note.body = "edited meanwhile"
    note.save()
    rotate(settings)
    moved = Sealed(seal("0", label="notebook.body", row=str(note.pk)), "notebook.body")
    edited = Note.objects.values_list("body", flat=True).get()

    assert swap_tokens(model=Note, pk=note.pk, swaps={"body": (read, moved)}) is False
    assert Note.objects.get().body == "edited meanwhile"
    assert swap_tokens(model=Note, pk=note.pk, swaps={"body": (edited, moved)}) is True
    assert Note.objects.get().body == "0"
