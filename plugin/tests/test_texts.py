"""Every text in both languages, every code with words."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from octoprint_factor_mqtt.faults import CODES
from octoprint_factor_mqtt.version import VERSION

PLUGIN = Path(__file__).resolve().parent.parent
PACKAGE = PLUGIN / "octoprint_factor_mqtt"
WORDS = (PACKAGE / "static/js/factor_mqtt_words.js").read_text(encoding="utf-8")
PAGE = (PACKAGE / "static/js/factor_mqtt.js").read_text(encoding="utf-8")

AGENT = PLUGIN.parent / "internal/agent"
DOCS = PLUGIN.parent / "docs"


def go(*files: str) -> str:
    return "\n".join((AGENT / f).read_text(encoding="utf-8") for f in files)


def codes(source: str, *patterns: str) -> set:
    return {code for pattern in patterns for code in re.findall(pattern, source, re.MULTILINE)}


# What the agent's local API may answer with, as its source has it. Strangers get the last ones, never the page.
AGENT_CODES = codes(
    go(*(f"local/{f.name}" for f in (AGENT / "local").glob("*.go") if not re.search("(_test|trial|broker).go", f.name))),
    r'\{"(\w+)", http\.Status', r't\.Code(?:, t\.status)? = "(\w+)"', r'\bCode: "(\w+)"[,}]', r'^\t+return "(\w+)"$',
) - {"host_refused", "origin_refused", "secret_wrong"}  # fmt: skip
CAMERA_CODES = codes(
    go("camera/camera.go").partition("// The codes of a failed look.")[2],
    r'^\t[A-Z]\w+ += "(\w+)"$',
) | {"rotation_invalid"}
BROKER_CODES = (
    codes(go("broker/trial.go"), r'Code: "(\w+)"[,}]', r'return "(\w+)"')
    | {"bad_" + field for field in codes(go("broker/settings.go"), r'wrong\("(\w+)"')}
    | {f"rc{code}" for code in range(1, 6)}
)
# What the agent's warnings are about, in the log and under "Last errors"; another place's code has that before it. Those
# that are put together when it runs are of the tables of that place.
WARNINGS = codes(
    "\n".join(f.read_text(encoding="utf-8") for f in AGENT.rglob("*.go") if not f.name.endswith("_test.go")),
    r'"trouble", "(\w+)"[,)]', r'\btrouble := "(\w+)"',
)  # fmt: skip
TABLES = {
    "faults": {*CODES, *AGENT_CODES - {"rotation_invalid"}},
    "camera": CAMERA_CODES,
    "broker": BROKER_CODES,
}
# Slips of the page itself; they happen to nobody who looks things up
NOT_IN_DOCS = {"not_json", "too_many", "internal", "forbidden", "octoprint_away"}


@pytest.fixture(scope="module")
def korean():
    with (PACKAGE / "translations/ko/LC_MESSAGES/messages.po").open("rb") as f:
        return {m.id: m.string for m in read_po(f, locale="ko") if m.id}


def test_nothing_is_untranslated_and_what_is_compiled_is_what_is_written():
    done = subprocess.run([sys.executable, str(PLUGIN / "translate.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_words_of_the_products_pages(korean):
    for english, words in {
        "Login ": "로그인",
        "Create ": "생성",
        "Test ": "테스트",
        "Save ": "저장",
        "Register": "등록",
        "Go to FACTOR website": "FACTOR 웹사이트로 이동",
        "Registration complete.": "등록 완료",
        "Connection test": "연결 테스트",
    }.items():
        assert korean[english] == words


def test_no_word_of_octoprints_own_is_translated(korean):
    """Else it would be Korean in the middle of OctoPrint's English dialogs: a space at the end makes it another text."""
    import octoprint

    catalog = Path(octoprint.__file__).parent / "translations/de/LC_MESSAGES/messages.po"
    with catalog.open("rb") as f:
        own = {text for m in read_po(f) if m.id for text in ([m.id] if isinstance(m.id, str) else m.id)}
    assert len(own) > 1000
    assert not own & set(korean)


def test_figures_and_addresses_survive_translation(korean):
    for english, words in korean.items():
        for pattern in (r"%\(\w+\)[sd]", r"rc=\d", r"https?://\S+?(?=[\s,.]|$)", r"\bsudo [\w -]+"):
            assert sorted(re.findall(pattern, english)) == sorted(re.findall(pattern, words)), english


@pytest.mark.parametrize("table", TABLES)
def test_every_code_has_words(table):
    found = list(re.findall(r"^        (\w+): \[", part(table), re.MULTILINE))
    assert len(TABLES[table]) > 10
    assert TABLES[table] <= set(found)
    assert len(found) == len(set(found))


def test_every_warning_of_the_agent_has_words():
    found = codes(part("noted"), r"^        (\w+): \[")
    assert len(WARNINGS) > 15
    assert found | TABLES["faults"] >= WARNINGS
    assert found <= WARNINGS, "words for what nobody says"
    published = codes(go("camera/publish/publication.go", "camera/publish/sender.go"), r"wire\.Camera([A-Z]\w+)\b[,)]")
    names = dict(
        re.findall(r'Camera(\w+) +CameraCode += "(\w+)"', (AGENT.parent / "wire/camera_code.go").read_text(encoding="utf-8"))
    )
    assert {"NoKeyFrame", "UplinkSlow"} <= published
    assert {names[n] for n in published if n in names} <= CAMERA_CODES | codes(WORDS, r"^    camera\.(\w+) = \[")


def part(table: str) -> str:
    start = WORDS.index(f"var {table} = {{")
    return WORDS[start : WORDS.index("    };", start)]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_code_is_in_the_documentation(language):
    text = (DOCS / language / "error-codes.md").read_text(encoding="utf-8")
    page = re.split("## (?:Answers of the API|API의 응답)\n", text)[0]
    known = set(re.findall(r"`(\w+)`", page)) | {"rc" + code for code in re.findall(r"`rc=(\d)`", page)}
    assert (TABLES["faults"] | WARNINGS) - NOT_IN_DOCS <= known
    connection_test = page[page.index("## Connection test" if language == "en" else "## 연결 테스트") :]
    assert {code for code in TABLES["broker"] if not code.startswith("rc")} <= set(re.findall(r"`(\w+)`", connection_test))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_the_camera_test_says_is_in_the_documentation(language, korean):
    page = (DOCS / language / "cameras.md").read_text(encoding="utf-8")
    said = re.findall(r'^        \w+: \[gettext\("([^"]+)"\)', part("camera"), re.MULTILINE)
    assert len(said) >= len(CAMERA_CODES)
    for text in said:
        assert f"| {korean[text] if language == 'ko' else text} |" in page


def test_nothing_newer_than_the_browsers_of_octoprint_1_4():
    for source in (WORDS, PAGE):
        code = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\]|\\.)*\"", "", source, flags=re.DOTALL)
        assert not re.search(r"=>|`|\b(let|const|class|async|await)\b|\?\.|\?\?", code)


def test_the_page_shows_text_never_markup():
    for template in (PACKAGE / "templates").glob("*.jinja2"):
        content = template.read_text(encoding="utf-8")
        assert "|safe" not in content
        assert not re.search(r"\bhtml:", content), template
        assert not re.search(r"[>\s]{{ (?!_\()", content), f"{template} shows something that is not a text of ours"


def test_setup_and_module_have_the_same_version():
    import octoprint_factor_mqtt

    assert octoprint_factor_mqtt.__plugin_version__ == VERSION
    done = subprocess.run([sys.executable, "setup.py", "--version"], cwd=PLUGIN, capture_output=True, text=True)
    assert done.stdout.strip().splitlines()[-1] == VERSION
