"""Simulates JSDC: a catalogue of stars with magnitudes and diameters that fit each other.

    write_fits(simulate(), Path("jsdc.fits"))            # 465,877 stars, as many as version 2 has
    write_tsv(demonstration(), Path("small.tsv"))        # the stars of simulate.py and their fields

Stars crowd towards the Galactic plane and their numbers grow with magnitude, as those of Tycho-2
do. Spectral type and extinction give the colours; the diameter follows from the dereddened V and K
by the surface-brightness relation of Kervella et al. 2004 (A&A 426, 297, table 4: log LDD = 0.0755
(V-K) + 0.5170 - 0.2 K), uniform-disk diameters by Hanbury Brown et al. 1974 (MNRAS 167, 475,
equation 24). Values are rounded as the published catalogue has them, so that all forms of a file
hold the same. The same arguments give the same stars; all are invented, their names beyond the last
number of the catalogues.
"""

from __future__ import annotations

import gzip
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ingest import simulate as simulation

Floats = NDArray[np.float64]
#: Columns by their label in II/346, in its order; ``ra`` and ``dec`` (deg) stand for the positions.
Columns = Mapping[str, NDArray[Any]]

#: Stars of version 2.
SIZE = 465_877
_SEED = 346
#: Radius (deg) of the fields of the demonstration, and stars per square degree in them.
FIELD, DENSITY = 2.3, 11.0

#: Spectral type, share; B-V, V-R, V-I, V-J, V-H and V-K without extinction; linear limb darkening
#: in V and in K. About as in Bessell & Brett 1988 (PASP 100, 1134), Claret 2000 (A&A 363, 1081).
_TYPES = """
O9V   0.002 -0.30 -0.15 -0.32 -0.70 -0.85 -0.90 0.30 0.15
B3V   0.030 -0.20 -0.08 -0.18 -0.45 -0.54 -0.58 0.35 0.17
B8V   0.050 -0.09 -0.04 -0.10 -0.20 -0.22 -0.24 0.40 0.18
A0V   0.090  0.00  0.00  0.00  0.00  0.00  0.00 0.45 0.20
A5V   0.070  0.15  0.08  0.16  0.30  0.36  0.38 0.52 0.22
F0V   0.080  0.30  0.17  0.35  0.56  0.67  0.70 0.55 0.24
F5V   0.110  0.44  0.25  0.51  0.84  1.06  1.10 0.57 0.25
G0V   0.100  0.58  0.31  0.64  1.10  1.36  1.41 0.59 0.26
G5V   0.060  0.68  0.36  0.72  1.24  1.53  1.59 0.62 0.27
K0V   0.040  0.81  0.43  0.84  1.42  1.84  1.96 0.66 0.29
K5V   0.010  1.15  0.62  1.14  2.02  2.65  2.85 0.72 0.32
G8III 0.080  0.94  0.50  0.95  1.60  2.08  2.16 0.68 0.30
K0III 0.130  1.00  0.53  1.00  1.75  2.24  2.31 0.70 0.31
K3III 0.080  1.27  0.70  1.30  2.20  2.84  3.00 0.75 0.34
K5III 0.040  1.50  0.81  1.62  2.72  3.40  3.60 0.78 0.36
M0III 0.018  1.56  0.88  1.79  2.95  3.70  3.85 0.80 0.38
M3III 0.010  1.60  1.10  2.30  3.50  4.30  4.50 0.82 0.40
"""
#: By band: extinction relative to that in V for R_V = 3.1 (Cardelli et al. 1989, ApJ 345, 245),
#: wavelength (um), error of a magnitude (None: estimated) and share of stars without one.
_BANDS: dict[str, tuple[float, float, float | None, float]] = {
    "B": (1.32, 0.44, 0.02, 0.01),
    "V": (1.00, 0.55, 0.012, 0.0),
    "R": (0.75, 0.65, None, 0.0),
    "I": (0.48, 0.80, None, 0.0),
    "J": (0.28, 1.25, 0.024, 0.0),
    "H": (0.19, 1.65, 0.03, 0.0),
    "K": (0.11, 2.20, 0.022, 0.0),
    "L": (0.06, 3.4, 0.035, 0.04),
    "M": (0.03, 4.6, 0.025, 0.04),
    "N": (0.03, 11.5, 0.02, 0.05),
}
#: Rotation from galactic to ICRS coordinates (ESA 1997, The Hipparcos Catalogue, vol. 1, 1.5.3).
_GALACTIC = np.array(
    [
        [-0.0548755604, 0.4941094279, -0.8676661490],
        [-0.8734370902, -0.4448296300, -0.1980763734],
        [-0.4838350155, 0.7469822445, 0.4559837762],
    ]
)


@dataclass(frozen=True)
class Known:
    """A star that the catalogue must have: where, under which name and, if so, how large."""

    name: str
    ra: float
    dec: float
    #: Diameter (mas) and linear limb darkening in all bands; None: as the simulation wants.
    diameter: float | None = None
    limb_darkening: float = 0.0
    cal_flag: int | None = None


def simulate(count: int = SIZE, known: Sequence[Known] = (), seed: int = _SEED) -> Columns:
    """A catalogue of all the sky with so many stars, the known ones among them."""
    rng = np.random.default_rng(seed)
    ra, dec = _sky(rng, count - len(known))
    numbers = np.arange(len(ra))
    # HD numbers for the brighter half, of Tycho-2 for the rest: beyond the last of either.
    names = [
        f"HD {1_000_000 + number}"
        if number % 5 < 3
        else f"TYC {10_000 + number // 4000}-{number}-1"
        for number in numbers.tolist()
    ]
    return _stars(rng, names, ra, dec, known)


def demonstration() -> Columns:
    """The stars of `simulate.demonstration` with their true diameters, and the field around each.

    Binaries have the diameter of the primary, and say that they are double.
    """
    known = []
    for star in simulation.STARS:
        double = isinstance(star.model, simulation.Binary)
        disk = star.model.primary if isinstance(star.model, simulation.Binary) else star.model
        flag = 2 if double else 0
        known.append(Known(star.name, star.ra, star.dec, disk.diameter, disk.limb_darkening, flag))
    rng = np.random.default_rng(_SEED)
    number = round(DENSITY * math.pi * FIELD**2)
    ra, dec = [], []
    for star in simulation.STARS:
        angle = rng.random(number) * math.tau
        radius = FIELD * np.sqrt(rng.random(number))
        north = star.dec + radius * np.cos(angle)
        ra.append((star.ra + radius * np.sin(angle) / np.cos(np.radians(north))) % 360)
        dec.append(north)
    count = number * len(simulation.STARS)
    names = [f"SIM STAR {number}" for number in range(1, count + 1)]
    return _stars(rng, names, np.concatenate(ra), np.concatenate(dec), known)


def _sky(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Positions (deg), half of them crowded towards the Galactic plane."""
    height = np.where(
        rng.random(count) < 0.5,
        rng.uniform(-1, 1, count),
        np.clip(rng.laplace(0, 0.2, count), -1, 1),
    )
    longitude = rng.random(count) * math.tau
    flat = np.sqrt(1 - height**2)
    x, y, z = _GALACTIC @ np.array([flat * np.cos(longitude), flat * np.sin(longitude), height])
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(np.clip(z, -1, 1)))


def _stars(
    rng: np.random.Generator,
    names: Sequence[str],
    ra: Floats,
    dec: Floats,
    known: Sequence[Known],
) -> Columns:
    """The catalogue of these stars and the known ones, in the order of right ascension."""
    count = len(names) + len(known)
    ra = np.concatenate([ra, [star.ra for star in known]])
    dec = np.concatenate([dec, [star.dec for star in known]])
    lines = [line.split() for line in _TYPES.strip().splitlines()]
    shares, *colours = np.array([line[1:] for line in lines], dtype=float).T
    kind = rng.choice(len(lines), count, p=shares / shares.sum())
    b_v, v_r, v_i, v_j, v_h, v_k, u_v, u_k = (column[kind] for column in colours)
    extinction = rng.exponential(0.12, count)
    # Numbers grow tenfold in 2.4 magnitudes, and end where Tycho-2 does.
    visual = 11.6 + 2.4 * np.log10(1 - rng.random(count)) + rng.normal(0, 0.3, count)
    diameter = 10 ** (0.0755 * v_k + 0.5170 - 0.2 * (visual - extinction - v_k))
    darkening = np.full(count, np.nan)
    for place, star in enumerate(known, len(names)):
        if star.diameter is not None:
            # As bright as a star of this diameter must be.
            diameter[place] = star.diameter
            intrinsic = (0.0755 * v_k[place] + 0.5170 - math.log10(star.diameter)) / 0.2
            visual[place] = intrinsic + v_k[place] + extinction[place]
            darkening[place] = star.limb_darkening
    colour = {"B": -b_v, "V": 0 * v_k, "R": v_r, "I": v_i, "J": v_j, "H": v_h}
    published: dict[str, NDArray[Any]] = {}
    for band, (reddening, _, error, missing) in _BANDS.items():
        own = colour.get(band, v_k)
        value = visual - extinction - own + reddening * extinction
        label = f"{band}mag"
        if error is None:
            published[label] = np.round(value, 6)
            continue
        value = np.where(rng.random(count) < missing, np.nan, value + rng.normal(0, error, count))
        size = np.where(np.isnan(value), np.nan, error * rng.lognormal(0, 0.4, count))
        published[label] = np.round(value, 6 if band == "N" else 3)
        published[f"e_{label}"] = np.maximum(np.round(size, 3), 0.001)
    truth = np.array([star.diameter is not None for star in known], dtype=bool)
    exact = np.concatenate([np.zeros(len(names), bool), truth])
    relative = np.hypot(0.02, 0.012 * rng.lognormal(0, 0.6, count))
    chi2 = rng.gamma(0.8, 1.1, count)
    measured = diameter * (1 + 0.012 * rng.normal(0, 1, count))
    ldd = np.round(np.where(exact, diameter, measured), 6)
    flag = (
        1 * (chi2 > 5)
        + 2 * (rng.random(count) < 0.02)
        + 4 * (rng.random(count) < 0.05)
    )  # fmt: skip
    for place, star in enumerate(known, len(names)):
        if star.cal_flag is not None:
            flag[place] = star.cal_flag
            chi2[place] = min(chi2[place], 4.9)
    published["LDD"] = ldd
    published["e_LDD"] = np.round(relative * ldd, 6)
    published["LDDCHI"] = np.round(chi2, 5)
    published["CalFlag"] = flag.astype(np.int16)
    for band, (_, wavelength, _, _) in _BANDS.items():
        # Limb darkening falls with the wavelength, about as its inverse.
        part = (1 / wavelength - 1 / 2.2) / (1 / 0.55 - 1 / 2.2)
        u = np.where(np.isnan(darkening), np.clip(u_k + part * (u_v - u_k), 0, 1), darkening)
        published[f"UDD{band}"] = np.round(ldd * np.sqrt((1 - 7 * u / 15) / (1 - u / 3)), 6)
    order = np.argsort(ra, kind="stable")
    types = np.array([line[0] for line in lines])[kind]
    columns: dict[str, NDArray[Any]] = {
        "Name": np.array([*names, *(star.name for star in known)]),
        "ra": ra,
        "dec": dec,
        "SpType": types,
        **published,
    }
    return {label: values[order] for label, values in columns.items()}


# ---------------------------------------------------------------- files


def write_fits(columns: Columns, path: Path, *, degrees: bool = False) -> None:
    """The catalogue as its authors hand it out: positions as text, floats of 32 bits.

    With ``degrees`` positions are numbers, as in what VizieR makes of it.
    """
    made = []
    for label, values in _labelled(columns, degrees).items():
        unit = _unit(label)
        if values.dtype.kind in "US":
            made.append(fits.Column(label, f"{max(1, values.dtype.itemsize // 4)}A", array=values))
        elif label == "CalFlag":
            made.append(fits.Column(label, "I", array=values))
        else:
            form = "D" if label.startswith(("RA", "DE")) else "E"
            made.append(fits.Column(label, form, unit, array=values))
    table = fits.BinTableHDU.from_columns(made, name="jsdc_v2")
    simulation.write(path, fits.HDUList([fits.PrimaryHDU(), table]))


def write_tsv(columns: Columns, path: Path, *, degrees: bool = False) -> None:
    """The catalogue as VizieR hands it out as tab-separated values."""
    labelled = _labelled(columns, degrees)
    head = [
        "#",
        "#   VizieR Astronomical Server, simulated",
        "#RESOURCE=yCat_2346",
        "#Name: II/346/jsdc_v2",
        *(f"#Column\t{label}" for label in labelled),
        "\t".join(labelled),
        "\t".join(_unit(label) or " " for label in labelled),
        "\t".join("-" * max(3, len(label)) for label in labelled),
    ]
    _write(path, head, ("\t".join(row) for row in _rows(labelled)), ["", "#END#"])


def write_votable(columns: Columns, path: Path, *, degrees: bool = False) -> None:
    """The catalogue as a VOTable with TABLEDATA."""
    labelled = _labelled(columns, degrees)
    head = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">',
        "<!-- simulated -->",
        '<RESOURCE name="II_346"><TABLE name="II_346_jsdc_v2">',
    ]
    for label, values in labelled.items():
        kind = {"U": 'char" arraysize="*', "i": "short"}.get(values.dtype.kind, "double")
        unit = f' unit="{_unit(label)}"' if _unit(label) else ""
        head.append(f'<FIELD name="{label}" datatype="{kind}"{unit}/>')
    rows = ("<TR><TD>" + "</TD><TD>".join(row) + "</TD></TR>" for row in _rows(labelled))
    tail = ["</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"]
    _write(path, [*head, "<DATA><TABLEDATA>"], rows, tail)


def _labelled(columns: Columns, degrees: bool) -> dict[str, NDArray[Any]]:
    """Columns with a position of two columns under the labels that files have."""
    labelled: dict[str, NDArray[Any]] = {}
    for label, values in columns.items():
        if label == "ra":
            labelled["RAJ2000"] = values if degrees else _sexagesimal(values / 15, 5, "")
        elif label == "dec":
            labelled["DEJ2000"] = values if degrees else _sexagesimal(values, 4, "+")
        else:
            labelled[label] = values
    return labelled


def _sexagesimal(values: Floats, digits: int, sign: str) -> NDArray[np.str_]:
    scale = 10**digits
    found = []
    for value in values.tolist():
        total = round(abs(value) * 3600 * scale)
        minutes, seconds = divmod(total, 60 * scale)
        hours, minutes = divmod(minutes, 60)
        mark = "-" if value < 0 else sign
        width = 3 + digits
        found.append(f"{mark}{hours:02d} {minutes:02d} {seconds / scale:0{width}.{digits}f}")
    return np.array(found)


def _unit(label: str) -> str | None:
    if label in ("RAJ2000", "DEJ2000"):
        return "deg"
    if label.endswith("mag"):
        return "mag"
    return (
        "mas" if label.removeprefix("e_").startswith(("LDD", "UDD")) and label != "LDDCHI" else None
    )


def _rows(labelled: Mapping[str, NDArray[Any]]) -> Iterator[Sequence[str]]:
    """Rows of text; empty where nothing is known."""
    texts = []
    for values in labelled.values():
        if values.dtype.kind == "f":
            texts.append(["" if math.isnan(value) else repr(value) for value in values.tolist()])
        else:
            texts.append([str(value) for value in values.tolist()])
    return zip(*texts, strict=True)


def _write(path: Path, head: Iterable[str], rows: Iterable[str], tail: Iterable[str]) -> None:
    with (
        gzip.open(path, "wb", compresslevel=1) if path.suffix == ".gz" else path.open("wb")
    ) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
        for part in (head, rows, tail):
            text.writelines(f"{line}\n" for line in part)
        text.flush()
