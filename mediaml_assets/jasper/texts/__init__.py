"""Subtitles and scripts that somebody delivered, read into typed cues and lines; and how stored ones are read again."""
