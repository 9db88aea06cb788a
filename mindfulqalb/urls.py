"""Every address of the server."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("bookings.page_urls")),
    path("", include("consent.page_urls")),
    path("api/", include("mindfulqalb.catalogue.urls")),
    path("api/", include("mindfulqalb.audit.urls")),
    path("api/", include("payments.urls")),
    path("api/", include("consent.urls")),
    path("api/", include("bookings.urls")),
    path("api/", include("mindfulqalb.staff.urls")),
    path("", include("mindfulqalb.api.urls")),
    path("", include("mindfulqalb.observability.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "mindfulqalb.api.errors.handler400"
handler403 = "mindfulqalb.api.errors.handler403"
handler404 = "mindfulqalb.api.errors.handler404"
handler500 = "mindfulqalb.api.errors.handler500"
