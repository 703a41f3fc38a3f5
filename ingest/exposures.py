"""Exposures: what an observation log tells, whatever the array and the form of its log.

One raw file (one header) holds one exposure, or several; its number in the file completes its name.
Times are MJD (UTC), angles degrees (ICRS), baselines and wavelengths metres, durations seconds;
what is not known is None.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Baseline:
    """The projected baseline of a pair of stations at the begin and the end of an exposure.

    Lengths in metres; position angles in degrees from north through east of the vector from
    station1 to station2, so that u = length sin(angle) and v = length cos(angle).
    """

    station1: str
    station2: str
    length_start: float | None
    length_end: float | None
    angle_start: float | None
    angle_end: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One exposure. Fields have the names of the columns of obsportal.exposure."""

    header_id: str
    #: From 1, in the order of the header.
    exposure_number: int = 1
    facility_name: str
    instrument_name: str
    instrument_mode: str | None = None
    instrument_submode: str | None = None
    em_min: float | None = None
    em_max: float | None = None
    em_res_power: float | None = None
    #: SCIENCE or CALIB; None for what is neither, or not known.
    dataproduct_category: str | None = None
    dpr_catg: str | None = None
    dpr_type: str | None = None
    dpr_tech: str | None = None

    #: The name that is shown.
    target_name: str | None = None
    #: All names that the log gives this target, target_name first.
    target_names: tuple[str, ...] = ()
    #: Position as the log gives it: equinox J2000, at pos_epoch.
    log_ra: float | None = None
    log_dec: float | None = None
    #: Proper motion as the log gives it (mas/yr; in right ascension times cos dec), None if not.
    pm_ra: float | None = None
    pm_dec: float | None = None
    #: Epoch of the position (Julian year); None when the log does not say.
    pos_epoch: float | None = None

    t_min: float | None = None
    t_max: float | None = None
    t_exptime: float | None = None
    dit: float | None = None
    ndit: int | None = None

    #: Stations in the order of the log, such as ("U1", "U2", "U3", "U4").
    stations: tuple[str, ...] = ()
    #: CHARA: pipes of Pan in the order of the stations, such as "124".
    pops: str | None = None
    #: Input channels (beams) in the order of the stations, separated by blanks.
    channels: str | None = None
    baselines: tuple[Baseline, ...] = ()

    progid: str | None = None
    prog_title: str | None = None
    datapi: str | None = None
    ob_id: int | None = None
    ob_name: str | None = None
    ob_container_id: int | None = None
    template_id: str | None = None
    #: ISO 8601 as in the log (UTC).
    template_start: str | None = None
    template_number: int | None = None
    template_total: int | None = None

    seeing_start: float | None = None  # arcsec
    seeing_end: float | None = None
    tau0_start: float | None = None  # s
    tau0_end: float | None = None
    temperature: float | None = None  # degrees Celsius
    humidity: float | None = None  # percent
    pressure: float | None = None  # hPa
    wind_speed: float | None = None  # m/s
    wind_direction: float | None = None  # deg, north through east
    pwv_start: float | None = None  # mm of precipitable water
    pwv_end: float | None = None
    airmass_start: float | None = None
    airmass_end: float | None = None
    ft_sensor: str | None = None
    ft_status: str | None = None

    #: 1 when all is there that makes the exposure usable, else 0; the log says what is missing.
    validation_level: int = 0
    validation_log: tuple[str, ...] = ()
    #: Words of QUALITY_FLAGS: what is wrong or doubtful.
    quality_flags: tuple[str, ...] = ()
    #: False for frames of the laboratory and the like, that saw no sky.
    on_sky: bool = True

    @property
    def exposure_id(self) -> str:
        """Name of the exposure: the same whenever and wherever the log is read."""
        return f"{self.header_id}_{self.exposure_number}"


# --- validation -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that an exposure should have; its name is a quality flag where it has not."""

    name: str
    #: True where the exposure is of no use without: its validation_level is 0 then.
    needed: bool
    #: For the validation log; those of today's ObsPortal are kept word by word.
    message: str
    #: What the flag means, for people.
    meaning: str
    broken: Callable[[Exposure], bool]


#: ASPRO2 counts no exposure that is not longer (s).
_SHORTEST = 1.0
#: ASPRO2 draws no exposure whose baselines turn by more (degrees).
_MOST_TURN = 10.0


def _usable(baseline: Baseline) -> bool:
    return None not in (
        baseline.length_start, baseline.length_end, baseline.angle_start, baseline.angle_end
    )  # fmt: skip


def _turns(baseline: Baseline) -> bool:
    if baseline.angle_start is None or baseline.angle_end is None:
        return False
    return abs(math.remainder(baseline.angle_end - baseline.angle_start, 360.0)) > _MOST_TURN


def _still(exposure: Exposure) -> bool:
    """The Earth turns by 0.6 degrees in 150 s; angles may be rounded to 0.1."""
    lasted = 86400.0 * ((exposure.t_max or 0.0) - (exposure.t_min or 0.0))
    return (
        lasted >= 150.0
        and len(exposure.baselines) > 0
        and all(
            abs((b.length_end or 0.0) - (b.length_start or 0.0)) < 0.03
            and abs(math.remainder((b.angle_end or 0.0) - (b.angle_start or 0.0), 360.0)) < 0.11
            for b in exposure.baselines
        )
    )


def _pairs(exposure: Exposure) -> int:
    count = len(exposure.stations)
    return count * (count - 1) // 2


def _too_short(exposure: Exposure) -> bool:
    if exposure.t_min is None or exposure.t_max is None:
        return True
    return (exposure.t_max - exposure.t_min) * 86400.0 <= _SHORTEST


#: In the order of the log: first those that today's ObsPortal has, in its words and order.
RULES = (
    Rule("no_stations", True, "Missing 'HIERARCH ISS CONF NTEL'",
         "The log does not say on which stations the telescopes were.",
         lambda e: len(e.stations) < 2),
    Rule("no_exptime", False, "Missing 'EXPTIME'",
         "Integration time unknown.", lambda e: e.t_exptime is None),
    Rule("no_tau0_start", False, "Missing 'HIERARCH ISS AMBI TAU0 START'",
         "Coherence time at the begin unknown.", lambda e: e.tau0_start is None),
    Rule("no_tau0_end", False, "Missing 'HIERARCH ISS AMBI TAU0 END'",
         "Coherence time at the end unknown.", lambda e: e.tau0_end is None),
    Rule("no_temperature", False, "Missing 'HIERARCH ISS AMBI TEMP'",
         "Temperature unknown.", lambda e: e.temperature is None),
    Rule("no_seeing_start", False, "Missing 'HIERARCH ISS AMBI FWHM START'",
         "Seeing at the begin unknown.", lambda e: e.seeing_start is None),
    Rule("no_seeing_end", False, "Missing 'HIERARCH ISS AMBI FWHM END'",
         "Seeing at the end unknown.", lambda e: e.seeing_end is None),
    Rule("no_time", True, "Missing 'MJD-OBS'",
         "Begin unknown.", lambda e: e.t_min is None),
    Rule("too_short", True, "Not longer than a second, or of unknown length",
         "Not longer than one second, or of unknown length: ASPRO2 does not count it.", _too_short),
    Rule("no_position", True, "Missing 'RA' and 'DEC'",
         "Position of the target unknown.", lambda e: e.log_ra is None or e.log_dec is None),
    Rule("no_target_name", False, "Missing 'HIERARCH OBS TARG NAME'",
         "Name of the target unknown.", lambda e: e.target_name is None),
    Rule("no_category", True, "Neither SCIENCE nor CALIB by 'HIERARCH DPR CATG'",
         "Neither science nor calibrator, or not known which.",
         lambda e: e.dataproduct_category is None),
    Rule("no_mode", True, "No mode of ASPRO2",
         "The settings of the instrument are none of ASPRO2's modes.",
         lambda e: e.instrument_mode is None),
    Rule("no_baselines", True, "Missing 'HIERARCH ISS PBL12 START'",
         "No projected baselines with both begin and end.",
         lambda e: not any(_usable(b) for b in e.baselines)),
    Rule("baselines_incomplete", False, "Some projected baselines are missing or incomplete",
         "Projected baselines of some pairs of stations, or their begin or end, are missing.",
         lambda e: bool(e.baselines) and sum(map(_usable, e.baselines)) < _pairs(e)),
    Rule("baselines_turn", False, "A projected baseline turns by more than 10 degrees",
         "A projected baseline turns by more than 10 degrees: ASPRO2 does not draw it.",
         lambda e: any(_turns(b) for b in e.baselines if _usable(b))),
    Rule("baselines_still", False, "Projected baselines at the end are those of the begin",
         "A long exposure whose projected baselines do not move: the end was written at the begin "
         "(GRAVITY until 2018).", _still),
    Rule("empty_sky", True, "A frame of empty sky beside the target",
         "A frame of empty sky beside the target.", lambda e: "empty_sky" in e.quality_flags),
    Rule("no_fringes", False, "A frame without fringes (photometry or acquisition)",
         "Photometry, acquisition or the like: a frame without fringes.",
         lambda e: "no_fringes" in e.quality_flags),
    Rule("laboratory", True, "No light from the sky",
         "A frame of the laboratory: lamp, dark, flat field, P2VM or the like.",
         lambda e: not e.on_sky),
)  # fmt: skip

#: What a quality flag means: the rules' names, and what readers of logs have to say.
QUALITY_FLAGS: dict[str, str] = {rule.name: rule.meaning for rule in RULES} | {
    "angles_from_east": "The log counts the angles of baselines from east through north; here they "
    "are from north through east.",
    "category_from_ob_name": "Science or calibrator by the beginning of the OB's name (SCI, CAL).",
    "equinox": "The log's coordinates have an equinox other than J2000.",
    "exptime_from_dit": "EXPTIME is missing or a single DIT: the integration time is NDIT x DIT.",
    "position_disagrees": "The telescopes did not point where the user's coordinates of the target "
    "are; the position is theirs.",
    "position_of_fringe_tracker": "The science object's place is not known: the position is that "
    "of the fringe tracker's object.",
    "position_of_telescope": "The position is where the telescopes pointed, up to 12 arcsec beside "
    "the target.",
    "product": "The header is that of a reduced product, not of the raw file.",
    "stations_incomplete": "The log names fewer stations than it counts telescopes.",
    "time_from_date_obs": "MJD-OBS is missing or impossible: the begin is DATE-OBS.",
    "time_from_name": "The header has no time: the begin is that of the file's name.",
    "times_disagree": "MJD-OBS and DATE-OBS differ by more than a minute; the begin is MJD-OBS.",
    "withdrawn": "The archive has the file no more.",
}


def validated(exposure: Exposure, reason: str | None = None) -> Exposure:
    """The exposure with validation_level, validation_log and the flags of the rules.

    ``reason`` says why a frame is not of the sky (``on_sky`` False).
    """
    broken = [rule for rule in RULES if rule.broken(exposure)]
    log = tuple(
        f"{rule.message}: {reason}" if reason and rule.name == "laboratory" else rule.message
        for rule in broken
    )
    flags = dict.fromkeys((*exposure.quality_flags, *(rule.name for rule in broken)))
    return replace(
        exposure,
        validation_level=int(not any(rule.needed for rule in broken)),
        validation_log=log,
        quality_flags=tuple(flags),
    )
