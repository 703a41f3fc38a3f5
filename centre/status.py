"""What runs and what an instance holds."""

from dataclasses import replace
from typing import Any

import psycopg2
from psycopg2 import sql

from centre import CentreError, cluster, dachs, server
from centre.instance import Instance

_LAST = 3


def show(instance: Instance) -> None:
    """Prints the state of the instance: processes, rows of each data set, last runs on them."""
    found = server.pids(instance)
    runs = cluster.is_running(instance)
    print(f"instance  {instance.root}")
    print(f"database  {'runs' if runs else 'stopped'}")
    if not found:
        print("server    stopped")
    else:
        known = instance.read_state().get("serving", {}).get(instance.machine, {})
        serving = replace(instance, **known)
        word = "answers" if server.answers(serving) else "does not answer"
        noun = "process" if len(found) == 1 else "processes"
        numbers = ", ".join(map(str, found.values()))
        print(f"server    {noun} {numbers}, {word} on port {serving.port}")
        for number in sorted(set(range(1, serving.processes + 1)) - set(found)):
            print(f"          process {number} of {serving.processes} has ended: `bin/jmmc start`")
    if runs:
        _show_data_sets(instance)


def _show_data_sets(instance: Instance) -> None:
    try:
        connection = psycopg2.connect(instance.dsn())
    except psycopg2.OperationalError as error:
        raise CentreError(f"The database does not answer: {' '.join(str(error).split())}") from None
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for name in dachs.data_sets():
                tables = _rows_per_table(cursor, name)
                counts = ", ".join(f"{table} {rows}" for table, rows in tables.items())
                print(f"{name + ' rows':9} {counts or 'no tables'}")
                if "ingestion" in tables:
                    _show_ingestions(cursor, name)
                if "sync" in tables:
                    _show_log_runs(cursor, name)
    finally:
        connection.close()


def _rows_per_table(cursor: Any, schema: str) -> dict[str, int]:
    cursor.execute(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY table_name",
        (schema,),
    )
    tables = [row[0] for row in cursor.fetchall()]
    rows = {}
    for table in tables:
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table)))
        rows[table] = cursor.fetchone()[0]
    return rows


def _show_ingestions(cursor: Any, schema: str) -> None:
    cursor.execute(
        sql.SQL(
            "SELECT started, finished, accepted, unchanged, rejected FROM {}"
            " ORDER BY started DESC LIMIT {}"
        ).format(sql.Identifier(schema, "ingestion"), sql.Literal(_LAST))
    )
    for started, finished, accepted, unchanged, rejected in cursor.fetchall():
        end = "" if finished else ", not finished"
        print(
            f"  ingested {started:%Y-%m-%d %H:%M:%S} UTC: {accepted} accepted, "
            f"{unchanged} unchanged, {rejected} rejected{end}"
        )


def _show_log_runs(cursor: Any, schema: str) -> None:
    cursor.execute(
        sql.SQL(
            "SELECT started, finished, archive, fetched, exposures, failed, withdrawn, message"
            " FROM {} ORDER BY started DESC LIMIT {}"
        ).format(sql.Identifier(schema, "sync"), sql.Literal(_LAST))
    )
    for started, finished, archive, fetched, exposures, failed, withdrawn, message in cursor:
        end = f", ended early: {message}" if message else "" if finished else ", not finished"
        print(
            f"  {archive} {started:%Y-%m-%d %H:%M:%S} UTC: {fetched} files, {exposures} exposures, "
            f"{failed} failed, {withdrawn} withdrawn{end}"
        )
