"""What one picture, a few frames or a stretch of sound is like: plain functions under the features."""
