"""How dates are written where a page does not say it: Django reads these modules by their language."""
