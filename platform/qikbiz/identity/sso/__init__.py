"""Single sign-on by OpenID Connect: an organisation's people come in through its own identity provider."""
