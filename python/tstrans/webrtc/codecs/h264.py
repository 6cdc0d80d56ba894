"""Bit rates of the H.264 encoder, in bits a second: its first, and the bounds of what peers may ask for."""

DEFAULT_BITRATE = 1_000_000
MIN_BITRATE = 500_000
MAX_BITRATE = 3_000_000
