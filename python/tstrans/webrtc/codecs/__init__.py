"""Bit rates of the encoders of raw frames, which programs may set for all connections made later."""
