"""The two OIFITS standards as data: what each table must and may hold.

P05: OIFITS 1, Pauls, Young, Cotton & Monnier 2005, PASP 117, 1255.
D17: OIFITS 2, Duvert, Young & Hummel 2017, A&A 597, A8; with arXiv:1510.04556v5, the maintained
text of the same standard, for the length of TARGET and SPECTYP.

One line a keyword or column. ``since=2`` marks what OIFITS 2 added. ``checks`` compares files
with this; nothing else in the house repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

#: Repeat count of columns with one value a spectral channel, and of the matrix VISREFMAP.
NWAVE = -1
NWAVE_SQUARED = -2


@dataclass(frozen=True, slots=True)
class Keyword:
    """A header keyword. ``kind``: A text, I integer, D number (an integer counts)."""

    name: str
    kind: str
    mandatory: bool = True
    accepted: tuple[str, ...] = ()
    since: int = 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``kind`` and ``repeat``: TFORM's letter and count (for A: the most characters)."""

    name: str
    kind: str
    repeat: int = 1
    #: The unit TUNIT must have: a key of UNITS; FLUX: any; blank: not checked.
    unit: str = ""
    mandatory: bool = True
    accepted: tuple[str, ...] = ()
    #: True where only numbers > 0 (or NaN) make sense.
    positive: bool = False
    since: int = 1
    #: The column's name in drafts of the standard, which some pipelines write.
    formerly: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """What a standard says of one table."""

    name: str
    section: str
    revision: int
    keywords: tuple[Keyword, ...]
    columns: dict[str, Column]
    #: The columns' names, with those of drafts.
    names: frozenset[str]


#: Unit any non-blank text satisfies: that of a flux, which the writer chooses.
FLUX = "flux"

#: Spellings of a unit that are accepted, without blanks and in lower case.
UNITS: dict[str, frozenset[str]] = {
    "m": frozenset(("m", "meter", "meters", "metre", "metres")),
    "deg": frozenset(("deg", "degree", "degrees")),
    "s": frozenset(("s", "sec", "second", "seconds")),
    "day": frozenset(("d", "day", "days")),
    "yr": frozenset(("yr", "a", "year", "years")),
    "arcsec": frozenset(("arcsec", "as", "arcsecond", "arcseconds")),
    "m/s": frozenset(("m/s", "m.s-1", "ms-1", "m.s**-1", "ms^-1", "meter/second", "meters/second",
                      "meterpersecond", "meterspersecond")),
    "deg/yr": frozenset(("deg/yr", "deg.yr-1", "degyr-1", "deg/year", "degree/yr", "degrees/yr",
                         "degree/year", "degrees/year", "deg/a")),
}  # fmt: skip

#: Mandatory keywords of the primary header and where they are defined; OIFITS 1 asks for none.
PRIMARY_SECTION = "D17 table 2"
PRIMARY = (
    Keyword("ORIGIN", "A"), Keyword("DATE", "A"), Keyword("DATE-OBS", "A"),
    Keyword("TELESCOP", "A"), Keyword("INSTRUME", "A"), Keyword("OBSERVER", "A"),
    Keyword("OBJECT", "A"), Keyword("INSMODE", "A"),
)  # fmt: skip

_OI_REVN = Keyword("OI_REVN", "I")
_INSNAME = Keyword("INSNAME", "A")
_FOVTYPE = ("FWHM", "RADIUS")

#: Keywords of the tables with data. ARRNAME is optional in OIFITS 1, mandatory in OIFITS 2
#: (``_at`` makes it so), except in OI_FLUX, where it depends on CALSTAT.
_DATA = (
    _OI_REVN,
    Keyword("DATE-OBS", "A"),
    Keyword("ARRNAME", "A", mandatory=False),
    _INSNAME,
    Keyword("CORRNAME", "A", mandatory=False, since=2),
)
_TIMES = (
    Column("TARGET_ID", "I"),
    Column("TIME", "D", unit="s"),
    Column("MJD", "D", unit="day"),
    Column("INT_TIME", "D", unit="s", positive=True),
)
_FLAG = Column("FLAG", "L", NWAVE)


def _values(name: str, unit: str = "") -> tuple[Column, ...]:
    """A measured quantity: value, error and its index into the correlation matrix."""
    error = name.replace("DATA", "") + "ERR"
    return (
        Column(name, "D", NWAVE, unit),
        Column(error, "D", NWAVE, unit),
        Column(f"CORRINDX_{name}", "J", mandatory=False, since=2),
    )


def _optional(*columns: Column) -> tuple[Column, ...]:
    return tuple(replace(column, mandatory=False, since=2) for column in columns)


def _metres(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "D", unit="m") for name in names)


_DEFINITIONS: dict[str, tuple[tuple[Keyword, ...], tuple[Column, ...]]] = {
    "OI_TARGET": (
        (_OI_REVN,),
        (
            Column("TARGET_ID", "I"),
            Column("TARGET", "A", 16),
            Column("RAEP0", "D", unit="deg"),
            Column("DECEP0", "D", unit="deg"),
            Column("EQUINOX", "E", unit="yr"),
            Column("RA_ERR", "D", unit="deg"),
            Column("DEC_ERR", "D", unit="deg"),
            Column("SYSVEL", "D", unit="m/s"),
            Column("VELTYP", "A", 8, accepted=(
                "LSR", "HELIOCEN", "BARYCENT", "GEOCENTR", "TOPOCENT", "UNKNOWN", "")),
            Column("VELDEF", "A", 8, accepted=("RADIO", "OPTICAL", "")),
            Column("PMRA", "D", unit="deg/yr"),
            Column("PMDEC", "D", unit="deg/yr"),
            Column("PMRA_ERR", "D", unit="deg/yr"),
            Column("PMDEC_ERR", "D", unit="deg/yr"),
            Column("PARALLAX", "E", unit="deg"),
            Column("PARA_ERR", "E", unit="deg"),
            Column("SPECTYP", "A", 16),
            Column("CATEGORY", "A", 3, mandatory=False, accepted=("SCI", "CAL"), since=2),
        ),
    ),
    "OI_ARRAY": (
        (
            _OI_REVN,
            Keyword("ARRNAME", "A"),
            Keyword("FRAME", "A", accepted=("GEOCENTRIC", "SKY")),
            Keyword("ARRAYX", "D"),
            Keyword("ARRAYY", "D"),
            Keyword("ARRAYZ", "D"),
        ),
        (
            Column("TEL_NAME", "A", 16),
            Column("STA_NAME", "A", 16),
            Column("STA_INDEX", "I"),
            Column("DIAMETER", "E", unit="m", positive=True),
            Column("STAXYZ", "D", 3, unit="m"),
            Column("FOV", "D", unit="arcsec", positive=True, since=2),
            Column("FOVTYPE", "A", 6, accepted=_FOVTYPE, since=2),
        ),
    ),
    "OI_WAVELENGTH": (
        (_OI_REVN, _INSNAME),
        (
            Column("EFF_WAVE", "E", unit="m", positive=True),
            Column("EFF_BAND", "E", unit="m", positive=True),
        ),
    ),
    "OI_VIS": (
        (
            *_DATA,
            Keyword("AMPTYP", "A", False, ("absolute", "differential", "correlated flux"), 2),
            Keyword("PHITYP", "A", False, ("absolute", "differential"), 2),
            Keyword("AMPORDER", "I", False, since=2),
            Keyword("PHIORDER", "I", False, since=2),
        ),
        (
            *_TIMES,
            *_values("VISAMP"),
            *_values("VISPHI", "deg"),
            Column("VISREFMAP", "L", NWAVE_SQUARED, mandatory=False, since=2),
            *_optional(*_values("RVIS", FLUX), *_values("IVIS", FLUX)),
            *_metres("UCOORD", "VCOORD"),
            Column("STA_INDEX", "I", 2),
            _FLAG,
        ),
    ),
    "OI_VIS2": (
        _DATA,
        (
            *_TIMES,
            *_values("VIS2DATA"),
            *_metres("UCOORD", "VCOORD"),
            Column("STA_INDEX", "I", 2),
            _FLAG,
        ),
    ),
    "OI_T3": (
        _DATA,
        (
            *_TIMES,
            *_values("T3AMP"),
            *_values("T3PHI", "deg"),
            *_metres("U1COORD", "V1COORD", "U2COORD", "V2COORD"),
            Column("STA_INDEX", "I", 3),
            _FLAG,
        ),
    ),
    "OI_FLUX": (
        (
            *_DATA,
            Keyword("CALSTAT", "A", accepted=("C", "U")),
            Keyword("FOV", "D", mandatory=False),
            Keyword("FOVTYPE", "A", False, _FOVTYPE),
        ),
        (
            *(column for column in _TIMES if column.name != "TIME"),
            replace(_values("FLUXDATA", FLUX)[0], formerly="FLUX"),
            *_values("FLUXDATA", FLUX)[1:],
            Column("STA_INDEX", "I", mandatory=False),
            _FLAG,
        ),
    ),
    "OI_CORR": (
        (_OI_REVN, Keyword("CORRNAME", "A"), Keyword("NDATA", "I")),
        (Column("IINDX", "J"), Column("JINDX", "J"), Column("CORR", "D")),
    ),
    "OI_INSPOL": (
        (
            _OI_REVN,
            Keyword("ARRNAME", "A"),
            Keyword("NPOL", "I"),
            Keyword("ORIENT", "A", accepted=("NORTH", "LABORATORY")),
            Keyword("MODEL", "A"),
        ),
        (
            Column("TARGET_ID", "I"),
            Column("INSNAME", "A", 70),
            Column("MJD_OBS", "D", unit="day"),
            Column("MJD_END", "D", unit="day"),
            Column("JXX", "C", NWAVE),
            Column("JYY", "C", NWAVE),
            Column("JXY", "C", NWAVE),
            Column("JYX", "C", NWAVE),
            Column("STA_INDEX", "I"),
        ),
    ),
}  # fmt: skip

#: Where each version defines the table, and the revision it gives it.
_SECTIONS: dict[int, dict[str, tuple[str, int]]] = {
    1: {
        "OI_ARRAY": ("P05 §6.1", 1), "OI_TARGET": ("P05 §6.2", 1),
        "OI_WAVELENGTH": ("P05 §6.3", 1), "OI_VIS": ("P05 §6.4", 1), "OI_VIS2": ("P05 §6.5", 1),
        "OI_T3": ("P05 §6.6", 1),
    },
    2: {
        "OI_TARGET": ("D17 table 3", 2), "OI_ARRAY": ("D17 table 4", 2),
        "OI_WAVELENGTH": ("D17 table 5", 2), "OI_VIS2": ("D17 table 6", 2),
        "OI_VIS": ("D17 table 7", 2), "OI_T3": ("D17 table 8", 2),
        "OI_FLUX": ("D17 table 9", 1), "OI_CORR": ("D17 table 10", 1),
        "OI_INSPOL": ("D17 table 11", 1),
    },
}  # fmt: skip

#: Lengths that the maintained text of OIFITS 2 raised from 16 to 32.
_LONGER = {"TARGET": 32, "SPECTYP": 32}


def _at(version: int, name: str) -> Table:
    """The table as a version defines it; one that OIFITS 1 lacks as OIFITS 2 defines it."""
    section, revision = _SECTIONS[version].get(name) or _SECTIONS[2][name]
    keywords, columns = _DEFINITIONS[name]
    if version == 2:
        if name in ("OI_VIS", "OI_VIS2", "OI_T3"):
            keywords = tuple(replace(k, mandatory=k.mandatory or k.name == "ARRNAME")
                             for k in keywords)  # fmt: skip
        if name == "OI_TARGET":
            columns = tuple(replace(c, repeat=_LONGER.get(c.name, c.repeat)) for c in columns)
    elif name in _SECTIONS[1]:
        keywords = tuple(k for k in keywords if k.since == 1)
        columns = tuple(c for c in columns if c.since == 1)
    names = {c.name for c in columns} | {c.formerly for c in columns if c.formerly}
    by_name = {c.name: c for c in columns}
    return Table(name, section, revision, keywords, by_name, frozenset(names))


#: The tables of each version by EXTNAME.
STANDARD: dict[int, dict[str, Table]] = {
    version: {name: _at(version, name) for name in _DEFINITIONS} for version in (1, 2)
}

#: Tables that only OIFITS 2 knows.
ONLY_OIFITS2 = frozenset(_DEFINITIONS) - frozenset(_SECTIONS[1])

#: The measured columns of each data table with their errors: (value, error).
MEASURED: dict[str, tuple[tuple[str, str], ...]] = {
    name: tuple(
        (columns[n - 1].name, column.name)
        for n, column in enumerate(columns)
        if column.repeat == NWAVE and column.name.endswith("ERR")
    )
    for name, (_, columns) in _DEFINITIONS.items()
}
