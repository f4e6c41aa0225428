"""Applicants to fill a simulator with: made up, or read from a CSV file; and their proofs."""
