"""The full-screen face: screens, modals, widgets and their messages."""
