"""Annotations as files for other tools: JSON lines, Parquet, WebVTT, W3C Web Annotation."""
