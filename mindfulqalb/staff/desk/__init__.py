"""The first page of the admin: what is on today, what needs a person, and whether the machinery runs.

Apps put panels on it, each in a module named `panels`; the page knows none of them.
"""
