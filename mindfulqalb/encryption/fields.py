"""A model field whose column holds sealed values only.

Written here because django-cryptography 1.1 cannot be imported on Django >= 5; its forks unpickle what they decrypt,
cannot rotate a key and let ciphertext be moved between rows.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from django import forms
from django.apps import apps
from django.core import checks
from django.core.exceptions import FieldError, ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from mindfulqalb.encryption.keyring import keyring
from mindfulqalb.encryption.tokens import MINIMUM_BYTES, Carried, Sealed, is_token, seal

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    _Set_contra = TypeVar("_Set_contra", contravariant=True)
    _Get_co = TypeVar("_Get_co", covariant=True)

    class _TextLikeField(models.Field[_Set_contra, _Get_co]):
        _pyi_private_set_type: str
        _pyi_private_get_type: str

else:
    _Set_contra = _Get_co = Any

    class _TextLikeField(models.Field):
        def __class_getitem__(cls, _parameters: object) -> type:
            return cls


LABEL = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


class SealedFormField(forms.CharField):
    """A text field of a form whose initial value may still be sealed."""

    def prepare_value(self, value: Any) -> Any:
        """Return the text to show."""
        return value.open() if isinstance(value, Sealed) else value

    def to_python(self, value: Any) -> Any:
        """Return the text that was sent, or the initial one of a disabled field."""
        return super().to_python(self.prepare_value(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare plaintexts."""
        return super().has_changed(self.prepare_value(initial), data)


class OpeningAttribute(DeferredAttribute):
    """Opens the value at every access: an instance never keeps the plaintext of what it loaded."""

    field: EncryptedTextField[Any, Any]

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        """Return the plaintext or None. Raises CannotOpen."""
        value = super().__get__(instance, cls)
        if instance is None or isinstance(value, Carried) or not isinstance(value, Sealed):
            return value
        return self.field.value_from_object(instance).open()

    def __set__(self, instance: models.Model, value: Any) -> None:
        """Keep plaintext until the row is saved, and a sealed value as one of the row that it was read for."""
        if isinstance(value, Sealed):
            # Constructors set fields in order; where the id comes later, the value is bound when it is asked for.
            value = value.bound_to(self.field.row_of(instance)) if self.field.knows_row_of(instance) else value
        elif not (value is None or isinstance(value, str)):
            raise TypeError(f"{self.field.label} takes text or None, not {type(value).__name__}")
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(_TextLikeField[_Set_contra, _Get_co]):
    """Text, readable in Python as `str | None` and in the database by nobody without the key.

    `label` names the field inside the ciphertext: pick it once, and keep it through every renaming of model or column.
    `max_length` is checked by `clean()` only. The row id goes into the ciphertext, so ids come from Python. The column
    is written by `save()`, `bulk_create()` and `rewrite()`, emptied by `update(field=None)`, and all else raises
    TypeError. An upsert (`bulk_create(update_conflicts=True)`) must leave it out: the row that is there has another id.
    `refresh_from_db()` reads, so it opens; a row that cannot be opened is refreshed by naming the other fields.
    """

    description = "Encrypted text"
    descriptor_class = OpeningAttribute

    def __init__(self, *args: Any, label: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.label = label
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    def deconstruct(self) -> Any:
        """Carry the label into migrations."""
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "label": self.label}

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Report a label, a row id or an option that cannot work."""
        return [*super().check(**kwargs), *self._check_label(), *self._check_row_id(), *self._check_options()]

    # The column

    def get_internal_type(self) -> str:
        """Make the column a BYTEA."""
        return "BinaryField"

    def db_check(self, connection: BaseDatabaseWrapper) -> str:
        """Let the database itself refuse plaintext: a token starts with a version below 8, and no text does."""
        column = connection.ops.quote_name(str(self.column))
        return rf"substring({column} from 1 for 1) < '\x08'::bytea AND octet_length({column}) >= {MINIMUM_BYTES}"

    def get_lookup(self, lookup_name: str) -> Any:
        """Raise FieldError for all but isnull: equal texts have different tokens, so the answer would be a lie."""
        if lookup_name != "isnull":
            raise FieldError(f"{self} is encrypted: it knows isnull, not {lookup_name}; look up a digest of it")
        return super().get_lookup(lookup_name)

    # Writing

    def row_of(self, instance: models.Model) -> str:
        """Return the row id that goes into the ciphertext. Raises ValueError while there is none."""
        pk = self.model._meta.pk
        value = pk.to_python(getattr(instance, pk.attname))
        if value is None:
            raise ValueError(f"{self.label} is sealed with its row id: give the {self.model.__name__} an id first")
        return str(value)

    def knows_row_of(self, instance: models.Model) -> bool:
        """Say whether `row_of` has an answer already."""
        return instance.__dict__.get(self.model._meta.pk.attname) is not None

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:  # noqa: FBT001
        """Seal what is new, what is under an older key and what was loaded as another row."""
        sealed = self._sealed(model_instance)
        model_instance.__dict__[self.attname] = sealed
        return sealed

    def _sealed(self, instance: models.Model) -> Sealed | None:
        value, row = self.value_from_object(instance), self.row_of(instance)
        if value is None:
            return None
        if isinstance(value, Sealed):
            if value.row == row and not keyring().is_outdated(value.key_id):
                return value  # unopened: a value that cannot be read must not stop the row's other work
            value = value.open()
        return Sealed(seal(value, label=self.label, row=row), self.label, row)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """Refuse expressions: `update()` would have the database write what they say."""
        if hasattr(value, "as_sql"):
            self._refuse(value)
        return super().get_db_prep_save(value, connection)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Refuse everything that is not sealed, with TypeError."""
        if value is None:
            return None
        return value.token if isinstance(value, Sealed) else self._refuse(value)

    def _refuse(self, value: object) -> NoReturn:
        raise TypeError(f"{self.label} cannot be written from a {type(value).__name__}: assign it and save() the row")

    # Reading

    def from_db_value(self, value: bytes | None, *_: object) -> Sealed | None:
        """Leave it sealed; `values()` and `values_list()` give just that."""
        return None if value is None else Sealed(bytes(value), self.label)

    def value_from_object(self, obj: models.Model) -> Any:
        """Return what `obj` holds, unopened: forms open it, fixtures and exports carry it as it is."""
        if self.attname not in obj.__dict__:
            getattr(obj, self.attname)
        value = obj.__dict__[self.attname]
        return value.bound_to(self.row_of(obj)) if isinstance(value, Sealed) else value

    # Fixtures: dumpdata and loaddata carry the token in base64

    def value_to_string(self, obj: models.Model) -> str:
        """Return the token in base64."""
        sealed = self._sealed(obj)
        return "" if sealed is None else base64.b64encode(sealed.token).decode()

    def to_python(self, value: Any) -> Carried | None:
        """Read a fixture's token. Raises ValidationError for anything else, plaintext above all."""
        if value is None:
            return None
        try:
            token = base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError):
            token = b""
        if not is_token(token):
            raise ValidationError(f"{self.label}: a fixture has to carry the sealed value in base64")
        return Carried(token, self.label)

    # Forms

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """Validate the plaintext; unlike other fields, without `to_python`, which reads fixtures here."""
        self.validate(value, model_instance)
        self.run_validators(value)
        return value

    def formfield(self, **kwargs: Any) -> Any:
        """Return a line of text where there is a `max_length`, else a text area."""
        options: dict[str, Any] = {
            "form_class": SealedFormField,
            "max_length": self.max_length,
            "empty_value": None if self.null else "",
        }
        if self.max_length is None:
            options["widget"] = forms.Textarea
        return super().formfield(**{**options, **kwargs})

    # System checks

    def _check_label(self) -> list[checks.CheckMessage]:
        if LABEL.fullmatch(self.label):
            return []
        return [checks.Error(f"The label {self.label!r} is not like 'app.field'.", obj=self, id="encryption.E006")]

    def _check_row_id(self) -> list[checks.CheckMessage]:
        pk = self.model._meta.pk
        if not isinstance(pk, models.AutoField) and (pk.has_default() or not pk.has_db_default()):
            return []
        hint = "Use UUIDField(primary_key=True, default=uuid.uuid4)."
        return [checks.Error("The row id comes from the database.", hint=hint, obj=self, id="encryption.E007")]

    def _check_options(self) -> list[checks.CheckMessage]:
        options = self.deconstruct()[3]
        return [
            checks.Error(f"{option} means nothing for an encrypted column.", obj=self, id="encryption.E008")
            for option in ("primary_key", "unique", "db_index", "db_default", "choices")
            if option in options
        ]


def encrypted_fields(model: type[models.Model]) -> list[EncryptedTextField[Any, Any]]:
    """List the encrypted fields whose columns lie in the table of `model`."""
    return [field for field in model._meta.local_concrete_fields if isinstance(field, EncryptedTextField)]


def encrypted_models() -> list[type[models.Model]]:
    """List every installed model that has encrypted fields, in the order of installation."""
    return [model for model in apps.get_models(include_auto_created=True) if encrypted_fields(model)]
