"""A worker: a process that takes jobs apart, one after another, with networks kept loaded.

It is told what to do on its standard input: first its settings, then a line for each wish. When
that ends, the server has died, and so does the worker, whatever it is doing.
"""

import logging
import os
import signal
import sys
import threading
from typing import TextIO

from sqlalchemy.exc import OperationalError

from unbraid.inference import keep_sessions
from unbraid.service.claims import Claims
from unbraid.service.db import Database
from unbraid.service.fetching import Fetcher
from unbraid.service.log import log_as_json
from unbraid.service.quotas import Quotas
from unbraid.service.settings import Settings
from unbraid.service.steps import run_step
from unbraid.service.storage import Storage
from unbraid.service.tracing import export_spans, working
from unbraid.service.workshop import Workshop

WAKE, STOP = "wake\n", "stop\n"
QUICK = "quick"  # leaves songs to others
POLL_S = 0.5  # between looks for jobs that nobody has told of

log = logging.getLogger(__name__)


def main() -> None:
    """Work until asked to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the server
    settings = Settings.model_validate_json(sys.stdin.readline())
    log_as_json()
    export_spans()
    woken, stopping = threading.Event(), threading.Event()
    listener = threading.Thread(target=_listen, args=(sys.stdin, woken, stopping), daemon=True)
    listener.start()
    keep_sessions(settings.networks_kept)
    database = Database(settings.database_url)
    claims = Claims(
        database,
        lease_s=settings.lease_s,
        max_attempts=settings.max_attempts,
        quotas=Quotas(settings.tiers),
    )
    storage = Storage(settings.data / "objects", settings.storage)
    shop = Workshop(settings, claims, storage, Fetcher(settings))
    while not stopping.is_set():
        woken.clear()
        try:
            claim = claims.take(sys.argv[1], tasks_only=QUICK in sys.argv[2:])
        except OperationalError as error:
            log.warning("the database does not answer: %s", error.orig)
            claim = None
        if claim:
            with working(claim.job_id, claim.kind, claim.origin):
                log.info("job %s begins", claim.job_id)
                run_step(claim, shop, stopping)
                log.info("job %s is left", claim.job_id)
        else:
            woken.wait(POLL_S)


def _listen(wishes: TextIO, woken: threading.Event, stopping: threading.Event) -> None:
    for wish in wishes:
        if wish == STOP:
            stopping.set()
        woken.set()
    os._exit(1)


if __name__ == "__main__":
    main()
