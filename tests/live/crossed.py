#!/usr/bin/python3
"""Puts known stars into all data sets, lets the stars be found, asks, and takes it all back.

Reads JSON from standard input: rows to insert by table, the ADQL queries to ask. Writes the rows
that each of them gives. Everything is one transaction that is rolled back: nobody else sees it.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from psycopg2 import sql

from centre import account, cluster
from centre.instance import Instance


def main() -> None:
    """Does it in the instance of the environment."""
    instance = Instance.from_environment()
    account.leave_root(instance.root)
    given = json.load(sys.stdin)
    with cluster.running(instance):
        os.environ.update(instance.environment())
        from gavo import base

        from centre import site

        site.read_literals_as_sql()
        site.use_position_indexes()
        from gavo.protocols import adqlglue

        from jmmc.res import stars

        told = []
        with base.getWritableAdminConn() as connection:
            for step in given:
                if "adql" in step:
                    translated, _ = adqlglue.morphADQL(step["adql"])
                    told.append([list(row) for row in connection.query(translated, {})])
                elif "sql" in step:
                    connection.execute(step["sql"])
                elif "follow" in step:
                    report = stars.follow(connection, step["follow"] or stars.DATA_SETS)
                    told.append([[report.entries, report.new]])
                else:
                    for row in step["rows"]:
                        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                            sql.SQL(step["table"]),
                            sql.SQL(", ").join(map(sql.Identifier, row)),
                            sql.SQL(", ").join(map(sql.Placeholder, row)),
                        )
                        connection.execute(statement, row)
            connection.rollback()
    print(json.dumps(told, default=str))


if __name__ == "__main__":
    main()
