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

# What the agent's local API may answer with
AGENT_CODES = """
    invalid_credentials email_unverified account_disabled slow_down code_invalid uuid_taken uuid_invalid not_signed_in
    not_registered refused_by_server octoprint_key_refused octoprint_unreachable octoprint_connecting not_octoprint
"""
CAMERA_CODES = """
    bad_url name_not_found unreachable refused_login not_found not_a_stream timeout too_large unsupported_codec
    ffmpeg_missing address_refused rotation_invalid
"""
BROKER_CODES = """
    bad_host bad_port bad_qos bad_interval bad_prefix bad_password bad_ca name_not_found refused unreachable timeout
    tls_untrusted tls_expired tls_failed not_tls not_mqtt publish_refused rc1 rc2 rc3 rc4 rc5
"""
TABLES = {"faults": [*CODES, *AGENT_CODES.split()], "camera": CAMERA_CODES.split(), "broker": BROKER_CODES.split()}


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
    start = WORDS.index(f"var {table} = {{")
    found = re.findall(r"^        (\w+): \[", WORDS[start : WORDS.index("    };", start)], re.MULTILINE)
    assert set(TABLES[table]) <= set(found)
    assert len(found) == len(set(found))


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
