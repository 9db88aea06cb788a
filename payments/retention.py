"""How long payments are kept: amounts stay for ever, the way to a person's checkout does not."""

from __future__ import annotations

from django.db.models import Q

from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.removers import empty_columns
from mindfulqalb.retention.states import Action
from payments.models import Payment

PAYMENTS = keep(
    Retained(
        kind="payment",
        model=Payment,
        since="created_at",
        holding=~Q(checkout_url="") | ~Q(reference=""),
        actions={Action.ANONYMISE: empty_columns(Payment, checkout_url="", reference="")},
    )
)
