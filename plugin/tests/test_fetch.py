"""Fetching over real TLS from loopback, with certificates made for the case."""

import io
import socket
import ssl
import subprocess

import pytest
from factor_double import FactorDouble

from octoprint_factor_mqtt import fetch
from octoprint_factor_mqtt.faults import Fault


def openssl(*arguments, folder):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """ca.pem with right.pem, expired.pem and elsewhere.pem under it, all with the key key.pem."""
    folder = tmp_path_factory.mktemp("certificates")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=FACTOR test CA", "-days", "10",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", folder=folder)  # fmt: skip
    openssl("req", *key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=factor", folder=folder)
    names = {"right": ("IP:127.0.0.1", "2"), "expired": ("IP:127.0.0.1", "-1"), "elsewhere": ("DNS:factor.example", "2")}
    for name, (alternative, days) in names.items():
        (folder / "ext").write_text(f"subjectAltName={alternative}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
        openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", days,
                "-extfile", "ext", "-out", f"{name}.pem", folder=folder)  # fmt: skip
    return folder


@pytest.fixture
def serve(certificates, no_proxy):
    """Starts a server with one of the certificates."""
    servers = []

    def start(name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / f"{name}.pem", certificates / "key.pem")
        server = FactorDouble(context).__enter__()
        servers.append(server)
        server.files["/x"] = (200, b"content")
        return server

    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture
def own(certificates):
    return fetch.trusting((certificates / "ca.pem").read_text())


def fault_of(call):
    with pytest.raises(Fault) as refusal:
        call()
    return refusal.value.code


def test_the_servers_own_authority_is_trusted_and_public_ones_stay(serve, own):
    assert fetch.get(serve("right").url + "/x", own) == b"content"
    assert len(own.get_ca_certs()) > 1


@pytest.mark.parametrize(("name", "code"), [("expired", "tls_expired"), ("elsewhere", "tls_untrusted")])
def test_certificates_that_are_not_right(serve, own, name, code):
    url = serve(name).url + "/x"
    assert fault_of(lambda: fetch.get(url, own)) == code


def test_an_unknown_authority(serve):
    url = serve("right").url + "/x"
    assert fault_of(lambda: fetch.get(url, fetch.trusting(""))) == "tls_untrusted"
    assert (
        fault_of(lambda: fetch.trusting("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----")) == "tls_untrusted"
    )


def test_a_clock_in_the_past():
    err = ssl.SSLCertVerificationError(1, "certificate is not yet valid")
    err.verify_code, err.verify_message = 9, "certificate is not yet valid"
    assert fetch.as_fault(err).code == "clock_wrong"


def test_no_tls_there(factor, own):
    assert fault_of(lambda: fetch.get(factor.url.replace("http:", "https:") + "/x", own)) == "not_factor"


def test_nobody_there(no_proxy):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert fault_of(lambda: fetch.get(f"http://127.0.0.1:{port}/", None)) == "server_unreachable"


def test_no_such_name(no_proxy, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert fault_of(lambda: fetch.get("http://factor.invalid/", None)) == "name_not_found"


@pytest.mark.parametrize(
    ("status", "content", "code"),
    [
        (404, b'{"code":"no_agent_for_platform"}', "no_agent_for_platform"),
        (404, b"<html>", "not_factor"),
        (403, b"[]", "not_factor"),
        (503, b"", "server_unreachable"),
        (429, b'{"code":"slow_down"}', "server_unreachable"),
        (302, b"https://elsewhere.example/", "redirected"),
    ],
)
def test_answers_that_say_no(factor, status, content, code):
    factor.files["/x"] = (status, content)
    assert fault_of(lambda: fetch.get(factor.url + "/x", None)) == code


def test_limits(factor):
    factor.files["/x"] = (200, bytes(100))
    assert len(fetch.get(factor.url + "/x", None, 100)) == 100
    assert fault_of(lambda: fetch.get(factor.url + "/x", None, 99)) == "too_large"
    assert fault_of(lambda: fetch.download(factor.url + "/x", None, io.BytesIO(), 99)) == "too_large"
    assert fault_of(lambda: fetch.download(factor.url + "/x", None, io.BytesIO(), 200, lambda: True)) == "server_unreachable"
    assert fault_of(lambda: fetch.get("file:///etc/passwd", None)) == "bad_url"


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("factor.example.com", "https://factor.example.com"),
        (" HTTPS://Factor.Example.com/ ", "https://factor.example.com"),
        ("http://192.168.1.20:8080", "http://192.168.1.20:8080"),
        ("[fd00::1]:8443", "https://[fd00::1]:8443"),
    ],
)
def test_addresses_as_people_type_them(typed, url):
    assert fetch.normal_address(typed) == url


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", "bad_url"), ("https://", "bad_url"), ("ftp://f", "bad_url"), ("https://u:p@f", "bad_url"), ("f:port", "bad_url"),
     ("a b", "bad_url"), ("https://[::1", "bad_url"), ("https://f/factor", "has_path"), ("https://f/?x=1", "has_path")],
)  # fmt: skip
def test_addresses_that_are_none(typed, code):
    assert fault_of(lambda: fetch.normal_address(typed)) == code
