"""Memory: what survives a crash. `base` is the spec, `open` the only door, `sqlite` and `redis` two strangers behind it."""
