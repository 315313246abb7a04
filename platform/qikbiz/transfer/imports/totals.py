"""Lines of totals, which reports have below their table: nobody is called Total and consists of numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = frozenset({
    "total", "totals", "grand total", "grand totals", "subtotal", "sum", "count", "summe", "gesamt", "gesamtsumme",
    "insgesamt", "anzahl", "total général", "totaux", "somme", "suma", "totales", "total general", "soma", "totais",
    "totale", "totali", "somma", "totaal", "som", "summa", "totalt", "i alt", "sum i alt", "yhteensä", "razem",
    "celkem", "spolu", "összesen", "ukupno", "итого", "всего", "разом", "σύνολο", "toplam", "合計", "总计", "합계", "∑",
})  # fmt: skip
LONGEST_WORD = max(map(len, _WORDS)) + 1
_FIGURE = re.compile(r"[^\w]*\d[\d\s.,'’%]*[^\w]*(?:[A-Z]{3})?")  # noqa: RUF001  # Swiss thousands


def is_totals(cells: Sequence[str]) -> bool:
    """Whether the row says “Total” first, and nothing but figures behind it."""
    first = cells[0] or next(filter(None, cells), "")
    if len(first) > LONGEST_WORD or first.strip().rstrip(":").casefold() not in _WORDS:
        return False
    rest = [cell.strip() for cell in cells if cell.strip() and cell is not first]
    return all(_FIGURE.fullmatch(cell) for cell in rest)
