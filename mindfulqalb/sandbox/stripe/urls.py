"""Stripe's paths."""

from __future__ import annotations

from django.urls import path, re_path

from mindfulqalb.sandbox.stripe import disputes, events, intents, pages, refunds, sessions
from mindfulqalb.sandbox.stripe.envelope import not_found

urlpatterns = [
    path("v1/checkout/sessions", sessions.sessions),
    path("v1/checkout/sessions/<session_id>", sessions.one_session),
    path("v1/checkout/sessions/<session_id>/expire", sessions.session_expire),
    path("v1/checkout/sessions/<session_id>/line_items", sessions.session_line_items),
    path("v1/payment_intents/<intent_id>", intents.one_intent),
    path("v1/charges/<charge_id>", intents.one_charge),
    path("v1/refunds", refunds.refunds),
    path("v1/refunds/<refund_id>", refunds.one_refund),
    path("v1/disputes", disputes.disputes),
    path("v1/disputes/<dispute_id>", disputes.one_dispute),
    path("v1/events", events.events),
    path("v1/events/<event_id>", events.one_event),
    path("pay/<session_id>", pages.pay_button),
    re_path(r"^(?P<rest>.*)$", not_found),
]
