"""Which server the plugin belongs to: the zip's, or the one that the owner chooses."""

import base64
import io
import json
import os
import zipfile

import pytest
from factor_double import KEY, plugin_zip
from test_fetch import certificates, fault_of, openssl, serve  # noqa: F401, fixtures

from octoprint_factor_mqtt import server
from octoprint_factor_mqtt.faults import Fault
from octoprint_factor_mqtt.server import Home, Server

DOCUMENT = {
    "url": "https://factor.example",
    "ca_pem": "",
    "signing_key": base64.b64encode(KEY).decode(),
    "plugin_version": "1.0",
}


@pytest.fixture
def folders(tmp_path):
    for name in ("package", "data"):
        (tmp_path / name).mkdir()
    return tmp_path


def home(folders):
    return Home(str(folders / "package"), str(folders / "data"))


def test_the_zip_knows_its_server(folders):
    (folders / "package/server.json").write_text(json.dumps(DOCUMENT))
    (folders / "data/server.json").write_text(json.dumps({**DOCUMENT, "url": "https://other.example"}))
    found = home(folders)
    assert found.packaged
    assert found.require() == Server("https://factor.example", "", KEY, "1.0", {})
    assert fault_of(lambda: found.choose("https://other.example")) == "bad_url"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"url": "https://f/path"}', '{"url": "https://f", "signing_key": "!"}']
)
def test_a_damaged_server_json_is_none(folders, content):
    (folders / "package/server.json").write_text(content)
    found = home(folders)
    assert not found.packaged
    assert fault_of(found.require) == "no_server"


def test_plain_http_is_confirmed_and_kept(folders, factor):
    factor.offer(zip_content=plugin_zip("0.1.0", factor.document()))
    found = home(folders)
    assert found.choose(factor.url) == {"state": "confirm", "url": factor.url, "fingerprint": ""}
    assert found.server is None
    assert found.choose(factor.url, unencrypted=True) == {"state": "chosen", "url": factor.url}
    assert found.require().signing_key == KEY
    again = home(folders)
    assert again.require().url == factor.url
    assert not again.packaged
    if os.name == "posix":
        assert (folders / "data/server.json").stat().st_mode & 0o777 == 0o600


def test_an_authority_of_its_own_is_confirmed_by_its_fingerprint(folders, serve, certificates):  # noqa: F811
    factor = serve("right")
    factor.offer(zip_content=plugin_zip("0.1.0", factor.document()))
    pem = (certificates / "ca.pem").read_text()
    factor.files["/ca.crt"] = (200, pem.encode())
    found = home(folders)
    asked = found.choose(factor.url)
    assert asked["state"] == "confirm"
    assert asked["fingerprint"] == server.authority_fingerprint(pem)
    assert len(asked["fingerprint"]) == 95
    assert fault_of(lambda: found.choose(factor.url, "AA:" + asked["fingerprint"][3:])) == "fingerprint_wrong"
    assert found.server is None
    found.choose(factor.url, asked["fingerprint"])
    assert found.require().ca_pem == pem
    found.require().release()  # over TLS that trusts it


def test_nobody_adds_an_authority_to_the_one_that_the_owner_knows(folders, serve, certificates):  # noqa: F811
    """Python's base64 ends where the first of two certificates does, if that needed filling up."""
    known = ""
    for name in ("a", "ab", "abc", "abcd") * 5:  # its length decides, which the signature's varies
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", "known.key", "-out", "known.pem", "-subj", f"/CN=FACTOR {name}", folder=certificates,
        )  # fmt: skip
        known = (certificates / "known.pem").read_text()
        if known.replace("\n", "").endswith("=-----END CERTIFICATE-----"):
            break
    both = known + (certificates / "ca.pem").read_text()
    assert server.authority_fingerprint(both) == server.authority_fingerprint(known)
    between = serve("right")
    between.offer(zip_content=plugin_zip("0.1.0", between.document()))
    between.files["/ca.crt"] = (200, both.encode())
    found = home(folders)
    assert fault_of(lambda: found.choose(between.url)) == "tls_untrusted"
    assert fault_of(lambda: found.choose(between.url, server.authority_fingerprint(known))) == "tls_untrusted"
    assert found.server is None


def test_a_server_without_an_authority_to_confirm(folders, serve):  # noqa: F811
    factor = serve("right")
    for answer in ((404, b""), (200, b"<html>")):
        factor.files["/ca.crt"] = answer
        assert fault_of(lambda: home(folders).choose(factor.url)) in ("not_factor", "tls_untrusted")


def test_another_website(folders, factor):
    factor.files["/plugin/version.json"] = (200, b"<html>")
    for content in (b"<html>", plugin_zip("0.1.0"), plugin_zip("0.1.0", {"url": factor.url})):
        factor.files["/plugin/factor.zip"] = (200, content)
        assert fault_of(lambda: home(folders).choose(factor.url, unencrypted=True)) == "not_factor"
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(server.IN_ZIP, bytes(2 << 20))
    factor.files["/plugin/factor.zip"] = (200, bomb.getvalue())
    assert fault_of(lambda: home(folders).choose(factor.url, unencrypted=True)) == "too_large"


def test_a_data_folder_that_cannot_be_written(folders, factor, monkeypatch):
    factor.offer(zip_content=plugin_zip("0.1.0", factor.document()))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(server.durable.tempfile, "mkstemp", full)
    with pytest.raises(Fault) as refusal:
        home(folders).choose(factor.url, unencrypted=True)
    assert refusal.value.code == "no_space"
