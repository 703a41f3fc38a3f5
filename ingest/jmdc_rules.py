"""The rules that a measurement of JMDC is judged by, each with name, severity and explanation.

``judge`` applies them to one measurement, whether it was published long ago or has just been sent
in; what it finds is said in sentences. Where a row is certainly wrong and it is certain what it
should say, there is a ``Correction``, and the rules that follow judge the corrected values.

How much larger the limb-darkened diameter is than that of the uniform disk with the same
visibilities, for linear limb darkening with coefficient u: Hanbury Brown et al. 1974, MNRAS 167,
475, equation 4 (``ld_over_ud``). It grows from 1 to 1.118, so that a diameter that is smaller, or
more than an eighth larger, than the other one tells an error, and so that most numbers in MU_LAMBDA
tell what they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from statistics import median

from ingest import jmdc_bands, names
from ingest.jmdc import BIBCODE, Measurement
from ingest.jmdc_bands import Band


class Severity(StrEnum):
    """How bad it is."""

    #: Certainly wrong.
    ERROR = "error"
    #: Probably wrong, or not usable without a look at the publication.
    WARNING = "warning"
    #: Incomplete or unusual; no flag of a row.
    NOTE = "note"


_GRAVITY = {severity: number for number, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; its name is a word of quality_flags where it is broken."""

    name: str
    severity: Severity
    explanation: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule finds in a measurement."""

    rule: Rule
    #: One sentence for whoever has to correct it.
    words: str
    #: The columns that it is about.
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """What the diameters and their error (mas) should be, and why that is certain."""

    ud_diam: float | None
    ld_diam: float | None
    e_ld_diam: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Expected:
    """The limb-darkened diameter (mas) that a catalogue of estimates gives for the star."""

    ld_diam: float
    e_ld_diam: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of a measurement beyond what it says."""

    #: The worst first.
    findings: tuple[Finding, ...]
    correction: Correction | None
    #: What MU_LAMBDA is: ratio, inverse, coefficient; None when that cannot be told.
    mu_kind: str | None
    band: Band | None

    @property
    def flags(self) -> str:
        """Names of the rules that are broken, but for mere notes, separated by blanks."""
        broken = {f.rule.name: None for f in self.findings if f.rule.severity != Severity.NOTE}
        return " ".join(broken)

    def has(self, severity: Severity) -> bool:
        """Whether something of that severity was found."""
        return any(finding.rule.severity == severity for finding in self.findings)


#: All rules, by their names, in the order in which they are applied.
RULES: dict[str, Rule] = {}

_Check = Callable[[Measurement, Band | None], Iterator[tuple[str, tuple[str, ...]]]]
_CHECKS: list[tuple[Rule, _Check]] = []

_DIAMETERS = ("ud_diam", "ld_diam")
#: Largest ratio of the two diameters, that of a disk dark at its limb (u=1), with some air for
#: stars that are darker still.
_GREATEST_RATIO = 1.13
#: Fraction by which the diameters may differ from what MU_LAMBDA makes of them: fits of a
#: limb-darkened disk to data at several baselines differ so much from a factor.
_FACTOR_TOLERANCE = 0.03
#: Ratio of wavelengths up to which diameters of a star are compared: in the bands of molecules a
#: cool star is larger, up to several times.
_NEAR = 1.6
#: Relative error of a diameter below which nobody has measured: the scale of wavelengths is not
#: known better.
_LEAST_ERROR = 5e-4

MU_RATIO, MU_INVERSE, MU_COEFFICIENT = "ratio", "inverse", "coefficient"


def ld_over_ud(coefficient: float) -> float:
    """Limb-darkened over uniform-disk diameter for a linear coefficient of limb darkening."""
    return math.sqrt((1 - coefficient / 3) / (1 - 7 * coefficient / 15))


def judge(
    measurement: Measurement,
    others: Sequence[Measurement] = (),
    expected: Expected | None = None,
) -> Judgement:
    """Applies all rules to a measurement.

    ``others`` are the other current measurements of the same star; ``expected`` is what JSDC says
    of it. Without them, their rules find nothing.
    """
    band = _band(measurement)
    correction, cause = _correct(measurement)
    corrected = apply(measurement, correction)
    findings = [] if cause is None else [cause]
    for rule, check in _CHECKS:
        findings += [Finding(rule, words, columns) for words, columns in check(corrected, band)]
    if measurement in others:
        words = "The star has the same measurement of the same publication a second time."
        findings.append(Finding(DUPLICATE, words, ("id1", "bibcode")))
    findings += _compare(corrected, band, others)
    findings += _compare_expected(corrected, band, expected)
    findings.sort(key=lambda finding: _GRAVITY[finding.rule.severity])
    return Judgement(tuple(findings), correction, mu_kind(corrected), band)


def apply(measurement: Measurement, correction: Correction | None) -> Measurement:
    """The measurement with what is certain put right."""
    if correction is None:
        return measurement
    return replace(
        measurement,
        ud_diam=correction.ud_diam,
        ld_diam=correction.ld_diam,
        e_ld_diam=correction.e_ld_diam,
    )


def mu_kind(measurement: Measurement) -> str | None:
    """What MU_LAMBDA is, by what it makes of the diameters, or by its value alone.

    A ratio of the diameters is 1 to 1.118 (or the inverse of that), a coefficient 0 to 1. Between
    0.89 and 1 both diameters are needed to tell; 1 with equal diameters is a ratio.
    """
    mu, ud, ld = measurement.mu_lambda, measurement.ud_diam, measurement.ld_diam
    if mu is None or not 0 < mu <= _GREATEST_RATIO:
        return None
    if mu > 1:
        return MU_RATIO
    if mu < 1 / _GREATEST_RATIO:
        return MU_COEFFICIENT
    if not (ud and ld):
        return None
    off = {
        MU_RATIO: abs(ld / ud / mu - 1),
        MU_INVERSE: abs(ld / ud * mu - 1),
        MU_COEFFICIENT: abs(ld / ud / ld_over_ud(mu) - 1),
    }
    kind = min(off, key=lambda name: off[name])
    return kind if off[kind] < _FACTOR_TOLERANCE else None


def factor(measurement: Measurement) -> float | None:
    """Limb-darkened over uniform-disk diameter by MU_LAMBDA; None when it does not tell."""
    kind, mu = mu_kind(measurement), measurement.mu_lambda
    if kind is None or mu is None:
        return None
    return {MU_RATIO: mu, MU_INVERSE: 1 / mu}.get(kind) or ld_over_ud(mu)


def _band(measurement: Measurement) -> Band | None:
    """The band by its text, or by its number where there is no text."""
    if measurement.band is not None:
        return jmdc_bands.read(measurement.band)
    code = measurement.bandcode or 0
    known = 1 <= code <= len(jmdc_bands.LETTERS)
    return jmdc_bands.read(jmdc_bands.LETTERS[code - 1]) if known else None


# ---------------------------------------------------------------- what is certain


def _declare(name: str, severity: Severity, explanation: str) -> Rule:
    RULES[name] = Rule(name, severity, " ".join(explanation.split()))
    return RULES[name]


SHIFTED = _declare(
    "shifted_columns",
    Severity.ERROR,
    """UD_DIAM is the factor that also stands in MU_LAMBDA, and LD_DIAM and E_LD_DIAM are related
    as the two diameters of a star are: the values stand one column too far to the right.""",
)
LD_IS_FACTOR = _declare(
    "ld_is_factor",
    Severity.ERROR,
    """LD_DIAM is the factor by which the authors multiplied the uniform-disk diameter, the same
    number as MU_LAMBDA, and not the product.""",
)
LD_IS_ERROR = _declare(
    "ld_is_error",
    Severity.ERROR,
    """LD_DIAM is less than a third of UD_DIAM and there is no error: the error stands in the column
    of the limb-darkened diameter.""",
)


def _correct(m: Measurement) -> tuple[Correction | None, Finding | None]:
    """The certain cause of wrong diameters, with what they should be."""
    ud, ld, error, mu = m.ud_diam, m.ld_diam, m.e_ld_diam, m.mu_lambda
    if ud is None or ld is None or ud <= 0 or ld <= 0:
        return None, None
    if error is not None and mu == ud and 1 <= error / ld <= _GREATEST_RATIO:
        words = (
            f"UD_DIAM is the factor {mu:g} of MU_LAMBDA, and LD_DIAM {ld:g} and E_LD_DIAM {error:g}"
            " are related as the two diameters: they stand one column too far to the right."
        )
        reason = "The values were shifted by one column; the error is not known."
        shifted = ("ud_diam", "ld_diam", "e_ld_diam")
        return Correction(ld, error, None, reason), Finding(SHIFTED, words, shifted)
    if mu == ld and 1 < mu <= _GREATEST_RATIO and abs(ld - ud * mu) > _rounding(ud):
        product = round(ud * mu, max(3, _decimals(ud)))
        words = (
            f"LD_DIAM is the factor {mu:g} of MU_LAMBDA; with UD_DIAM {ud:g} the limb-darkened"
            f" diameter is {product:g} mas."
        )
        reason = f"LD_DIAM held the factor; it is UD_DIAM times MU_LAMBDA ({ud:g} × {mu:g})."
        return Correction(ud, product, error, reason), Finding(LD_IS_FACTOR, words, ("ld_diam",))
    if error is None and ld < ud / 3:
        words = (
            f"LD_DIAM {ld:g} is {ld / ud:.1%} of UD_DIAM {ud:g} and there is no error:"
            " it must be the error."
        )
        reason = "LD_DIAM held the error; the limb-darkened diameter is not known."
        named = ("ld_diam", "e_ld_diam")
        return Correction(ud, None, ld, reason), Finding(LD_IS_ERROR, words, named)
    return None, None


def _rounding(number: float) -> float:
    """Half a unit of the last digit that a number is written with."""
    return 0.5 * 10.0 ** -_decimals(number)


def _decimals(number: float) -> int:
    """Digits after the point that a number is written with."""
    return len(f"{number:.15g}".partition(".")[2])


# ---------------------------------------------------------------- one measurement


def _rule(name: str, severity: Severity, explanation: str) -> Callable[[_Check], _Check]:
    def register(check: _Check) -> _Check:
        _CHECKS.append((_declare(name, severity, explanation), check))
        return check

    return register


_Found = Iterator[tuple[str, tuple[str, ...]]]


@_rule(
    "formula",
    Severity.ERROR,
    "A text begins with =, +, - or @, which spreadsheets take for the begin of a formula.",
)
def _formula(m: Measurement, band: Band | None) -> _Found:
    for name in ("id1", "id2", "band", "notes", "bibcode"):
        text = getattr(m, name)
        if text is not None and text[:1] in ("=", "+", "-", "@"):
            yield f"{name.upper()} begins with {text[0]}, as formulas of spreadsheets do.", (name,)


@_rule("no_diameter", Severity.ERROR, "There is neither UD_DIAM nor LD_DIAM.")
def _no_diameter(m: Measurement, band: Band | None) -> _Found:
    if m.ud_diam is None and m.ld_diam is None:
        yield "There is no diameter: UD_DIAM or LD_DIAM is needed.", _DIAMETERS


@_rule("not_positive", Severity.ERROR, "A diameter, error or factor is zero or less.")
def _not_positive(m: Measurement, band: Band | None) -> _Found:
    for name in (*_DIAMETERS, "e_ld_diam", "mu_lambda"):
        value = getattr(m, name)
        if value is not None and not value > 0:
            yield f"{name.upper()} is {value:g}; it must be greater than zero.", (name,)


@_rule(
    "implausible_size",
    Severity.WARNING,
    """A diameter is below 0.01 mas, which nobody can measure, or above 100 mas, which few stars
    have.""",
)
def _implausible_size(m: Measurement, band: Band | None) -> _Found:
    for name in _DIAMETERS:
        value = getattr(m, name)
        if value is not None and not (value <= 0 or 0.01 <= value <= 100):
            yield f"{name.upper()} is {value:g} mas; measured stars have 0.01 to 100 mas.", (name,)


@_rule(
    "ld_below_ud",
    Severity.WARNING,
    """The limb-darkened diameter is smaller than that of the uniform disk by more than what
    rounding explains; limb darkening makes it larger.""",
)
def _ld_below_ud(m: Measurement, band: Band | None) -> _Found:
    if not (m.ud_diam and m.ld_diam) or m.ld_diam <= 0:
        return
    if m.ld_diam + _rounding(m.ld_diam) < (m.ud_diam - _rounding(m.ud_diam)) * (1 - 1e-9):
        yield (
            f"LD_DIAM {m.ld_diam:g} is smaller than UD_DIAM {m.ud_diam:g}; limb darkening makes it"
            " larger.",
            _DIAMETERS,
        )


@_rule(
    "ld_above_ud",
    Severity.WARNING,
    """The limb-darkened diameter is larger than that of the uniform disk by more than the 11.8 %
    of a disk that is dark at its limb.""",
)
def _ld_above_ud(m: Measurement, band: Band | None) -> _Found:
    if not (m.ud_diam and m.ld_diam) or m.ud_diam <= 0:
        return
    largest = (m.ud_diam + _rounding(m.ud_diam)) * _GREATEST_RATIO
    if largest < m.ld_diam - _rounding(m.ld_diam):
        yield (
            f"LD_DIAM {m.ld_diam:g} is {m.ld_diam / m.ud_diam - 1:.0%} larger than UD_DIAM"
            f" {m.ud_diam:g}; even a disk that is dark at its limb is only 11.8 % larger.",
            _DIAMETERS,
        )


@_rule(
    "factor_range",
    Severity.WARNING,
    """MU_LAMBDA is neither a coefficient of limb darkening (0 to 1) nor a ratio of the diameters
    (up to 1.118).""",
)
def _factor_range(m: Measurement, band: Band | None) -> _Found:
    if m.mu_lambda is not None and m.mu_lambda > _GREATEST_RATIO:
        yield (
            f"MU_LAMBDA is {m.mu_lambda:g}; a coefficient is 0 to 1, a ratio at most 1.118.",
            ("mu_lambda",),
        )


@_rule(
    "factor_mismatch",
    Severity.WARNING,
    """The diameters differ from what MU_LAMBDA makes of one another by more than 3 % and more than
    twice the error.""",
)
def _factor_mismatch(m: Measurement, band: Band | None) -> _Found:
    by = factor(m)
    if by is None or not (m.ud_diam and m.ld_diam) or min(m.ud_diam, m.ld_diam) <= 0:
        return
    off = abs(m.ld_diam - m.ud_diam * by)
    if off > max(_FACTOR_TOLERANCE * m.ld_diam, 2 * (m.e_ld_diam or 0)):
        yield (
            f"With MU_LAMBDA {m.mu_lambda:g} ({mu_kind(m)}) and UD_DIAM {m.ud_diam:g}, LD_DIAM"
            f" should be {m.ud_diam * by:.4g}, not {m.ld_diam:g}.",
            (*_DIAMETERS, "mu_lambda"),
        )


@_rule("error_exceeds_value", Severity.WARNING, "The error is larger than half of the diameter.")
def _error_exceeds_value(m: Measurement, band: Band | None) -> _Found:
    value = m.ld_diam or m.ud_diam
    if value and m.e_ld_diam and 0 < value / 2 < m.e_ld_diam:
        yield (
            f"E_LD_DIAM {m.e_ld_diam:g} is {m.e_ld_diam / value:.0%} of the diameter {value:g}.",
            ("e_ld_diam",),
        )


@_rule(
    "error_too_small",
    Severity.WARNING,
    """The error is below 0.05 % of the diameter, which is better than wavelengths are known to:
    that of a fit alone.""",
)
def _error_too_small(m: Measurement, band: Band | None) -> _Found:
    value = m.ld_diam or m.ud_diam
    if value and m.e_ld_diam and 0 < m.e_ld_diam < _LEAST_ERROR * value:
        yield (
            f"E_LD_DIAM {m.e_ld_diam:g} is only {m.e_ld_diam / value:.2%} of the diameter"
            f" {value:g}; instruments do not know their wavelengths so well.",
            ("e_ld_diam",),
        )


@_rule("no_error", Severity.NOTE, "There is no error.")
def _no_error(m: Measurement, band: Band | None) -> _Found:
    if m.e_ld_diam is None:
        yield "There is no error (E_LD_DIAM).", ("e_ld_diam",)


@_rule("no_band", Severity.NOTE, "There is neither BAND nor BANDCODE.")
def _no_band(m: Measurement, band: Band | None) -> _Found:
    if m.band is None and m.bandcode is None:
        yield "There is no band or wavelength.", ("band",)


@_rule("band_not_understood", Severity.WARNING, "The text of BAND tells no band or wavelength.")
def _band_not_understood(m: Measurement, band: Band | None) -> _Found:
    if m.band is not None and band is None:
        yield (
            f"BAND {m.band!r} names neither a band (K, H', y) nor wavelengths (2.2, 550nm, 8-13).",
            ("band",),
        )


@_rule(
    "band_unit",
    Severity.WARNING,
    "The unit in BAND gives a wavelength that cannot be; it is read in the unit that can.",
)
def _band_unit(m: Measurement, band: Band | None) -> _Found:
    if band is not None and not band.named and band.doubt:
        yield f"BAND {m.band!r}: {band.doubt}.", ("band",)


@_rule("band_doubtful", Severity.NOTE, "The text of BAND has a question mark.")
def _band_doubtful(m: Measurement, band: Band | None) -> _Found:
    if band is not None and band.named and band.doubt:
        yield f"BAND {m.band!r}: {band.doubt}.", ("band",)


@_rule("bandcode_unknown", Severity.ERROR, "BANDCODE is not one of 1 to 12.")
def _bandcode_unknown(m: Measurement, band: Band | None) -> _Found:
    if m.bandcode is not None and not 1 <= m.bandcode <= len(jmdc_bands.LETTERS):
        yield f"BANDCODE is {m.bandcode}; it must be 1 (U) to 12 (Q).", ("bandcode",)


@_rule(
    "bandcode_mismatch",
    Severity.WARNING,
    "BANDCODE is not that of the band or wavelengths in BAND, nor of one beside it.",
)
def _bandcode_mismatch(m: Measurement, band: Band | None) -> _Found:
    if m.band is None or band is None or m.bandcode is None:
        return
    if 1 <= m.bandcode <= len(jmdc_bands.LETTERS) and not jmdc_bands.fits(m.bandcode, band):
        yield (
            f"BANDCODE {m.bandcode} is {jmdc_bands.LETTERS[m.bandcode - 1]}, but BAND {m.band!r} is"
            f" in {' '.join(band.letters)}.",
            ("band", "bandcode"),
        )


@_rule("method_unknown", Severity.ERROR, "METHOD is not one of 1 to 3.")
def _method_unknown(m: Measurement, band: Band | None) -> _Found:
    if m.method is not None and m.method not in (1, 2, 3):
        yield (
            f"METHOD is {m.method}; it must be 1 (optical interferometry), 2 (lunar occultation) or"
            " 3 (intensity interferometry).",
            ("method",),
        )


@_rule("no_method", Severity.WARNING, "There is no METHOD.")
def _no_method(m: Measurement, band: Band | None) -> _Found:
    if m.method is None:
        yield "There is no METHOD.", ("method",)


@_rule(
    "method_wavelength",
    Severity.WARNING,
    """Intensity interferometers work in visible light, and stars occulted by the Moon are not
    measured beyond 5 µm.""",
)
def _method_wavelength(m: Measurement, band: Band | None) -> _Found:
    longest = {2: 5e-6, 3: 1e-6}.get(m.method or 0)
    # Once, before there were detectors to speak of, an occultation was seen at 11 µm.
    if longest is None or band is None or band.shortest <= longest:
        return
    name = {2: "lunar occultation", 3: "intensity interferometry"}[m.method or 0]
    yield (
        f"METHOD {m.method} is {name}, which does not work at {band.shortest * 1e6:.3g} µm.",
        ("method", "band"),
    )


_BIBCODE = re.compile(
    r"(\d{4})([A-Za-z&.]{5})([A-Za-z\d.]{4})([A-Za-z\d.])([A-Za-z\d.]{4})([A-Z.])"
)
_FIRST_YEAR = 1890


@_rule("no_bibcode", Severity.NOTE, "There is no BIBCODE, or it is made of dots but for the year.")
def _no_bibcode(m: Measurement, band: Band | None) -> _Found:
    if m.bibcode is None or not m.bibcode[4:].strip("."):
        yield "There is no BIBCODE of a publication.", ("bibcode",)


@_rule(
    "bibcode_form",
    Severity.WARNING,
    """BIBCODE is not of the form YYYYJJJJJVVVVMPPPPA: 19 characters, year, journal, volume, page,
    initial of the first author, filled with dots.""",
)
def _bibcode_form(m: Measurement, band: Band | None) -> _Found:
    code = m.bibcode
    if code is None or not code[4:].strip("."):
        return
    if len(code) != BIBCODE:
        yield f"BIBCODE {code!r} has {len(code)} characters; a bibcode has {BIBCODE}.", ("bibcode",)
        return
    match = _BIBCODE.fullmatch(code)
    if match is None or not re.search("[A-Za-z]", match[2]) or match[2].startswith("."):
        yield f"BIBCODE {code!r} is not of the form YYYYJJJJJVVVVMPPPPA.", ("bibcode",)
    elif not _FIRST_YEAR <= int(match[1]) <= datetime.now(UTC).year + 1:
        yield f"BIBCODE {code!r} is of the year {match[1]}.", ("bibcode",)


#: Journals and series, as bibcodes abbreviate them, that diameters of stars are published in.
_JOURNALS = """
A&A A&AS A&ARv AJ AN ARA&A ATel ATsir Ap&SS ApJ ApJL ApJS AstBu AstL BAAS CRPhy ChA&A ExA Galax HiA
IAUS IBVS Icar JAI JATIS JApA JOSAA MNRAS MNSSA Msngr NatAs NatCo Natur NewA Obs OptSp PASA PASJ
PASP PDAO PhDT PhRvL RAA RMxAA RNAAS RSPSA Sci SciA SoPh SPIE SvA SvAL arXiv
"""


@_rule(
    "journal_unknown",
    Severity.NOTE,
    "The journal in BIBCODE is none of those in which diameters of stars are usually published.",
)
def _journal_unknown(m: Measurement, band: Band | None) -> _Found:
    match = _BIBCODE.fullmatch(m.bibcode or "")
    journal = match[2].strip(".") if match else ""
    if journal and journal not in _JOURNALS.split():
        yield f"BIBCODE {m.bibcode!r} is of {journal!r}, which may be mistyped.", ("bibcode",)


@_rule(
    "star_name",
    Severity.WARNING,
    "ID1 is no name as catalogues have them: a number of HD with a letter that is no component.",
)
def _star_name(m: Measurement, band: Band | None) -> _Found:
    if re.fullmatch(r"HD *\d+ *[D-Zd-z]", m.id1):
        yield f"ID1 {m.id1!r} has a letter at its end that is no component of a star.", ("id1",)


# ---------------------------------------------------------------- the measurements of a star

DUPLICATE = _declare(
    "duplicate",
    Severity.WARNING,
    "The star has the same measurement of the same publication a second time.",
)
OUTLIER = _declare(
    "outlier",
    Severity.WARNING,
    """Not for rows that do not tell which component of a double star they are of (SINPE).
    The diameter is more than 15 % (variable star: 50 %) and four times the error off the median
    of two or more other publications at similar wavelengths; or more than 30 % (50 %) and five
    times the error off the only other one, which is more accurate. Errors: that of the measurement,
    the median of theirs, and how they scatter, at least 3 %.""",
)
EXPECTED_OUTLIER = _declare(
    "jsdc_outlier",
    Severity.WARNING,
    """The diameter is more than 30 % and five times the error off the one that JSDC predicts from
    the colours of the star.""",
)


def ld_estimate(m: Measurement, band: Band | None) -> float | None:
    """The limb-darkened diameter, for comparisons: of a uniform disk, what it usually is.

    Coefficients of limb darkening: 0.65 up to V, 0.55 in R and I, 0.3 up to K, none beyond.
    """
    if m.ld_diam:
        return m.ld_diam
    if not m.ud_diam:
        return None
    by = factor(m)
    if by is None:
        middle = 0.0 if band is None else (band.shortest + band.longest) / 2
        steps = ((0.62e-6, 0.65), (1e-6, 0.55), (2.6e-6, 0.3))
        by = ld_over_ud(next((u for longest, u in steps if middle < longest), 0.0))
    return m.ud_diam * by


def _compare(m: Measurement, band: Band | None, others: Sequence[Measurement]) -> Iterator[Finding]:
    value = ld_estimate(m, band)
    if m.sinpe or value is None or value <= 0:
        return
    by_publication: dict[str | None, list[tuple[float, float]]] = {}
    for other in others:
        other_band = _band(other)
        if other.sinpe or other.bibcode == m.bibcode or not _near(band, other_band):
            continue
        corrected = apply(other, _correct(other)[0])
        diameter = ld_estimate(corrected, other_band)
        if diameter is not None and diameter > 0:
            error = corrected.e_ld_diam or 0.1 * diameter
            by_publication.setdefault(other.bibcode, []).append((diameter, error))
    diameters = [median(d for d, _ in pairs) for pairs in by_publication.values()]
    if not diameters:
        return
    middle = median(diameters)
    scatter = 1.4826 * median(abs(diameter - middle) for diameter in diameters)
    own = m.e_ld_diam or 0.1 * value
    theirs = median(error for pairs in by_publication.values() for _, error in pairs)
    if len(diameters) == 1 and own / value < theirs / middle:
        return
    error = math.hypot(own, theirs, max(scatter, 0.03 * middle))
    sigmas, fraction = (4.0, 0.15) if len(diameters) > 1 else (5.0, 0.3)
    if any(map(_is_variable, (m, *others))):
        fraction = 0.5
    off = abs(value - middle)
    if off > sigmas * error and off > fraction * min(value, middle):
        many = (
            f"{len(diameters)} other publications" if len(diameters) > 1 else "the only other one"
        )
        words = (
            f"The diameter (limb-darkened: {value:.3g} mas) is {off / error:.1f} times the error"
            f" off that of {many} at similar wavelengths ({middle:.3g} mas)."
        )
        yield Finding(OUTLIER, words, _DIAMETERS)


def _is_variable(m: Measurement) -> bool:
    """Whether a name tells that the star varies (R CNC, V460 Cyg)."""
    return any(
        name is not None and name.catalogue == "variable"
        for name in (names.parse(text) for text in (m.id1, m.id2) if text)
    )


def _near(one: Band | None, other: Band | None) -> bool:
    """Whether two bands are of similar wavelengths; those not known are of none."""
    if one is None or other is None:
        return False
    ratio = (one.shortest + one.longest) / (other.shortest + other.longest)
    return 1 / _NEAR <= ratio <= _NEAR


def _compare_expected(
    m: Measurement, band: Band | None, expected: Expected | None
) -> Iterator[Finding]:
    value = ld_estimate(m, band)
    if expected is None or m.sinpe or value is None or value <= 0:
        return
    error = math.hypot(
        m.e_ld_diam or 0.1 * value, expected.e_ld_diam or 0.1 * expected.ld_diam, 0.03 * value
    )
    off = abs(value - expected.ld_diam)
    if off > 5 * error and off > 0.3 * min(value, expected.ld_diam):
        words = (
            f"The diameter (limb-darkened: {value:.3g} mas) is {off / error:.1f} times the error"
            f" off the {expected.ld_diam:.3g} mas that JSDC predicts."
        )
        yield Finding(EXPECTED_OUTLIER, words, _DIAMETERS)


def rules_table() -> str:
    """The rules as a table in Markdown: the content of jmdc/RULES.md."""
    lines = [
        "# Rules of JMDC",
        "",
        "Made by `python3 -m ingest.jmdc_rules` from its source; a test keeps it equal. An *error*",
        "is certainly wrong, a *warning* wants a look at the publication, a *note* flags no row.",
        "",
        "| rule | severity | what it finds |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {r.name} | {r.severity} | {r.explanation} |" for r in RULES.values()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(rules_table(), end="")
