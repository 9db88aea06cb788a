"""The WSGI application. Granian serves it through mindfulqalb/asgi.py; other servers may as it is."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindfulqalb.settings")

application = get_wsgi_application()
app = application  # the name that Vercel looks for
