"""JSON patch, merge patch and their kin, as pure functions on objects."""
