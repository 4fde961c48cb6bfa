"""Views of the machine for notebooks, web pages and the terminal."""
