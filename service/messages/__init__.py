"""What people are told by SMS: read off the journal, once an event, sent by a gateway."""
