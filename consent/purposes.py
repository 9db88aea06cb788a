"""What each kind of consent is for, and which data that needs; receipts say so."""

from __future__ import annotations

from dataclasses import dataclass

from consent.states import DocumentKind


@dataclass(frozen=True)
class Purpose:
    """One purpose and the data it needs. `terms` are those of the vocabulary (w3id.org/dpv)."""

    sentence: str
    term: str
    data: tuple[str, ...]
    recipients: tuple[str, ...]
    is_needed: bool = True


WHO_COMES = ("name", "email address", "phone number", "time and kind of sessions", "payment reference")
PROCESSORS = ("calendar service", "payment service", "mail service", "hosting company")
GUARDIAN = ("guardian's name", "guardian's email address", "relation to the child")

PURPOSES = {
    DocumentKind.INFORMED_CONSENT: Purpose(
        "Arrange, hold and document therapy sessions", "dpv:ServiceProvision", WHO_COMES, PROCESSORS
    ),
    DocumentKind.GUARDIAN_CONSENT: Purpose(
        "Let a child take part in therapy sessions", "dpv:ServiceProvision", GUARDIAN, ("hosting company",)
    ),
    DocumentKind.MINOR_ASSENT: Purpose(
        "Take part in therapy sessions as a child", "dpv:ServiceProvision", ("age band",), ("hosting company",)
    ),
    DocumentKind.RECORDING: Purpose(
        "Record a session", "dpv:RecordManagement", ("sound and picture of a session",), PROCESSORS, is_needed=False
    ),
    DocumentKind.MARKETING: Purpose(
        "Tell about news and offers", "dpv:Marketing", ("email address",), ("mail service",), is_needed=False
    ),
}
