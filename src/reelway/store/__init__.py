"""Records that survive: jobs, events, ledger lines, messages, keys, nodes. `spec` is the contract, `sqlite` one keeper of it."""
