#!/usr/bin/env bash
# usage: make-venv.sh PYTHON DIR REQUIREMENTS
set -euo pipefail
"$1" -c 'import sys; assert sys.version_info >= (3, 10), "Python 3.10 or later is needed"'
[ -x "$2/bin/python" ] || "$1" -m venv "$2"
"$2/bin/python" -m pip -q --disable-pip-version-check install -r "$3"
