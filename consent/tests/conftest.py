"""What several tests of consent need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mindfulqalb.audit.signing import pem, public_keys

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def key(tmp_path: Path) -> str:
    """Our public key, as a stranger has it."""
    file = tmp_path / "key.pem"
    file.write_text("".join(pem(key) for key in public_keys().values()))
    return str(file)
