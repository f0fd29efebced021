import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import alembic.autogenerate
import alembic.migration
import pytest
import sqlalchemy as sa

from unbraid.service.claims import Claim, Claims
from unbraid.service.db import Base, Database, Job, Upload
from unbraid.service.jobs import Conflict, Jobs, NotFound, Order, QueueFull, Task
from unbraid.service.storage import new_id
from unbraid.service.waiting import expected_wait
from unbraid.types import ProcessOptions, Progress

OPTIONS = ProcessOptions()


class Office:
    """Owners, and workers, at one database."""

    def __init__(self, database: Database, lease_s: float = 60.0) -> None:
        self.jobs = Jobs(database, max_queued=100)
        self.claims = Claims(database, lease_s=lease_s, max_attempts=3)

    def upload(self, owner: str) -> str:
        upload = Upload(
            id=new_id(),
            owner=owner,
            file_name="song.mp3",
            key="uploads/1",
            size_bytes=1,
            sha256="",
            created=time.time(),
        )
        self.jobs.add_upload(upload)
        return upload.id

    def submit(self, owner: str = "ann", **order: object) -> str:
        return self.jobs.submit(owner, Order(self.upload(owner), OPTIONS, **order)).id  # type: ignore[arg-type]

    def take(self, worker: str = "server/1") -> Claim:
        claim = self.claims.take(worker)
        assert claim
        return claim

    def state(self, job_id: str, owner: str = "ann") -> str:
        return self.jobs.get(owner, job_id).state

    def told(self, job_id: str) -> Sequence[object]:
        return [event.data.get("state", "progress") for event in self.jobs.events(job_id, 0)]


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


def test_migrations_make_the_tables_that_the_code_expects(database: Database) -> None:
    with database.engine.connect() as connection:
        context = alembic.migration.MigrationContext.configure(connection)
        assert alembic.autogenerate.compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(database: Database, office: Office) -> None:
    job = office.submit()
    database.migrate()
    assert office.state(job) == "queued"


def test_a_job_is_claimed_worked_on_and_done(office: Office) -> None:
    job = office.submit()
    claim = office.take()
    assert (claim.job_id, claim.options, claim.file_name) == (job, OPTIONS, "song.mp3")
    for stage, done_s in (("decode", 5.0), ("separate", 0.0), ("separate", 5.0), ("export", 9.0)):
        progress = Progress(stage, done_s, 10.0, done_s / 10)  # type: ignore[arg-type]
        assert office.claims.report(claim, progress) == "held"
    assert [(step.stage, step.state) for step in office.jobs.steps(job)] == [
        ("decode", "done"),
        ("separate", "done"),
        ("judge", "queued"),
        ("analyse", "queued"),
        ("transcribe", "queued"),
        ("export", "running"),
    ]
    assert office.claims.finish(claim, [{"name": "stems/bass.wav", "size_bytes": 7}])
    done = office.jobs.get("ann", job)
    assert (done.state, done.fraction, done.worker) == ("done", 1.0, None)
    assert [step.state for step in office.jobs.steps(job)].count("skipped") == 3
    events = office.jobs.events(job, 0)
    assert [event.number for event in events] == list(range(1, 8))
    assert office.told(job) == ["queued", "running", *["progress"] * 4, "done"]
    assert [event.number for event in office.jobs.events(job, 5)] == [6, 7]


def test_no_two_workers_get_the_same_job(office: Office) -> None:
    jobs = {office.submit() for _ in range(20)}
    start = threading.Barrier(4)

    def work(worker: str) -> list[str]:
        start.wait()
        taken = []
        while claim := office.claims.take(worker):
            taken.append(claim.job_id)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [job for jobs in pool.map(work, "abcd") for job in jobs]
    assert sorted(taken) == sorted(jobs)


def test_two_owners_alternate_however_many_jobs_one_has_sent(office: Office) -> None:
    first = [office.submit("ann") for _ in range(4)]
    second = [office.submit("bob") for _ in range(2)]
    order = [office.take().job_id for _ in range(6)]
    assert order == [first[0], second[0], first[1], second[1], first[2], first[3]]


def test_one_who_comes_late_does_not_wait_for_what_was_sent_before(office: Office) -> None:
    early = [office.submit("ann") for _ in range(6)]
    assert [office.take().job_id for _ in range(3)] == early[:3]
    late = office.submit("bob")
    assert office.take().job_id == late
    assert office.take().job_id == early[3]


def test_priorities_go_first(office: Office) -> None:
    low, normal = office.submit(priority="low"), office.submit()
    high = office.submit(priority="high")
    assert [office.take().job_id for _ in range(3)] == [high, normal, low]


def test_the_same_key_gives_the_same_job(office: Office) -> None:
    order = Order(office.upload("ann"), OPTIONS)
    with ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda _: office.jobs.submit("ann", order, "key"), range(8))
    assert len({job.id for job in made}) == 1
    with pytest.raises(Conflict, match="Idempotency-Key"):
        office.jobs.submit("ann", Order(order.upload_id, OPTIONS, "low"), "key")
    theirs = Order(office.upload("bob"), OPTIONS)
    assert office.jobs.submit("bob", theirs, "key").owner == "bob"


def test_nobody_sees_the_jobs_and_uploads_of_others(office: Office) -> None:
    job, upload = office.submit("ann"), office.upload("ann")
    for look in (office.jobs.get, office.jobs.cancel, office.jobs.remove):
        with pytest.raises(NotFound):
            look("bob", job)
    with pytest.raises(NotFound):
        office.jobs.submit("bob", Order(upload, OPTIONS))
    assert office.jobs.list("bob").total == 0


def test_a_full_queue_refuses_more(database: Database, office: Office) -> None:
    office.submit()
    upload = office.upload("ann")
    with pytest.raises(QueueFull, match="1 jobs are waiting"):
        Jobs(database, max_queued=1).submit("ann", Order(upload, OPTIONS))


def test_pages_hold_the_newest_first(office: Office) -> None:
    jobs = [office.submit() for _ in range(5)]
    office.jobs.cancel("ann", jobs[4])
    page = office.jobs.list("ann", "queued", offset=1, limit=2)
    assert ([job.id for job in page.jobs], page.total) == ([jobs[2], jobs[1]], 4)


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_when_it_reports(
    office: Office,
) -> None:
    running, waiting = office.submit(), office.submit()
    claim = office.take()
    office.jobs.cancel("ann", waiting)
    office.jobs.cancel("ann", running)
    assert (office.state(waiting), office.state(running)) == ("cancelled", "running")
    assert office.claims.report(claim, Progress("decode", 1.0, None)) == "cancel asked"
    office.claims.cancelled(claim)
    assert office.state(running) == "cancelled"
    assert office.claims.take("server/1") is None


def test_a_removed_job_is_gone_at_once_and_its_files_when_it_has_stopped(office: Office) -> None:
    job = office.submit()
    claim = office.take()
    office.jobs.remove("ann", job)
    with pytest.raises(NotFound):
        office.jobs.get("ann", job)
    assert list(office.jobs.removable()) == []
    office.claims.cancelled(claim)
    (removed,) = office.jobs.removable()
    assert office.jobs.purge(removed) == "uploads/1"
    assert not office.jobs.events(job, 0)


def test_a_job_whose_lease_ran_out_goes_to_another_and_the_first_learns_it(
    database: Database,
) -> None:
    office = Office(database, lease_s=-1.0)
    job = office.submit()
    late = office.take("server/1")
    assert office.claims.expire() == ["server/1"]
    assert office.told(job) == ["queued", "running", "queued"]
    held = Office(database).take("server/2")
    assert (held.job_id, office.claims.expire()) == (job, [])
    assert office.claims.renew(late) == "lost"
    assert office.claims.report(late, Progress("separate", 1.0, 2.0)) == "lost"
    assert not office.claims.finish(late, [])
    office.claims.fail(late, {}, again=False)
    office.claims.hand_back(late)
    assert (office.state(job), office.claims.renew(held)) == ("running", "held")


def test_a_job_that_kills_its_workers_is_given_up(office: Office) -> None:
    job = office.submit()
    for _ in range(3):
        office.take("server/1")
        office.claims.worker_died("server/1")
    given_up = office.jobs.get("ann", job)
    assert given_up.state == "failed"
    assert given_up.error
    assert given_up.error["type"] == "worker-died"


def test_a_job_that_gets_further_each_time_is_never_given_up(office: Office) -> None:
    job = office.submit()
    for k in range(6):
        claim = office.take("server/1")
        office.claims.report(claim, Progress("separate", k + 1, 10.0, (k + 1) / 10))
        office.claims.worker_died("server/1")
    assert office.state(job) == "queued"


def test_the_end_of_a_server_is_not_held_against_its_jobs(office: Office) -> None:
    job, other = office.submit(), office.submit()
    for _ in range(5):
        office.take("a_b/1")
        office.claims.server_returned("aXb")
        office.claims.server_returned("a_b")
    assert (office.state(job), office.state(other)) == ("queued", "queued")


def test_what_may_pass_is_tried_again_later_and_what_will_not_is_not(office: Office) -> None:
    passing, lasting = office.submit(), office.submit()
    office.claims.fail(office.take(), {"type": "resource"}, again=True)
    office.claims.fail(office.take(), {"type": "audio"}, again=False)
    assert (office.state(passing), office.state(lasting)) == ("queued", "failed")
    assert office.claims.take("server/1") is None  # not yet
    with office.jobs.database.write() as session:  # as if the clock went back by a day
        session.execute(sa.update(Job).values(not_before=time.time() + 86_400))
    assert office.take().job_id == passing


def result_of(office: Office) -> str:
    """A job that is done."""
    job = office.submit()
    office.claims.finish(office.take(), [{"name": "a", "key": "k/1", "size_bytes": 5}])
    return job


def test_a_task_changes_the_result_of_its_job_and_no_more(office: Office) -> None:
    job = result_of(office)
    task = office.jobs.add_task("ann", job, Task("export", wish={"formats": ["click"]})).id
    claim = office.take()
    assert (claim.job_id, claim.parent_id, claim.wish) == (task, job, {"formats": ["click"]})
    base = office.jobs.get("ann", job).files
    new = [{"name": "a", "key": "k/2", "size_bytes": 7}]
    office.claims.finish_task(claim, base, new, ["one"])
    result, done = office.jobs.get("ann", job), office.jobs.get("ann", task)
    assert (result.state, result.files, result.result_bytes) == ("done", new, 7)
    assert (done.state, done.replaced, done.warnings) == ("done", base, ["one"])
    assert [each.id for each in office.jobs.tasks(job)] == [task]
    assert [each.id for each in office.jobs.list("ann").jobs] == [job]


def test_two_tasks_of_one_result_are_done_one_after_another(office: Office) -> None:
    job = result_of(office)
    tasks = [office.jobs.add_task("ann", job, Task("export")).id for _ in range(2)]
    first = office.take("server/1")
    assert first.job_id == tasks[0]
    assert office.claims.take("server/2") is None
    office.claims.finish_task(first, office.jobs.get("ann", job).files, [])
    assert office.take("server/2").job_id == tasks[1]


def test_a_task_on_a_result_that_changed_meanwhile_is_done_once_more(office: Office) -> None:
    job = result_of(office)
    task = office.jobs.add_task("ann", job, Task("export")).id
    office.claims.finish_task(office.take(), [], [])
    assert office.state(task) == "queued"
    assert office.take().job_id == task


def test_a_task_ends_with_its_result(office: Office) -> None:
    job = result_of(office)
    running, waiting = (office.jobs.add_task("ann", job, Task("export")).id for _ in range(2))
    claim = office.take()
    office.jobs.remove("ann", job)
    office.claims.finish_task(claim, [], [])
    assert office.state(running) == "cancelled"
    office.jobs.remove_tasks(0.0)
    with pytest.raises(NotFound):
        office.state(waiting)


def test_some_workers_leave_songs_to_others(office: Office) -> None:
    job = result_of(office)
    office.submit()
    assert office.claims.take("server/1", tasks_only=True) is None
    task = office.jobs.add_task("ann", job, Task("export")).id
    claim = office.claims.take("server/1", tasks_only=True)
    assert claim
    assert claim.job_id == task


def test_only_a_result_can_be_worked_on(office: Office) -> None:
    with pytest.raises(Conflict, match="the job is queued"):
        office.jobs.add_task("ann", office.submit(), Task("export"))


def test_the_wait_is_the_work_ahead(database: Database, office: Office) -> None:
    jobs = [office.submit() for _ in range(4)]
    last = office.jobs.get("ann", jobs[3])
    wait = expected_wait(database, last, workers=1)
    assert (wait.position, wait.seconds) == (3, None)
    claim = office.take()
    time.sleep(0.01)
    office.claims.finish(claim, [])
    took_s = office.jobs.get("ann", jobs[0]).worked_s
    wait = expected_wait(database, last, workers=1)
    assert wait.position == 2
    assert wait.seconds == pytest.approx(2 * took_s, abs=0.051)
