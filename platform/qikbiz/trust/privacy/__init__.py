"""The privacy statement: its versions, the notice before each change, and the pages that show both."""
