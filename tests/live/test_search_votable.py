"""/search.votable, as ASPRO2, OiDB, astropy and people who mean no good ask it."""

from __future__ import annotations

import io
import os
import socket
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from astropy.io import votable

from ingest.exposures import Exposure
from tests.live import observed
from tests.live.client import Answer, ask, query
from tests.live.conftest import Centre
from tests.live.observed import document

pytestmark = pytest.mark.live

SHARED = Path(__file__).parents[3] / "shared" / "data" / "eso_tap" / "obsportal"

#: name, datatype, ucd, unit of the full answer; those of the short one are marked.
FIELDS = [
    ("exp_id", "text", "meta.id", "", True),
    ("exp_header_id", "text", "meta.id", "", False),
    ("exp_mjd_start", "double", "time.start;obs.exposure", "d", True),
    ("exp_mjd_end", "double", "time.end;obs.exposure", "d", True),
    ("exp_projected_baselines", "text", "instr.baseline", "", True),
    ("exp_validation_level", "int", "meta.code.qual", "", False),
    ("exp_validation_log", "text", "", "", False),
    ("exp_tau0", "double", "time.processing", "s", True),
    ("exp_temperature", "double", "phys.temperature", "deg", True),
    ("exp_seeing", "double", "instr.obsty.seeing", "as", True),
    ("exp_date_updated", "text", "time.processing", "", False),
    ("exp_date_release", "text", "time.release;obs", "", False),
    ("obs_id", "int", "meta.id", "", False),
    ("obs_type", "text", "meta.id;class", "", True),
    ("obs_program", "text", "meta.id", "", True),
    ("obs_program_title", "text", "meta.title", "", False),
    ("obs_program_pi_coi", "text", "meta.curation;obs.observer", "", False),
    ("interferometer_name", "text", "meta.id", "", True),
    ("interferometer_stations", "text", "", "", True),
    ("instrument_name", "text", "meta.id;instr", "", True),
    ("instrument_mode", "text", "meta.id;instr.setup", "", True),
    ("instrument_submode", "text", "meta.id;instr.setup", "", True),
    ("instrument_em_min", "double", "em.wl;stat.min", "m", False),
    ("instrument_em_max", "double", "em.wl;stat.max", "m", False),
    ("instrument_em_res_power", "double", "spect.resolution", "", False),
    ("target_id", "int", "meta.id", "", False),
    ("target_name", "text", "meta.id;meta.main", "", True),
    ("target_ra", "double", "pos.eq.ra;meta.main", "deg", True),
    ("target_dec", "double", "pos.eq.dec;meta.main", "deg", True),
]


def attributes(name: str, kind: str, ucd: str, unit: str) -> dict[str, str]:
    """What a FIELD must have."""
    known = {"ID": name, "name": name, "ucd": ucd, "unit": unit}
    known |= {"datatype": "unicodeChar", "arraysize": "*"} if kind == "text" else {"datatype": kind}
    return {key: value for key, value in known.items() if value}


@pytest.fixture(scope="module")
def log(centre: Centre) -> list[Exposure]:
    """What the sky has been observed for."""
    return observed.ingest(centre)


@pytest.fixture(scope="module")
def targets(centre: Centre, log: list[Exposure]) -> list[dict[str, str]]:
    """The targets in the order of their exposures, the most observed first."""
    return query(
        centre.url,
        "SELECT target_id, s_ra, s_dec, n_exposures FROM obsportal.target"
        " WHERE n_exposures>0 ORDER BY n_exposures DESC",
    )


def search(centre: Centre, method: str = "GET", **parameters: str) -> Answer:
    text = urlencode(parameters)
    return ask(f"{centre.url}/search.votable?{text}", method=method)


def around(target: dict[str, str], **more: str) -> dict[str, str]:
    """What ASPRO2 asks of a target."""
    position = {"ra": target["s_ra"], "dec": target["s_dec"], "radius": "30.0"}
    return {**position, "all_fields": "false", **more}


# ---------------------------------------------------------------- as ASPRO2 asks


def test_aspro2s_own_request_is_answered(centre: Centre, targets: list[dict[str, str]]) -> None:
    """To the byte what commons-httpclient 3.1 sends; an answer that is no 200 would be lost."""
    body = urlencode(around(targets[0])).encode()
    with socket.create_connection(("localhost", centre.port), timeout=30) as client:
        client.sendall(
            b"POST /search.votable HTTP/1.1\r\nUser-Agent: Java/1.8 (x) [y] (JMMC)\r\n"
            + f"Host: localhost:{centre.port}\r\nContent-Length: {len(body)}\r\n".encode()
            + b"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n\r\n"
            + body
        )
        found = b""
        while not found.endswith(b"</VOTABLE>"):
            piece = client.recv(1 << 16)
            assert piece, found[:400]
            found += piece
    head, _, text = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"content-encoding" not in head.lower()
    assert text.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE version="1.4" xmlns=')
    assert observed.Document(text.decode()).rows


def test_short_answers_have_the_columns_that_aspro2_reads(
    centre: Centre, targets: list[dict[str, str]]
) -> None:
    found = document(ask(f"{centre.url}/search.votable", data=around(targets[0])))
    assert found.fields == [attributes(*field[:4]) for field in FIELDS if field[4]]
    assert len(found.fields) == 17


def test_full_answers_have_all_columns(centre: Centre, targets: list[dict[str, str]]) -> None:
    asked = around(targets[0])
    del asked["all_fields"]
    found = document(search(centre, **asked))
    assert found.fields == [attributes(*field[:4]) for field in FIELDS]
    assert len(found.fields) == 29
    names = [element.get("name") for element in found.root.iter() if element.tag.endswith("PARAM")]
    assert names == ["status", "last_mod_date"]


def test_all_exposures_of_each_target_are_found_once(
    centre: Centre, targets: list[dict[str, str]]
) -> None:
    for target in targets[:10]:
        found = document(search(centre, **around(target, target_id=target["target_id"]))).rows
        assert len(found) == int(target["n_exposures"])
        begins = [float(row["exp_mjd_start"]) for row in found]
        assert begins == sorted(begins)
        assert len({row["exp_id"] for row in found}) == len(found)
        assert len({(row["target_ra"], row["target_dec"]) for row in found}) == 1
        assert float(found[0]["target_ra"]) == pytest.approx(float(target["s_ra"]), abs=1e-9)


def test_rows_are_what_was_observed(
    centre: Centre, log: list[Exposure], targets: list[dict[str, str]]
) -> None:
    known = {one.exposure_id: one for one in log}
    seen = 0
    for target in targets[:5]:
        for row in document(search(centre, target_id=target["target_id"])).rows:
            if (one := known.get(row["exp_id"])) is None:
                continue
            seen += 1
            assert one.t_min is not None
            assert float(row["exp_mjd_start"]) == pytest.approx(one.t_min, abs=1e-8)
            assert len(row["exp_mjd_start"].replace(".", "")) <= 15
            assert row["interferometer_stations"] == " ".join(one.stations)
            assert row["instrument_name"] == one.instrument_name
            assert row["instrument_mode"] == (one.instrument_mode or "")
            kinds = {"SCIENCE": "science", "CALIB": "calibrator", None: ""}
            assert row["obs_type"] == kinds[one.dataproduct_category]
            assert row["obs_program"] == one.progid
            assert row["exp_date_updated"].endswith("+00:00")
    assert seen > 100


def test_what_can_be_valid_is_valid_to_aspro2(centre: Centre, log: list[Exposure]) -> None:
    rows = document(search(centre, interferometer="VLTI")).rows
    by_sum: dict[tuple[int, str], int] = defaultdict(int)
    for row in rows:
        by_sum[observed.validity(row), row["exp_validation_level"]] += 1
    assert by_sum[0, "1"] > 1000
    wrong = [
        (row["exp_id"], observed.validity(row))
        for row in rows
        if row["exp_validation_level"] == "1" and observed.validity(row)
    ]
    assert wrong == []


def test_what_is_not_known_is_nan_or_empty(
    centre: Centre, database: Any, log: list[Exposure]
) -> None:
    name = log[0].exposure_id
    database.execute(
        "UPDATE obsportal.exposure SET tau0=NULL, seeing=NULL, instrument_mode=NULL,"
        " dataproduct_category=NULL, prog_title='a <&> \"b\"' WHERE exposure_id=%s"
        " RETURNING target_id",
        [name],
    )
    ((target,),) = database.fetchall()
    answer = search(centre, target_id=str(target))
    (row,) = (row for row in document(answer).rows if row["exp_id"] == name)
    assert (row["exp_tau0"], row["exp_seeing"]) == ("NaN", "NaN")
    assert (row["instrument_mode"], row["obs_type"]) == ("", "")
    assert row["obs_program_title"] == 'a <&> "b"'
    assert "<TD></TD>" not in answer.text
    assert "<TD/>" in answer.text


def test_astropy_reads_answers(centre: Centre, targets: list[dict[str, str]]) -> None:
    text = search(centre, target_id=targets[0]["target_id"]).body
    table = votable.parse_single_table(io.BytesIO(text)).to_table()
    assert len(table) == int(targets[0]["n_exposures"])
    assert table["exp_mjd_start"].dtype == float
    assert table["target_id"][0] == int(targets[0]["target_id"])


def test_nothing_observed_is_an_empty_table(centre: Centre, log: list[Exposure]) -> None:
    found = document(search(centre, ra="1.234E-5", dec="-89.5", radius="0.5"))
    assert found.rows == []
    assert len(found.fields) == 29


def test_all_ways_to_ask_say_the_same(centre: Centre, targets: list[dict[str, str]]) -> None:
    asked = around(targets[3])
    first = search(centre, **asked)
    mixed = ask(
        f"{centre.url}/search.votable?radius=30.0&all_fields=false&page=7",
        data={"ra": asked["ra"], "dec": asked["dec"], "submit": "Search"},
    )
    turned = search(centre, **{**asked, "ra": repr(float(asked["ra"]) - 360)})
    for answer in (
        ask(f"{centre.url}/search.votable", data=asked),
        ask(f"{centre.url}/observation/search.votable", data=asked),
        ask(f"{centre.url}/observation/search.votable?{urlencode(asked)}"),
        mixed,
        turned if float(asked["ra"]) > 180 else first,
    ):
        assert answer.status == 200
        assert document(answer).rows == document(first).rows
    head = search(centre, "HEAD", **asked)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == "application/x-votable+xml"


# ---------------------------------------------------------------- as others ask


def test_logs_can_be_asked_by_instrument_mode_programme_and_time(
    centre: Centre, log: list[Exposure]
) -> None:
    everything = document(search(centre, interferometer="VLTI")).rows
    begins = [float(row["exp_mjd_start"]) for row in everything]
    assert begins == sorted(begins)
    assert len({row["exp_id"] for row in everything}) == len(everything) > 1000
    count = query(
        centre.url,
        "SELECT COUNT(*) AS n FROM obsportal.exposure WHERE on_sky=1 AND facility_name='VLTI'",
    )
    assert len(everything) == int(count[0]["n"])
    row = everything[len(everything) // 2]
    for parameter, column in (
        ("instrument", "instrument_name"),
        ("instrument_mode", "instrument_mode"),
        ("program_id", "obs_program"),
        ("target_id", "target_id"),
    ):
        found = document(search(centre, interferometer="vlti", **{parameter: row[column]})).rows
        assert found == [one for one in everything if one[column] == row[column]]
    assert document(search(centre, instrument="AMBER", instrument_mode="29")).rows == []
    updated = row["exp_date_updated"].replace(" ", "T")
    found = document(
        search(centre, interferometer="VLTI", date_updated_from=updated, date_updated_to=updated)
    ).rows
    assert found == [
        one for one in everything if one["exp_date_updated"] == row["exp_date_updated"]
    ]
    assert document(search(centre, interferometer="VLTI", limit="1200")).rows == everything[:1200]
    wide = document(search(centre, ra="10", dec="-30", radius="648000")).rows
    assert {row["exp_id"] for row in everything} <= {row["exp_id"] for row in wide}


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "all_fields=false",
        "ra=abc&dec=1",
        "ra=NaN&dec=1",
        "ra=inf&dec=1",
        "ra=400&dec=1",
        "ra=1&dec=91",
        "ra=1",
        "ra=1&dec=2&radius=-1",
        "ra=1&dec=2&radius=1e9",
        "ra=1&dec=2&dec=3",
        "instrument=GRAVITY%00",
        "instrument=GRAVITY%0A",
        "date_updated_from=now",
        "%ff%fe=%ff&ra=%ff&dec=1",
        "ra=1&dec=2&" + "&".join(f"p{n}=x" for n in range(2000)),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(centre: Centre, asked: str) -> None:
    begin = time.monotonic()
    for answer in (
        ask(f"{centre.url}/search.votable?{asked}"),
        ask(f"{centre.url}/search.votable", data=asked),
    ):
        assert answer.status == 400, answer.text[:400]
        assert answer.headers["content-type"].startswith("text/plain")
        assert len(answer.text.splitlines()) == 1
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize(
    "body",
    [
        "&".join(f"p{n}=x" for n in range(10_000)),
        "a=1&" * 2_500_000,
        "instrument=" + "G" * 10_000_000,
        "%" * 1_000_000,
    ],
    ids=["10,000 parameters", "2,500,000 parameters", "10 MB", "percent signs"],
)
def test_floods_are_refused_at_once(centre: Centre, body: str) -> None:
    begin = time.monotonic()
    answer = ask(f"{centre.url}/search.votable", data=body)
    assert answer.status == 400
    assert time.monotonic() - begin < 3


def test_other_bodies_and_methods_are_refused(centre: Centre) -> None:
    answer = ask(
        f"{centre.url}/search.votable",
        data="--x\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.status == 400
    assert ask(f"{centre.url}/search.votable?target_id=1", method="DELETE").status == 405


@pytest.mark.parametrize(
    "parameter",
    [
        "ra",
        "dec",
        "radius",
        "all_fields",
        "instrument",
        "instrument_mode",
        "interferometer",
        "program_id",
        "target_id",
        "name",
        "date_updated_from",
        "date_updated_to",
        "date_from",
        "date_to",
        "limit",
    ],
)
@pytest.mark.parametrize(
    "attack",
    ["'; DROP TABLE obsportal.exposure; --", "1 OR 1=1", "%(ra)s %s {ra} $1", "x' OR 'x'='x"],
)
def test_sql_is_a_value_like_any_other(
    centre: Centre, log: list[Exposure], parameter: str, attack: str
) -> None:
    asked = {"ra": "1", "dec": "2", "target_id": "1", parameter: attack}
    answer = search(centre, **asked)
    assert answer.status in {200, 400}
    if answer.status == 200:
        assert document(answer).rows == []


# ---------------------------------------------------------------- for long


def test_clients_that_go_away_leave_nothing_behind(centre: Centre, log: list[Exposure]) -> None:
    for _ in range(20):
        with socket.create_connection(("localhost", centre.port), timeout=30) as client:
            client.sendall(b"GET /search.votable?interferometer=VLTI HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(100)
    begin = time.monotonic()
    assert document(search(centre, interferometer="VLTI")).rows
    assert time.monotonic() - begin < 10


def test_a_restart_of_the_database_is_not_noticed(
    centre: Centre, database: Any, targets: list[dict[str, str]]
) -> None:
    for _ in range(3):
        assert search(centre, **around(targets[0])).status == 200
        database.execute(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE pid<>pg_backend_pid() AND backend_type='client backend'"
        )
        assert database.fetchall()[0][0] > 0
        time.sleep(0.2)
        for _ in range(5):
            assert search(centre, **around(targets[0])).status == 200


def test_memory_does_not_grow(centre: Centre, targets: list[dict[str, str]]) -> None:
    pid = int((centre.root / "run" / "server.pid").read_text())

    def memory() -> int:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def some(number: int) -> None:
        for place in range(number):
            answer = search(centre, **around(targets[place % len(targets)]))
            assert answer.status == 200

    some(300)
    before = memory()
    some(1500)
    assert memory() - before < 15e6


# ---------------------------------------------------------------- beside the former service


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("obsportal-dev-spica.votable.xml", {"instrument": "SPICA"}),
        ("search.votable.xml", {"ra": "134.872365", "dec": "-43.76717", "radius": "30.0"}),
        ("obsportal-output-10.votable.xml", {"ra": "168.790967", "dec": "-61.28026"}),
    ],
)
def test_exposures_of_the_former_service_come_out_as_it_had_them(
    centre: Centre, name: str, asked: dict[str, str]
) -> None:
    path = SHARED / name
    if not path.exists():
        pytest.skip("needs the real answers of ../shared/data/eso_tap/obsportal")
    centre.succeed("ingest", "obsportal", str(path))
    former = observed.Document(path.read_text())
    ours = document(search(centre, **asked))
    new = {"exp_header": "exp_header_id"}
    fields = {field["name"]: field for field in ours.fields}
    for field in former.fields:
        mine = dict(fields[new.get(field["name"], field["name"])])
        if field["name"] in {"obs_id", "target_id"}:  # text once, int later
            mine |= {"datatype": field["datatype"]}
            assert mine.pop("arraysize", None) is None
            field.pop("arraysize", None)
        if field["name"] in new:
            mine |= {"ID": field["ID"], "name": field["name"]}
        if "unit" not in field:  # the first answers had next to none
            mine.pop("unit", None)
        assert mine == field
    rows = {row["exp_id"]: row for row in ours.rows}
    ordered = [
        row["exp_id"] for row in ours.rows if row["exp_id"] in {r["exp_id"] for r in former.rows}
    ]
    assert len(ordered) == len(former.rows)
    # Numbers of targets and observations, and the time of the last change, are ours.
    own = {"obs_id", "target_id", "exp_date_updated"}
    for row in former.rows:
        mine = rows[row["exp_id"]]
        differ = {
            key: (value, mine[new.get(key, key)])
            for key, value in row.items()
            if key not in own and mine[new.get(key, key)] != value
        }
        assert differ == {}
