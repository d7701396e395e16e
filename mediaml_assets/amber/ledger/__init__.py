"""The ledger: who made or reused which value, when, from what; chains of commits, and their compaction.

chains.py    a chain for each feature and scope
rows.py      what a commit says, and its text
folds.py     older rows of all chains of a feature in one Parquet file
compact.py   moves rows into folds
"""

from mediaml_assets.amber.ledger.chains import CHAPTER, READERS, Chain, Ledger, Listing, Moment, row_name, witness_name
from mediaml_assets.amber.ledger.rows import Commit, Event, Row, Value, sparse

__all__ = [
    "CHAPTER",
    "READERS",
    "Chain",
    "Commit",
    "Event",
    "Ledger",
    "Listing",
    "Moment",
    "Row",
    "Value",
    "row_name",
    "sparse",
    "witness_name",
]
