"""Labelled films for shot boundaries, real and composed, and how what was found in them is scored."""
