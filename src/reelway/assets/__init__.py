"""Bytes that survive: inputs and results. `spec` is the contract, `folder` keeps them as plain files."""
