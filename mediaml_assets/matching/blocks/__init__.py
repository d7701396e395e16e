"""The best pairs of every two titles, kept sorted, so that any titles' best cuts are merged and not computed."""
