"""Measurements of the benchmark `media_access`, one module each."""
