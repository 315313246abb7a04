"""Rules that every template keeps."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from provisioning.assets import ROOT, SOURCES
from qikbiz.messaging.mail.categories import CATEGORIES, categories_of_templates

PLATFORM = ROOT / "platform" / "qikbiz"
TEMPLATES = sorted(PLATFORM.glob("**/templates/**/*.html"))
# Mail programs know no style sheets.
MAILS = sorted(PLATFORM.glob("messaging/mail/templates/**/*.jinja"))
EVERYTHING = TEMPLATES + MAILS
assert TEMPLATES and MAILS, "the folders have moved"


def named(path: Path) -> str:
    return str(path.relative_to(PLATFORM))


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_a_template_has_no_inline_style_or_script(template: Path) -> None:
    source = template.read_text()
    assert not re.search(r"<[^>]*\sstyle\s*=", source)
    assert "<style" not in source
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    assert "javascript:" not in source
    assert not re.search(r"""hx-on|hx-vals\s*=\s*["']js:""", source)


@pytest.mark.parametrize("template", EVERYTHING, ids=named)
def test_a_template_never_marks_text_as_safe(template: Path) -> None:
    source = template.read_text()
    assert not re.search(r"\|\s*safe\b", source)
    assert "autoescape" not in source


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_every_form_that_posts_carries_its_token(template: Path) -> None:
    forms = re.findall(r"<form\b[^>]*>.*?</form>", template.read_text(), re.S)
    posting = [form for form in forms if re.search(r'method="(post|{{)', form.split(">")[0])]
    assert all("csrf_token" in form or "csrf_field" in form for form in posting)


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_a_template_loads_nothing_from_elsewhere(template: Path) -> None:
    assert not re.search(r"""(?:src|<link[^>]*href)\s*=\s*["'](?:https?:)?//""", template.read_text())


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_every_icon_is_in_the_list(template: Path) -> None:
    listed = set((SOURCES / "icons.txt").read_text().split())
    source = template.read_text()
    used = set(re.findall(r"""\bicon\("([\w-]+)\"""", source)) | set(re.findall(r'icon_name="([\w-]+)"', source))
    assert used <= listed


def test_only_three_files_make_html_in_python() -> None:
    makers = {
        str(path.relative_to(ROOT))
        for path in PLATFORM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Markup"
    }
    assert makers <= {
        "platform/qikbiz/web/markup.py",
        "platform/qikbiz/crm/schema/html.py",
        "platform/qikbiz/crm/records/table_html.py",
    }


def test_icons_are_listed_once_and_in_order() -> None:
    names = (SOURCES / "icons.txt").read_text().split()
    assert names == sorted(set(names))


@pytest.mark.parametrize("mail", [mail for mail in MAILS if ".html" not in mail.name], ids=named)
def test_mails_load_no_pictures(mail: Path) -> None:
    assert "<img" not in mail.read_text()


def test_every_mail_belongs_to_exactly_one_category() -> None:
    """Who adds an email decides whether it can be switched off: `emails=` of its feature."""
    sent = {mail.stem for mail in MAILS if not mail.name.startswith(("layout", "parts"))}
    assert set(categories_of_templates()) == sent
    assert set(categories_of_templates().values()) <= set(CATEGORIES)


def test_every_class_of_a_page_is_styled_or_a_hook() -> None:
    """A class that no style sheet knows is a page that does not look as its author believes."""
    sheets = "".join(sheet.read_text() for sheet in (SOURCES / "css").glob("*.css"))
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", sheets))
    unknown = {
        (named(template), name)
        for template in TEMPLATES
        for names in re.findall(r'class="([^"{}]*)"', template.read_text())
        for name in names.split()
        if name not in known
    }
    assert unknown == set()
