"""What clients can rely on, one file for each behaviour, on every engine."""
