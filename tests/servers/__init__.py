"""Private servers for tests: loopback only, free ports, temporary data, stopped by their pid."""
