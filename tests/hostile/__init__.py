"""What a simulator has to stand: hostile bodies, hostile sockets, hostile receivers and pages."""
