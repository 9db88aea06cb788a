"""Keys of their own and a throw-away app for the tests of encryption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.encryption.tests.keys import INDEX_KEY, OLD_KEY, use_keys
from mindfulqalb.encryption.tests.notebook.models import Annotation, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoDbBlocker, Settings


@pytest.fixture(scope="session")
def notebook_tables(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Create the tables outside of any test's transaction, so that a second connection sees them."""
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(Note)
            editor.create_model(Annotation)
        yield
        with connection.schema_editor() as editor:
            editor.delete_model(Annotation)
            editor.delete_model(Note)


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> None:
    """Seal with OLD_KEY."""
    use_keys(settings, OLD_KEY)
    settings.BLIND_INDEX_KEY = INDEX_KEY
    settings.BLIND_INDEX_KEY_FALLBACKS = []


@pytest.fixture
def notebook_installed(settings: Settings) -> None:
    """Install the notebook app: the command and the checks look at installed apps only."""
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "mindfulqalb.encryption.tests.notebook"]


@pytest.fixture
def notebook(notebook_tables: None, db: None, notebook_installed: None) -> None:
    """Give a test the notebook's tables inside its own transaction."""


@pytest.fixture
def committed_notebook(
    notebook_tables: None, notebook_installed: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Give a test the notebook's tables without a transaction, so that a second connection can interfere."""
    with django_db_blocker.unblock():
        yield
        Note.objects.all().delete()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('mindfulqalb.door', 'retention', true)")
            AuditEvent.objects.filter(action="encryption.reencrypted").delete()
