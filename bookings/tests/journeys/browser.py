"""A real browser that complains: any console error or policy violation fails the journey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from playwright.sync_api import sync_playwright

from mindfulqalb.development.browser import find_browser

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 20_000


class Browser:
    """Chromium without a window. Use it as a context manager, around the journeys of one module."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        path = find_browser()
        if path is None:
            raise RuntimeError("no Chromium: `make test` gets one, or set CHROMIUM_PATH")
        self._playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        return self

    def __exit__(self, *_: object) -> None:
        self._chromium.close()
        self._playwright.stop()

    def page(self, *, width: int = 1280, height: int = 900, dark: bool = False, agent: str | None = None) -> Page:
        """Open a window of its own, with nothing remembered."""
        self.complaints = []
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            timezone_id="Asia/Kolkata",
            locale="en-IN",
            user_agent=agent,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return context.new_page()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location['url']})")
