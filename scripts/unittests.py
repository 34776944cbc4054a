#!/usr/bin/env python3
"""Runs the unit tests of the scripts and leaves their counts: unittests.py PATTERN REPORT.json"""

import json
import sys
import unittest
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
suite = unittest.defaultTestLoader.discover(str(here), pattern=sys.argv[1])
result = unittest.TextTestRunner(verbosity=2).run(suite)
failed = len(result.failures) + len(result.errors)
counts = {"passed": result.testsRun - failed - len(result.skipped), "failed": failed, "skipped": len(result.skipped)}
Path(sys.argv[2]).write_text(json.dumps(counts))
sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
