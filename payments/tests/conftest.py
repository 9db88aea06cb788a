"""Fixtures of the payment tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mindfulqalb.catalogue.services import load_default_catalogue
from payments.tests.payers import PAYERS, Payer, RazorpayPayer, StripePayer

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


@pytest.fixture(params=sorted(PAYERS))
def payer(request: pytest.FixtureRequest, sandbox: SandboxProcess) -> Payer:
    """Each gateway's client in turn."""
    return PAYERS[request.param](sandbox)


@pytest.fixture
def razorpay_payer(sandbox: SandboxProcess) -> RazorpayPayer:
    """A client at Razorpay."""
    return RazorpayPayer(sandbox)


@pytest.fixture
def stripe_payer(sandbox: SandboxProcess) -> StripePayer:
    """A client at Stripe."""
    return StripePayer(sandbox)


@pytest.fixture
def catalogue(db: None) -> None:
    """What is sold."""
    load_default_catalogue(therapist_name="Dr. Asha")
