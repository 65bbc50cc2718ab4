"""Messages out: what needs a person, in plain words, by whatever way Apprise knows."""
