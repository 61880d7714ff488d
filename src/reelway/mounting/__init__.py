"""Puts dialects on HTTP: reads bodies as streams, calls the pure halves, serves files and ranges."""
