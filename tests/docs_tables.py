def make(name): return ""
