"""Small programs that read a capture with another library, as its users do. Each prints what it counted."""
