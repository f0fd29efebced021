"""How fast this server takes songs apart, as measured on the last ones."""

from collections import defaultdict

import sqlalchemy as sa

from unbraid.service.db import Database, Job, Step
from unbraid.service.jobs import OPTIONS
from unbraid.types import ProcessOptions

RECENT = 500  # jobs that are looked at


def way_of(options: ProcessOptions) -> bytes:
    """What the time depends on most: model, how it goes through a song, which stems are kept."""
    return OPTIONS.dump_json(ProcessOptions(options.model, options.separation, options.stems))


def measured_speeds(database: Database) -> dict[bytes, float]:
    """Seconds of songs per second of work for each way to take them apart.

    All stages count, but no songs whose stems were copied from the cache.
    """
    separated = sa.and_(Step.job_id == Job.id, Step.stage == "separate", Step.state == "done")
    query = (
        sa.select(Job.options, Job.audio_s, Job.worked_s)
        .join(Step, separated)
        .where(Job.kind == "process", Job.state == "done", Job.audio_s.is_not(None))
        .order_by(Job.finished.desc())
        .limit(RECENT)
    )
    songs_s, work_s = defaultdict[bytes, float](float), defaultdict[bytes, float](float)
    with database.read() as session:
        for options, audio_s, worked_s in session.execute(query):
            way = way_of(OPTIONS.validate_python(options))
            songs_s[way] += audio_s
            work_s[way] += worked_s
    return {way: songs_s[way] / spent for way, spent in work_s.items() if spent > 0}
