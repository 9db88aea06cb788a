"""The routes of the staff API's tokens."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from mindfulqalb.staff.views import TokenViewSet

router = SimpleRouter(trailing_slash=False)
router.register("auth", TokenViewSet, basename="auth")

urlpatterns = router.urls
