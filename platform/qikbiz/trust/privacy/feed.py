"""The feed of every version for readers' programs, when it is announced and when it takes effect."""

from __future__ import annotations

from io import StringIO

import feedgenerator

from qikbiz.trust.privacy.business_days import takes_effect_at
from qikbiz.trust.privacy.links import public_url
from qikbiz.trust.privacy.queries import Standing, Version
from qikbiz.web.formats import day


def feed_of(standing: Standing) -> str:
    """RSS 2.0, newest first. A version that was withdrawn says so under the same address."""
    feed = feedgenerator.Rss201rev2Feed(
        title="QikBiz CRM: privacy statement",
        link=public_url("/privacy"),
        description="Each version of the statement, announced before it takes effect.",
        language="en",
        feed_url=public_url("/privacy/feed.xml"),
    )
    for version in standing.versions:
        address = public_url(f"/privacy/versions/{version.number}")
        feed.add_item(
            title=_title(version),
            link=address,
            description=_description(version),
            unique_id=f"{address}#{version.sha256[:16]}",
            unique_id_is_permalink=False,
            pubdate=version.announced_at or takes_effect_at(version.announced_on),
        )
    out = StringIO()
    feed.write(out, "utf-8")
    return out.getvalue()


def _title(version: Version) -> str:
    if version.withdrawn_at:
        return f"Version {version.number} was withdrawn"
    if version.number == 1:
        return "Version 1 of the privacy statement"
    return f"Version {version.number} takes effect on {day(version.takes_effect_on)}"


def _description(version: Version) -> str:
    if version.withdrawn_at:
        return f"It will not take effect. {version.reason}"
    kind = "A material change" if version.material else "Other line breaks in the file; nothing that readers see"
    if version.number == 1:
        kind = "The first version"
    return f"{kind}. SHA-256 of its text: {version.sha256}."
