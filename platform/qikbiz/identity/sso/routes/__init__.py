"""The pages of single sign-on, one module a subject; importing them opens their routes."""

from qikbiz.identity.sso.blueprint import sso
from qikbiz.identity.sso.routes import login_routes, settings_page

__all__ = ["login_routes", "settings_page", "sso"]
