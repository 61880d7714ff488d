"""How the sandbox's pictures and sounds are painted. Runs in the media process only: everything here may import numpy."""
