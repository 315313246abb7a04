"""The notary: the role that keeps the announcements of the privacy statement, so that nobody can hasten one."""

from provisioning.notary.calendar import fill_calendar
from provisioning.notary.install import NOTARY, install_notary, serving_login_is_notary

__all__ = ["NOTARY", "fill_calendar", "install_notary", "serving_login_is_notary"]
