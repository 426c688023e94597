"""The sections of the HTML report, each a function from a run to markup."""
