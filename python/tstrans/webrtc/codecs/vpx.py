"""Bit rates of the VP8 encoder, in bits a second: its first, and the bounds of what peers may ask for."""

DEFAULT_BITRATE = 500_000
MIN_BITRATE = 250_000
MAX_BITRATE = 1_500_000
