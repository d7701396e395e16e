"""Files arrive: the landing folder, title slugs and the sensor."""
