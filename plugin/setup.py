"""Installable by OctoPrint's Plugin Manager, and by `pip install -e .` inside OctoPrint's environment."""

import os

from setuptools import setup

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = "octoprint_factor_mqtt"
IDENTIFIER = "factor_mqtt"
NAME = "OctoPrint-FACTOR-MQTT"
DESCRIPTION = "See your 3D printer from anywhere with a FACTOR server"
URL = "https://github.com/kangbyounggwan/factor"

with open(os.path.join(HERE, PACKAGE, "version.py"), encoding="utf-8") as f:
    exec(f.read())  # VERSION, without importing OctoPrint

try:
    import octoprint_setuptools

    parameters = octoprint_setuptools.create_plugin_setup_parameters(
        identifier=IDENTIFIER,
        package=PACKAGE,
        name=NAME,
        version=VERSION,  # noqa: F821
        description=DESCRIPTION,
        author="FACTOR",
        mail="",
        url=URL,
        license="AGPL-3.0",
        additional_data=["server.json"],
    )
except ImportError:
    # A pip that builds in an environment of its own does not see OctoPrint's; OctoPrint's own pip calls do.
    parameters = {
        "name": NAME,
        "version": VERSION,  # noqa: F821
        "description": DESCRIPTION,
        "url": URL,
        "license": "AGPL-3.0",
        "packages": [PACKAGE],
        "entry_points": {"octoprint.plugin": [f"{IDENTIFIER} = {PACKAGE}"]},
        "zip_safe": False,
    }

# OctoPrint is there, or nothing would load this. Named as a requirement, pip looks through all fifty packages that OctoPrint
# needs, which is half of what an installation takes, and could come to change them.
parameters["install_requires"] = []
parameters["python_requires"] = ">=3.8,<4"
parameters["include_package_data"] = False
parameters["package_data"] = {
    PACKAGE: [
        "server.json",  # where a server made the zip
        "static/*/*",
        "templates/*",
        "translations/*/LC_MESSAGES/*",
    ]
}
setup(**parameters)
