"""Razorpay's paths."""

from __future__ import annotations

from django.urls import path, re_path

from mindfulqalb.sandbox.razorpay import checkout, disputes, orders, payments, refunds
from mindfulqalb.sandbox.razorpay.envelope import not_found

urlpatterns = [
    path("v1/orders", orders.orders),
    path("v1/orders/<order_id>", orders.one_order),
    path("v1/orders/<order_id>/payments", orders.order_payments),
    path("v1/payments", payments.payments),
    path("v1/payments/<payment_id>", payments.one_payment),
    path("v1/payments/<payment_id>/capture", payments.payment_capture),
    path("v1/payments/<payment_id>/refund", refunds.payment_refund),
    path("v1/payments/<payment_id>/refunds", refunds.refunds),
    path("v1/payments/<payment_id>/refunds/<refund_id>", refunds.one_refund),
    path("v1/refunds", refunds.refunds),
    path("v1/refunds/<refund_id>", refunds.one_refund),
    path("v1/disputes", disputes.disputes),
    path("v1/disputes/<dispute_id>", disputes.one_dispute),
    path("checkout.js", checkout.checkout_script),
    path("checkout", checkout.checkout_page),
    path("checkout/pay", checkout.pay_button),
    re_path(r"^(?P<rest>.*)$", not_found),
]
