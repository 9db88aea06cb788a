"""One machine, one command: private servers and a supervisor for development and tests. Not part of production."""
