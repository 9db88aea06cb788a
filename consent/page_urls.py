"""The addresses of the pages about consent."""

from __future__ import annotations

from django.urls import path

from consent.pages import consent_page, privacy_page, receipt_file, withdraw_page

urlpatterns = [
    path("privacy", privacy_page, name="privacy-page"),
    path("consent/<str:token>", consent_page, name="consent-page"),
    path("consent/<str:token>/withdraw", withdraw_page, name="withdraw-consent"),
    path("consent/<str:token>/receipt.json", receipt_file, name="consent-receipt"),
]
