"""Delivered files, whatever they are: opened under bounds, probed, identified and read once."""
