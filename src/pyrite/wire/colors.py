"""Consistent colours: everybody sees somebody in the same colour, which is made of the name."""

from __future__ import annotations

from hashlib import sha1
from math import cos, radians, sin, sqrt

from . import Spec

SPEC = Spec("XEP-0392", "1.0.1", "Consistent Color Generation")

SATURATION, LIGHTNESS = 100.0, 50.0  # per cent, on any background (§5.2)

#: From linear sRGB to CIE XYZ and back is by these (the rows of the second).
_FROM_XYZ = (
    (3.240969941904521, -1.537383177570093, -0.498610760293),
    (-0.96924363628087, 1.87596750150772, 0.041555057407175),
    (0.055630079696993, -0.20397695888897, 1.056971514242878),
)
_REF_U, _REF_V = 0.19783000664283, 0.46831999493879
_KAPPA, _EPSILON = 903.2962962, 0.0088564516


def hue(identifier: str) -> float:
    """The angle of `identifier`, such as a bare address or a nick, in degrees (§5.1)."""
    digest = sha1(identifier.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:2], "little") / 65536 * 360


def color(identifier: str) -> tuple[float, float, float]:
    """Red, green and blue, each from 0 to 1 (§5.2)."""
    return rgb(hue(identifier))


def rgb(
    hue: float, saturation: float = SATURATION, lightness: float = LIGHTNESS
) -> tuple[float, float, float]:
    """An angle, saturation and lightness of HSLuv as red, green and blue."""
    chroma = _most_chroma(lightness, hue) * saturation / 100
    u = chroma * cos(radians(hue)) / (13 * lightness) + _REF_U
    v = chroma * sin(radians(hue)) / (13 * lightness) + _REF_V
    y = ((lightness + 16) / 116) ** 3 if lightness > 8 else lightness / _KAPPA
    x = y * 9 * u / (4 * v)
    z = y * (12 - 3 * u - 20 * v) / (4 * v)
    red, green, blue = (_gamma(a * x + b * y + c * z) for a, b, c in _FROM_XYZ)
    return red, green, blue


def _gamma(linear: float) -> float:
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return min(max(value, 0.0), 1.0)


def _most_chroma(lightness: float, hue: float) -> float:
    """How far one can go from grey in that direction, until a colour ends (HSLuv)."""
    y, x = sin(radians(hue)), cos(radians(hue))
    lengths = (b / (y - m * x) for m, b in _bounds(lightness) if y != m * x)
    return min(length for length in lengths if length >= 0)


def _bounds(lightness: float) -> list[tuple[float, float]]:
    """The lines, as slope and intercept, beyond which a colour would be above 1 or below 0."""
    cubed = (lightness + 16) ** 3 / 1560896
    scale = cubed if cubed > _EPSILON else lightness / _KAPPA
    lines = []
    for m1, m2, m3 in _FROM_XYZ:
        for end in (0, 1):
            bottom = (632260 * m3 - 126452 * m2) * scale + 126452 * end
            slope = (284517 * m1 - 94839 * m3) * scale / bottom
            top = (838422 * m3 + 769860 * m2 + 731718 * m1) * lightness * scale
            lines.append((slope, (top - 769860 * end * lightness) / bottom))
    return lines


def distance(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """How far two colours are from each other."""
    return sqrt(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)))
