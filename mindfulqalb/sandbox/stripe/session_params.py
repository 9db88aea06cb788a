"""Which parameters a Checkout Session may be created with."""

from __future__ import annotations

from mindfulqalb.sandbox.stripe.forms import (
    Shape,
    anything,
    at_most,
    is_email,
    is_flag,
    is_integer,
    is_metadata,
    is_text,
    is_url,
    one_of,
)

PRODUCT_SHAPE: Shape = {
    "name": is_text,
    "description": is_text,
    "images": [is_url],
    "metadata": is_metadata,
    "tax_code": is_text,
    "unit_label": is_text,
}
LINE_ITEM_SHAPE: Shape = {
    "quantity": is_integer,
    "price": is_text,
    "price_data": {
        "currency": is_text,
        "unit_amount": is_integer,
        "product_data": PRODUCT_SHAPE,
        "tax_behavior": one_of("inclusive", "exclusive", "unspecified"),
    },
    "adjustable_quantity": anything,
    "tax_rates": [is_text],
    "metadata": is_metadata,
}
INTENT_SHAPE: Shape = {
    "metadata": is_metadata,
    "description": is_text,
    "receipt_email": is_email,
    "capture_method": one_of("automatic", "automatic_async", "manual"),
    "setup_future_usage": one_of("off_session", "on_session"),
    "statement_descriptor": at_most(22),
    "statement_descriptor_suffix": at_most(22),
    "shipping": anything,
}
SESSION_SHAPE: Shape = {
    "mode": one_of("payment"),
    "success_url": is_url,
    "cancel_url": is_url,
    "line_items": [LINE_ITEM_SHAPE],
    "client_reference_id": at_most(200),
    "customer_email": is_email,
    "customer_creation": one_of("always", "if_required"),
    "currency": is_text,
    "expires_at": is_integer,
    "metadata": is_metadata,
    "payment_intent_data": INTENT_SHAPE,
    "payment_method_types": [is_text],
    "payment_method_options": anything,
    "excluded_payment_method_types": [is_text],
    "adaptive_pricing": {"enabled": is_flag},
    "allow_promotion_codes": is_flag,
    "automatic_tax": {"enabled": is_flag},
    "billing_address_collection": one_of("auto", "required"),
    "phone_number_collection": {"enabled": is_flag},
    "name_collection": anything,
    "invoice_creation": anything,
    "consent_collection": anything,
    "custom_fields": anything,
    "custom_text": anything,
    "branding_settings": anything,
    "after_expiration": anything,
    "saved_payment_method_options": anything,
    "shipping_address_collection": anything,
    "tax_id_collection": {"enabled": is_flag},
    "wallet_options": anything,
    "locale": is_text,
    "origin_context": one_of("mobile_app", "web"),
    "submit_type": one_of("auto", "book", "donate", "pay", "subscribe"),
    "ui_mode": one_of("hosted_page", "hosted"),
}
CREATED_SHAPE: Shape = dict.fromkeys(("gt", "gte", "lt", "lte"), is_integer)
LIST_SHAPE: Shape = {
    "limit": is_integer,
    "starting_after": is_text,
    "ending_before": is_text,
    "created": CREATED_SHAPE,
}
