"""The modules that the processes of the Procfile load, so that they can be loaded once for all of them."""

from __future__ import annotations

import qikbiz.app.application as web
from config.web_server import process, requests
from workers import lanes, schedule, sweep_round, worker

LOADED = (web, lanes, schedule, sweep_round, worker, process, requests)
