"""The one server: takes records, keeps them, answers questions, shows pages."""
