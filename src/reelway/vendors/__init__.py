"""Outgoing wire shapes, one file a vendor: what to send and what came back, without any I/O."""
