"""The control API: JSON over HTTP, for tests and for the pages' forms. Errors are `{"error": sentence, "fields": {}}`.

GET    state                              everything: calls, bookings, orders, payments, refunds, sessions, mails, ...
POST   reset                              forget everything but the address of the webhooks
GET    faults, POST faults, DELETE faults list, switch one on (see mindfulqalb/sandbox/faults.py), switch all off
DELETE faults/{id}                        switch one off
GET    switches, POST switches            what can be changed while it runs (see mindfulqalb/sandbox/switches.py)
POST   clock/advance                      {"seconds"}: move the sandbox's clock on; what that makes due has happened
GET    calls                              the call log, and counts per vendor and call
GET    webhooks                           pending and finished, each with headers signed now
POST   webhooks/{id}/resend               send a finished one again
GET    mailbox, DELETE mailbox            mails in the order of arrival; forget them
POST   razorpay/orders/{id}/pay           {"outcome": captured | authorized | failed | late | late_authorization |
                                          second}
POST   razorpay/payments/{id}/settle      {"status": authorized | captured | failed}: the bank answers
POST   razorpay/refunds/{id}/settle       {"status": processed | failed}
POST   razorpay/payments/{id}/dispute     {"amount"}: the client's bank wants it back, all unless told
POST   razorpay/disputes/{id}/settle      {"status": open | under_review | won | lost | closed}
POST   stripe/sessions/{id}/pay           {"outcome": paid | delayed | declined}; "seconds" until late money comes
POST   stripe/sessions/{id}/settle        {"status": succeeded | failed}: a delayed payment comes to its end
POST   stripe/refunds/{id}/settle         {"status": succeeded | failed | canceled}
POST   stripe/payment_intents/{id}/dispute {"amount"}: the client's bank wants it back, all unless told
POST   stripe/disputes/{id}/settle        {"status": needs_response | under_review | won | lost | ...}
POST   calcom/bookings/{uid}/{change}     what the therapist does in Cal.com: cancel, confirm, decline, no-show,
                                          meeting-started, meeting-ended, reschedule {"start"}; {"reason"} where it fits
"""

from __future__ import annotations

from django.urls import path

from mindfulqalb.sandbox.calls import by_method
from mindfulqalb.sandbox.control import views
from mindfulqalb.sandbox.control.envelope import control_view

_nothing = control_view()

urlpatterns = [
    path("state", control_view(GET=views.get_state)),
    path("reset", control_view(POST=views.reset)),
    path("faults", control_view(GET=views.get_faults, POST=views.add_fault, DELETE=views.remove_faults)),
    path("faults/clear", control_view(POST=views.remove_faults)),
    path("faults/<number>", control_view(DELETE=views.remove_fault)),
    path("faults/<number>/remove", control_view(POST=views.remove_fault)),
    path("switches", control_view(GET=views.get_switches, POST=views.turn_switches)),
    path("clock/advance", control_view(POST=views.advance_clock)),
    path("calls", control_view(GET=views.get_calls)),
    path("revision", control_view(GET=views.get_revision)),
    path("webhooks", control_view(GET=views.get_webhooks)),
    path("webhooks/<number>/resend", control_view(POST=views.resend_webhook)),
    path("mailbox", control_view(GET=views.get_mailbox, DELETE=views.empty_mailbox)),
    path("mailbox/clear", control_view(POST=views.empty_mailbox)),
    path("calcom/bookings/<uid>/<change>", control_view(POST=views.change_booking)),
    path("razorpay/orders/<order_id>/pay", by_method(POST=views.pay_razorpay_order, otherwise=_nothing)),
    path("razorpay/payments/<payment_id>/settle", control_view(POST=views.settle_razorpay_payment)),
    path("razorpay/refunds/<refund_id>/settle", control_view(POST=views.settle_razorpay_refund)),
    path("razorpay/payments/<payment_id>/dispute", control_view(POST=views.dispute_razorpay_payment)),
    path("razorpay/disputes/<dispute_id>/settle", control_view(POST=views.settle_razorpay_dispute)),
    path("stripe/sessions/<session_id>/pay", by_method(POST=views.pay_stripe_session, otherwise=_nothing)),
    path("stripe/sessions/<session_id>/settle", control_view(POST=views.settle_stripe_session)),
    path("stripe/payment_intents/<intent_id>/dispute", control_view(POST=views.dispute_stripe_payment)),
    path("stripe/disputes/<dispute_id>/settle", control_view(POST=views.settle_stripe_dispute)),
    path("stripe/refunds/<refund_id>/settle", control_view(POST=views.settle_stripe_refund)),
]
