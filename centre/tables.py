"""Tables of an instance that are there when their RDs change: what `dachs imp` leaves as it is.

It makes tables that are missing; of one that is there it looks neither at columns nor at indexes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any


def compare(rds: Sequence[str]) -> None:
    """Raises ReportableError when tables of the database have not the columns of their RDs."""
    from gavo import base

    differences: dict[str, str] = {}
    with base.getTableConn() as connection:
        for rd, table in _tables(rds, connection):
            try:
                table.ensureOnDiskMatches()
            except base.DataError as error:
                differences.setdefault(rd, str(error))
    if differences:
        raise base.ReportableError(
            f"The database does not fit {' and '.join(f'{rd}.rd' for rd in differences)} any more."
            f" {next(iter(differences.values()))[:160]}. Once the rows may go:"
            f" {', '.join(f'`bin/jmmc dachs drop {rd}`' for rd in differences)}, `bin/jmmc init`,"
            " and ingest again."
        )


def index(rds: Sequence[str]) -> None:
    """Makes the indexes of the tables of RDs that are missing; those that are there stay."""
    from gavo import base

    with base.getWritableAdminConn() as connection:
        for _, table in _tables(rds, connection):
            table.makeIndices()


def _tables(rds: Sequence[str], connection: Any) -> Iterator[tuple[str, Any]]:
    """Tables of RDs that the database has; views are none, for an import makes them anew."""
    from gavo import api

    for rd in rds:
        for definition in api.getRD(rd).tables:
            if definition.onDisk and not definition.viewStatement:
                table = api.TableForDef(definition, connection=connection, create=False)
                if table.exists():
                    yield rd, table


#: By what they are called after `dachs`.
COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {"compare": compare, "index": index}
