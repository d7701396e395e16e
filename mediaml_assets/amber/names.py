"""What the objects of a store are called; `store` says what they are."""

CATALOGUE = "_catalogue"
"""Scope of a feature computed over all titles; no title slug begins with an underscore."""


def value_name(feature: str, digest: str) -> str:
    """The object that holds the rows of a value."""
    return f"values/{feature}/{digest[:2]}/{digest}.parquet"


def memo_name(feature: str, key: str) -> str:
    """The object that remembers what a memo key gave."""
    return f"memo/{feature}/{key}.json"


def code_name(feature: str, digest: str) -> str:
    """The object that holds a feature's code in readable parts."""
    return f"code/{feature}/{digest}.json"


def environment_name(digest: str) -> str:
    """The object that holds the versions of an environment."""
    return f"environments/{digest}.json"
