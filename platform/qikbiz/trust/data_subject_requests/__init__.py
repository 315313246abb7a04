"""What people may ask of those who keep their data: everything about them, and to be erased."""
