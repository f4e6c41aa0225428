"""The scenarios that ship; also the folder ``scenarios/`` of a checkout."""
