"""Model cards: what each public model can do, as data. Validation, defaults, prices, docs and pages all read them."""
