"""Films and what may become of them on their way: for `hostile_media`."""
