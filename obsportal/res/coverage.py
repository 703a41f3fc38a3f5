"""UV coverage as a picture: SVG, small enough to be written by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

_SIZE = 640  # pixels of a side
_MARGIN = 56
#: Colours that can be told apart by everybody (Okabe and Ito).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")


def draw(exposures: Sequence[dict[str, Any]], title: str) -> str:
    """Tracks in the UV plane (m, east to the left, north up) with their conjugates.

    Exposures are as /coverage.json has them.
    """
    tracks: dict[str, list[tuple[float, float, float, float]]] = {}
    for exposure in exposures:
        for line in exposure["baselines"]:
            ends = [line[name] for name in ("u_start", "v_start", "u_end", "v_end")]
            if None not in ends:
                u1, v1, u2, v2 = ends
                tracks.setdefault(exposure["instrument_name"], []).extend(
                    ((u1, v1, u2, v2), (-u1, -v1, -u2, -v2))
                )
    longest = max(
        (max(map(abs, track)) for found in tracks.values() for track in found), default=100.0
    )
    longest = max(longest, 1.0)
    step = _step(longest)
    reach = step * math.ceil(longest / step)
    scale = (_SIZE / 2 - _MARGIN) / reach
    middle = _SIZE / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}" width="{_SIZE}"'
        f' height="{_SIZE}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_SIZE}" height="{_SIZE}" fill="#fff"/>',
        _axes(step, reach, scale),
        f'<text x="{middle}" y="20" text-anchor="middle" font-size="15">{escape(title)}</text>',
    ]
    for place, name in enumerate(sorted(tracks)):
        colour = _COLOURS[place % len(_COLOURS)]
        path = "".join(
            f"M{middle - u1 * scale:.1f} {middle - v1 * scale:.1f}"
            f"L{middle - u2 * scale:.1f} {middle - v2 * scale:.1f}"
            for u1, v1, u2, v2 in tracks[name]
        )
        parts.append(
            f'<path d="{path}" stroke="{colour}" stroke-width="2" stroke-linecap="round"'
            f' fill="none"/><text x="{_SIZE - 8}" y="{40 + 16 * place}" text-anchor="end"'
            f' fill="{colour}">{escape(name)}: {len(tracks[name]) // 2}</text>'
        )
    if not tracks:
        parts.append(
            f'<text x="{middle}" y="{middle - 8}" text-anchor="middle">No baselines known</text>'
        )
    parts.append("</svg>")
    return "\n".join(parts)


def _step(reach: float) -> float:
    """A round distance of ticks, of which three to seven are in `reach`."""
    power = 10.0 ** math.floor(math.log10(reach))
    return next(power * factor for factor in (0.2, 0.5, 1.0, 2.0) if reach <= 5 * power * factor)


def _axes(step: float, reach: float, scale: float) -> str:
    low, high, middle = _MARGIN, _SIZE - _MARGIN, _SIZE / 2
    parts = [
        f'<g stroke="#ccc" fill="none"><rect x="{low}" y="{low}" width="{high - low}"'
        f' height="{high - low}"/><path d="M{low} {middle}H{high}M{middle} {low}V{high}"/></g>'
    ]
    for tick in range(-round(reach / step), round(reach / step) + 1):
        value = tick * step
        at = middle - value * scale
        parts.append(
            f'<text x="{at:.1f}" y="{high + 16}" text-anchor="middle">{value:g}</text>'
            f'<text x="{low - 6}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    parts.append(
        f'<text x="{middle}" y="{_SIZE - 14}" text-anchor="middle">u (m, east to the left)</text>'
        f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">'
        "v (m, north up)</text>"
    )
    return "\n".join(parts)
