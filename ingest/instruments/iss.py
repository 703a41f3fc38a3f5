"""What headers of all instruments of VLTI share: the keywords of the Interferometer Supervisor.

Keywords are those of ESO's dictionaries (ESO-VLT-DIC.ISS, OBS, TPL, DPR), checked against real
headers of AMBER, GRAVITY, MATISSE and PIONIER from 2007 to 2025. ESO writes 0 or a negative number
where the observatory's database had no value; where that cannot be a value, it is None here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

from ingest import geometry
from ingest.exposures import Baseline, Exposure, validated
from ingest.headers import Header
from ingest.vocabulary import Mode, Vocabulary

DAY = 86400.0
_J2000 = 51544.5
_MJD_0 = datetime(1858, 11, 17, tzinfo=UTC)
#: VLTI had first fringes in March 2001 (MJD 51980).
_FIRST, _LAST = 51900.0, 88000.0
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d)[:_-](\d\d)[:_-](\d\d(?:\.\d+)?)")
#: Longest exposure that is believed (s); the longest templates take about an hour.
_LONGEST = 6 * 3600.0
#: MJD-OBS and DATE-OBS may differ by that much (s): pipelines put the begin of another camera or
#: of the reduced frames into DATE-OBS.
_SAME_TIME = 60.0
#: EXPTIME is the whole exposure for some instruments and one DIT for others: NDIT x DIT counts
#: where it is that much longer.
_LONGER = 1.5

#: MJD (2012-01-01) from when angles of baselines are all from north, and how well computed ones
#: agree with those of headers (degrees; 0.2 in real ones).
_ANGLES_SETTLED = 55927.0
_SAME_ANGLE = 2.0

#: The coordinates that the user gave (ISS REF, FT ROBJ) are the target's when the telescopes
#: pointed that close (arcsec): they point up to 12 arcsec beside it and follow proper motion; in
#: daytime, and when somebody types the wrong star, ISS REF is another one.
SAME_FIELD = 300.0
#: Fastest proper motion that is believed (arcsec/yr); Barnard's star has 10.4.
_FASTEST = 11.0

#: Parts of DPR TYPE that mean a lamp or no light at all.
_LABORATORY = re.compile(
    r"(2P2V|3P2V|ARTIF|AUTO|BADPIX|BIAS|COLDDARK|DARK|DET|DISP(?!ERSED)|DIST|FLAT|FRNSRC|HOTDARK|LAMP|LIN"
    r"|MARCEL|NOISE|P2VM|PIEZO|PINHOLE|RMNREC|SHIFT|SPECTRA|TEST|WAVE)"
)
_TARGET = frozenset({"OBJECT", "STD", "TARGET", "CALIB", "CALIBRATOR"})
_SKY = re.compile(r"(SKY|BACKGROUND|BCKGR)")
_NO_FRINGES = re.compile(r"(PHOT|KAPPA|COARSE|ACQ|IMAGE)")
_LABORATORY_PRODUCT = re.compile(r"(BAD|BIAS|DARK|DISP|FLAT|KAPPA|NONLIN|P2VM|SHIFT|WAVE)")
_LABORATORY_TEMPLATE = re.compile(r"_gen_(cal|tec)_|_tec_", re.IGNORECASE)
_CALIBRATION_TEMPLATE = re.compile(r"_cal_", re.IGNORECASE)
#: OBJECT has DPR TYPE instead of a name in calibrations; some words stand for "no name".
_NO_NAME = frozenset(
    {"", "-", "?", "CALIB", "CALIBRATION", "CALIBRATOR", "DEFAULT", "NAME", "NO NAME", "NONAME",
     "NONE", "OBJECT", "REDACTED", "SCIENCE", "SKY", "STD", "TARGET", "UNDEFINED", "UNKNOWN"}
)  # fmt: skip


class Settings(NamedTuple):
    """What an instrument's own keywords tell of an exposure."""

    #: Instrument of the vocabulary that owns the mode, such as MATISSE_LM.
    owner: str
    #: By its ASPRO2 name; None when there is none.
    mode: str | None
    submode: str | None = None
    #: Detector integration time (s) and number.
    dit: float | None = None
    ndit: int | None = None
    #: What the clock ran from begin to end (s), where the detector tells.
    elapsed: float | None = None
    #: Why this frame saw no sky, when the instrument's keywords tell.
    laboratory: str | None = None


class Object(NamedTuple):
    """What was looked at: names, and position (degrees, J2000) with its proper motion (mas/yr)."""

    names: tuple[str, ...] = ()
    ra: float | None = None
    dec: float | None = None
    #: Julian year of the position.
    epoch: float | None = None
    pm_ra: float | None = None
    pm_dec: float | None = None
    flags: tuple[str, ...] = ()


def exposure(
    header: Header,
    header_id: str,
    vocabulary: Vocabulary,
    name: str,
    settings: Settings,
    target: Object | None = None,
    number: int = 1,
) -> Exposure:
    """The exposure of a header; ``target`` where the instrument knows better what was seen."""
    flags: list[str] = []
    t_min = _begin(header, header_id, flags)
    exptime = _duration(header, settings, flags)
    elapsed = settings.elapsed
    if elapsed is None or not 0 < elapsed < _LONGEST:
        elapsed = None
    lasted = max(filter(None, (exptime, elapsed)), default=None)
    dpr_type = header.text("DPR TYPE")
    laboratory = settings.laboratory or _laboratory(header, dpr_type)
    if laboratory is not None:
        seen = Object()
        flags.append("laboratory")
    else:
        seen = target or target_of(header, t_min)
        flags.extend(seen.flags)
        words = _words(dpr_type)
        if _any(_SKY, words) and not words & _TARGET:
            flags.append("empty_sky")
        if _any(_NO_FRINGES, words):
            flags.append("no_fringes")
    if header.text("PRO CATG") is not None:
        flags.append("product")
    stations, channels = _stations(header, vocabulary, flags)
    baselines: tuple[Baseline, ...] = ()
    if laboratory is None:
        baselines = _baselines(header, stations)
        if t_min is not None and t_min < _ANGLES_SETTLED:
            baselines = _from_north(baselines, seen, t_min, vocabulary, flags)
    mode = _mode(vocabulary, settings.owner, settings.mode)
    fields: dict[str, Any] = {
        "header_id": header_id,
        "exposure_number": number,
        "facility_name": "VLTI",
        "instrument_name": name,
        "instrument_mode": mode.name if mode else None,
        "instrument_submode": settings.submode,
        "em_min": mode.band[0] if mode else None,
        "em_max": mode.band[1] if mode else None,
        "em_res_power": mode.resolution if mode else None,
        "dataproduct_category": _category(header, flags),
        "dpr_catg": header.text("DPR CATG"),
        "dpr_type": dpr_type,
        "dpr_tech": header.text("DPR TECH"),
        "target_name": seen.names[0] if seen.names else None,
        "target_names": seen.names,
        "log_ra": seen.ra,
        "log_dec": seen.dec,
        "pm_ra": seen.pm_ra,
        "pm_dec": seen.pm_dec,
        "pos_epoch": seen.epoch,
        "t_min": t_min,
        "t_max": None if t_min is None or lasted is None else t_min + lasted / DAY,
        "t_exptime": exptime,
        "dit": settings.dit,
        "ndit": settings.ndit,
        "stations": stations,
        "channels": channels,
        "baselines": baselines,
        "progid": header.text("OBS PROG ID") or header.text("PROG_ID"),
        "datapi": _known(header.text("OBS PI-COI NAME")),
        "ob_id": positive(header, "OBS ID"),
        "ob_name": header.text("OBS NAME"),
        "ob_container_id": positive(header, "OBS CONTAINER ID"),
        "template_id": header.text("TPL ID"),
        "template_start": _timestamp(header.text("TPL START")),
        "template_number": positive(header, "TPL EXPNO"),
        "template_total": positive(header, "TPL NEXP"),
        "ft_sensor": header.text("DEL FT SENSOR"),
        "ft_status": header.text("DEL FT STATUS"),
        "on_sky": laboratory is None,
        "quality_flags": tuple(flags),
        **_weather(header),
    }
    return validated(Exposure(**fields), laboratory)


# --- time -----------------------------------------------------------------------------------------


def mjd_of(moment: str | None) -> float | None:
    """MJD of an ISO 8601 time anywhere in a text (such as a file name), None when there is none."""
    found = _TIME.search(moment or "")
    if not found:
        return None
    year, month, day, hour, minute = (int(part) for part in found.groups()[:5])
    seconds = float(found[6])
    try:
        date = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    if hour > 23 or minute > 59 or seconds >= 61:
        return None
    mjd = (date - _MJD_0).days + (hour * 3600 + minute * 60 + seconds) / DAY
    return mjd if _FIRST < mjd < _LAST else None


def _timestamp(text: str | None) -> str | None:
    found = _TIME.match(text or "")
    return found[0] if found and mjd_of(text) is not None else None


def _begin(header: Header, header_id: str, flags: list[str]) -> float | None:
    """Begin of the exposure: MJD-OBS, else DATE-OBS, else the time in the file's name."""
    mjd = header.number("MJD-OBS")
    date = mjd_of(header.text("DATE-OBS"))
    if mjd is not None and _FIRST < mjd < _LAST:
        if date is not None and abs(mjd - date) * DAY > _SAME_TIME:
            flags.append("times_disagree")
        return mjd
    if date is not None:
        flags.append("time_from_date_obs")
        return date
    named = mjd_of(header.text("ARCFILE")) or mjd_of(header_id)
    if named is not None:
        flags.append("time_from_name")
    return named


def _duration(header: Header, settings: Settings, flags: list[str]) -> float | None:
    """Integration time (s): EXPTIME, or NDIT x DIT where that is missing or only one DIT."""
    exptime = header.number("EXPTIME")
    if exptime is not None and not 0 < exptime < _LONGEST:
        exptime = None
    if settings.dit is not None and settings.ndit is not None:
        total = settings.dit * settings.ndit
        if 0 < total < _LONGEST and (exptime is None or total > _LONGER * exptime):
            flags.append("exptime_from_dit")
            return total
    return exptime


# --- the array ------------------------------------------------------------------------------------

_WHAT = ("PBL", "PBLA")
_PAIRS = {
    (i, j): tuple(f"ISS {what}{i}{j} {when}" for what in _WHAT for when in ("START", "END"))
    for i, j in combinations(range(1, 9), 2)
}


def _stations(
    header: Header, vocabulary: Vocabulary, flags: list[str]
) -> tuple[tuple[str, ...], str | None]:
    """Stations in the order of the header, and their input channels, separated by blanks."""
    count = header.integer("ISS CONF NTEL")
    facility = vocabulary.facility("VLTI")
    names, channels = [], []
    for number in range(1, 1 + (count if count is not None and 1 < count <= 8 else 8)):
        said = header.text(f"ISS CONF STATION{number}")
        if said is None:
            # Unit telescopes stand where their name says.
            telescope = header.text(f"ISS CONF T{number}NAME")
            said = telescope if telescope and telescope.startswith("UT") else None
        if said is None or said.upper() in _NO_NAME:
            break  # what comes after would be paired with the wrong baselines
        station = facility.station_name(said) if facility else said
        if station is not None and " " not in station:
            names.append(station)
            channel = header.integer(f"ISS CONF INPUT{number}")
            channels.append("" if channel is None else str(channel))
    if count is not None and names and len(names) != count:
        flags.append("stations_incomplete")
    if len(set(names)) != len(names) or len(names) < 2:
        return (), None
    return tuple(names), " ".join(channels) if all(channels) else None


def _baselines(header: Header, stations: Sequence[str]) -> tuple[Baseline, ...]:
    """Projected baselines of all pairs: ISS PBLij and PBLAij are those from station i to j."""
    found = []
    for i, j in combinations(range(1, len(stations) + 1), 2):
        start, end, angle_start, angle_end = (header.number(key) for key in _PAIRS[i, j])
        start, angle_start = _projected(start, angle_start)
        end, angle_end = _projected(end, angle_end)
        if start is not None or end is not None:
            found.append(
                Baseline(stations[i - 1], stations[j - 1], start, end, angle_start, angle_end)
            )
    return tuple(found)


def _projected(length: float | None, angle: float | None) -> tuple[float | None, float | None]:
    """A length (m) and position angle (deg); both None unless both can be true."""
    if length is None or angle is None or not 0 < length < 250 or not -360 <= angle <= 720:
        return None, None
    return length, angle


def _from_north(
    baselines: tuple[Baseline, ...],
    seen: Object,
    mjd: float,
    vocabulary: Vocabulary,
    flags: list[str],
) -> tuple[Baseline, ...]:
    """Baselines with angles from north through east, whatever the header has.

    Headers of AMBER of April 2010 count PBLA from east through north (their lengths are right).
    The stations' places tell: where no angle is true as it stands, and all are when turned.
    """
    facility = vocabulary.facility("VLTI")
    names = list(dict.fromkeys(name for b in baselines for name in (b.station1, b.station2)))
    if (
        facility is None
        or facility.longitude is None
        or facility.latitude is None
        or seen.ra is None
        or seen.dec is None
        or not names
        or any(name not in facility.stations for name in names)
    ):
        return baselines
    places = [facility.stations[name] for name in names]
    view = geometry.view(
        [(place.east, place.north, place.up) for place in places],
        facility.longitude,
        facility.latitude,
        seen.ra,
        seen.dec,
        mjd,
    )
    for baseline in baselines:
        if baseline.angle_start is None:
            return baselines
        _, true = view.baseline(names.index(baseline.station1), names.index(baseline.station2))
        turned = abs(math.remainder(90.0 - baseline.angle_start - true, 360.0))
        if turned > _SAME_ANGLE or turned > abs(math.remainder(baseline.angle_start - true, 360.0)):
            return baselines
    flags.append("angles_from_east")

    def north(angle: float | None) -> float | None:
        return None if angle is None else round((90.0 - angle) % 360.0, 9)

    return tuple(
        replace(b, angle_start=north(b.angle_start), angle_end=north(b.angle_end))
        for b in baselines
    )


# --- target ---------------------------------------------------------------------------------------


def target_of(header: Header, mjd: float | None, *more: str | None) -> Object:
    """The target of an exposure: ``more`` names beside OBS TARG NAME and OBJECT.

    RA and DEC are where the telescopes pointed: up to 12 arcsec beside the target, with proper
    motion applied. The position is therefore the one that the user gave (ISS REF RA and DEC,
    hhmmss.ss and ddmmss.ss, epoch 2000 unless an EPOCH says otherwise), the same in all headers of
    an OB, unless the telescopes were elsewhere. Proper motions are in arcsec/yr in ESO's headers,
    that in right ascension on the sky (times cos dec), as users copy it from catalogues.
    """
    names = names_of(header, header.text("OBS TARG NAME"), header.text("OBJECT"), *more)
    pointed = pointing(header)
    given = packed(header, "ISS REF RA", "ISS REF DEC")
    flags = () if header.number("EQUINOX") in (None, 2000.0) else ("equinox",)
    if given is not None and (
        pointed is None or geometry.separation(*given, *pointed) <= SAME_FIELD
    ):
        prefixes = ("ISS REF", "ISS", "OBS TARG", "TEL TARG")
        epochs = (header.number(f"{prefix} EPOCH") for prefix in prefixes)
        epoch = next((year for year in epochs if year is not None and 1850 < year < 2100), 2000.0)
        motions = (motion(header, prefix) for prefix in prefixes)
        pm_ra, pm_dec = next((found for found in motions if found[0] is not None), (None, None))
        return Object(names, *given, epoch, pm_ra, pm_dec, flags)
    if pointed is None:
        return Object(names, flags=flags)
    if given is not None:
        flags = (*flags, "position_disagrees")
    epoch_of_date = None if mjd is None else 2000.0 + (mjd - _J2000) / 365.25
    return Object(names, *pointed, epoch_of_date, flags=(*flags, "position_of_telescope"))


def names_of(header: Header, *names: str | None) -> tuple[str, ...]:
    """Those that are names, each once."""
    words = _words(header.text("DPR TYPE"))
    said = (name for name in names if name and name.upper() not in _NO_NAME)
    return tuple(dict.fromkeys(name for name in said if not words or not _words(name) <= words))


def pointing(header: Header) -> tuple[float, float] | None:
    """RA and DEC (degrees); None when missing, impossible or both 0 (no telescope pointed)."""
    ra, dec = header.number("RA"), header.number("DEC")
    if ra is None or dec is None or not 0 <= ra <= 360 or not -90 <= dec <= 90 or ra == dec == 0:
        return None
    return ra % 360.0, dec


def packed(header: Header, ra_key: str, dec_key: str) -> tuple[float, float] | None:
    """A position (degrees) from hhmmss.sss and ddmmss.sss; None when missing or impossible."""
    values = []
    for key, factor, limit in ((ra_key, 15.0, 360.0), (dec_key, 1.0, 90.0)):
        value = header.number(key)
        if value is None:
            return None
        hours, rest = divmod(abs(value), 10000.0)
        minutes, seconds = divmod(rest, 100.0)
        angle = factor * (hours + minutes / 60 + seconds / 3600)
        if minutes >= 60 or seconds > 60 or angle > limit:
            return None
        # Far beyond what users type, and clean of what the arithmetic adds.
        values.append(round(math.copysign(angle, value), 9))
    ra, dec = values
    return None if ra < 0 or ra == dec == 0 else (ra % 360.0, dec)


def motion(header: Header, prefix: str) -> tuple[float | None, float | None]:
    """Proper motion (mas/yr) from PMA and PMD (arcsec/yr); 0 and 0 stand for not known."""
    values = header.number(f"{prefix} PMA"), header.number(f"{prefix} PMD")
    if None in values or not any(values) or max(abs(v or 0) for v in values) > _FASTEST:
        return None, None
    pm_ra, pm_dec = (round(1000 * (v or 0), 6) for v in values)
    return pm_ra, pm_dec


# --- all else -------------------------------------------------------------------------------------


def upper(header: Header, key: str) -> str:
    """A keyword's text in capitals, blank when missing."""
    return (header.text(key) or "").upper()


def number(text: str | None) -> float | None:
    """A number written as text."""
    try:
        return float(text or "")
    except ValueError:
        return None


def positive(header: Header, key: str) -> int | None:
    """A number from 1 up; commissioning and engineering have -1, 0 and -999."""
    value = header.integer(key)
    return value if value is not None and 0 < value < 2**31 else None


#: Field, keyword, and the range (low excluded) in which a value is believed.
_WEATHER = (
    ("seeing_start", "ISS AMBI FWHM START", 0, 20),
    ("seeing_end", "ISS AMBI FWHM END", 0, 20),
    ("tau0_start", "ISS AMBI TAU0 START", 0, 1),
    ("tau0_end", "ISS AMBI TAU0 END", 0, 1),
    ("temperature", "ISS AMBI TEMP", -50, 50),
    ("humidity", "ISS AMBI RHUM", 0, 100),
    ("pressure", "ISS AMBI PRES", 600, 900),
    ("wind_speed", "ISS AMBI WINDSP", -1e-9, 100),
    ("wind_direction", "ISS AMBI WINDDIR", -1e-9, 360),
    ("pwv_start", "ISS AMBI IWV START", 0, 100),
    ("pwv_end", "ISS AMBI IWV END", 0, 100),
    ("airmass_start", "ISS AIRM START", 0.99, 50),
    ("airmass_end", "ISS AIRM END", 0.99, 50),
)


def _weather(header: Header) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for field, key, low, high in _WEATHER:
        value = header.number(key)
        found[field] = value if value is not None and low < value <= high else None
    return found


def _category(header: Header, flags: list[str]) -> str | None:
    """SCIENCE or CALIB: DPR CATG, else the words of PRO CATG, else the OB's name.

    ESO wants names of OBs at VLTI to begin with SCI or CAL.
    """
    catg = header.text("DPR CATG")
    if catg is not None:
        return catg if catg in ("SCIENCE", "CALIB") else None
    words = set((header.text("PRO CATG") or "").split("_"))
    if words & {"SCI", "SCIENCE", "TARGET"}:
        return "SCIENCE"
    if words & {"CAL", "CALIB", "CALIBRATOR"}:
        return "CALIB"
    begin = re.match(r"(SCI|CAL)(ENCE|IB|IBRATOR)?(_|$)", header.text("OBS NAME") or "")
    if begin is None:
        return None
    flags.append("category_from_ob_name")
    return "SCIENCE" if begin[1] == "SCI" else "CALIB"


def _laboratory(header: Header, dpr_type: str | None) -> str | None:
    """Why this frame saw no sky; None when it did."""
    reason = _is_laboratory(dpr_type, header.text("PRO CATG"), header.text("TPL ID"))
    if reason is None and header.number("RA") == header.number("DEC") == 0:
        return "RA and DEC are 0"
    return reason


@lru_cache(maxsize=4096)
def _is_laboratory(dpr_type: str | None, product: str | None, template: str | None) -> str | None:
    words = _words(dpr_type)
    if _any(_LABORATORY, words):
        return f"DPR TYPE is '{dpr_type}'"
    if product and _LABORATORY_PRODUCT.match(product):
        return f"PRO CATG is '{product}'"
    if template and (
        _LABORATORY_TEMPLATE.search(template)
        or (not words & _TARGET and _CALIBRATION_TEMPLATE.search(template))
    ):
        return f"TPL ID is '{template}'"
    return None


@lru_cache(maxsize=4096)
def _words(text: str | None) -> frozenset[str]:
    return frozenset(word.strip() for word in text.upper().split(",")) if text else frozenset()


def _any(pattern: re.Pattern[str], words: frozenset[str]) -> bool:
    return any(pattern.match(word) for word in words)


def _known(name: str | None) -> str | None:
    """A person's name; the archive blanks them."""
    return None if name is None or name.upper() in _NO_NAME else name


@lru_cache(maxsize=256)
def _mode(vocabulary: Vocabulary, owner: str, name: str | None) -> Mode | None:
    for instrument in vocabulary.instruments:
        if instrument.name == owner and instrument.facility.name == "VLTI":
            return next((mode for mode in instrument.modes if mode.name == name), None)
    return None


def has_mode(vocabulary: Vocabulary, owner: str, name: str) -> bool:
    """Whether an instrument of VLTI has a mode of that name."""
    return _mode(vocabulary, owner, name) is not None
