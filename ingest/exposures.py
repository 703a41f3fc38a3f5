"""Exposures: what an observation log tells, whatever the array and the form of its log.

One raw file (one header) holds one exposure, or several; its number in the file completes its name.
Times are MJD (UTC), angles degrees (ICRS), baselines and wavelengths metres, durations seconds;
what is not known is None.
"""

from __future__ import annotations

from dataclasses import dataclass

#: What a quality flag means.
QUALITY_FLAGS: dict[str, str] = {}


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
    """One exposure. Fields have the names of the columns of obsportal.exposure, where there is one."""

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
