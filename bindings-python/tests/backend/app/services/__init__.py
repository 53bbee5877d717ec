"""The backend's services."""
