"""Sessions on the first page."""

from __future__ import annotations

from bookings.panels import agenda, figures, troubles

__all__ = ["agenda", "figures", "troubles"]
