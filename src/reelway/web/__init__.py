"""Pages for people: a welcome, and the reference. They use nothing but what the API offers everybody."""
