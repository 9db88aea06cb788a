"""What Granian serves: the WSGI application, behind a door at which a body is awaited without a thread."""

from __future__ import annotations

from django.conf import settings

from mindfulqalb.serving.whole_requests import WholeRequests
from mindfulqalb.wsgi import application as wsgi_application

application = WholeRequests(wsgi_application, threads=settings.WEB_THREADS)
