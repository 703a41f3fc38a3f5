"""Pictures of a granule: uv coverage, visibilities, spectrum.

Each is a PNG of 1000 x 750 pixels that can still be read on a phone: large letters, few ticks, no
more than is needed to judge the data at a glance. Values that are flagged or not finite are left
out; without values there is no picture. Colours are those of Okabe & Ito (2008, "Color Universal
Design") and a perceptually uniform map, so that the colour-blind can tell them apart.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from PIL import Image

from ingest import granules, oifits, vocabulary
from ingest.granules import Granule
from ingest.oifits import DataTable, Floats, Integers, OIFits

if TYPE_CHECKING:
    from ingest.calibrators import Verdict

#: Rows of a granule: their numbers (or all) by the HDU number of the table.
Rows = Mapping[int, Integers | slice]

#: Pixels of a picture.
SIZE = (1000, 750)
#: More channels than this make a spectrum.
FEW_CHANNELS = 8
#: Of more points than this, as many are drawn, taken at random.
MOST_POINTS = 20_000

_DPI = 100
_LETTERS = 15.0  # points
_INK, _QUIET, _FAINT = "#222222", "#5f5f5f", "#d9d9d9"
_STEPS, _ANGLES = (1, 2, 2.5, 5, 10), (1, 1.5, 3, 4.5, 6, 9, 10)
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
_MARKERS = ("o", "^", "s")
_DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1)))
#: So many stations, pairs or triangles have a look of their own.
_MOST_LABELS = len(_COLOURS) * len(_MARKERS)
#: Short waves violet, long ones orange; the yellow end of the map is too pale on white.
_WAVES = ListedColormap(colormaps["plasma"](np.linspace(0.0, 0.85, 256)))
_LENGTHS = ListedColormap(colormaps["viridis"](np.linspace(0.0, 0.9, 256)))
#: VISAMP by AMPTYP (D17 table 7).
_AMPLITUDES = {"absolute": "|V|", "differential": "Differential |V|"}


@dataclass(frozen=True)
class Points:
    """Unflagged finite values of one observable; the arrays have one entry a value."""

    value: Floats
    #: NaN where there is none.
    error: Floats
    #: m.
    wavelength: Floats
    #: m, shape (values, station pairs of a row): three for triangles; NaN where unknown.
    u: Floats
    v: Floats
    #: Which of ``labels``.
    station: Integers
    #: The row a value is from, counted over all tables.
    row: Integers
    #: Stations of the rows, as "A0-G1".
    labels: list[str]
    #: What the observable is called.
    name: str

    @property
    def frequency(self) -> Floats:
        """Spatial frequency of the longest station pair of the row, in wavelengths."""
        length: Floats = np.hypot(self.u, self.v).max(axis=1)
        return length / self.wavelength

    def take(self, which: Any) -> Points:
        """Only the values that ``which`` indexes."""
        return Points(
            self.value[which], self.error[which], self.wavelength[which], self.u[which],
            self.v[which], self.station[which], self.row[which], self.labels, self.name,
        )  # fmt: skip


def select(source: OIFits, rows: Rows, extname: str, column: str) -> Points | None:
    """The unflagged finite values of a column in the given rows of all tables of a kind.

    ``extname`` is OI_VIS, OI_VIS2, OI_T3 or OI_FLUX. None when no value is left.
    """
    labels: dict[str, int] = {}
    parts: list[tuple[Any, ...]] = []
    name, count = column, 0
    for table in source.data:
        if table.extname != extname or table.hdu not in rows:
            continue
        index = rows[table.hdu]
        described = source.wavelength(table.insname)
        if described is None or described.wavelength is None:
            continue
        wave, value = described.wavelength, table.values(column)
        if value is None or value.shape[1] != wave.size:
            continue
        value, error = value[index], table.values(column.removesuffix("DATA") + "ERR")
        if error is None or error.shape[1] != wave.size:
            error = np.full(value.shape, np.nan)
        else:
            error = error[index]
        good = np.isfinite(value) & (wave > 0)
        if table.flag is not None and table.flag.shape[1] == wave.size:
            good &= ~table.flag[index]
        row, channel = np.nonzero(good)
        nowhere = np.full(table.rows, np.nan)
        pairs = table.uv() or [(nowhere, nowhere)] * (3 if extname == "OI_T3" else 1)
        u, v = (
            np.array([pair[axis][index] for pair in pairs]).reshape(len(pairs), -1).T[row]
            for axis in (0, 1)
        )
        stations = np.array(
            [labels.setdefault(label, len(labels)) for label in _stations(source, table, index)],
            np.int64,
        )
        parts.append((value[good], error[good], wave[channel], u, v, stations[row], row + count))
        count += value.shape[0]
        name = _name(table, column)
    parts = [part for part in parts if part[0].size]
    if not parts:
        return None
    value, error, wavelength, u, v, stations, row = map(np.concatenate, zip(*parts, strict=True))
    return Points(value, error, wavelength, u, v, stations, row, list(labels), name)


def _stations(source: OIFits, table: DataTable, index: Integers | slice) -> list[str]:
    """The stations of each row, as "A0-G1", in alphabetical order; numbers where unnamed."""
    if table.sta_index is None:
        return [""] * np.arange(table.rows)[index].size
    array = source.array(table.arrname)
    if array is None and len(source.arrays) == 1:
        array = source.arrays[0]
    names = array.stations if array else {}
    return [
        "-".join(sorted(names.get(number) or str(number) for number in numbers))
        for numbers in table.sta_index[index].tolist()
    ]


def _name(table: DataTable, column: str) -> str:
    """What a column holds, in words, for the axis."""
    if column == "VISAMP":
        kind = table.header.text("AMPTYP") or ""
        unit = table.table.columns[column].unit
        if kind == "correlated flux":
            return f"Correlated flux ({unit})" if unit else "Correlated flux"
        return _AMPLITUDES.get(kind, "VISAMP")
    if table.extname == "OI_FLUX":
        unit = table.table.columns[column].unit
        return f"Flux ({unit})" if unit else "Flux"
    return {"VIS2DATA": "V²", "T3PHI": "Closure phase (°)"}[column]


def draw(source: OIFits, granule: Granule, rows: Rows) -> dict[str, bytes]:
    """The pictures of a granule as PNG, by name.

    ``uv``: uv coverage. ``visibility``: squared visibility (or amplitude, where there is none) and
    closure phase against spatial frequency. ``spectrum``: the same visibilities against
    wavelength, for more than FEW_CHANNELS channels; the flux, if there is nothing else. Those for
    which the granule has no values are not there.
    """
    vis2 = select(source, rows, "OI_VIS2", "VIS2DATA")
    visibility = vis2 or select(source, rows, "OI_VIS", "VISAMP")
    closure = select(source, rows, "OI_T3", "T3PHI")
    pictures = {}
    coverage = visibility or closure
    page = _page(source, granule)
    if coverage is not None and _draw_coverage(page, coverage):
        pictures["uv"] = page.png()
    page = _page(source, granule)
    if _draw_visibility(page, visibility, closure):
        pictures["visibility"] = page.png()
    spectrum = visibility if granule.nb_channels > FEW_CHANNELS else None
    if visibility is None and closure is None:
        spectrum = select(source, rows, "OI_FLUX", "FLUXDATA")
        spectrum = spectrum or select(source, rows, "OI_FLUX", "FLUX")
    page = _page(source, granule)
    if spectrum is not None and _draw_spectrum(page, spectrum):
        # Tangled curves pack badly; they have but seven colours and some greys.
        pictures["spectrum"] = page.png(colours=32)
    return pictures


def draw_file(path: Path, numbers: Iterable[int]) -> dict[int, dict[str, bytes]]:
    """``draw`` for the granules of a file with these numbers.

    Raises UnreadableFile when the file cannot be read.
    """
    source = oifits.read(path)
    extraction = granules.extract(source, vocabulary.load())
    return {
        number: draw(source, extraction.granules[number], extraction.rows[number])
        for number in numbers
    }


def draw_calibrator(verdict: Verdict, name: str, details: str, origin: str) -> bytes:
    """Squared visibilities of a calibrator with the models that they were compared with, as PNG.

    Against spatial frequency, coloured by the position angle of the baseline: what a binary does
    depends on it.
    """
    points = verdict.points
    page = _Page(name, details, origin)
    axes = page.axes((0.125, 0.12, 0.725, 0.74), "Spatial frequency (Mλ)", "V²")
    x = points.frequency / 1e6
    shown = [points.vis2, verdict.disk_vis2]
    order = np.argsort(x)
    for model, look in (
        (verdict.expected_vis2, {"color": _INK, "linewidth": 2.0}),
        (verdict.disk_vis2, {"color": _QUIET, "linewidth": 2.0, "linestyle": (0, (4, 2))}),
    ):
        if model is not None:
            axes.plot(x[order], model[order], **look)
            shown.append(model)
    if verdict.binary_vis2 is not None:
        shown.append(verdict.binary_vis2)
        axes.plot(x, verdict.binary_vis2, "x", color=_COLOURS[1], markersize=8, zorder=4)
    low, high = min(0.0, *(float(a.min()) for a in shown)), max(float(a.max()) for a in shown)
    margin = 0.08 * (high - low)
    axes.set(xlim=(0.0, 1.03 * float(x.max())), ylim=(low - margin, high + margin))
    error = np.minimum(points.error, high - low)
    bars = _strokes(np.stack([x, points.vis2 - error]), np.stack([x, points.vis2 + error]))
    axes.plot(*bars, color="#b5b5b5", linewidth=1.0)
    angle = np.degrees(np.arctan2(points.u, points.v)) % 180.0
    norm, colours = Normalize(0.0, 180.0), _LENGTHS
    axes.scatter(x, points.vis2, s=_area(x.size), c=colours(norm(angle)), linewidths=0, zorder=3)
    page.bar(norm, colours, "Position angle (°)")
    words = [
        "expected disk" if verdict.expected_vis2 is not None else None,
        "fitted disk (dashes)",
        "binary (crosses)" if verdict.binary_vis2 is not None else None,
    ]
    page.note(", ".join(word for word in words if word))
    return page.png()


class _Page:
    """An empty picture with a title, a line of details, and where it is from."""

    def __init__(self, title: str, details: str, origin: str) -> None:
        self.figure = Figure(figsize=(SIZE[0] / _DPI, SIZE[1] / _DPI), dpi=_DPI)
        self._canvas = FigureCanvasAgg(self.figure)
        self._notes: list[str] = []
        self._file = origin
        # Long lines get smaller letters, so that they end on the page.
        self._text(0.02, 0.975, title, min(1.35, 70.0 / len(title)), weight="bold")
        self._text(0.02, 0.92, details, min(1.05, 75.0 / len(details)), color=_QUIET)

    def _text(self, x: float, y: float, text: str, size: float = 1.0, **style: Any) -> None:
        style = {"color": _INK, "va": "top", **style}
        self.figure.text(x, y, text, fontsize=size * _LETTERS, parse_math=False, **style)

    def axes(self, place: tuple[float, float, float, float], x: str, y: str) -> Axes:
        """Axes at left, bottom, width, height (of 1) with labels."""
        axes = self.figure.add_axes(place)
        axes.set_xlabel(x, fontsize=_LETTERS, color=_INK)
        axes.set_ylabel(y, fontsize=_LETTERS, color=_INK)
        axes.tick_params(labelsize=0.93 * _LETTERS, colors=_QUIET, length=5)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=_STEPS))
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=_ANGLES if "°" in y else _STEPS))
        axes.grid(color=_FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(_QUIET)
        return axes

    def legend(self, labels: Sequence[str], styles: Sequence[dict[str, Any]]) -> None:
        """What the colours mean, at the right."""
        letters = min(_LETTERS, 300.0 / max(len(labels), 1), 220.0 / max(map(len, labels)))
        self.figure.legend(
            [Line2D([], [], **style) for style in styles],
            labels,
            loc="upper left",
            bbox_to_anchor=(0.735, 0.88),
            fontsize=letters,
            labelcolor=_INK,
            frameon=False,
            handlelength=1.6,
            labelspacing=0.35,
        )

    def bar(self, norm: Normalize, colours: Colormap, label: str) -> None:
        """A colour bar at the right."""
        axes = self.figure.add_axes((0.875, 0.12, 0.022, 0.74))
        bar = self.figure.colorbar(ScalarMappable(norm, colours), cax=axes)
        bar.set_label(label, fontsize=_LETTERS, color=_INK)
        bar.outline.set_visible(False)
        axes.tick_params(labelsize=0.93 * _LETTERS, colors=_QUIET)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=_STEPS))

    def note(self, text: str) -> None:
        """Something the reader must know, for the last line."""
        self._notes.append(text)

    def thin(self, points: Points) -> Points:
        """At most MOST_POINTS of the points."""
        count = points.value.size
        if count <= MOST_POINTS:
            return points
        self.note(f"{MOST_POINTS:,} of {count:,} points drawn")
        chosen = np.random.default_rng(0).choice(count, MOST_POINTS, replace=False)
        return points.take(np.sort(chosen))

    def png(self, colours: int = 255) -> bytes:
        """The picture as PNG with at most so many colours, which keeps it small."""
        self._text(0.02, 0.012, self._file, 0.7, color=_QUIET, va="bottom")
        self._text(0.98, 0.012, "; ".join(self._notes), 0.7, color=_QUIET, va="bottom", ha="right")
        self._canvas.draw()
        pixels = np.asarray(self._canvas.buffer_rgba())[:, :, :3]
        picture = Image.fromarray(pixels).quantize(colours, Image.Quantize.FASTOCTREE, dither=0)
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        return stream.getvalue()


def _page(source: OIFits, granule: Granule) -> _Page:
    """An empty picture for a granule."""
    instrument = granule.instrument_name or granule.insname
    if granule.instrument_mode:
        instrument += f" ({granule.instrument_mode})"
    night = f"night {granule.night}" if granule.night else None
    details = " · ".join(p for p in (instrument, night, granule.facility_name) if p)
    return _Page(granule.target_name or "(no name)", details, source.name)


def _style(number: int, *, line: bool) -> dict[str, Any]:
    """The look of the station pair with that number."""
    turn = number // len(_COLOURS) % len(_MARKERS)
    look: dict[str, Any] = {"color": _COLOURS[number % len(_COLOURS)]}
    if line:
        return {**look, "linestyle": _DASHES[turn], "linewidth": 1.3}
    return {**look, "linestyle": "none", "marker": _MARKERS[turn], "markersize": 5.5,
            "markeredgewidth": 0}  # fmt: skip


def _by_name(points: Points) -> list[tuple[str, Integers]]:
    """Which points belong to which stations, by name."""
    found = []
    for number in np.unique(points.station).tolist():
        found.append((points.labels[number], np.flatnonzero(points.station == number)))
    return sorted(found, key=lambda item: item[0])


def _draw_coverage(page: _Page, points: Points) -> bool:
    """u to the left (east), v up; each baseline with its conjugate."""
    known = np.isfinite(points.u).all(axis=1) & np.isfinite(points.v).all(axis=1)
    points = points.take(known)
    if not points.value.size:
        return False
    waves = np.unique(points.wavelength).size
    unit = "m" if waves == 1 else "Mλ"
    axes = page.axes((0.12, 0.115, 0.57, 0.76), f"u ({unit}), east to the left", f"v ({unit})")
    if waves <= FEW_CHANNELS:
        points = page.thin(points)
    scale = 1.0 if waves == 1 else 1e-6 / points.wavelength[:, None]
    u, v = points.u * scale, points.v * scale
    limit = 1.06 * float(np.hypot(u, v).max()) or 1.0
    axes.set(xlim=(limit, -limit), ylim=(-limit, limit), aspect="equal")
    axes.plot(0, 0, "+", color=_QUIET, markersize=10)

    groups = _by_name(points)
    labels = [label for label, _ in groups]
    many = len(groups) > _MOST_LABELS
    length = np.hypot(points.u, points.v)
    norm = Normalize(float(length.min()), float(length.max()))
    for number, (_, mine) in enumerate(groups):
        style = _style(number, line=False)
        if many:
            style["color"] = _LENGTHS(norm(float(length[mine].mean())))
        if waves <= FEW_CHANNELS:
            x, y = u[mine].ravel(), v[mine].ravel()
            axes.plot(np.concatenate([x, -x]), np.concatenate([y, -y]), **style)
        else:
            begin, end = _spokes(points.row[mine], u[mine], v[mine])
            axes.plot(*_strokes(begin, end), color=style["color"], linewidth=2.0)
            axes.plot(*end, **style)
    if many:
        page.bar(norm, _LENGTHS, "Baseline (m)")
    elif any(labels):
        page.legend(labels, [_style(number, line=False) for number in range(len(labels))])
    return True


def _spokes(row: Integers, u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """The points of least and of greatest frequency of each row, each of shape (2, spokes)."""
    order = np.lexsort((np.hypot(u, v)[:, 0], row))
    row, uv = row[order], np.stack([u[order], v[order]])
    first = np.flatnonzero(np.diff(row, prepend=row[0] - 1))
    last = np.append(first[1:], row.size) - 1
    begin, end = (uv[:, n].reshape(2, -1) for n in (first, last))
    return np.hstack([begin, -begin]), np.hstack([end, -end])


def _strokes(begin: Floats, end: Floats) -> Floats:
    """Separate lines between points (each of shape (2, lines)) as one curve, shape (2, 3 lines).

    matplotlib draws this much faster than a line at a time.
    """
    return np.stack([begin, end, np.full(begin.shape, np.nan)], axis=-1).reshape(2, -1)


def _draw_visibility(page: _Page, visibility: Points | None, closure: Points | None) -> bool:
    """Against spatial frequency, one panel above the other."""
    panels = []
    for points in (visibility, closure):
        if points is not None and np.isfinite(points.frequency).any():
            panels.append(page.thin(points.take(np.isfinite(points.frequency))))
    if not panels:
        return False
    waves = np.concatenate([points.wavelength for points in panels]) * 1e6
    coloured = np.unique(waves).size > 1
    norm = Normalize(float(waves.min()), float(waves.max()))
    longest = max(float(points.frequency.max()) for points in panels) / 1e6
    width = 0.725 if coloured else 0.85
    height = 0.74 / len(panels) - (0.025 if len(panels) == 2 else 0.0)
    outside = 0
    for number, points in enumerate(panels):
        last = number == len(panels) - 1
        place = (0.125, 0.12 if last else 0.12 + height + 0.05, width, height)
        label = "Spatial frequency (Mλ)"
        if points is closure or points.u.shape[1] == 3:
            label = "Spatial frequency (Mλ; triangles: longest side)"
        axes = page.axes(place, label if last else "", points.name)
        axes.tick_params(labelbottom=last)
        low, high = _limits(points)
        axes.set(xlim=(0.0, 1.03 * longest or 1.0), ylim=(low, high))
        x = points.frequency / 1e6
        error = np.where(points.error > 0, points.error, 0.0)
        down, up = (
            np.clip(points.value + e, 2 * low - high, 2 * high - low) for e in (-error, error)
        )
        bars = _strokes(np.stack([x, down]), np.stack([x, up]))
        axes.plot(*bars, color=_FAINT if x.size > 1000 else "#b5b5b5", linewidth=1.0)
        colours = _WAVES(norm(points.wavelength * 1e6)) if coloured else _COLOURS[0]
        axes.scatter(x, points.value, s=_area(x.size), c=colours, linewidths=0, zorder=3)
        outside += int(np.count_nonzero((points.value < low) | (points.value > high)))
    if coloured:
        page.bar(norm, _WAVES, "Wavelength (µm)")
    _note_outside(page, outside)
    return True


def _draw_spectrum(page: _Page, points: Points) -> bool:
    """Against wavelength, a curve for each row; gaps where values are flagged."""
    waves, channel = np.unique(points.wavelength, return_inverse=True)
    if waves.size < 2:
        return False
    axes = page.axes((0.125, 0.12, 0.595, 0.74), "Wavelength (µm)", points.name)
    low, high = _limits(points)
    axes.set(xlim=(waves[0] * 1e6, waves[-1] * 1e6), ylim=(low, high))
    rows = np.unique(points.row)
    most = max(MOST_POINTS // waves.size, 1)
    if rows.size > most:
        page.note(f"{most:,} of {rows.size:,} curves drawn")
        chosen = np.random.default_rng(0).choice(rows, most, replace=False)
        kept = np.isin(points.row, chosen)
        points, channel = points.take(kept), channel[kept]
    groups = _by_name(points)
    styles = []
    for number, (_, mine) in enumerate(groups):
        _, line = np.unique(points.row[mine], return_inverse=True)
        # A column more, to lift the pen between two curves.
        curves = np.full((line.max() + 1, waves.size + 1), np.nan)
        curves[line, channel[mine]] = points.value[mine]
        x = np.tile(np.append(waves, np.nan) * 1e6, curves.shape[0])
        styles.append(_style(number, line=True))
        axes.plot(x, curves.ravel(), **styles[-1])
    labels = [label for label, _ in groups]
    if any(labels) and len(labels) <= _MOST_LABELS:
        page.legend(labels, styles)
    _note_outside(page, int(np.count_nonzero((points.value < low) | (points.value > high))))
    return True


def _area(count: int) -> float:
    """Area of a dot in square points: small for many."""
    return float(np.clip(9000.0 / max(count, 1), 4.0, 30.0))


def _limits(points: Points) -> tuple[float, float]:
    """Limits of an axis that show the values but are not stretched by a few odd ones."""
    value = points.value
    low, high = float(value.min()), float(value.max())
    first, last = (float(p) for p in np.percentile(value, (2.0, 98.0)))
    if last > first:
        low, high = max(low, 1.7 * first - 0.7 * last), min(high, 1.7 * last - 0.7 * first)
    if points.name == "V²" and 0 < low < 0.5 * high:
        low = 0.0
    errors = points.error[np.isfinite(points.error) & (points.error > 0)]
    typical = float(np.median(errors)) if errors.size else 0.0
    margin = 0.06 * (high - low) + (min(typical, high - low) if high > low else 1.2 * typical)
    margin = margin or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _note_outside(page: _Page, count: int) -> None:
    if count:
        page.note(f"{count:,} point{'s' if count > 1 else ''} outside the frame")
