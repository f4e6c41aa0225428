"""The stories that ship; also the folder ``scenarios/`` of a checkout."""
