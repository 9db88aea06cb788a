"""The routes of consent."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from consent.staff_views import StaffConsentViewSet
from consent.views import ConsentViewSet

router = SimpleRouter(trailing_slash=False)
router.register("consent", ConsentViewSet, basename="consent")
router.register("staff/consents", StaffConsentViewSet, basename="staff-consents")

urlpatterns = router.urls
