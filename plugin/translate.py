#!/usr/bin/env python3
"""Takes the plugin's texts into translations/*/LC_MESSAGES/messages.po and compiles them. Run it with OctoPrint's Python
(Babel comes with OctoPrint) after a text was changed, then translate what it lists; --check only says what is missing.
"""

from __future__ import annotations

import gettext
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parent / "octoprint_factor_mqtt"
METHODS = [("**.py", "python"), ("**.jinja2", "jinja2"), ("**.js", "javascript")]
ABOUT = {
    "project": "OctoPrint-FACTOR-MQTT",
    "version": "1",
    "msgid_bugs_address": "https://github.com/kangbyounggwan/factor/issues",
    "last_translator": "FACTOR",
    "language_team": "FACTOR",
}
HEADER = "# What people read of FACTOR MQTT; the texts' order is that of the files they are in."


def extracted() -> Catalog:
    texts = Catalog(fuzzy=False)
    for _, _, message, _, _ in extract_from_dir(str(PACKAGE), METHODS):
        texts.add(message)
    return texts


def texts_of(catalog: Catalog) -> dict[str, str]:
    return {m.id: m.string for m in catalog if m.id}


def compiled(mo: Path) -> dict[str, str]:
    with mo.open("rb") as f:
        return {k: v for k, v in gettext.GNUTranslations(f)._catalog.items() if k}


def main() -> int:
    check = "--check" in sys.argv[1:]
    texts, missing = extracted(), 0
    for po in sorted(PACKAGE.glob("translations/*/LC_MESSAGES/messages.po")):
        locale = po.parent.parent.name
        with po.open("rb") as f:
            catalog = read_po(f, locale=locale)
        kept = Catalog(locale=locale, **ABOUT, fuzzy=False, header_comment=HEADER)
        for message in texts:
            if message.id:
                known = catalog.get(message.id)
                kept.add(message.id, known.string if known else "")
        untranslated = [m.id for m in kept if m.id and not m.string]
        for text in untranslated:
            print(f"{locale}: {text}")
        missing += len(untranslated)
        mo = po.with_suffix(".mo")
        if texts_of(kept) == texts_of(catalog) and mo.exists() and compiled(mo) == texts_of(kept):
            continue
        if check:
            print(f"{locale} is out of date: run translate.py")
            missing += 1
            continue
        with po.open("wb") as f:
            write_po(f, kept, width=120)
        with mo.open("wb") as f:
            write_mo(f, kept)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
