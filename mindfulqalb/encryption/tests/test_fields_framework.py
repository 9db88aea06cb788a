"""How an encrypted field gets on with the rest of Django: fixtures, forms, the admin, migrations."""

from __future__ import annotations

import base64
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import AdminReadonlyField
from django.contrib.auth.models import AnonymousUser, Permission
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.serializers.base import DeserializationError
from django.db import IntegrityError, connection, transaction
from django.db.migrations.writer import MigrationWriter
from django.forms.models import model_to_dict, modelform_factory
from django.test import RequestFactory

from mindfulqalb.encryption.fields import EncryptedTextField, encrypted_fields, encrypted_models
from mindfulqalb.encryption.tests.keys import NEW_KEY, use_keys
from mindfulqalb.encryption.tests.notebook.builders import SECRET, make_note
from mindfulqalb.encryption.tests.notebook.columns import read_column, write_column
from mindfulqalb.encryption.tests.notebook.models import Annotation, Note

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

pytestmark = pytest.mark.usefixtures("notebook")

# Fixtures


def dump() -> str:
    """Return what `dumpdata notebook` writes."""
    out = StringIO()
    call_command("dumpdata", "notebook", stdout=out)
    return out.getvalue()


def test_dumpdata_writes_the_token() -> None:
    note = make_note(remark=None)

    (row,) = json.loads(dump())

    assert row["fields"] == {
        "title": "",
        "body": base64.b64encode(read_column(note, "body")).decode(),
        "remark": None,
        "author": base64.b64encode(read_column(note, "author")).decode(),
    }


def test_dumpdata_needs_no_key(settings: Settings) -> None:
    make_note()
    before = dump()
    use_keys(settings, NEW_KEY)

    assert dump() == before


@pytest.mark.parametrize("model", [Note, Annotation])
def test_loaddata_brings_back_the_same_bytes(model: Any, tmp_path: Path) -> None:
    text = {Note: "body", Annotation: "text"}[model]
    row = model.objects.create(**{text: SECRET})
    held = model.objects.values_list(text, flat=True).get()
    fixture = tmp_path / "notes.json"
    fixture.write_text(dump())
    model.objects.all().delete()

    call_command("loaddata", fixture, verbosity=0)

    assert model.objects.values_list(text, flat=True).get() == held
    assert getattr(model.objects.get(pk=row.pk), text) == SECRET


def test_loaddata_refuses_plaintext_and_loads_nothing() -> None:
    fixture = [{"model": "notebook.note", "pk": str(make_note().pk), "fields": {"body": SECRET}}]
    Note.objects.all().delete()

    with pytest.raises(DeserializationError) as caught:
        list(serializers.deserialize("json", json.dumps(fixture)))

    assert "notebook.body: a fixture has to carry the sealed value in base64" in str(caught.value)


def test_unsaved_row_is_serialized_sealed() -> None:
    (row,) = json.loads(serializers.serialize("json", [Note(body=SECRET)]))

    assert base64.b64decode(row["fields"]["body"])[:1] == b"\x01"


def test_no_serializer_gives_plaintext() -> None:
    make_note()

    written = [serializers.serialize(form, Note.objects.all()) for form in ("json", "jsonl", "python", "xml")]

    assert [SECRET in str(text) for text in written] == [False] * 4


# Validation and forms


def test_max_length_counts_characters_of_the_plaintext() -> None:
    Note(author="न" * 20).full_clean()

    with pytest.raises(ValidationError) as caught:
        Note(author="न" * 21).full_clean()
    assert caught.value.message_dict == {"author": ["Ensure this value has at most 20 characters (it has 21)."]}


def test_required_text_may_not_be_blank() -> None:
    with pytest.raises(ValidationError) as caught:
        Annotation(text="").full_clean()
    assert caught.value.message_dict == {"text": ["This field cannot be blank."]}


def test_full_clean_keeps_the_text_even_if_it_is_base64() -> None:
    note = Note(body="aGVsbG8=")

    note.full_clean()

    assert note.body == "aGVsbG8="


NoteForm = modelform_factory(Note, fields=["title", "body", "remark", "author"])


def test_form_has_a_text_area_or_a_line_with_its_length() -> None:
    fields = NoteForm().fields

    assert [type(fields[name].widget) for name in ("body", "author")] == [forms.Textarea, forms.TextInput]
    assert fields["author"].widget.attrs["maxlength"] == "20"


def test_form_shows_the_opened_text() -> None:
    form = NoteForm(instance=make_note())

    assert form["body"].value() == SECRET
    assert form["author"].value() == "Ann"


def test_form_saves_what_was_typed_and_knows_what_changed() -> None:
    make_note()
    sent = {"title": "", "body": SECRET, "remark": "", "author": "Zoe"}

    form = NoteForm(sent, instance=Note.objects.get())
    form.save()

    assert form.changed_data == ["author"]
    loaded = Note.objects.get()
    assert (loaded.body, loaded.remark, loaded.author) == (SECRET, None, "Zoe")


def test_form_with_a_disabled_field_leaves_the_text_as_it_is() -> None:
    make_note()
    form = NoteForm({"title": "t"}, instance=Note.objects.get())
    for name in ("body", "remark", "author"):
        form.fields[name].disabled = True

    form.save()

    loaded = Note.objects.get()
    assert (loaded.title, loaded.body, loaded.author) == ("t", SECRET, "Ann")


def test_model_to_dict_shows_nothing() -> None:
    assert SECRET not in repr(model_to_dict(make_note()))


class NoteAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows everything and changes the body."""

    fields = ("title", "body", "author", "remark")
    readonly_fields = ("author", "remark")


def test_admin_shows_a_read_only_value_opened() -> None:
    note_admin = NoteAdmin(Note, admin.AdminSite())
    form = note_admin.get_form(admin_request(), note := make_note(author="<Ann>"))(instance=note)

    cells = [AdminReadonlyField(form, name, is_first=True, model_admin=note_admin) for name in ("author", "remark")]

    assert [cell.contents() for cell in cells] == ["&lt;Ann&gt;", "-"]


def test_admin_form_edits_the_opened_text() -> None:
    form = NoteAdmin(Note, admin.AdminSite()).get_form(admin_request())(instance=make_note())

    assert form["body"].value() == SECRET


def admin_request() -> Any:
    """Return a request to the admin."""
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    return request


# Migrations and the registry


def test_deconstruct_keeps_the_label() -> None:
    field = EncryptedTextField(label="notebook.body", max_length=5, null=True)

    _, path, args, options = field.deconstruct()

    assert (path, args) == ("mindfulqalb.encryption.fields.EncryptedTextField", [])
    assert options == {"label": "notebook.body", "max_length": 5, "null": True}
    assert MigrationWriter.serialize(field)[0] == (
        "mindfulqalb.encryption.fields.EncryptedTextField(label='notebook.body', max_length=5, null=True)"
    )


def test_changed_length_touches_no_table() -> None:
    longer = EncryptedTextField(label="notebook.author", blank=True, max_length=40)
    longer.set_attributes_from_name("author")
    longer.model = Note

    with connection.schema_editor(collect_sql=True) as editor:
        editor.alter_field(Note, Note._meta.get_field("author"), longer)

    assert editor.collected_sql == []


def test_column_added_later_refuses_plaintext_as_well() -> None:
    note = make_note()
    added = EncryptedTextField(label="notebook.added", null=True)
    added.set_attributes_from_name("added")
    added.model = Note
    with connection.schema_editor() as editor:
        editor.add_field(Note, added)

    with pytest.raises(IntegrityError, match="violates check constraint"), transaction.atomic():
        write_column(note, b"planted", "added")


def test_encrypted_models_are_found_without_a_list() -> None:
    assert [model for model in encrypted_models() if model._meta.app_label == "notebook"] == [Note, Annotation]
    assert [field.name for field in encrypted_fields(Note)] == ["body", "remark", "author"]
    assert encrypted_fields(Permission) == []
