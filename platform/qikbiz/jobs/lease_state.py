"""What a job and the thread that renews its lease share."""

from __future__ import annotations

from collections.abc import Callable


class LeaseState:
    """The thread sets `is_lost` and `is_cancelled`; the job sets `progress` and `interrupt`.

    `progress` is what is done, the total and a note. The thread calls `interrupt` once, when the lease is lost.
    """

    def __init__(self) -> None:
        self.is_lost = False
        self.is_cancelled = False
        self.progress: tuple[int, int | None, str] | None = None
        self.interrupt: Callable[[], None] | None = None

    def progress_values(self) -> dict[str, object]:
        """The last progress, as columns."""
        if self.progress is None:
            return {}
        return dict(zip(("progress_done", "progress_total", "progress_note"), self.progress, strict=True))
