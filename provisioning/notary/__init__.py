"""The notary: the role that keeps announcements and the time of closing accounts, so that none can be hastened."""

from provisioning.notary.calendar import fill_calendar
from provisioning.notary.install import NOTARY, install_notary, serving_login_is_notary

__all__ = ["NOTARY", "fill_calendar", "install_notary", "serving_login_is_notary"]
