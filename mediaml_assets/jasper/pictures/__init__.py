"""Artwork that somebody delivered, made into standard pictures; and how stored ones are read again."""
