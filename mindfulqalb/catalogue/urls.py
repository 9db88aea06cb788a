"""The catalogue's route."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from mindfulqalb.catalogue.views import CatalogueViewSet

router = SimpleRouter(trailing_slash=False)
router.register("catalogue", CatalogueViewSet, basename="catalogue")

urlpatterns = router.urls
