"""Targets of the observation logs as they are in the tables, and what operators change of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ingest.exposures import Exposure
from ingest.simulate_log import Log, eso_header
from tests.live.conftest import Centre
from tests.live.observed import forget

pytestmark = pytest.mark.live

#: Where nothing else is.
RA, DEC = 123.456789, -45.678901
ARCSEC = 1 / 3600


@dataclass(frozen=True)
class Sky:
    """The instance, and a piece of sky that tests fill."""

    centre: Centre
    folder: Path

    def sql(self, statement: str) -> list[tuple[str, ...]]:
        """Rows that the database answers its superuser."""
        text = self.centre.sql(statement)
        return [tuple(line.split("|")) for line in text.splitlines()]

    def ingest(self) -> None:
        """Ingests the headers of the folder."""
        self.centre.succeed("ingest", "headers", str(self.folder))

    def here(self) -> list[tuple[str, ...]]:
        """Names, positions and numbers of the targets."""
        return self.sql(
            "SELECT target_id, target_name, s_ra, s_dec, pm_ra, n_exposures,"
            " COALESCE(merged_into::text, '-') FROM obsportal.target"
            f" WHERE abs(s_dec - ({DEC})) < 0.1 AND abs(s_ra - {RA}) < 0.1 ORDER BY target_id"
        )

    def aliases(self) -> list[tuple[str, ...]]:
        """What they are called."""
        return self.sql(
            "SELECT a.* FROM obsportal.target_alias AS a JOIN obsportal.target AS t USING"
            f" (target_id) WHERE abs(s_dec - ({DEC})) < 0.1 AND abs(s_ra - {RA}) < 0.1"
            " ORDER BY 1, 2"
        )

    def check(self) -> None:
        """Exposures and observations are where their targets are, and are counted right."""
        wrong = self.sql(
            "SELECT 'place', e.exposure_id FROM obsportal.exposure AS e"
            " LEFT JOIN obsportal.target AS t USING (target_id) WHERE e.target_id IS NOT NULL AND"
            " (t.target_id IS NULL OR t.s_ra<>e.s_ra OR t.s_dec<>e.s_dec"
            " OR t.merged_into IS NOT NULL)"
            " UNION ALL SELECT 'observation', e.exposure_id FROM obsportal.exposure AS e"
            " JOIN obsportal.stored_observation AS o USING (observation_id)"
            " WHERE e.target_id<>o.target_id"
            " UNION ALL SELECT 'number', t.target_name FROM obsportal.target AS t"
            " LEFT JOIN obsportal.exposure AS e USING (target_id)"
            " GROUP BY t.target_id HAVING t.n_exposures<>COUNT(e.exposure_id)"
            " UNION ALL SELECT 'alias', a.alias FROM obsportal.target_alias AS a"
            " LEFT JOIN obsportal.exposure AS e ON e.target_id=a.target_id"
            " AND e.target_name=a.alias GROUP BY a.target_id, a.alias, a.n_exposures"
            " HAVING a.n_exposures<>COUNT(e.exposure_id)"
        )
        assert wrong == []

    def forget(self) -> None:
        """Takes everything of these tests out of the tables."""
        files = "(SELECT header_id FROM obsportal.exposure WHERE target_id IN (SELECT * FROM gone))"
        self.sql(
            "CREATE TEMPORARY TABLE gone AS SELECT target_id FROM obsportal.target"
            f" WHERE abs(s_dec - ({DEC})) < 0.1 AND abs(s_ra - {RA}) < 0.1;"
            f" CREATE TEMPORARY TABLE file AS SELECT DISTINCT header_id FROM {files} AS f;"
            " DELETE FROM obsportal.baseline WHERE exposure_id IN (SELECT exposure_id FROM"
            " obsportal.exposure WHERE header_id IN (SELECT * FROM file));"
            " DELETE FROM obsportal.exposure WHERE header_id IN (SELECT * FROM file);"
            " DELETE FROM obsportal.stored_header WHERE header_id IN (SELECT * FROM file);"
            " DELETE FROM obsportal.stored_observation WHERE target_id IN (SELECT * FROM gone);"
            " DELETE FROM obsportal.target_change WHERE target_id IN (SELECT * FROM gone);"
            " DELETE FROM obsportal.target_neighbour WHERE target_id IN (SELECT * FROM gone);"
            " DELETE FROM obsportal.target_alias WHERE target_id IN (SELECT * FROM gone);"
            " DELETE FROM obsportal.target WHERE target_id IN (SELECT * FROM gone)"
        )


def exposures(*stars: tuple[str, float]) -> Iterator[Exposure]:
    """Exposures, a block each, of stars with their distance from the middle (arcsec)."""
    log = (e for e in Log(count=600, targets=60, seed=41).exposures() if e.facility_name == "VLTI")
    for ob_id, (name, north) in enumerate(stars, start=4_100_000):
        yield replace(
            next(log),
            target_name=name,
            target_names=(name,),
            log_ra=RA,
            log_dec=DEC + north * ARCSEC,
            pm_ra=None,
            pm_dec=None,
            pos_epoch=2000.0,
            dataproduct_category="SCIENCE",
            ob_id=ob_id,
        )


@pytest.fixture
def sky(centre: Centre, tmp_path: Path) -> Iterator[Sky]:
    """Two stars 4 arcsec apart, with two and three spellings."""
    for place in (tmp_path, *tmp_path.parents[:2]):
        place.chmod(0o755)
    stars = [("HD 490001", 0.0), ("HD490001", 0.4), ("hd_490001", -2.0), ("V999 Vel", 4.0)]
    for number, exposure in enumerate(exposures(*stars, ("V999_Vel", 3.5))):
        (tmp_path / f"{number}.hdr").write_text(eso_header(exposure))
    forget(centre, "FALSE")  # so that all is counted, whatever other tests have left
    made = Sky(centre, tmp_path)
    try:
        yield made
    finally:
        made.forget()


def test_targets_of_an_ingestion(sky: Sky) -> None:
    sky.ingest()
    one, other = sky.here()
    assert (one[1], one[5], one[6]) == ("HD 490001", "3", "-")
    assert (other[1], other[5]) == ("V999 Vel", "2")
    assert float(one[2]) == pytest.approx(RA, abs=1e-5)
    assert float(one[3]) == pytest.approx(DEC, abs=1e-5)
    ids = one[0], other[0]
    assert sky.aliases() == [
        (ids[0], "HD 490001", "hd 490001", "1"),
        (ids[0], "HD490001", "hd 490001", "1"),
        (ids[0], "hd_490001", "hd 490001", "1"),
        (ids[1], "V999 Vel", "v999 vel", "1"),
        (ids[1], "V999_Vel", "v999 vel", "1"),
    ]
    linked = sky.sql(
        "SELECT target_id, neighbour_id, round(separation::numeric, 1) FROM"
        f" obsportal.target_neighbour WHERE target_id IN ({','.join(ids)}) ORDER BY 1"
    )
    assert linked == [(*ids, "4.0"), (*ids[::-1], "4.0")]
    sky.check()
    before = sky.here(), sky.aliases()
    sky.ingest()
    assert (sky.here(), sky.aliases()) == before
    sky.check()


def test_operator_merges_and_splits(sky: Sky) -> None:
    sky.ingest()
    (one, *_), (other, *_) = sky.here()
    said = sky.centre.succeed("target", "merge", one, other, "--reason", "Ω is one")
    assert "2 exposures moved" in said
    sky.check()
    assert [(t[1], t[5], t[6]) for t in sky.here()] == [
        ("HD 490001", "5", "-"),
        ("HD 490001", "0", one),
    ]

    said = sky.centre.succeed("target", "split", one, "v999 vel")
    assert "2 exposures moved" in said
    sky.check()
    now = sky.here()
    new = now[-1][0]
    assert [(t[0], t[1], t[5]) for t in now] == [
        (one, "HD 490001", "3"),
        (other, "HD 490001", "0"),
        (new, "V999 Vel", "2"),
    ]
    assert float(now[-1][3]) == pytest.approx(DEC + 4 * ARCSEC, abs=1e-5)
    sky.ingest()
    assert sky.here() == now
    sky.check()
    assert sky.sql(
        "SELECT kind, target_id, other_id, reason FROM obsportal.target_change"
        f" WHERE target_id={one} ORDER BY changed, kind"
    ) == [("merge", one, other, "Ω is one"), ("split", one, new, "")]


def test_observation_is_divided_with_its_target(sky: Sky) -> None:
    """Exposures of two names in one block belong to two observations after the split."""
    sky.ingest()
    (one, *_), (other, *_) = sky.here()
    sky.centre.succeed("target", "merge", one, other)
    sky.sql(
        "UPDATE obsportal.exposure SET observation_id=(SELECT MIN(observation_id) FROM"
        f" obsportal.exposure WHERE target_id={one}) WHERE target_id={one}"
    )
    sky.centre.succeed("target", "split", one, "V999 Vel")
    sky.check()
    assert sky.sql(
        "SELECT COUNT(DISTINCT observation_id), COUNT(*) FROM obsportal.exposure"
        f" WHERE target_id >= {one}"
    ) == [("2", "5")]


def test_refused_changes(sky: Sky) -> None:
    sky.ingest()
    before = sky.here(), sky.aliases()
    one = before[0][0][0]
    for words, reason in (
        (("merge", one, one), "cannot be merged into itself"),
        (("merge", one, "2000000000"), "There is no target 2000000000."),
        (("split", one, "nobody"), "is not called nobody"),
        (("split", one, "HD490001"), "no other name that would stay"),
        (("split", "2000000000", "HD490001"), "There is no target 2000000000."),
    ):
        result = sky.centre.jmmc("target", *words)
        assert result.returncode != 0
        assert reason in result.stderr
        assert "Traceback" not in result.stderr
    assert (sky.here(), sky.aliases()) == before
