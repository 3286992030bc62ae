"""What the operations write, as a real Postfix and a real Dovecot act on it."""
