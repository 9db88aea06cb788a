"""The pages about consent: the privacy notice for everybody, and the client's own consent by signed link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from consent.circumstances import circumstances_of
from consent.documents import SECTION
from consent.links import consent_of_token
from consent.queries import acts_of, current_document, with_state
from consent.receipts import receipt_of
from consent.states import ConsentState, DocumentKind
from consent.withdrawal import withdraw_consent
from mindfulqalb.api.tokens import InvalidToken

if TYPE_CHECKING:
    from datetime import datetime

    from consent.models import ConsentDocument, ConsentRecord


@require_safe
def privacy_page(request: HttpRequest) -> HttpResponse:
    """The privacy notice in force, in the language asked for, else the reader's."""
    asked = request.GET.get("locale")
    locale = asked if asked in dict(settings.LANGUAGES) else get_language() or "en"
    notice = current_document(kind=DocumentKind.PRIVACY_NOTICE, locale=locale, now=timezone.now())
    if notice is None:
        raise Http404
    return render(request, "consent/privacy.html", {"document": _shown(notice), "locales": _locales()})


@require_safe
@never_cache
def consent_page(request: HttpRequest, token: str) -> HttpResponse:
    """What the holder of the link has agreed to. Looking, as mail scanners do, changes nothing."""
    now = timezone.now()
    try:
        consent = consent_of_token(token, now=now)
    except InvalidToken:
        return render(request, "manage/invalid.html", status=404)
    return render(request, "consent/page.html", _context(consent, token, now))


# The address itself is the secret, and no cookie stands behind it that somebody else's page could borrow.
@csrf_exempt
@require_POST
@never_cache
def withdraw_page(request: HttpRequest, token: str) -> HttpResponse:
    """Withdraw by the button on that page."""
    now = timezone.now()
    try:
        consent = consent_of_token(token, now=now)
    except InvalidToken:
        return render(request, "manage/invalid.html", status=404)
    circumstances = circumstances_of(request, control_label=_("Withdraw my consent"))
    withdraw_consent(consent_id=consent.id, circumstances=circumstances, now=now)
    return HttpResponseRedirect(reverse("consent-page", args=[token]), status=303)


@require_safe
@never_cache
def receipt_file(request: HttpRequest, token: str) -> HttpResponse:
    """The receipt as a file."""
    now = timezone.now()
    try:
        consent = consent_of_token(token, now=now)
    except InvalidToken:
        return render(request, "manage/invalid.html", status=404)
    return JsonResponse(
        receipt_of(consent, now=now),
        json_dumps_params={"ensure_ascii": False, "indent": 2},
        headers={"Content-Disposition": 'attachment; filename="consent-receipt.json"'},
    )


def _context(consent: ConsentRecord, token: str, now: datetime) -> dict[str, Any]:
    state = with_state(now=now).get(id=consent.id).state
    acts = list(acts_of(consent))
    documents = {act.document_id: act.document for act in acts if act.document is not None}
    return {
        "state": state,
        "can_withdraw": state != ConsentState.WITHDRAWN,
        "valid_until": consent.valid_until,
        "time_zone": settings.PRACTICE_TIME_ZONE,
        "acts": acts,
        "documents": [_shown(document) for document in documents.values()],
        "withdraw_url": reverse("withdraw-consent", args=[token]),
        "receipt_url": reverse("consent-receipt", args=[token]),
    }


def _shown(document: ConsentDocument) -> dict[str, Any]:
    return {
        "title": document.title,
        "version": document.version,
        "locale": document.locale,
        "sha256": document.sha256,
        "points": [item["label"] for item in document.acknowledgments],
        "blocks": [_block(paragraph) for paragraph in SECTION.split(document.text.strip())],
    }


def _locales() -> list[tuple[str, str]]:
    """List the languages that a text may be in, each by its own name."""
    return [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]


def _block(paragraph: str) -> dict[str, Any]:
    return {"is_heading": paragraph.startswith("#"), "text": paragraph.lstrip("# ").strip()}
