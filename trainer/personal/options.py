"""What `gaitway adapt` is told, and the least that it needs."""

from dataclasses import dataclass
from pathlib import Path

from stream.model.artifact import SHIPPED

LEAST_WINDOWS = 5  # of an activity; fewer say more about the moment than about the person
GOOD_WINDOWS = 10
LEAST_ACTIVITIES = 2  # with one alone, the easiest answer is to give it always


@dataclass(frozen=True, slots=True)
class Plan:
    """`out` is None for personal/DEVICE, `windows` for all; no `subjects` stands for anybody."""

    device: str
    recordings: Path
    artifact: Path = SHIPPED
    out: Path | None = None
    subjects: tuple[str, ...] = ()
    windows: int | None = None

    @property
    def folder(self) -> Path:
        """Where the artifact goes."""
        return self.out or Path("personal") / self.device
