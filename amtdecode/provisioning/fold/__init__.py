"""The fold: what each type of event adds to the state. One file for each source of evidence."""
