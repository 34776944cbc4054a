#!/usr/bin/env python3
"""Writes the two models that the sample prints are sliced from.

`factor-token.stl` is a round token, 70 mm across, with a raised F: round walls and a raised letter give a print
that has something to look at. `factor-tile.stl` is a small square tile with the same letter, over in seconds.
Run it from this folder; README.md has the slicing commands.
"""

import math
import struct
from pathlib import Path

Point = tuple[float, float, float]
Outline = list[tuple[float, float]]

# The letter F on a unit square, counter-clockwise, cut into rectangles so that no triangulation is needed.
LETTER_F = [(0.0, 0.0, 0.24, 1.0), (0.24, 0.78, 0.72, 1.0), (0.24, 0.42, 0.60, 0.62)]


def prism(outline: Outline, bottom: float, top: float) -> list[tuple[Point, Point, Point]]:
    """Triangles of a convex outline (counter-clockwise) drawn up from bottom to top, in mm."""
    triangles = []
    x0, y0 = outline[0]
    for (x1, y1), (x2, y2) in zip(outline[1:], outline[2:]):
        triangles.append(((x0, y0, top), (x1, y1, top), (x2, y2, top)))
        triangles.append(((x0, y0, bottom), (x2, y2, bottom), (x1, y1, bottom)))
    for (x1, y1), (x2, y2) in zip(outline, outline[1:] + outline[:1]):
        triangles.append(((x1, y1, bottom), (x2, y2, bottom), (x2, y2, top)))
        triangles.append(((x1, y1, bottom), (x2, y2, top), (x1, y1, top)))
    return triangles


def circle(radius: float, sides: int) -> Outline:
    return [(radius * math.cos(2 * math.pi * i / sides), radius * math.sin(2 * math.pi * i / sides)) for i in range(sides)]


def square(edge: float) -> Outline:
    h = edge / 2
    return [(-h, -h), (h, -h), (h, h), (-h, h)]


def letter(height: float, bottom: float, top: float) -> list[tuple[Point, Point, Point]]:
    """A raised F, height mm tall, centred; its bars overlap by 0.1 mm so that slicers join them."""
    triangles = []
    for left, low, right, high in LETTER_F:
        x0, x1 = (left - 0.36) * height - 0.1, (right - 0.36) * height
        y0, y1 = (low - 0.5) * height, (high - 0.5) * height
        triangles += prism([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], bottom, top)
    return triangles


def write(path: Path, triangles: list[tuple[Point, Point, Point]]) -> None:
    with path.open("wb") as f:
        f.write(b"FACTOR sample model, CC0".ljust(80, b" "))
        f.write(struct.pack("<I", len(triangles)))
        for a, b, c in triangles:
            f.write(struct.pack("<12fH", 0, 0, 0, *a, *b, *c, 0))  # a zero normal lets the reader work it out


if __name__ == "__main__":
    here = Path(__file__).parent
    write(here / "factor-token.stl", prism(circle(35, 96), 0, 22) + letter(42, 21.9, 23.6))
    write(here / "factor-tile.stl", prism(square(20), 0, 1.6) + letter(14, 1.5, 2.4))
