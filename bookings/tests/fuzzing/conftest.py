"""A practice that sells, and somebody who calls it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bookings.tests.builders import make_upcoming
from bookings.tests.fuzzing.caller import Caller
from consent.links import consent_token
from mindfulqalb.staff.tests.builders import PASSWORD, make_member

if TYPE_CHECKING:
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


@pytest.fixture
def caller(transactional_db: None, sandbox: SandboxProcess, settings: Settings) -> Caller:
    """Whom no rate limit stops."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, "1000000/s")
    settings.HOLDS_PER_EMAIL = settings.HOLDS_PER_EMAIL_ANYWHERE = 1000
    settings.HOLDS_PER_ADDRESS = settings.FREE_CALLS_PER_ADDRESS = 1000
    settings.STAFF_SECOND_FACTOR_REQUIRED = False
    consent = make_upcoming().consent
    assert consent
    make_member("Front desk", username="asha", password=PASSWORD)
    caller = Caller(sandbox)
    caller.knowledge.consent_tokens.append(consent_token(consent, now=datetime.now(UTC)))
    return caller
