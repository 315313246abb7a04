"""Rows for the measurements: the same for us and the peer, from a fixed seed."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

FIRST = [
    "Ada",
    "Ben",
    "Chloe",
    "Dmitri",
    "Elif",
    "Farah",
    "Goran",
    "Hana",
    "Ines",
    "Jonas",
    "Kofi",
    "Lena",
    "Mina",
    "Noor",
    "Olga",
    "Pavel",
    "Quinn",
    "Rosa",
    "Sven",
    "Tara",
]
LAST = [
    "Abe",
    "Berg",
    "Costa",
    "Diaz",
    "Ek",
    "Fischer",
    "Gupta",
    "Haddad",
    "Ito",
    "Jensen",
    "Kaya",
    "Lopez",
    "Marsh",
    "Novak",
    "Okafor",
    "Perez",
    "Quist",
    "Rossi",
    "Sato",
    "Toth",
]
CITIES = ("Graz", "Lyon", "Porto", "Leeds", "Malmö", "Gdańsk", "Turin", "Ghent", "Brno", "Cork")
COUNTRIES = ("AT", "FR", "PT", "GB", "SE", "PL", "IT", "BE", "CZ", "IE")
TITLES = ("Buyer", "Engineer", "Director", "Assistant", "Consultant", "Founder", "Accountant")
HEADER = ("First name", "Last name", "Email", "Phone", "Company", "Job title", "City", "Country")


def people(number: int) -> Iterator[tuple[str, ...]]:
    """`number` people: first name, last name, e-mail, phone (E.164), company, job title, city, country code."""
    chance = random.Random(2026)
    for index in range(number):
        first, last = chance.choice(FIRST), f"{chance.choice(LAST)}-{chance.choice(LAST)}"
        place = chance.randrange(len(CITIES))
        yield (
            first,
            last,
            f"{first}.{last}.{index}@example.com".lower(),
            f"+1202555{index % 10000:04d}",
            f"Company {chance.randrange(2000)}",
            chance.choice(TITLES),
            CITIES[place],
            COUNTRIES[place],
        )


def write_csv(path: Path, number: int) -> Path:
    """A CSV of `number` people with HEADER, written once."""
    if not path.exists():
        draft = path.with_suffix(".part")
        with draft.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(people(number))
        draft.rename(path)
    return path
