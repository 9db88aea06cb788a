"""The addresses of the pages that clients see."""

from __future__ import annotations

from django.urls import path

from bookings.credit_pages import refund_credit_by_link
from bookings.move_page import move_page
from bookings.pages import booking_page, cancel_session, manage_page, session_file
from bookings.receipt_pages import receipt_file, receipt_page
from bookings.reminder_page import reminder_page

urlpatterns = [
    path("", booking_page, name="booking-page"),
    path("manage/<str:token>", manage_page, name="manage-page"),
    path("manage/<str:token>/cancel", cancel_session, name="cancel-session"),
    path("manage/<str:token>/refund", refund_credit_by_link, name="refund-credit"),
    path("manage/<str:token>/move", move_page, name="move-page"),
    path("manage/<str:token>/session.ics", session_file, name="session-file"),
    path("manage/<str:token>/receipts/<slug:number>", receipt_page, name="receipt-page"),
    path("manage/<str:token>/receipts/<slug:number>.pdf", receipt_file, name="receipt-file"),
    path("reminders/<str:token>", reminder_page, name="reminder-page"),
]
