"""Helpers around tracks: files, relays, signalling for examples."""
