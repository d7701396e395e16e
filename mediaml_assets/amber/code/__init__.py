"""The code of a feature: its fingerprint, its readable parts, and what changed between two versions of it."""
