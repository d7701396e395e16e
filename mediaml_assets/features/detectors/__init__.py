"""Where one shot gives way to the next: detectors, from the frame tape or from pictures."""
