"""The only part of the package that touches ctypes: loading, prototypes, errors, handles.

`_lib.py` and the hand-written `*_lib.py` are glue; the `*_abi.py` are generated from the C headers.
"""
