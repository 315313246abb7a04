"""Log files under QIKBIZ_HOME: kept small by starting a new one when a process starts beside a large one."""

from pathlib import Path

LARGE = 20 * 1024 * 1024


def turn_over(log: Path) -> None:
    """Put a large log aside as `name.1`, in place of the one put aside before. Call it before the log is opened."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LARGE:
        log.replace(log.with_name(f"{log.name}.1"))
