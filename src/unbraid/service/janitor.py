"""Clears away what nobody needs: old jobs with their files, unused recordings, audit entries."""

import shutil
import time

from unbraid.service.audit import Audit
from unbraid.service.jobs import Jobs
from unbraid.service.quotas import DAY_S
from unbraid.service.renders import made_folder
from unbraid.service.settings import Settings
from unbraid.service.storage import Storage, peaks_key
from unbraid.service.workshop import work_folder

TASK_KEPT_S = DAY_S  # that a task is remembered, with the files that it replaced
UNUSED_S = DAY_S  # after which a recording that has no job goes


def tidy(jobs: Jobs, storage: Storage, settings: Settings) -> None:
    """Clear away once."""
    now = time.time()
    jobs.tidy_counts()
    Audit(jobs.database).forget(now - settings.audit_days * DAY_S)
    jobs.remove_ended(settings.keep_days)
    jobs.remove_tasks(now - TASK_KEPT_S)
    storage.delete(jobs.drop_unused(now - UNUSED_S))
    for job in jobs.removable():
        files = [*job.files, *(job.replaced or ())]
        storage.delete([*(file["key"] for file in files), peaks_key(job.id)])
        shutil.rmtree(made_folder(settings) / job.id, ignore_errors=True)
        if recording := jobs.purge(job):
            storage.delete([recording])
    work = work_folder(settings)
    names = [folder.name for folder in work.iterdir()] if work.is_dir() else []
    for name in set(names) - jobs.active(names):
        shutil.rmtree(work / name, ignore_errors=True)
