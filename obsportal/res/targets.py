"""The targets of ingest.identify in the tables of q.rd.

Where new targets are is asked of a name resolver when its address is in JMMC_RESOLVER, such as
``ingest.sesame.CDS``; answers are kept in the instance. Without it, the logs decide.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from gavo import api, base
from psycopg2 import sql
from psycopg2.extras import execute_values

from ingest import sesame
from ingest.identify import Catalogue, Changes, Target
from ingest.names import key
from ingest.resolve import Place, Remembered, Resolver

Row = dict[str, Any]

#: What is given to a target once.
_FIXED = ("target_id", "s_ra", "s_dec", "created")


class TargetError(Exception):
    """Targets cannot be changed as asked for; the message says why."""


def load(connection: Any) -> Catalogue:
    """All targets."""
    found = {
        row["target_id"]: Target(
            row["target_id"],
            row["s_ra"],
            row["s_dec"],
            row["pm_ra"],
            row["pm_dec"],
            row["n_exposures"],
            merged_into=row["merged_into"],
        )
        for row in connection.queryToDicts(
            "SELECT target_id, s_ra, s_dec, pm_ra, pm_dec, n_exposures, merged_into"
            " FROM obsportal.target"
        )
    }
    for target_id, alias, number in connection.query(
        "SELECT target_id, alias, n_exposures FROM obsportal.target_alias ORDER BY alias"
    ):
        found[target_id].aliases[alias] = number
    return Catalogue(found.values(), _resolver())


def _resolver() -> Resolver | None:
    address = os.environ.get("JMMC_RESOLVER")
    if not address:
        return None
    path = Path(os.environ["JMMC_ROOT"]) / "cache" / "names.json"
    path.parent.mkdir(exist_ok=True)
    return Remembered(path, partial(sesame.ask, address=address))


def write(connection: Any, changes: Changes) -> None:
    """Brings the tables in line with the catalogue; the caller commits."""
    now = _now()
    changed = {target.target_id: target for target in changes.targets}
    _write(
        connection,
        "target",
        [
            {
                "target_id": target.target_id,
                # What was merged bears the name of what it is; both are changed at once.
                "target_name": changed.get(target.merged_into or 0, target).name,
                "s_ra": target.ra,
                "s_dec": target.dec,
                "pm_ra": target.pm_ra,
                "pm_dec": target.pm_dec,
                "n_exposures": target.n_exposures,
                "merged_into": target.merged_into,
                "created": now,
            }
            for target in changes.targets
        ],
        update=True,
    )
    connection.execute(
        "DELETE FROM obsportal.target_alias WHERE target_id = ANY(%(ids)s)", {"ids": list(changed)}
    )
    _write(
        connection,
        "target_alias",
        [
            {
                "target_id": target.target_id,
                "alias": alias,
                "alias_key": key(alias) or alias,
                "n_exposures": number,
            }
            for target in changes.targets
            for alias, number in target.aliases.items()
        ],
    )
    relinked = {"ids": list(changes.relinked)}
    connection.execute(
        "DELETE FROM obsportal.target_neighbour"
        " WHERE target_id = ANY(%(ids)s) OR neighbour_id = ANY(%(ids)s)",
        relinked,
    )
    _write(
        connection,
        "target_neighbour",
        [
            {"target_id": one, "neighbour_id": other, "separation": separation}
            for one, other, separation in changes.neighbours
        ],
    )


def merge(target_id: int, other_id: int, reason: str | None) -> int:
    """Makes a target the same as another, with all that was observed of it; TargetError.

    Returns the number of exposures that have moved. The row of ``other_id`` stays and says what it
    was merged into. To be called within ``store.alone``.
    """
    with base.getWritableAdminConn() as connection:
        catalogue = load(connection)
        try:
            catalogue.merge(target_id, other_id)
        except ValueError as error:
            raise TargetError(str(error)) from None
        write(connection, catalogue.take_changes())
        moved = _move(connection, catalogue, target_id, other_id, None)
        connection.execute(
            "UPDATE obsportal.stored_observation SET target_id = %(to)s WHERE target_id = %(from)s",
            {"to": target_id, "from": other_id},
        )
        _record(connection, "merge", target_id, other_id, reason)
        connection.commit()
    return moved


def split(target_id: int, names: Sequence[str], reason: str | None) -> tuple[int, int]:
    """Takes names and the exposures that show them out of a target; TargetError.

    Returns the number of the new target and of the exposures that have moved. The new target is
    where the log of its first exposure has it. To be called within ``store.alone``.
    """
    with base.getWritableAdminConn() as connection:
        catalogue = load(connection)
        keys = {key(name) or name for name in names}
        try:
            before = set(catalogue[target_id].aliases)
            spellings = [alias for alias in before if (key(alias) or alias) in keys]
            place = _first_place(connection, target_id, spellings)
            new_id = catalogue.split(target_id, names, place)
        except KeyError:
            raise TargetError(f"There is no target {target_id}.") from None
        except ValueError as error:
            raise TargetError(str(error)) from None
        write(connection, catalogue.take_changes())
        moved = _move(connection, catalogue, new_id, target_id, list(catalogue[new_id].aliases))
        _divide_observations(connection, new_id, target_id)
        _record(connection, "split", target_id, new_id, reason)
        connection.commit()
    return new_id, moved


def _first_place(connection: Any, target_id: int, names: list[str]) -> Place | None:
    """Where the log of the first exposure under some names has them; None when it does not say."""
    for ra, dec in connection.query(
        "SELECT log_ra, log_dec FROM obsportal.exposure"
        " WHERE target_id = %(target)s AND target_name = ANY(%(names)s)"
        " AND log_ra IS NOT NULL AND log_dec IS NOT NULL"
        " ORDER BY t_min NULLS LAST, exposure_id LIMIT 1",
        {"target": target_id, "names": names},
    ):
        return Place(ra, dec)
    return None


def _move(
    connection: Any, catalogue: Catalogue, to: int, origin: int, names: list[str] | None
) -> int:
    """Gives exposures of a target, all or those under some names, to another; their number."""
    ra, dec = catalogue.position(to)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE obsportal.exposure"
            " SET target_id = %(to)s, s_ra = %(ra)s, s_dec = %(dec)s, updated = %(now)s"
            " WHERE target_id = %(origin)s"
            " AND (%(names)s::text[] IS NULL OR target_name = ANY(%(names)s::text[]))",
            {"to": to, "ra": ra, "dec": dec, "now": _now(), "origin": origin, "names": names},
        )
        return int(cursor.rowcount)


def _divide_observations(connection: Any, new_id: int, old_id: int) -> None:
    """Observations of one target follow it; where exposures of the old one stay, a copy does."""
    both = list(
        connection.queryToDicts(
            "SELECT o.* FROM obsportal.stored_observation AS o WHERE o.target_id = %(old)s"
            " AND EXISTS (SELECT 1 FROM obsportal.exposure AS e"
            "  WHERE e.observation_id = o.observation_id AND e.target_id = %(new)s)"
            " ORDER BY o.observation_id",
            {"old": old_id, "new": new_id},
        )
    )
    shared = {
        row[0]
        for row in connection.query(
            "SELECT DISTINCT observation_id FROM obsportal.exposure"
            " WHERE observation_id = ANY(%(ids)s) AND target_id = %(old)s",
            {"ids": [row["observation_id"] for row in both], "old": old_id},
        )
    }
    ((last,),) = connection.query(
        "SELECT COALESCE(MAX(observation_id), 0) FROM obsportal.stored_observation"
    )
    for row in both:
        if row["observation_id"] not in shared:
            connection.execute(
                "UPDATE obsportal.stored_observation SET target_id = %(new)s"
                " WHERE observation_id = %(id)s",
                {"new": new_id, "id": row["observation_id"]},
            )
            continue
        last += 1
        _write(
            connection, "stored_observation", [{**row, "observation_id": last, "target_id": new_id}]
        )
        connection.execute(
            "UPDATE obsportal.exposure SET observation_id = %(to)s"
            " WHERE observation_id = %(id)s AND target_id = %(new)s",
            {"to": last, "id": row["observation_id"], "new": new_id},
        )


def _record(connection: Any, kind: str, target_id: int, other_id: int, reason: str | None) -> None:
    _write(
        connection,
        "target_change",
        [
            {
                "changed": _now(),
                "kind": kind,
                "target_id": target_id,
                "other_id": other_id,
                "reason": reason,
            }
        ],
    )


def _write(connection: Any, table: str, rows: Sequence[Row], update: bool = False) -> None:
    """Adds rows with the columns of a table of q.rd, or updates those that are there."""
    if not rows:
        return
    columns = [column.name for column in api.getRD("obsportal/q").getById(table).columns]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES %s").format(
        sql.Identifier("obsportal", table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    if update:
        changing = [sql.Identifier(name) for name in columns if name not in _FIXED]
        statement += sql.SQL(" ON CONFLICT (target_id) DO UPDATE SET {}").format(
            sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(name) for name in changing)
        )
    with connection.cursor() as cursor:
        execute_values(cursor, statement, [[row[name] for name in columns] for row in rows])


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
