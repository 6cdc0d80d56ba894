"""The PEP 517 backend: hatchling, which calls hatch_build.py beside this file to build the Go library."""

from hatchling.build import *  # noqa: F403
