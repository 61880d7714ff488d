"""What an operator can set: declared once, with default and help, and read by `bootstrap` and `cli` alone.

Everyone else receives values. The settings page of the docs is generated from these classes.
"""

from reelway.settings.accounts import AccountSettings, TenantSettings
from reelway.settings.environment import ENVIRONMENT_VENDORS, accounts_from_environment, environment_notices
from reelway.settings.load import SettingsInvalid, all_accounts, find_file, load_settings, unknown_variables
from reelway.settings.notices import account_notices
from reelway.settings.settings import Settings

__all__ = [
    "ENVIRONMENT_VENDORS",
    "AccountSettings",
    "Settings",
    "SettingsInvalid",
    "TenantSettings",
    "account_notices",
    "accounts_from_environment",
    "all_accounts",
    "environment_notices",
    "find_file",
    "load_settings",
    "unknown_variables",
]
