"""Names of stars as logs write them: what spellings differ in, and what two names tell apart.

``HD-45677``, ``hd 45677`` and ``HD045677`` are one name, as are ``alp_Eri``, ``Alpha Eridani`` and
``ACHERNAR``; ``alpha Cen A`` and ``alpha Cen B`` are names of two stars, ``STD`` and ``LAMP`` of
none.

Constellations: IAU. Proper names: IAU Catalog of Star Names, the bright ones of them; names of
nearby stars as usual. Forms of variable stars: General Catalogue of Variable Stars.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CONSTELLATIONS = """
and andromedae, ant antliae, aps apodis, aqr aquarii, aql aquilae, ara arae, ari arietis,
aur aurigae, boo bootis, cae caeli, cam camelopardalis, cnc cancri, cvn canumvenaticorum,
cma canismajoris, cmi canisminoris, cap capricorni, car carinae, cas cassiopeiae, cen centauri,
cep cephei, cet ceti, cha chamaeleontis, cir circini, col columbae, com comaeberenices,
cra coronaeaustralis, crb coronaeborealis, crv corvi, crt crateris, cru crucis, cyg cygni,
del delphini, dor doradus, dra draconis, equ equulei, eri eridani, for fornacis, gem geminorum,
gru gruis, her herculis, hor horologii, hya hydrae, hyi hydri, ind indi, lac lacertae, leo leonis,
lmi leonisminoris, lep leporis, lib librae, lup lupi, lyn lyncis, lyr lyrae, men mensae,
mic microscopii, mon monocerotis, mus muscae, nor normae, oct octantis, oph ophiuchi, ori orionis,
pav pavonis, peg pegasi, per persei, phe phoenicis, pic pictoris, psc piscium, psa piscisaustrini,
pup puppis, pyx pyxidis, ret reticuli, sge sagittae, sgr sagittarii, sco scorpii, scl sculptoris,
sct scuti, ser serpentis, sex sextantis, tau tauri, tel telescopii, tri trianguli,
tra trianguliaustralis, tuc tucanae, uma ursaemajoris, umi ursaeminoris, vel velorum, vir virginis,
vol volantis, vul vulpeculae
"""
_GREEK = """
alf alpha alp, bet beta, gam gamma, del delta, eps epsilon, zet zeta, eta, tet theta the, iot iota,
kap kappa, lam lambda, mu, nu, xi ksi, omi omicron, pi, rho, sig sigma, tau, ups upsilon, phi,
chi khi, psi, ome omega
"""
_PROPER = """
achernar: alf eri, acrux: alf cru, adhara: eps cma, albireo: bet1 cyg, alcor: 80 uma,
alcyone: eta tau, aldebaran: alf tau, alderamin: alf cep, algieba: gam1 leo, algol: bet per,
alhena: gam gem, alioth: eps uma, alkaid: eta uma, almach: gam1 and, alnair: alf gru,
alnilam: eps ori, alnitak: zet ori, alphard: alf hya, alphecca: alf crb, alpheratz: alf and,
altair: alf aql, aludra: eta cma, ankaa: alf phe, antares: alf sco, arcturus: alf boo,
atria: alf tra, avior: eps car, bellatrix: gam ori, betelgeuse: alf ori, canopus: alf car,
capella: alf aur, caph: bet cas, castor: alf gem, deneb: alf cyg, denebola: bet leo,
diphda: bet cet, dubhe: alf uma, electra: 17 tau, elnath: bet tau, eltanin: gam dra,
enif: eps peg, fomalhaut: alf psa, gacrux: gam cru, hadar: bet cen, hamal: alf ari,
izar: eps boo, kausaustralis: eps sgr, kochab: bet umi, maia: 20 tau, markab: alf peg,
megrez: del uma, menkalinan: bet aur, menkar: alf cet, menkent: tet cen, merak: bet uma,
merope: 23 tau, miaplacidus: bet car, mimosa: bet cru, mintaka: del ori, mira: omi cet,
mirach: bet and, mirfak: alf per, mirzam: bet cma, mizar: zet uma, naos: zet pup, nunki: sig sgr,
peacock: alf pav, phecda: gam uma, polaris: alf umi, pollux: bet gem, procyon: alf cmi,
rasalhague: alf oph, rasalgethi: alf1 her, regulus: alf leo, rigel: bet ori,
rigilkentaurus: alf cen a, rigilkent: alf cen a, toliman: alf cen b, sabik: eta oph, sadr: gam cyg,
saiph: kap ori, sargas: tet sco, scheat: bet peg, schedar: alf cas, shaula: lam sco,
sirius: alf cma, spica: alf vir, suhail: lam vel, thuban: alf dra, unukalhai: alf ser,
vega: alf lyr, wezen: del cma, zubenelgenubi: alf2 lib, zubeneschamali: bet lib,
proxima: gj 551, proximacen: gj 551, proximacentauri: gj 551, barnard: gj 699,
barnards: gj 699, barnardsstar: gj 699, barnardstar: gj 699, kapteyn: gj 191,
kapteynsstar: gj 191, kapteynstar: gj 191, luyten: gj 273, luytensstar: gj 273,
luytenstar: gj 273, sgra: sgra, sgrastar: sgra
"""
#: Letters that say no more than none.
PRIMARY = frozenset(("", "a", "ab"))
#: What stands where a name should be; compared without blanks, digits and marks.
_PLACEHOLDERS = _words(
    """
    align alignment background cal calib calibration calibrator coude dark default dome empty flat
    internal lamp laser maintenance multi na name nan noname none notset null object
    objectnamenotset pvm rmnrec sci science sky skyflat source star std stdrmnrec stdstar target
    tbd test testtarget undefined unknown unnamed wave xxx
    """
)
#: With a number they are names: "cal1".
_NUMBERABLE = _words("sci cal star std source object target calibrator science")

#: Catalogues whose numbers are of one star, whoever writes them.
_CATALOGUES = _words(
    """
    2mass as bd cd cpd csi doar epic fk gaia gj gsc hbc hd hen hip hr iras irc ksw lhs lkha ltt mwc
    pds ppm rafgl sao tic toi tyc ucac wise wisea wr
    """
)
#: Those of them with plain numbers, where a second number is a counter of observations.
_PLAIN = _words("as epic fk gj hbc hd hip hr lkha mwc ppm sao tic wr")
_SYNONYMS = {"bsc": "hr", "gl": "gj", "gliese": "gj", "hde": "hd", "hipparcos": "hip", "fkv": "fk"}


def _table(text: str) -> dict[str, str]:
    """Every form of a word to its first."""
    return {form: forms[0] for forms in map(str.split, text.split(",")) if forms for form in forms}


def _any(table: dict[str, str]) -> str:
    return "|".join(sorted(table, key=len, reverse=True))


_STARS_OF = _table(_CONSTELLATIONS)
_LETTERS = _table(_GREEK)
_NAMED = {
    name.strip(): star.strip() for name, star in (entry.split(":") for entry in _PROPER.split(","))
}

#: A number in brackets at the end of a name: "SPICA(1)".
SUFFIX = re.compile(r"\s*\(\d+\)$")
#: Names in Latin of more than one word are written with blanks too.
_TWO_WORDS = re.compile(
    r"\b(canum|canis|comae|coronae|leonis|piscis|trianguli|ursae)"
    r" (venaticorum|majoris|minoris|berenices|australis|borealis|austrini)\b"
)
_FILLER = re.compile(r"[^a-z0-9+.-]+")
#: After the name of a catalogue by zones it is a sign, between digits part of the number.
_DASH = re.compile(r"(\b(?:bd|cd|cpd|irc) ?|\d)-(?=\d)|-")
_DOT = re.compile(r"\.(?!\d)|(?<!\d)\.")
#: What logs put before and after a name: the kind of object, the part of the night.
_BEFORE = re.compile(r"^(?:sci|cal|calib|name|object|em(?= (?:as|mwc|lkha)\b)) (?=.*[a-z])")
_AFTER = re.compile(
    r"(?: (?:bad|new|old|copy|test|(?:start|begin|middle|end)(?: of)? night|noft|ft))+$"
)
#: The component of a multiple star or the letter of a planet.
_PART = r"(?: ?(?P<part>[a-h]|ab|aa|bb)| (?P<pole>[ns]))?$"
_BAYER = re.compile(
    rf"^(?P<letter>{_any(_LETTERS)}) ?0*(?P<index>\d?) ?(?P<of>{_any(_STARS_OF)}){_PART}"
)
_FLAMSTEED = re.compile(rf"^0*(?P<letter>\d{{1,3}}) ?(?P<of>{_any(_STARS_OF)}){_PART}")
#: SIMBAD's "V* CI Tau" loses its star in a log. "c Pup" and "L2 Pup" are of the same form.
_VARIABLE = re.compile(
    r"^(?:v )?(?P<letter>v ?0*\d{3,5}|[a-z] ?0*[1-9]|[a-z]{1,2}) ?"
    rf"(?P<of>{_any(_STARS_OF)}){_PART}"
)
#: Most names by far; they are taken out before all others.
_QUICK = re.compile(r"([A-Za-z]{2,3})[ _-]?0*([1-9][0-9]*)\Z")
_ZONE = re.compile(
    r"^(?P<catalogue>bd|cd|cpd) ?(?P<sign>[+-]) ?(?P<zone>\d\d)[ d-]*(?P<number>\d+)(?P<rest>.*)$"
)
_NUMBERED = re.compile(
    r"^(?P<catalogue>\d?[a-z][a-z ]*?) ?(?P<number>[+-]?\d[0-9.+ -]*)(?P<rest>[a-z ].*)?$"
)
_WORDS = re.compile(r"^(?P<words>[a-z].*?)(?: (?P<part>[a-h]|ab|[ns]))?$")


@dataclass(frozen=True, slots=True)
class Name:
    """What a name says."""

    #: Equal for all spellings.
    key: str
    #: The system of names it is of, such as "hd" or "bayer"; None for a name of no system.
    catalogue: str | None
    #: Which one of the catalogue, or the name itself.
    number: str
    #: The raised number of a Bayer letter: "2" of gamma2 Velorum.
    index: str
    #: The letter of a component or planet, "" when the name has none.
    part: str
    #: True when the name is one star's whoever uses it; False for such as "star 1".
    universal: bool


@lru_cache(maxsize=1 << 17)
def parse(text: str) -> Name | None:
    """What a name says; None for what names nothing ("", "STD", "Object name not set", "-")."""
    if (plain := _QUICK.match(text)) and (catalogue := _catalogue(plain[1].lower())) in _PLAIN:
        return Name(f"{catalogue} {plain[2]}", catalogue, plain[2], "", "", True)
    name = _clean(text)
    letters = re.sub("[^a-z]", "", name)
    if not letters:
        return None
    if letters in _PLACEHOLDERS and not (letters in _NUMBERABLE and re.search(r"\d", name)):
        return None
    while (shorter := _BEFORE.sub("", name)) != name:
        name = shorter
    shorter = _AFTER.sub("", name)
    if shorter != name and (found := _understood(shorter)) and found.universal:
        return found
    return _understood(name)


def key(text: str) -> str | None:
    """The name without what spellings differ in; None for what names nothing."""
    name = parse(text)
    return None if name is None else name.key


def differ(one: Name, other: Name) -> bool:
    """True when the names tell two objects apart.

    That is: other numbers of one catalogue, other letters or numbers in a constellation, other
    letters of components. A name without such a letter may be that of a system, or of its
    component A.
    """
    if one.catalogue != other.catalogue:
        return False
    if one.number != other.number:
        return one.catalogue is not None
    if one.index and other.index and one.index != other.index:
        return True
    return one.part != other.part and not {one.part, other.part} <= PRIMARY


def pair(one: str, other: str) -> bool:
    """True for names that differ in nothing but the letter of a component (CO_Ori_A, CO_Ori_B)."""
    first, second = parse(one), parse(other)
    if first is None or second is None:
        return False
    return first.part != second.part and (first.catalogue, first.number, first.index) == (
        second.catalogue,
        second.number,
        second.index,
    )


def _clean(text: str) -> str:
    """Lower case, one blank for all that separates, + and - where they mean something."""
    name = SUFFIX.sub("", text.strip())
    if not name.isascii():
        name = "".join(map(_ascii, unicodedata.normalize("NFKD", name)))
    name = name.casefold()
    name = _FILLER.sub(" ", name.replace("'", ""))
    name = _DASH.sub(lambda dash: dash[0] if dash[1] else " ", name)
    name = _DOT.sub(" ", name)
    return _TWO_WORDS.sub(r"\1\2", " ".join(name.split()))


def _ascii(letter: str) -> str:
    """A Greek letter by its name; nothing for an accent."""
    if "α" <= letter.lower() <= "ω":
        found = unicodedata.name(letter.lower()).removeprefix("GREEK SMALL LETTER ")
        return {"LAMDA": "lambda", "FINAL SIGMA": "sigma"}.get(found, found.lower())
    return "" if unicodedata.combining(letter) else letter


def _understood(name: str) -> Name | None:
    proper = _NAMED.get(name.replace(" ", ""))
    if proper is not None:
        name = proper
    if match := _BAYER.match(name):
        index = match["index"]
        star = f"{_LETTERS[match['letter']]} {_STARS_OF[match['of']]}"
        part = match["part"] or match["pole"] or ""
        words = [star.replace(" ", f"{index} "), part]
        return Name(" ".join(filter(None, words)), "bayer", star, index, part, True)
    for catalogue, pattern in (("flamsteed", _FLAMSTEED), ("variable", _VARIABLE)):
        if match := pattern.match(name):
            letter = re.sub(r"(?<=[a-z]) ?0*(?=\d)", "", match["letter"])
            star = f"{letter} {_STARS_OF[match['of']]}"
            part = match["part"] or match["pole"] or ""
            return Name(f"{star} {part}".strip(), catalogue, star, "", part, True)
    return _numbered(name) or _free(name)


def _catalogue(written: str) -> str:
    return _SYNONYMS.get(written, written)


def _numbered(name: str) -> Name | None:
    name = re.sub(r"^gaia e?dr ?\d ", "gaia ", name)
    if match := _ZONE.match(name):
        catalogue = match["catalogue"]
        number = f"{match['sign']}{match['zone']} {int(match['number'])}"
    elif match := _NUMBERED.match(name):
        catalogue = _catalogue(match["catalogue"].replace(" ", ""))
        if catalogue != "gj" and len(catalogue) > 1:
            catalogue = catalogue.removesuffix("j")
        number = re.sub(r"(?<![\d.])0+(?=\d)", "", match["number"].strip())
        if catalogue in _PLAIN:
            number = re.sub(r"(?<=\d)[ -]\d{1,2}$", "", number)
    else:
        return None
    rest = (match["rest"] or "").strip()
    part = rest if rest in {*"abcdefgh", "ab", "aa", "bb"} else ""
    if not part and rest:
        number = f"{number} {rest}"
    words = (catalogue, number, part)
    universal = catalogue in _CATALOGUES
    return Name(" ".join(filter(None, words)), catalogue, number, "", part, universal)


def _free(name: str) -> Name | None:
    match = _WORDS.match(name)
    if match is None:
        return Name(name, None, name, "", "", False)
    words, part = match["words"].replace(" ", ""), match["part"] or ""
    return Name(f"{words} {part}".strip(), None, words, "", part, False)
