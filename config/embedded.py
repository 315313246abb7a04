"""Where the embedded servers listen. It follows from QIKBIZ_HOME alone, whether the servers run or not."""

from hashlib import sha256
from os.path import realpath
from pathlib import Path
from urllib.parse import quote

CONTROL_DATABASE = "qikbiz_control"
TENANT_DATABASE = "qikbiz_tenants"
CONTROL_LOGIN = "qb_control"
SUPERUSER = "postgres"

# sun_path holds 104 bytes on BSD and macOS and 108 on Linux, with the final zero.
LONGEST_SOCKET_PATH = 100


def socket_directory(home: Path) -> Path:
    """`home/run`, or a short directory named after it when a socket's path there would be too long to bind."""
    directory = Path(realpath(home)) / "run"
    if len(bytes(directory / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET_PATH:
        return directory
    # Not this process's temp dir: another terminal may have another TMPDIR and must find the same directory.
    return Path("/tmp") / f"qikbiz-{sha256(bytes(directory)).hexdigest()[:16]}"


def postgres_url(home: Path, user: str, database: str) -> str:
    return f"postgresql://{user}@/{database}?host={quote(str(socket_directory(home)), safe='/')}"


def control_url(home: Path) -> str:
    return postgres_url(home, CONTROL_LOGIN, CONTROL_DATABASE)


def provisioner_url(home: Path) -> str:
    """The superuser: only it may revoke functions of pg_catalog from PUBLIC."""
    return postgres_url(home, SUPERUSER, TENANT_DATABASE)


def redis_socket(home: Path) -> Path:
    return socket_directory(home) / "valkey.sock"


def redis_url(home: Path) -> str:
    return f"unix://{quote(str(redis_socket(home)), safe='/')}?db=0"
