"""The API's own description."""

from __future__ import annotations

from csp.decorators import csp_update
from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

# The page's one inline style, which is drf-spectacular's.
INLINE_STYLE = "'sha256-MMpT0iDxyjALd9PdfepImGX3DBfJPXZ4IlDWdPAgtn0='"

docs = csp_update({"style-src": [INLINE_STYLE]})(SpectacularSwaggerSplitView.as_view(url_name="schema"))

urlpatterns = [
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs", docs, name="docs"),
]
