"""What the mail programs themselves make of the accounts we write."""
