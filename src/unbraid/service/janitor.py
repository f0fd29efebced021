"""Clears away what nobody needs: removed jobs with their files, unfinished work of ended ones."""

import shutil

from unbraid.service.jobs import Jobs
from unbraid.service.settings import Settings
from unbraid.service.steps import work_folder
from unbraid.service.storage import Storage


def tidy(jobs: Jobs, storage: Storage, settings: Settings) -> None:
    """Clear away once."""
    for job in jobs.removable():
        storage.delete([file["key"] for file in job.files])
        if recording := jobs.purge(job):
            storage.delete([recording])
    work = work_folder(settings)
    names = [folder.name for folder in work.iterdir()] if work.is_dir() else []
    for name in set(names) - jobs.active(names):
        shutil.rmtree(work / name, ignore_errors=True)
