"""The form in which staff write a document: points as lines, and a translation held to its original."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from consent.models import ConsentDocument
from consent.publishing import translation_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

POINT = re.compile(r"(?P<id>[a-z][a-z0-9_]{0,49}): (?P<label>\S.*)")


class PointsField(forms.CharField):
    """The points to tick, one a line: `item1: I agree.`"""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        """Write the stored points as lines."""
        return "\n".join(f"{item['id']}: {item['label']}" for item in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Read the lines. Raises ValidationError naming the first that is none, or an id used twice."""
        points = []
        for line in filter(None, map(str.strip, (super().to_python(value) or "").splitlines())):
            match = POINT.fullmatch(line)
            if match is None:
                raise ValidationError(f"Not a point: “{line}”. Write an id, a colon and a sentence.")
            points.append({"id": match["id"], "label": match["label"]})
        if len({point["id"] for point in points}) < len(points):
            raise ValidationError("Two points have the same id.")
        return points


class DraftForm(forms.ModelForm[ConsentDocument]):
    """A draft."""

    acknowledgments = PointsField(
        required=False, label="Points to tick", help_text="One a line, an id before it: “item1: I have read this page.”"
    )
    locale = forms.ChoiceField(
        choices=settings.LANGUAGES, initial="en", help_text="English first; then its translations."
    )

    class Meta:
        model = ConsentDocument
        fields: ClassVar[Sequence[str]] = ("kind", "version", "locale", "title", "text", "acknowledgments")

    def clean(self) -> dict[str, Any]:
        """Hold a translation to the points of its version, as soon as that is published."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        draft = ConsentDocument(**{name: cleaned[name] for name in ("kind", "version", "locale", "acknowledgments")})
        if problem := translation_problem(draft, now=timezone.now()):
            self.add_error("locale", problem)
        return cleaned
