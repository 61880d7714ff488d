"""Who may do what: keys, tenants and, later, limits, budgets and the ledger."""
