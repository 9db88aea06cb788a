"""What goes wrong with payments in the wild, and the tests that show that it does not go wrong here.

Found in the vendors' documentation and SDKs, and in issues that others have opened; `owner/repository#number` is a
thread at GitHub. `test_traps.py` fails when a test that is named here is gone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trap:
    """What happens to others; where that is said; which of our tests would fail if it happened to us."""

    name: str
    sentence: str
    sources: tuple[str, ...]
    tests: tuple[str, ...]


RZP = "https://razorpay.com/docs"
STRIPE = "https://docs.stripe.com"

TRAPS = (
    # Money that comes
    Trap(
        "webhook-and-return",
        "Browser's return and webhook race: two bookings, two mails.",
        ("razorpay/razorpay-magento#175", "razorpay/razorpay-prestashop#64", "razorpay/razorpay-woocommerce#167"),
        (
            "payments/tests/test_races.py::test_webhook_against_verify_takes_note_once",
            "payments/tests/test_capture_together.py::test_capture_payment_from_several_connections_takes_note_once",
            "bookings/tests/test_locks.py::test_payment_sent_for_two_slots_at_once_buys_one",
        ),
    ),
    Trap(
        "late-failure",
        "News of a failed attempt come after the success and overwrite it.",
        ("fossunited/fossunited#1698",),
        (
            "payments/tests/test_capture.py::test_capture_payment_ignores_a_failed_attempt_after_the_money_came",
            (
                "payments/tests/test_capture_together.py"
                "::test_capture_payment_with_news_from_before_the_money_does_not_undo_it"
            ),
            "payments/tests/test_races.py::test_expiry_against_capture_ends_captured",
        ),
    ),
    Trap(
        "late-authorization",
        "A bank says yes days after it was taken to have said no: `failed` and `expired` are no end.",
        (f"{RZP}/payments/payments/late-authorisation/", "razorpay/razorpay-node#426"),
        (
            "payments/tests/test_capture.py::test_capture_payment_believes_a_bank_that_changed_its_mind",
            "payments/tests/test_capture.py::test_capture_payment_takes_late_money_whatever_was_thought_of_it",
            "payments/tests/test_abandon.py::test_expired_payment_that_is_paid_after_all_is_captured",
        ),
    ),
    Trap(
        "duplicate-events",
        "One event comes twice, under one id or under a new one, or as two kinds about the same money.",
        (f"{RZP}/webhooks/best-practices/", f"{STRIPE}/webhooks"),
        (
            "payments/tests/test_api_webhooks.py::test_a_repeated_delivery_is_answered_and_not_stored_again",
            "payments/tests/test_api_webhooks.py::test_the_same_body_under_a_new_event_id_changes_nothing",
            "mindfulqalb/webhooks/tests/test_together.py::test_the_same_event_twice_at_once_is_one_row_and_one_message",
        ),
    ),
    Trap(
        "events-out-of-order",
        "Events come in any order, show what was true when they were made, or tell of what is not here yet.",
        (f"{RZP}/webhooks/best-practices/", f"{STRIPE}/webhooks"),
        (
            "payments/tests/test_api_webhooks.py::test_deliveries_in_reverse_order_come_to_the_same",
            "payments/tests/test_api_webhooks.py::test_a_delivery_is_a_hint_and_no_proof",
            "payments/tests/test_api_webhooks.py::test_a_delivery_about_what_is_not_ours_is_ignored_and_done",
            "payments/tests/test_reconciliation.py::test_reconcile_finds_money_that_no_webhook_told_of",
        ),
    ),
    Trap(
        "webhook-verified-late",
        "A signature is checked in a delayed job, where it is too old.",
        ("exercism/website#1702", "stripe/stripe-node#1778"),
        ("payments/tests/test_api_webhooks.py::test_a_delivery_is_worked_on_however_late",),
    ),
    Trap(
        "webhook-lost",
        "Deliveries are never answered, and the gateway switches them off.",
        (f"{RZP}/webhooks/validate-test/", f"{STRIPE}/webhooks/process-undelivered-events"),
        (
            "payments/tests/test_reconciliation.py::test_reconcile_finds_money_that_no_webhook_told_of",
            "payments/tests/test_reconciliation.py::test_compare_books_finds_a_refund_that_nobody_told_us_of",
            "payments/tests/test_disputes.py::test_a_dispute_that_no_webhook_told_of_is_found",
        ),
    ),
    Trap(
        "browser-closed",
        "Somebody pays and closes the browser: paid, and nothing booked.",
        ("razorpay/razorpay-magento#193", "razorpay/razorpay-prestashop#64"),
        (
            "bookings/tests/test_booking.py::test_place_paid_hold_completes_the_hold_without_the_browser",
            "bookings/tests/journeys/test_crashes.py::test_browser_closed_right_after_paying_is_booked_all_the_same",
            "bookings/tests/journeys/test_crashes.py::test_stripe_paid_and_browser_closed_is_booked_all_the_same",
        ),
    ),
    Trap(
        "tampering",
        "Another amount or currency is paid than was asked for, or it is paid for another order.",
        (f"{RZP}/api/payments/capture/", f"{RZP}/payments/payment-gateway/web-integration/standard/"),
        (
            "payments/tests/test_capture.py::test_capture_payment_of_other_figures_waits_for_a_person",
            "payments/tests/test_attention.py::test_difference_names_what_belongs_elsewhere",
            "payments/tests/test_razorpay.py::test_an_authorization_of_other_figures_is_left_to_run_out",
            "payments/tests/test_api_payments.py::test_create_order_is_at_the_catalogues_price",
        ),
    ),
    Trap(
        "replay",
        "A genuine payment id, or a genuine signed triple, is used for another booking.",
        ("razorpay/razorpay-php#122",),
        (
            "payments/tests/test_verify_return.py::test_verify_return_with_another_orders_triple_is_refused",
            "payments/tests/test_razorpay.py::test_a_return_is_forged_with_another_orders_triple",
            "payments/tests/test_models.py::test_the_gateways_payment_is_kept_once",
            "bookings/tests/test_booking.py::test_book_session_spends_a_payment_once",
        ),
    ),
    Trap(
        "signature-proves-no-money",
        "A right signature is taken for money.",
        (f"{RZP}/payments/payment-gateway/web-integration/standard/best-practices/",),
        (
            "payments/tests/test_verify_return.py::test_verify_return_with_a_right_signature_and_no_money_is_not_believed",
        ),
    ),
    Trap(
        "paid-after-the-hold",
        "An order that cannot be cancelled is paid when the hour is gone, or its booking is cancelled.",
        ("razorpay/razorpay-node#426", "flexprice/flexprice#2230", "CaliCastle/cali.so#83"),
        (
            "bookings/tests/test_booking.py::test_place_paid_hold_tells_the_client_when_the_slot_is_gone",
            "bookings/tests/test_booking.py::test_place_paid_hold_tells_the_client_who_had_changed_their_mind",
            "bookings/tests/test_booking.py::test_book_session_revives_an_expired_hold_whose_slot_is_free",
            "bookings/tests/test_unplaced.py::test_refund_unplaced_sends_back_what_bought_nothing",
        ),
    ),
    Trap(
        "cannot-expire-complete",
        "A session that cannot be expired because it is complete is taken for cancelled: it is paid.",
        ("ai-shifu/ai-shifu#2850", "useautumn/autumn#3238"),
        ("payments/tests/test_abandon.py::test_abandon_orders_takes_the_money_of_a_session_that_was_paid",),
    ),
    Trap(
        "complete-is-not-paid",
        "A complete session is taken for paid: delayed methods are complete for days before they are.",
        (f"{STRIPE}/checkout/fulfillment",),
        ("payments/tests/test_stripe.py::test_complete_is_not_paid",),
    ),
    Trap(
        "paid-twice",
        "One order is paid twice, or two orders for one thing.",
        (f"{RZP}/payments/orders/",),
        (
            "payments/tests/test_second_capture.py::test_a_second_capture_is_a_row_of_its_own_and_goes_back",
            "bookings/tests/test_booking.py::test_place_paid_hold_sends_a_second_payment_of_one_session_back",
            "payments/tests/test_razorpay.py::test_of_two_authorizations_one_is_captured",
        ),
    ),
    Trap(
        "given-back-by-itself",
        "What nobody captured goes back by itself, with refund events that look like ours.",
        (f"{RZP}/webhooks/refunds/",),
        ("payments/tests/test_razorpay.py::test_late_money_that_razorpay_gave_back_by_itself_is_not_a_second_capture",),
    ),
    Trap(
        "captured-already",
        "A capture is refused because it is captured already, and taken for a failure.",
        (f"{RZP}/api/payments/capture/", "razorpay/razorpay-woocommerce#167"),
        ("payments/tests/test_razorpay.py::test_a_capture_refused_because_it_is_captured_already_is_a_success",),
    ),
    Trap(
        "order-answer-lost",
        "The answer to the making of an order is lost, and it is made again.",
        (f"{RZP}/api/orders/fetch-all/", f"{STRIPE}/api/idempotent_requests"),
        (
            "payments/tests/test_gateways.py::test_an_order_whose_answer_is_lost_is_found",
            (
                "payments/tests/test_lost_answers.py"
                "::test_do_it_and_drop_the_answer_leaves_one_order_one_capture_and_one_refund"
            ),
        ),
    ),
    # Money that goes back
    Trap(
        "double-refund",
        "A refund without an answer is sent again under another key, or two are asked for at once.",
        ("saleor/apps#2446", "openfoodfoundation/openfoodnetwork#6330"),
        (
            "payments/tests/test_refunds.py::test_send_refund_whose_answer_was_lost_pays_once",
            "payments/tests/test_refunds.py::test_send_refund_without_an_answer_stays_pending",
            "payments/tests/test_races.py::test_two_refunds_of_everything_at_once_are_one",
            "payments/tests/test_races.py::test_two_refunds_of_more_than_there_is_are_one",
        ),
    ),
    Trap(
        "equal-refunds",
        "Two equal partial refunds are two, and are taken for one by a key made from the amount.",
        ("razorpay/razorpay-python#197",),
        ("payments/tests/test_refunds.py::test_send_refund_of_two_equal_parts_pays_both",),
    ),
    Trap(
        "key-forgotten",
        "A key is forgotten after a day, and the same request makes a second refund.",
        (f"{STRIPE}/api/idempotent_requests",),
        (
            "payments/tests/test_refund_answers.py::test_a_refund_that_is_there_already_is_not_asked_for_again",
            "payments/tests/test_refund_answers.py::test_a_second_refund_under_our_key_is_not_taken_for_the_first",
        ),
    ),
    Trap(
        "key-for-two-things",
        "One key serves two endpoints.",
        ("odoo/odoo#101243",),
        ("payments/tests/test_stripe.py::test_one_id_may_name_an_order_and_a_refund",),
    ),
    Trap(
        "key-in-use",
        "An equal request is under way at this moment: 409 is no refusal.",
        (f"{RZP}/api/refunds/normal-refunds-idempotent/", f"{STRIPE}/error-codes"),
        (
            "payments/tests/test_razorpay.py::test_a_refusal_that_passes_is_not_taken_for_one_that_stays",
            "payments/tests/test_stripe.py::test_a_key_in_use_is_asked_again_later",
        ),
    ),
    Trap(
        "refund-fails-late",
        "A bank sends money back days after the refund was processed.",
        (f"{RZP}/payments/refunds/", f"{STRIPE}/refunds"),
        ("payments/tests/test_refunds.py::test_refund_that_fails_late_is_taken_note_of_and_can_be_tried_again",),
    ),
    Trap(
        "refund-by-hand",
        "Somebody refunds in the gateway's dashboard.",
        (f"{STRIPE}/api/refunds/list",),
        (
            "payments/tests/test_refunds.py::test_sync_refunds_records_one_from_the_dashboard_once",
            (
                "bookings/tests/chaos/test_regressions.py"
                "::test_refund_by_hand_at_the_gateway_is_known_after_ours_was_refused_for_it"
            ),
        ),
    ),
    Trap(
        "refund-of-nothing",
        "What was never captured is refunded.",
        ("juspay/hyperswitch-prism#785",),
        ("payments/tests/test_refunds.py::test_request_refund_needs_money",),
    ),
    Trap(
        "refund-and-dispute",
        "The client has the money back from us and from their bank.",
        (f"{STRIPE}/disputes", f"{RZP}/webhooks/disputes/"),
        (
            (
                "payments/tests/test_dispute_endings.py"
                "::test_a_bank_and_we_give_back_together_what_was_promised_or_what_the_bank_took"
            ),
            "payments/tests/test_dispute_endings.py::test_staff_cannot_promise_anything_while_a_bank_decides",
        ),
    ),
    # How it is written
    Trap(
        "network-under-a-lock",
        "A gateway that is slow holds the lock of a row, and everybody who waits for it.",
        (),
        ("payments/tests/test_no_network_under_locks.py::test_no_gateway_is_asked_within_a_transaction",),
    ),
    Trap(
        "clock-skew",
        "Our clock is not the gateway's: good events are refused, or events are sorted by their time.",
        ("stripe/stripe-node#407", "stripe/stripe-dotnet#1183"),
        (
            "payments/tests/test_stripe.py::test_an_old_signature_is_refused",
            "payments/tests/test_api_webhooks.py::test_deliveries_in_reverse_order_come_to_the_same",
        ),
    ),
    Trap(
        "float",
        "An amount passes through a float and loses a paisa.",
        (),
        (
            "payments/tests/test_no_floats.py::test_code_that_counts_money_holds_no_float",
            "payments/tests/test_no_floats.py::test_database_holds_amounts_as_integers_and_no_float_at_all",
        ),
    ),
    Trap(
        "ids-have-capitals",
        "Ids that differ in their capitals alone are taken for one.",
        (f"{RZP}/api/understand/",),
        ("payments/tests/test_models.py::test_order_ids_are_told_apart_by_their_capitals",),
    ),
    Trap(
        "open-redirect",
        "An address to return to leads to a stranger's page.",
        (f"{STRIPE}/api/checkout/sessions/create",),
        (
            "payments/tests/test_return_urls.py::test_any_other_address_is_refused_by_name",
            "payments/tests/test_returns.py::test_a_return_is_no_open_redirect",
        ),
    ),
    Trap(
        "cross-site-return",
        "Inside another app the dialog posts across sites, where no cookie comes along.",
        (f"{RZP}/payments/payment-gateway/callback-url/",),
        (
            "payments/tests/test_returns.py::test_a_paid_return_takes_note_of_the_money_and_goes_on_to_our_page",
            "payments/tests/test_returns.py::test_a_forged_return_learns_and_changes_nothing",
        ),
    ),
    # What the SDKs do
    Trap(
        "no-timeout",
        "An SDK waits for ever, or for 80 seconds, by itself.",
        (),
        ("payments/tests/test_gateways.py::test_a_vendor_that_hangs_is_given_up",),
    ),
    Trap(
        "blind-retries",
        "An SDK repeats a POST without a key.",
        (f"{RZP}/api/orders/create/",),
        (
            (
                "payments/tests/test_lost_answers.py"
                "::test_do_it_and_drop_the_answer_leaves_one_order_one_capture_and_one_refund"
            ),
            "mindfulqalb/vendors/tests/test_sessions.py::test_a_change_is_never_repeated_after_a_lost_answer",
        ),
    ),
    Trap(
        "shared-default",
        "The SDK's capture writes into its default argument: one client's amount is the next one's.",
        (f"{RZP}/api/payments/capture/",),
        ("payments/tests/test_razorpay.py::test_the_sdks_shared_default_is_not_written_into",),
    ),
    Trap(
        "old-certificates",
        "The SDK trusts the certificates of 2015.",
        (),
        ("payments/tests/test_razorpay.py::test_certificates_are_certifis_and_not_the_sdks_of_2015",),
    ),
    Trap(
        "pkg-resources",
        "The SDK wants pkg_resources, which Python and setuptools have dropped.",
        ("razorpay/razorpay-python#300", "razorpay/razorpay-python#305", "frappe/payments#195"),
        ("payments/tests/test_razorpay.py::test_the_sdk_does_without_pkg_resources",),
    ),
    Trap(
        "odd-signatures",
        "A signature beyond ASCII is an error of ours, and an empty secret lets anybody sign.",
        (),
        (
            "payments/tests/test_gateway_webhooks.py::test_a_signature_that_is_none_is_refused",
            "payments/tests/test_gateway_webhooks.py::test_an_empty_secret_in_the_settings_opens_no_door",
        ),
    ),
    Trap(
        "secret-changed",
        "After a change of the secret, older events still come under the old one.",
        (f"{RZP}/webhooks/validate-test/",),
        ("payments/tests/test_gateway_webhooks.py::test_both_secrets_of_a_rotation_are_taken",),
    ),
    Trap(
        "errors-without-status",
        "The SDK's errors hide the status: a 429 looks like a refusal, a proxy's 502 like broken JSON.",
        (f"{RZP}/errors/",),
        (
            "payments/tests/test_gateways.py::test_trouble_is_a_provider_error_that_may_pass",
            "payments/tests/test_gateways.py::test_a_vendor_that_answers_oddly_is_a_provider_error",
        ),
    ),
    Trap(
        "metadata-not-copied",
        "The session's metadata are not the payment's, so refunds and disputes cannot be matched.",
        (f"{STRIPE}/api/checkout/sessions/create",),
        ("payments/tests/test_stripe.py::test_the_payment_intent_carries_our_receipt_and_a_description",),
    ),
    Trap(
        "india-exports",
        "An Indian account may not charge abroad without the buyer's address and a description.",
        ("vendure-ecommerce/vendure#2412", f"{STRIPE}/india-accept-international-payments"),
        (
            (
                "payments/tests/test_stripe.py"
                "::test_a_session_lets_stripe_change_no_price_and_asks_for_the_address_that_india_wants"
            ),
        ),
    ),
    Trap(
        "shortest-session",
        "A session ends half an hour after its making at the earliest, and a hold does so sooner.",
        (f"{STRIPE}/api/checkout/sessions/create",),
        (
            "payments/tests/test_stripe.py::test_a_session_never_ends_sooner_than_stripe_allows",
            "payments/tests/test_abandon.py::test_abandon_orders_closes_a_stripe_session",
        ),
    ),
)
