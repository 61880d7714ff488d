"""What can be seen in bytes: probing, posters, sprite sheets, last frames; and the sandbox's renderer. PyAV does the work."""
