"""Scheduling between calendar users (RFC 5546, RFC 6638), without any transport: objects in, messages and objects out.

``parts`` reads who is asked to what; ``requests`` says what an organizer's change means to each attendee, ``replies`` what an
attendee's means to the organizer; ``merging`` lays what came upon the copy that is there. Of what each keeps to
themselves (alarms, colours, what they show themselves as) nobody else ever sees anything.
"""
