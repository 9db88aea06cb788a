"""The addresses of the pages that clients see."""

from __future__ import annotations

from django.urls import path

from bookings.pages import booking_page, cancel_session, manage_page, session_file

urlpatterns = [
    path("", booking_page, name="booking-page"),
    path("manage/<str:token>", manage_page, name="manage-page"),
    path("manage/<str:token>/cancel", cancel_session, name="cancel-session"),
    path("manage/<str:token>/session.ics", session_file, name="session-file"),
]
