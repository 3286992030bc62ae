"""The import target of a WSGI server, such as ``gunicorn mailwright.http.wsgi:application``.

Each worker process reads the settings by itself.  `mailwright serve` prepares the databases once and
says so in the environment; under another server every worker sees to it.
"""

from __future__ import annotations

import gc
import logging
import os
from typing import Final

import falcon
from falcon import Request, Response

from mailwright import logs
from mailwright.app import App
from mailwright.errors import MailwrightError
from mailwright.http.app import create_wsgi
from mailwright.settings import load
from mailwright.settings.locating import settings_file
from mailwright.storage.sql.own_tables import migrate

PREPARED: Final = "MAILWRIGHT_PREPARED"
LOG = logging.getLogger("mailwright")
COLLECTED_AFTER: Final = 20_000  # new objects


def _application() -> falcon.App[Request, Response]:
    settings = load(settings_file(os.environ), os.environ)
    logs.configure(settings.log)
    app = App(settings)
    if not os.environ.get(PREPARED):
        try:
            migrate(app.databases["iredadmin"])
            app.repair()
        except MailwrightError as error:
            # /readyz tells what is wrong; a database that comes back later needs no restart.
            LOG.warning("the databases could not be prepared: %s", error)
        finally:
            app.close()  # a connection is not shared with processes that are forked from here
    wsgi = create_wsgi(app)
    # What is loaded now stays for the life of the process: the collector need not look at it again, and
    # a list of 10,000 names need not start it a dozen times.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER, *gc.get_threshold()[1:])
    return wsgi


application = _application()
