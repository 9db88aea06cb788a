"""Exports for auditors: evidence that a stranger can verify with a public key and a page of Python."""
