"""Bar charts, drawn here and not in the browser; each has its figures as a table too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 340, 130
HEADROOM, FOOTROOM = 18, 20  # for the figure above a bar, and its name below
GAP = 0.3


@dataclass(frozen=True)
class Bar:
    """One figure: `text` for the table, `short` for the drawing."""

    label: str
    value: float
    text: str
    short: str


@dataclass(frozen=True)
class DrawnBar:
    """A bar and its place in the drawing."""

    bar: Bar
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """Where its texts are centred."""
        return self.x + self.width // 2

    @property
    def above(self) -> int:
        """The baseline of the figure above it."""
        return self.y - 5


@dataclass(frozen=True)
class Chart:
    """Bars of one unit. `columns` name what the labels and the figures are."""

    title: str
    columns: tuple[str, str]
    bars: Sequence[Bar]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(bar.value for bar in self.bars)

    @property
    def summary(self) -> str:
        """The drawing in a sentence, for who cannot see it."""
        best = max(self.bars, key=lambda bar: bar.value)
        last = self.bars[-1]
        return f"{self.title}. Highest: {best.text} ({best.label}). Last: {last.text} ({last.label})."

    @property
    def view_box(self) -> str:
        """The drawing's own measures."""
        return f"0 0 {WIDTH} {HEIGHT}"

    @property
    def width(self) -> int:
        """How wide the drawing is."""
        return WIDTH

    @property
    def floor(self) -> int:
        """Where the bars stand."""
        return HEIGHT - FOOTROOM

    @property
    def name_line(self) -> int:
        """The baseline of the names below the bars."""
        return HEIGHT - 5

    def drawn(self) -> list[DrawnBar]:
        """Place the bars; what is not zero can be seen."""
        step = WIDTH / len(self.bars)
        room = self.floor - HEADROOM
        tallest = max(bar.value for bar in self.bars) or 1
        placed = []
        for number, bar in enumerate(self.bars):
            height = max(round(room * bar.value / tallest), 2 if bar.value else 0)
            x = round(number * step + step * GAP / 2)
            placed.append(DrawnBar(bar, x, self.floor - height, round(step * (1 - GAP)), height))
        return placed
