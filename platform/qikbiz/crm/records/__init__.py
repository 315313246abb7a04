"""What contacts and companies share: the declaration of fields, and list, form, trash, history made from it."""
