"""Stand-ins for Cal.com, Razorpay, Stripe and a mail server, in one process on its own port.

People try the product with it and tests drive it. Nothing in the product imports it.
"""
