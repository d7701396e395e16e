"""The feature mesh: one Amber Feature a file."""
