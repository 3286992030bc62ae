"""What every account store promises, on every engine."""
