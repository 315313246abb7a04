"""Whether the folder of embedded servers belongs to this program."""

from collections.abc import Iterator

from config.settings import Settings
from provisioning.doctor.checks import Check
from provisioning.embedded.postgres import VERSION

HOW_TO_GO_ON = (
    "Keep the folder. To read it, run the version of QikBiz that created it; `qikbiz export` there exports all "
    "data of a tenant. To continue with this version, set QIKBIZ_HOME to another, empty folder (or move this one "
    "away) and import the files."
)


def home(settings: Settings) -> Iterator[Check]:
    """Servers of one's own have no such folder."""
    if not settings.embedded:
        return
    made_by = settings.home / "postgres" / "PG_VERSION"
    try:
        found = made_by.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        yield Check("home", True, f"{settings.home} is new: the first `make run` fills it")
        return
    is_ours = found == VERSION
    detail = f"{settings.home} was created by PostgreSQL {found}"
    yield Check("home", is_ours, detail if is_ours else f"{detail}, this version includes {VERSION}", _way(is_ours))


def _way(is_ours: bool) -> str:
    return "" if is_ours else HOW_TO_GO_ON
