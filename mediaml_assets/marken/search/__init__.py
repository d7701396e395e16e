"""Searches: the envelope around a filter, and how its answer is made from an engine's snapshot."""
