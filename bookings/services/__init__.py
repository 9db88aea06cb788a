"""What can be done to bookings: hold, book, place in the calendar, expire."""
