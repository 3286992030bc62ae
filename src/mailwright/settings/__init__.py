"""The settings: each declared once with its type, its default and one sentence of help.

They come from one TOML file and from environment variables: ``MAILWRIGHT_SERVER__WORKERS=4`` is
``workers`` in ``[server]``, and ``MAILWRIGHT_DATABASES__VMAIL__PASSWORD`` the password in
``[databases.vmail]``. The environment wins. A wrong setting is a ``ConfigurationError`` that names
the file or the variable, the key and the reason, and never a secret.
"""

from mailwright.settings.describing import Description, describe, describe_sections, toml_value
from mailwright.settings.loading import ENVIRONMENT_PREFIX, load, overlaid
from mailwright.settings.sections import (
    Accounts,
    Api,
    Database,
    Databases,
    Ldap,
    Log,
    Login,
    Ownership,
    Passwords,
    Pool,
    Secret,
    Section,
    Server,
    Sessions,
    Settings,
    Storage,
)
from mailwright.settings.writing import write_toml

__all__ = [
    "ENVIRONMENT_PREFIX",
    "Accounts",
    "Api",
    "Database",
    "Databases",
    "Description",
    "Ldap",
    "Log",
    "Login",
    "Ownership",
    "Passwords",
    "Pool",
    "Secret",
    "Section",
    "Server",
    "Sessions",
    "Settings",
    "Storage",
    "describe",
    "describe_sections",
    "load",
    "overlaid",
    "toml_value",
    "write_toml",
]
