"""The colours an organisation may choose from; a test keeps them equal to accents.css."""

from __future__ import annotations

# Mails can't use our stylesheet, so the light theme's value is kept here too.
ACCENTS: dict[str, str] = {
    "blue": "#2456d6",
    "indigo": "#4c43cf",
    "violet": "#7432c6",
    "plum": "#9c2789",
    "rose": "#bb224e",
    "red": "#b52f1f",
    "amber": "#8a5100",
    "green": "#1a7040",
    "teal": "#0b6c6d",
    "graphite": "#3a3d47",
}
