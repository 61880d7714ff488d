"""Records that survive: jobs, their events and ledger lines, keys, nodes. `spec` is the contract, `sqlite` one keeper of it."""
