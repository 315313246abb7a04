"""`python -m config.web_server`: serve the application of this installation."""

from __future__ import annotations

from config.settings import SettingsError, load_settings
from config.web_server.master import serve


def main() -> int:
    try:
        serve(load_settings())
    except SettingsError as refusal:
        raise SystemExit(str(refusal)) from None
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
