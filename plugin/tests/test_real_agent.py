"""The agent as it is compiled, not a double: a broken one of those gives way to the one before, too."""

import os
import shutil
import subprocess

import pytest
from factor_double import HERE
from test_keeper import QUICK, Owner

ROOT = HERE.parent.parent
# What a release that went wrong is like: it says its version, as the check before its first start wants, and dies at work.
BROKEN = """package main

import (
	"fmt"
	"os"
)

func main() {
	if os.Args[1] == "version" {
		fmt.Println("1.1.0")
		return
	}
	panic("broken")
}
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    go = shutil.which("go")
    if not go:
        if os.environ.get("FACTOR_TEST_REQUIRE"):
            pytest.fail("go is not installed")
        pytest.skip("go is not installed")
    folder = tmp_path_factory.mktemp("agents")

    def build(source, version):
        program = folder / f"agent-{version}"
        number = f"github.com/kangbyounggwan/factor/internal/version.number={version}"
        command = [go, "build", "-ldflags", f"-s -w -X {number}", "-o", str(program), source]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "CGO_ENABLED": "0"}, check=True)
        return program.read_bytes()

    return build


@pytest.fixture
def owner(tmp_path, logger):
    owner = Owner(tmp_path, logger)
    yield owner
    if owner.keeper:
        owner.keeper.stop()


def test_a_compiled_agent_that_dies_at_work_gives_way_to_the_one_before(owner, factor, until, build, tmp_path):
    (tmp_path / "broken.go").write_text(BROKEN)
    good, broken = build("./cmd/factor-agent", "1.0.0"), build(str(tmp_path / "broken.go"), "1.1.0")
    factor.offer(agent=good)
    owner.knows(factor)
    owner.start(QUICK)
    until(owner.running("1.0.0"))
    until(lambda: owner.introduced)
    factor.offer("0.2.0", agent=broken, agent_version="1.1.0")
    owner.keeper.accept(factor.files["/plugin/version.json"][1])
    until(lambda: owner.note() == "went_back")
    until(owner.running("1.0.0"))

    # One that is whole by its checksum but does not run at all takes nobody's place.
    factor.offer("0.3.0", agent=good[: len(good) // 16], agent_version="1.2.0")
    before = owner.keeper.state()["agent"]["agent"]["pid"]
    asked = len(factor.requests)
    owner.keeper.accept(factor.files["/plugin/version.json"][1])
    until(lambda: [path for path in factor.requests[asked:] if "/agent/" in path])
    until(lambda: owner.note() not in (None, "went_back"))
    until(owner.running("1.0.0"))
    assert owner.keeper.state()["agent"]["agent"]["pid"] == before
