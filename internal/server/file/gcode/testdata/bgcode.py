#!/usr/bin/env python3
"""Makes the *.bgcode of this folder out of its *.gcode with libbgcode itself (PyPI: pybgcode-jneilliii 0.2.1).

Each way of packing once, two-tools-CxEy: x is the compression (0 none, 1 deflate, 2 and 3 heatshrink with windows of 11
and 12 bits), y the encoding (0 none, 1 MeatPack, 2 MeatPack with comments); two-tools-Ey.txt is what libbgcode turns them
back into. Debian's PrusaSlicer draws no thumbnails on the command line, so three are put in here. many-blocks.bgcode is
the tree's sample.gcode, cut down to its first 25 layers, in several blocks of G-code.
"""

import base64
import itertools
import re
import struct
import zlib
from pathlib import Path

import pybgcode

SIDE = 24


def pixel(x: int, y: int) -> tuple[int, int, int, int]:
    return (x * 10, y * 10, 90, 255 if (x - 12) ** 2 + (y - 12) ** 2 < 140 else 0)


PIXELS = [pixel(x, y) for y in range(SIDE) for x in range(SIDE)]


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(bytes(p) for p in PIXELS[y * SIDE : (y + 1) * SIDE]) for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def qoi() -> bytes:
    """Every kind of chunk but the run of 62: by the specification at qoiformat.org."""
    out = bytearray(struct.pack(">4sIIBB", b"qoif", SIDE, SIDE, 4, 0))
    seen, before, run = [(0, 0, 0, 0)] * 64, (0, 0, 0, 255), 0
    for i, p in enumerate(PIXELS):
        if p == before:
            run += 1
            if run == 62 or i == len(PIXELS) - 1:
                out.append(0xC0 | (run - 1))
                run = 0
            continue
        if run:
            out.append(0xC0 | (run - 1))
            run = 0
        place = (p[0] * 3 + p[1] * 5 + p[2] * 7 + p[3] * 11) % 64
        dr, dg, db = ((a - b + 128) % 256 - 128 for a, b in zip(p[:3], before[:3]))
        if seen[place] == p:
            out.append(place)
        elif p[3] != before[3]:
            out += bytes((0xFF, *p))
        elif all(-2 <= d <= 1 for d in (dr, dg, db)):
            out.append(0x40 | (dr + 2) << 4 | (dg + 2) << 2 | (db + 2))
        elif -32 <= dg <= 31 and all(-8 <= d <= 7 for d in (dr - dg, db - dg)):
            out += bytes((0x80 | (dg + 32), (dr - dg + 8) << 4 | (db - dg + 8)))
        else:
            out += bytes((0xFE, *p[:3]))
        seen[place], before = p, p
    return bytes(out) + b"\0\0\0\0\0\0\0\1"


def comment(word: str, picture: bytes) -> str:
    text = base64.b64encode(picture).decode()
    rows = "".join(f"; {text[i : i + 78]}\n" for i in range(0, len(text), 78))
    return f";\n; {word} begin {SIDE}x{SIDE} {len(text)}\n{rows}; {word} end\n;\n"


def convert(source: Path, target: Path, compression: int, encoding: int, checksum: bool = True) -> None:
    config = pybgcode.get_config()
    config.gcode_encoding = type(config.gcode_encoding)(encoding)
    config.compression.gcode = pybgcode.CompressionType(compression)
    config.compression.slicer_metadata = pybgcode.CompressionType(1)
    config.checksum = type(config.checksum)(int(checksum))
    call(pybgcode.from_ascii_to_binary, source, target, config)


def call(function, source: Path, target: Path, *more) -> None:
    a, b = pybgcode.open(str(source), "rb"), pybgcode.open(str(target), "wb")
    result = pybgcode.translate_result(function(a, b, *more))
    pybgcode.close(a)
    pybgcode.close(b)
    assert result == "Success", result


if __name__ == "__main__":
    plain = Path("with-thumbnails.gcode")
    text = Path("prusa-two-tools.gcode").read_text()
    first, rest = text.split("\n", 1)
    plain.write_text(first + "\n\n" + comment("thumbnail", png()) + comment("thumbnail_QOI", qoi()) + rest)
    for compression, encoding in itertools.product(range(4), range(3)):
        target = Path(f"two-tools-C{compression}E{encoding}.bgcode")
        convert(plain, target, compression, encoding, checksum=(compression, encoding) != (1, 0))
        if compression == 0:
            call(pybgcode.from_binary_to_ascii, target, Path(f"two-tools-E{encoding}.txt"))
    text = Path("../../../../../testdata/sample.gcode").read_text()
    layers = text.split(";LAYER_CHANGE")
    settings = re.search(r"\n; filament used.*", text, re.S)
    assert settings
    # The figures are of all layers; libbgcode wants some to be there.
    figures = re.sub(r"(?m)^(; (?:total )?filament used .*) = .*$", r"\1 = 0.00", settings.group(0))
    plain.write_text(";LAYER_CHANGE".join(layers[:26]) + figures)
    convert(plain, Path("many-blocks.bgcode"), 1, 2)
    plain.unlink()
