"""What a wheel carries beside the code: `config/build.json`, which says of which commit it is."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
from config.build import build_of_clone, packed


class PackBuild(BuildHookInterface[Any]):
    """Writes the file for a wheel. An editable install asks git instead."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "build.json"
        file.write_text(packed(build_of_clone(Path(self.root))), encoding="utf-8")
        build_data["force_include"][str(file)] = "config/build.json"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if hasattr(self, "_folder"):
            self._folder.cleanup()
