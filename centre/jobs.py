"""Asynchronous TAP jobs that any process of the server, on any machine, can end.

The process of a job (`dachs taprun`) runs on the machine whose server has started it. DaCHS ends
one by a signal to its process number, which on another machine is another process', and finds out
whether one lives by a look into /proc. Here the table of jobs says that a job is to end, and its
process looks there twice a second; and as long as it lives, it holds a lock in the database.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2

from centre.fronts import KEEPALIVE

_LOOK_SECONDS = 0.5
#: How long a process may take until it runs its query, and a synchronous job beyond its time (s).
_STARTING, _WRITING = 120.0, 600.0
#: What DaCHS writes where the process number of a job would be that the server runs itself.
_SYNCHRONOUS = -1


def install_server() -> None:
    """For the server: jobs are ended, and found dead, by way of the database."""
    from gavo.protocols import tap, uws

    def kill(self: Any, new_phase: Any, job: Any, ignored: Any) -> None:
        self.markAborted(new_phase, job, ignored)
        job.uws.scheduleProcessQueueCheck()

    tap.TAPTransitions.killJob = kill
    tap.TAPJob.prepareForDestruction = uws.UWSJobWithWD.prepareForDestruction
    starting: dict[str, float] = {}
    tap.TAPUWS._ensureJobsAreRunning = lambda self: _bury(self, starting)


def install_runner() -> None:
    """For the process of a job: ends its query when the job was aborted or destroyed."""
    from gavo.protocols import taprunner

    def run(target: Any, job_id: str) -> None:
        watch = _Watch(job_id)
        taprunner.joinInterruptibly = lambda thread, _job_id: watch.join(thread)
        run_in_thread(target, job_id)

    run_in_thread = taprunner._runInThread
    taprunner._runInThread = run


def _connect() -> Any:
    from gavo.base import config

    arguments = config.getDBProfile("trustedquery").getArgs()
    connection = psycopg2.connect(**arguments, options=KEEPALIVE, application_name="jmmc job")
    connection.autocommit = True
    return connection


class _Watch:
    """Looks whether a job is still wanted, and holds the lock that says that its process lives."""

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self._connection = _connect()
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_lock_shared(hashtext('tap job'), hashtext(%(job)s))",
                {"job": job_id},
            )

    def join(self, thread: Any) -> None:
        """Returns when the thread has ended; SystemExit when the job is not wanted any more."""
        from gavo import base
        from gavo.protocols import taprunner

        while thread.is_alive():
            thread.join(timeout=_LOOK_SECONDS)
            if not thread.is_alive() or self._wanted():
                continue
            if taprunner._WORKER_PID:
                with base.getUntrustedConn() as connection:
                    connection.execute(
                        "SELECT pg_cancel_backend(%(pid)s)", {"pid": taprunner._WORKER_PID}
                    )
            raise SystemExit(2)

    def _wanted(self) -> bool:
        from gavo.protocols import taprunner

        if taprunner.EXIT_PLEASE:
            return False
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT phase FROM tap_schema.tapjobs WHERE jobid = %(job)s", {"job": self._job_id}
            )
            found = cursor.fetchone()
        return found is not None and found[0] != "ABORTED"


def _bury(workers: Any, starting: dict[str, float]) -> None:
    """Gives up jobs whose process has died; called when the queue does not move."""
    from gavo.protocols import uws

    now = datetime.now(UTC).replace(tzinfo=None)
    connection = _connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT jobid, pid, starttime, executionduration FROM tap_schema.tapjobs"
                " WHERE phase = 'EXECUTING'"
            )
            rows = cursor.fetchall()
        seen = {row[0]: starting.get(row[0], time.monotonic()) for row in rows}
        starting.clear()
        starting.update(seen)
        for job_id, pid, start, seconds in rows:
            if start is None:
                dead = time.monotonic() - seen[job_id] > _STARTING
            elif pid == _SYNCHRONOUS:
                dead = now - start > timedelta(seconds=seconds + _WRITING)
            else:
                dead = not _lives(connection, job_id)
            if dead:
                error = uws.UWSError(f"The process of job {job_id} has died.", job_id)
                workers.changeToPhase(job_id, uws.ERROR, error)
    finally:
        connection.close()


def _lives(connection: Any, job_id: str) -> bool:
    """Whether somebody holds the lock of a job."""
    with connection.cursor() as cursor:
        # In a transaction of its own, at the end of which the lock is free again.
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtext('tap job'), hashtext(%(job)s))",
            {"job": job_id},
        )
        return not cursor.fetchone()[0]
