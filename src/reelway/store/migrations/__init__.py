"""How a database of an older shape becomes one of today's, one file a step. Run by `store`, never by hand.

The one rule: a step that was released is never edited; a new one follows it, and its name joins `store.revisions.KNOWN`.

A step is run while nodes of the version before it work with the tables, so it adds and never takes away or renames: a column is
added without a value or with a constant one, and dropped a version after the last one that reads it. It holds no lock for long: on
PostgreSQL an index is made with `postgresql_concurrently` in `op.get_context().autocommit_block()`, a constraint first `NOT VALID`
and validated by a later statement, and many rows are filled in by whoever reads them, not by the step. On PostgreSQL the steps are
written down and then run, so none can look at what is there. Every step can be taken back, and
`tests/store/test_forth_and_back.py` is how that is shown.
"""
