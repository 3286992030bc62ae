"""Many at once, and a process that dies in the middle."""
