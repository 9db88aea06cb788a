"""Every setting, in reading order. The environment decides; `.env.example` mirrors these files, name for name."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from mindfulqalb.settings.runtime import *
from mindfulqalb.settings.secret_keys import *
from mindfulqalb.settings.practice import *
from mindfulqalb.settings.calendar import *
from mindfulqalb.settings.money import *
from mindfulqalb.settings.rules import *
from mindfulqalb.settings.audit import *
from mindfulqalb.settings.servers import *
from mindfulqalb.settings.api import *
from mindfulqalb.settings.browser import *
from mindfulqalb.settings.back_office import *
from mindfulqalb.settings.language import *
from mindfulqalb.settings.mail import *
from mindfulqalb.settings.logs import *

mistakes = {
    "VENDORS must be live in production": not DEVELOPMENT and VENDORS != "live",
    "VENDORS must be live or sandbox": VENDORS not in {"live", "sandbox"},
    "CALCOM_EVENT_TYPE_IDS is missing": not CALCOM_EVENT_TYPE_IDS,
    "ALLOWED_HOSTS is missing": not DEVELOPMENT and not ALLOWED_HOSTS,
}
# Django may import this module again after a refusal, and the parts only once: nothing is added to their list.
refusals = [*problems, *(mistake for mistake, is_made in mistakes.items() if is_made)]
if refusals:
    raise ImproperlyConfigured(
        f"MindfulQALB cannot start in {ENVIRONMENT}: " + "; ".join(refusals) + ". See .env.example."
    )
