"""The pages of single sign-on, one module a subject; importing them opens their routes."""

from qikbiz.sso.blueprint import sso
from qikbiz.sso.routes import settings_page, way_in

__all__ = ["settings_page", "sso", "way_in"]
