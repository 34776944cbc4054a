"""The plugin's version: setup.py, OctoPrint and the update check read it here, and the server when it makes the zip."""

VERSION = "0.1.0"
