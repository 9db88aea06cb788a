"""The sandbox's paths: four vendors, the control API, and pages for people."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("calcom/", include("mindfulqalb.sandbox.calcom.urls")),
    path("razorpay/", include("mindfulqalb.sandbox.razorpay.urls")),
    path("stripe/", include("mindfulqalb.sandbox.stripe.urls")),
    path("control/", include("mindfulqalb.sandbox.control.urls")),
    path("", include("mindfulqalb.sandbox.pages.urls")),
]
