"""The toolkit for pages: cookies, forms, formats, assets. Knows no feature; may import jobs, files, kernel."""
