"""`make audit`: is what we wrote, and what we build on, fit to be trusted?"""
