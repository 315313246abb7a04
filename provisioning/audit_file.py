"""The platform's audit, written to a file by a command."""

from __future__ import annotations

from pathlib import Path

from config.settings import Settings
from provisioning.application import working_application
from qikbiz.audit.actions import record_on_platform
from qikbiz.audit.platform_file import platform_audit_lines
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import Conflict, Unavailable


def write_platform_audit(settings: Settings, file: Path) -> int:
    """Write it to a new `file`, whole or not at all. Returns how many events. Raises Conflict and Unavailable."""
    part = file.with_name(f".{file.name}.part")
    if file.exists():
        raise Conflict(f"{file} is there already. Choose another name.")
    with working_application(settings) as runtime:
        with control_transaction():
            record_on_platform("audit.exported")
        try:
            with part.open("wb") as written:
                lines = -1
                for line in platform_audit_lines(runtime.control):
                    written.write(line)
                    lines += 1
            part.rename(file)
        except OSError as error:
            raise Unavailable(f"{file} can't be written: {error.strerror}.") from error
        finally:
            part.unlink(missing_ok=True)
    return lines
