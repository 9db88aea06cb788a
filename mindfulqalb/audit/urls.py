"""The route to the public keys."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from mindfulqalb.audit.views import AuditKeyViewSet

router = SimpleRouter(trailing_slash=False)
router.register("audit/keys", AuditKeyViewSet, basename="audit-keys")

urlpatterns = router.urls
