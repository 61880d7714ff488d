"""Incoming wire shapes, one file a vendor: read a caller's request, answer in the caller's own words, without any I/O."""
