"""Prints the API's description, from which the studio has its types; see `make web-api`."""

import json
import sys
import tempfile
from pathlib import Path

from unbraid.service.app import create_app
from unbraid.service.settings import Settings

with tempfile.TemporaryDirectory() as folder:
    document = create_app(Settings(data=Path(folder))).openapi()
sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
