"""The answers as JSON."""

import json

from . import answers

print(json.dumps(answers(), indent=0))
