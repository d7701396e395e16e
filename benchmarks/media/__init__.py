"""What `media_access` measures, a module a subject: reading, decoding passes, exactness, encoding.

Each has `measure(seed: int) -> dict[str, float]` or `-> Measured`: figures by name, a peer's with its name in front.
"""
