"""How a database of an older shape becomes one of today's, one file a step. Run by `store.admin.upgrade`, never by hand.

The one rule: a step that was released is never edited; a new one follows it, and its name joins `store.revisions.KNOWN`.
"""
